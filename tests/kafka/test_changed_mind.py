"""What meets in one request on the running system: a hand that goes up, down and up again leaves
the lead with a holder."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.custody import Holder, HolderKind, Holding, holder_of, updated
from baton.contracts.streams import StreamRecord
from baton.contracts.topics import TOPICS
from tests.kafka.conftest import DEMO_AGREEMENT, LiveSystem
from tests.kafka.test_handoff_is_whole import client_of

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

LEADS = 60
TIMEOUT_S = 60.0
STREAMS = ("scorer.leads.v1", "router.handoffs.v1", "sla.leads.v1")


def _request(number: int) -> list[dict[str, Any]]:
    now = datetime.now(UTC).isoformat()
    base = {
        "source": "web",
        "occurred_at": now,
        "identifiers": {"email": f"cto{number}@firm{number}.example"},
    }
    asked = {"kind": "engagement", "engagement": {"act": "demo_request"}}
    profile = {"country": "DE", "role": "C-level", "employees": "500"}
    return [
        base | {"id": f"p{number}", "kind": "profile", "profile": profile},
        base | asked | {"id": f"d{number}"},
        base | {"id": f"r{number}", "kind": "retraction", "retracts": f"d{number}"},
        base | asked | {"id": f"e{number}"},
    ]


def _holders(reader: LogReader) -> dict[str, Holder]:
    """Who holds each lead by now."""
    holding: dict[str, Holding] = {}
    places = {topic: list(range(reader.partitions(topic))) for topic in STREAMS}
    for record in sorted(
        reader.read(places), key=lambda entry: (entry.at_ms, entry.topic, entry.offset)
    ):
        if record.value is not None:
            said: StreamRecord = codec_for(TOPICS[record.topic].record).decode(record.value)  # type: ignore[arg-type]
            holding[said.lead_id] = updated(holding.get(said.lead_id, Holding()), said)
    return {lead: holder_of(item) for lead, item in holding.items()}


def test_a_demo_asked_for_taken_back_and_asked_for_again_in_one_request_leaves_every_lead_with_a_person(
    live_system: LiveSystem,
) -> None:
    with live_system(DEMO_AGREEMENT) as system, client_of(system) as client:
        for number in range(LEADS):
            assert client.post("/v1/events", content=json.dumps(_request(number))).status_code in (
                200,
                202,
            )
        with LogReader(confluent_options(system.settings), system.settings.namespace) as reader:
            until = time.monotonic() + TIMEOUT_S
            while True:
                holders = _holders(reader)
                held = [
                    holder
                    for holder in holders.values()
                    if holder.kind in (HolderKind.PERSON, HolderKind.QUEUE)
                ]
                if len(held) == LEADS or time.monotonic() > until:
                    break
                time.sleep(0.5)
    assert [holder for holder in holders.values() if holder not in held] == []
    assert len(held) == LEADS
