"""One replay that stands for both agreements, as far as they treat a lead alike, finds what two
replays find, every lead for itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.backtest.alike import Alike
from baton.backtest.in_force import always
from baton.backtest.replay import BothReplays, Replay
from baton.backtest.replayed_facts import facts_of_lines
from baton.backtest.shards import read, spill
from baton.engine.reducer import Event
from baton.simulation.input_lines import Arrival
from tests.backtest.year import BEGINS, DAY_MS, agreement_with

ACTS = ("page_view", "pricing_view", "download", "webinar", "email_click", "form", "demo_request")
LEADS = 60
CHANGES: Mapping[str, Mapping[str, str]] = {
    "points of an act": {"webinar: {points: 20,": "webinar: {points: 30,"},
    "points of a stage": {"- {stage: decision, points: 14}": "- {stage: decision, points: 24}"},
    "a lower threshold": {"3: {enter: 20, exit: 12}": "3: {enter: 14, exit: 8}"},
    "a higher threshold": {"3: {enter: 20, exit: 12}": "3: {enter: 26, exit: 20}"},
    "a criterion": {
        "points: 15\n    when: {field: profile.role": "points: -10\n    when: {field: profile.role"
    },
    "a half-life": {"intent: {half_life: 30 days": "intent: {half_life: 1 day"},
    "words": {"name: Tern Software, first steps": "name: Tern Software"},
}
SHARES = frozenset(CHANGES) - {"a half-life"}
"""What leaves most leads alone; a half-life is of every act of its group."""


def arrivals() -> list[Arrival]:
    """Leads with a few acts of any kind, some taken back, some with a profile that changes."""
    random, found = Random(7), []
    for lead in range(LEADS):
        at = BEGINS + timedelta(minutes=random.randrange(90 * 1440))
        for number in range(random.randrange(1, 8)):
            at += timedelta(minutes=random.randrange(12 * 1440))
            body: dict[str, Any] = {
                "id": f"e{lead}-{number}",
                "source": "web",
                "kind": "engagement",
                "occurred_at": at.isoformat(),
                "identifiers": {"email": f"p{lead}@firm{lead}.example"},
                "engagement": {
                    "act": random.choice(ACTS),
                    "content_stage": random.choice(("awareness", "decision")),
                },
                "profile": {
                    "country": random.choice(("DE", "DE", "FR")) if lead % 3 == 0 else "DE",
                    "employees": 300,
                    "role": "VP" if lead % 2 else "manager",
                },
            }
            if random.random() < 0.1 and number:
                body |= {"kind": "retraction", "retracts": f"e{lead}-{number - 1}"}
                del body["engagement"], body["profile"]
            found.append(Arrival(at_ms=int(at.timestamp() * 1000), line=json.dumps(body).encode()))
    return sorted(found, key=lambda one: one.at_ms)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> CompiledAgreement:
    return agreement_with(tmp_path_factory.mktemp("old"), {})


@pytest.fixture(scope="module")
def groups(old: CompiledAgreement, tmp_path_factory: pytest.TempPathFactory) -> list[list[Event]]:
    spilled = spill(facts_of_lines(arrivals(), old), tmp_path_factory.mktemp("facts"))
    return [facts for path in spilled.files for facts in read(path, spilled.groups, None).values()]


@pytest.mark.parametrize("change", CHANGES)
def test_a_shared_replay_finds_what_two_find(
    old: CompiledAgreement, groups: list[list[Event]], change: str, tmp_path: Path
) -> None:
    new = agreement_with(tmp_path, CHANGES[change])
    until_ms = max(fact.at_ms for facts in groups for fact in facts) + DAY_MS
    both = BothReplays(Replay(always(old), until_ms), Replay(always(new), until_ms))
    full = [Replay(always(one), until_ms, skips=False) for one in (old, new)]
    differ = 0
    for facts in groups:
        expected = tuple(one.group(facts) for one in full)
        assert both.group(facts) == expected
        differ += expected[0] != expected[1]
    assert (differ > 0) == (change != "words"), "the change is one that matters"


@pytest.mark.parametrize("change", CHANGES)
def test_leads_are_alike_unless_the_change_is_of_all(
    old: CompiledAgreement, groups: list[list[Event]], change: str, tmp_path: Path
) -> None:
    alike = Alike.of(old, agreement_with(tmp_path, CHANGES[change]))
    assert (alike is not None) == (change in SHARES)
    if alike is not None:
        alone = [alike.prefix(facts) == len(facts) for facts in groups]
        assert any(alone)
        assert all(alone) == (change == "words")


def test_leads_after_the_end_of_a_replay_change_nothing_before_it(
    old: CompiledAgreement, groups: list[list[Event]]
) -> None:
    facts = max(groups, key=len)
    ends = facts[-1].at_ms - 1
    one = Replay(always(old), ends)
    assert one.group(facts) == one.group([fact for fact in facts if fact.at_ms <= ends])
