"""What nobody looks at is not decoded."""

from __future__ import annotations

import inspect
import re

import pytest

from baton.contracts.topic_names import LEADS_ACCEPTED, LEADS_PERSONS, LEADS_ROUTED_SDR
from baton.contracts.topics import TOPICS
from services.delivery import digest_notice, planning
from services.delivery.log.reader import READ_TOPICS, topics_looked_at
from services.delivery.store import view
from services.delivery.targets.target_model import TargetsFile


def targets(*topics: str) -> TargetsFile:
    hook = {"url": "https://hooks.example/x", "secret_env": ["BATON_S"], "topics": topics}
    return TargetsFile.model_validate({"version": 1, "webhooks": {"w": hook} if topics else {}})


def test_every_event_is_looked_at_only_where_a_webhook_subscribes_to_it() -> None:
    assert LEADS_ACCEPTED not in topics_looked_at(targets())
    assert LEADS_ACCEPTED in topics_looked_at(targets(LEADS_ACCEPTED))
    assert {LEADS_PERSONS, LEADS_ROUTED_SDR} <= topics_looked_at(targets())


@pytest.mark.parametrize("topic", sorted(set(READ_TOPICS) - topics_looked_at(targets())))
def test_neither_the_view_nor_a_target_has_a_word_for_what_is_left_out(topic: str) -> None:
    record = TOPICS[topic].record
    assert record is not None
    text = "".join(inspect.getsource(module) for module in (planning, view, digest_notice))
    assert not re.search(rf"\b{record.__name__}\b", text)
    assert topic not in text
