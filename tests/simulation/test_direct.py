"""A simulation that keeps nothing decides what one with the whole log decides, and holds no more
than its leads."""

import json
from pathlib import Path
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import agreement_of, read_agreement
from baton.contracts.codec import codec_for
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.topics import TOPICS
from baton.engine.changelog import fingerprint
from baton.engine.memory import Stored
from baton.engine.reducer import EntryKind, Event, Put, Reducer, Step
from baton.local.up.preparing import example_agreement
from baton.simulation.direct import key_values
from baton.simulation.direct.passed import Passed, read, written
from baton.simulation.input_lines import Arrival, arrivals_of
from baton.simulation.simulation import Announcement, CountedSimulation, Simulation

ROOT = Path(__file__).resolve().parents[2]
START_MS = 1_772_434_800_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def _busy() -> list[Arrival]:
    """Every kind of event of the examples, and thirty people who join, ask, refuse and are
    erased."""
    lines = [
        json.loads(line)
        for line in (ROOT / "schemas/examples/events.jsonl").read_text().splitlines()
    ]
    for number in range(120):
        person, at_ms = number % 30, START_MS + number * HOUR_MS
        line: dict[str, Any] = {
            "id": f"e{number}",
            "source": "web",
            "kind": "engagement",
            "occurred_at": at_ms,
            "identifiers": {"anonymous": f"a{person}"},
            "engagement": {"act": "demo_request" if number % 11 == 3 else "webinar"},
        }
        if number % 3:
            line["identifiers"] |= {"email": f"p{person}@firm{person % 4}.example"}
            line["profile"] = {"country": "DE", "role": "CTO", "employees": 250}
        if number % 41 == 40:
            line |= {"kind": "erasure", "identifiers": {"email": f"p{person}@firm0.example"}}
            del line["engagement"]
            line.pop("profile", None)
        lines.append(line)
    arrivals = arrivals_of([(json.dumps(line).encode(), line) for line in lines])
    return [arrival for arrival in arrivals if arrival.at_ms < START_MS + 8 * DAY_MS]


def _facts(
    *, keep: bool, partitions: int = 2, kind: type[Simulation] = Simulation
) -> tuple[list[Stored], Simulation]:
    first, then = (read_agreement(example_agreement()), example_agreement().read_text())
    second = agreement_of(then.replace("page_view: {points: 1,", "page_view: {points: 2,"), "then")
    arrivals = _busy()
    simulation = kind(
        text=canonical_text(first),
        version=version_of(canonical_text(first)),
        start_ms=arrivals[0].at_ms,
        partitions=partitions,
        known=[
            PeopleRecord(
                record_id="away",
                person="sdr-anna",
                from_ms=START_MS + 2 * DAY_MS,
                until_ms=START_MS + 5 * DAY_MS,
            )
        ],
        keep=keep,
    )
    change = Announcement(
        at_ms=START_MS + 3 * DAY_MS,
        text=canonical_text(second),
        version=version_of(canonical_text(second)),
        effective_at_ms=START_MS + 3 * DAY_MS + HOUR_MS,
    )
    until_ms = START_MS + 9 * DAY_MS
    return list(simulation.run(arrivals, until_ms, announcements=[change])), simulation


def test_without_a_log_the_facts_are_the_same_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_values, "AS_VALUES", 5)  # most states become bytes on the way
    kept, _ = _facts(keep=True)
    unlogged, _ = _facts(keep=False)
    assert unlogged == kept
    topics = {stored.topic for stored in kept}
    assert {
        "leads.merges.v1",
        "leads.routed.sales.v1",
        "leads.sla-violations.v1",
    } <= topics


def test_what_is_only_counted_is_the_same_and_was_never_written() -> None:
    plain, _ = _facts(keep=False)
    counted, _ = _facts(keep=False, kind=CountedSimulation)
    assert all(isinstance(stored, Passed) for stored in counted)
    assert [written(stored) for stored in counted] == plain
    for stored, fact in zip(counted, plain, strict=True):
        record = TOPICS[stored.topic].record
        assert record is not None
        assert stored.value is not None
        assert fact.value is not None
        assert read(stored, record) == read(fact, record)


def test_nothing_stays_in_the_log_but_what_was_agreed() -> None:
    _, simulation = _facts(keep=False)
    log = simulation.host.log
    left = {
        topic: len(log.records(topic, partition))
        for topic in TOPICS
        for partition in range(log.partitions_of(topic))
        if log.records(topic, partition)
    }
    assert left == {"baton.agreements.v1": 6, "baton.people.v1": 1}
    assert log.history == []


class _Counter(Reducer[Any, Any]):
    name, service = "counter", "test"
    inputs = outputs = ()
    head_type = PeopleRecord
    entry_kinds = (EntryKind("absence", PeopleRecord),)

    def step(self, view: Any, event: Event, *, now: int, reference: Any) -> Step[Any]:
        raise NotImplementedError


def test_only_the_latest_states_are_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_values, "AS_VALUES", 10)
    (kind,) = _Counter.entry_kinds
    states = key_values.KeyStates(_Counter(), codec_for)
    for number in range(100):
        record = PeopleRecord(record_id=str(number), person="x", from_ms=0, until_ms=1)
        state = states.touch(f"{number}")
        state.cause = f"cause {number}"
        put = (Put(kind, "b", record), Put(kind, "a", record))
        state.apply(Step(head=record, wake_at=number, put=put), "v1", forced=False)
        states.settle(state)
        assert states.values <= 20
    assert len(list(states.keys())) == 100
    oldest = states.touch("0")
    assert (oldest.head.record_id, oldest.wake_at, oldest.version) == ("0", 0, "v1")
    assert oldest.revision == fingerprint("cause 0")
    assert [item for item, _ in oldest.scan(kind, limit=5)] == ["a", "b"]
    assert states.touch("missing").exists is False
