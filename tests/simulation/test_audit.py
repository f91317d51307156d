"""The audit: silent on a sound run, and loud, by the right name and place, for each planted bug."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.cluster.log import Record
from baton.contracts.codec import codec_for
from baton.contracts.intake import IntakeRecord, LeadEvent, LeadMerge
from baton.contracts.leads import LeadScored, LeadStaged
from baton.contracts.routing import HandoffKind, HandoffNoted, LeadRouted
from baton.contracts.slas import LeadRecycled, SlaClock, SlaViolation
from baton.contracts.streams import RoutingAnswer
from baton.contracts.topics import TOPICS
from baton.engine.memory import MemoryLog
from baton.flow import all_reducers
from baton.local.demo.company import Way, visitors
from baton.local.demo.staff import deeds
from baton.proof.audit import audit, spill
from baton.proof.audit.audit import Audit
from baton.proof.audit.audit_scope import Scope
from baton.proof.audit.findings import Add, Invariant, Report
from baton.proof.audit.rebuilding import Outcome
from baton.proof.audit.shared_work import Crew, Work
from baton.proof.audit.source import MemorySource, Source
from baton.proof.audit.spills import Spills
from baton.simulation.input_lines import Arrival
from baton.simulation.simulation import Simulation

ROOT = Path(__file__).resolve().parents[2]
BEGINS_MS = 1_795_327_861_000
SPAN_MS = 10_000
VERDICTS = ("accepted", "rejected", "qualified")


def _arrivals() -> list[Arrival]:
    script = visitors(leads=14, span_ms=SPAN_MS, seed=9, begins_ms=BEGINS_MS)
    return [
        Arrival(at_ms=BEGINS_MS + arrival.after_ms, line=arrival.line)
        for arrival in script
        if arrival.way in Way
    ]


@pytest.fixture(scope="module")
def sound() -> MemoryLog:
    """The log of a run in which people take up what they are given, some in time and some not."""
    text = canonical_text(read_agreement(ROOT / "examples" / "agreements" / "demo.yaml"))
    simulation = Simulation(text=text, version=version_of(text), start_ms=BEGINS_MS, partitions=2)
    answers: list[Arrival] = []
    waiting = _arrivals()
    while waiting:
        waiting.sort(key=lambda arrival: arrival.at_ms)
        first, *waiting = waiting
        for stored in simulation.run([first]):
            if stored.topic.startswith("leads.routed.") and stored.value is not None:
                routed = codec_for(LeadRouted).decode(stored.value)
                waiting += [
                    Arrival(at_ms=stored.timestamp + deed.after_ms, line=deed.encoded)
                    for deed in deeds(routed)
                ]
    for _ in simulation.run(answers, simulation.host.log.now + 60_000):
        pass
    return simulation.host.log


@pytest.fixture
def log(sound: MemoryLog) -> MemoryLog:
    """The same, for a test to spoil."""
    spoilt = copy.copy(sound)
    spoilt._records = {place: list(records) for place, records in sound._records.items()}
    return spoilt


def audited(log: MemoryLog, **more: Any) -> Report:
    return Audit(MemorySource(log), all_reducers(), grace_ms=2_000, **more).run()


def _find(
    log: MemoryLog, topic: str, wanted: Callable[[Any], bool] = lambda value: True
) -> tuple[int, int, Any]:
    """Partition, offset and value of the first record that is wanted."""
    record_type = TOPICS[topic].record
    assert record_type is not None
    for partition in range(log.partitions_of(topic)):
        for stored in log.records(topic, partition):
            value = codec_for(record_type).decode(stored.value or b"")
            if wanted(value):
                return partition, stored.offset, value
    raise AssertionError(f"the run has no such record in {topic}")


def _put(log: MemoryLog, topic: str, partition: int, offset: int, **changes: Any) -> None:
    records = log.records(topic, partition)
    records[offset] = records[offset]._replace(**changes)


def _write(log: MemoryLog, topic: str, partition: int, offset: int, value: Any) -> None:
    _put(log, topic, partition, offset, value=codec_for(type(value)).encode(value))


def _append(log: MemoryLog, topic: str, partition: int, like: int, **changes: Any) -> int:
    records = log.records(topic, partition)
    records.append(records[like]._replace(offset=len(records), **changes))
    return len(records) - 1


def test_a_sound_run_has_no_finding(sound: MemoryLog) -> None:
    report = audited(sound)
    assert report.findings == []
    assert report.sound
    assert report.unchecked == []
    assert report.checked["leads.routed.sdr.v1"] > 3
    assert report.checked["leads.sla-violations.v1"] > 3
    assert report.checked["leads.recycled.v1"] > 0
    assert report.checked["batches"] > 100
    assert report.checked["scores"] > 20


def test_what_does_not_stay_in_memory_comes_back_from_disk_the_same(
    sound: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = audited(sound)
    monkeypatch.setattr(spill, "HELD_ROWS", 1)
    assert audited(sound, buckets=4) == held
    assert audited(sound, buckets=1) == held


class Shared(Crew):
    """Two who share the work, each with spills of its own in one folder, as processes have."""

    def __init__(self, source: Source, reducers: Sequence[Any], spills: Spills, add: Add) -> None:
        super().__init__(source, reducers, "baton", spills, add)
        self._next = 0
        self._others = [
            Spills(spills.folder, buckets=spills.buckets, writer=writer, writers=3)
            for writer in (1, 2)
        ]
        self._works = [Work(source, reducers, "baton", other, add) for other in self._others]

    def outcomes(self) -> Iterator[Outcome]:
        for task in self._tasks:
            yield self._in_turn(partial(Work.compute, task=task))

    def reports(self, scope: Scope, stage: Sequence[str]) -> Iterator[Report]:
        self._spills.flush()
        for what in stage:
            for bucket in range(self._spills.buckets):
                yield self._in_turn(partial(Work.check, scope=scope, what=what, bucket=bucket))

    def _in_turn(self, do: Callable[[Work], Any]) -> Any:
        self._next = 1 - self._next
        found = do(self._works[self._next])
        self._others[self._next].flush()
        return found


@contextmanager
def _shared(
    processes: int, source: Source, reducers: Any, namespace: str, spills: Spills, add: Add
) -> Iterator[Crew]:
    crew = Shared(source, reducers, spills, add)
    with crew._others[0], crew._others[1]:
        yield crew


def test_several_who_share_the_work_find_what_one_finds(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition, offset, scored = _find(log, "leads.scored.v1")
    wrong = replace(scored, engagement_micro=scored.engagement_micro + 5)
    _write(log, "leads.scored.v1", partition, offset, wrong)
    partition, offset, _ = _find(log, "leads.routed.sdr.v1")
    _append(log, "leads.routed.sdr.v1", partition, offset)
    one = audited(log, buckets=4)
    monkeypatch.setattr(audit, "crew_of", _shared)
    assert audited(log, buckets=4, processes=2) == one
    assert {Invariant.REBUILT, Invariant.SCORES, Invariant.UNIQUE} <= set(one.broken)


class Growing(MemorySource):
    """A log that goes on while it is audited: facts are read to its end, but the audit began, and
    each task's changelog was read, at ``then_ms``."""

    def __init__(self, log: MemoryLog, then_ms: int, begun_ms: int) -> None:
        super().__init__(log)
        self._whole, self._then_ms, self._begun_ms = log, then_ms, begun_ms

    def end(self, place: tuple[str, int]) -> int:
        return sum(stored.timestamp <= self._begun_ms for stored in self._whole.records(*place))

    def read(self, topic: str, partition: int, start: int | None = None) -> Iterator[Record]:
        for record in super().read(topic, partition, start):
            if record.at_ms <= self._then_ms or not topic.endswith(("changelog.v1", "ticks.v1")):
                yield record


def test_what_came_while_it_read_may_be_newer_than_what_it_computed(sound: MemoryLog) -> None:
    then_ms = BEGINS_MS + SPAN_MS
    for begun_ms, findings in ((then_ms, set()), (sound.now, {Invariant.REBUILT})):
        source = Growing(sound, then_ms, begun_ms)
        report = Audit(source, all_reducers(), grace_ms=2_000).run()
        assert {finding.invariant for finding in report.findings} == findings
        assert report.checked["leads.scored.v1"] > 10


def _emit_twice(log: MemoryLog) -> str:
    partition, offset, _ = _find(log, "leads.scored.v1")
    again = _append(log, "leads.scored.v1", partition, offset)
    return f"leads.scored.v1/{partition}/{again}"


def _garble(log: MemoryLog) -> str:
    partition, offset, _ = _find(log, "leads.acts.v1")
    _put(log, "leads.acts.v1", partition, offset, value=b"garbage")
    return f"leads.acts.v1/{partition}/{offset}"


def _garble_what_leads_have(log: MemoryLog) -> str:
    partition, offset, _ = _find(log, "leads.scored.v1")
    _put(log, "leads.scored.v1", partition, offset, value=b"garbage")
    return f"leads.scored.v1/{partition}/{offset}"


def _lose_a_fact(log: MemoryLog) -> None:
    partition, offset, _ = _find(log, "sla.tallies.v1")
    stored = log.records("sla.tallies.v1", partition)[offset]
    headers = [(name, b"lost" if name == "baton_cause" else data) for name, data in stored.headers]
    _put(
        log,
        "sla.tallies.v1",
        partition,
        offset,
        headers=[header for header in headers if header[0] != "baton_cause"],
    )


def _invent_a_fact(log: MemoryLog) -> str:
    partition, offset, _ = _find(log, "accounts.scored.v1")
    headers = [
        (name, b"f" * 32 if name == "ce_id" else data)
        for name, data in log.records("accounts.scored.v1", partition)[offset].headers
    ]
    again = _append(log, "accounts.scored.v1", partition, offset, headers=headers)
    return f"accounts.scored.v1/{partition}/{again}"


def _change_a_fact(log: MemoryLog) -> str:
    partition, offset, value = _find(log, "leads.qualified.v1")
    _write(log, "leads.qualified.v1", partition, offset, replace(value, level="cold"))
    return f"leads.qualified.v1/{partition}/{offset}"


def _lose_state(log: MemoryLog) -> None:
    """As a restore from nothing would: a head goes back to what it never was."""
    records = log.records("lead.changelog.v1", 0)
    key = next(record.key for record in records if record.key and record.key[0] == b"h"[0])
    records.append(records[-1]._replace(offset=len(records), key=key, value=None))


def _change_state(log: MemoryLog) -> str:
    records = log.records("clocks.changelog.v1", 1)
    last = next(
        record
        for record in reversed(records)
        if record.key and record.key[0] == b"h"[0] and record.value
    )
    records.append(last._replace(offset=len(records), value=(last.value or b"")[:-1] + b"\x7f"))
    return f"clocks.changelog.v1/1/{len(records) - 1}"


def _reorder_the_journal(log: MemoryLog) -> None:
    records = log.records("lead.journal.v1", 0)
    records[3], records[4] = records[4]._replace(offset=3), records[3]._replace(offset=4)


def _drop_a_commit(log: MemoryLog) -> None:
    """The offsets went on and the transaction's records did not: the last batch is missing from the
    journal."""
    log.records("identify.journal.v1", 0).pop()


def _forget_an_event(log: MemoryLog) -> str:
    partition, offset, _ = _find(log, "intake.keyed.v1")
    value = IntakeRecord(
        event_id="e" * 32, source="x", kind="link", occurred_at_ms=1, identifiers=()
    )
    again = _append(
        log,
        "intake.keyed.v1",
        partition,
        offset,
        value=codec_for(IntakeRecord).encode(value),
        headers=[],
    )
    return f"intake.keyed.v1/{partition}/{again}"


def _accept_twice(log: MemoryLog) -> str:
    partition, offset, _ = _find(log, "leads.accepted.v1")
    headers = [
        (name, b"f" * 32 if name == "ce_id" else data)
        for name, data in log.records("leads.accepted.v1", partition)[offset].headers
    ]
    again = _append(log, "leads.accepted.v1", partition, offset, headers=headers)
    return f"leads.accepted.v1/{partition}/{again}"


def _wrong_sum(log: MemoryLog) -> str:
    partition, offset, value = _find(
        log, "leads.scored.v1", lambda record: record.engagement_micro > 0
    )
    assert isinstance(value, LeadScored)
    _write(
        log,
        "leads.scored.v1",
        partition,
        offset,
        replace(value, engagement_micro=value.engagement_micro + 1),
    )
    return f"leads.scored.v1/{partition}/{offset}"


def _jump_a_stage(log: MemoryLog) -> str:
    partition, offset, value = _find(
        log, "leads.stages.v1", lambda record: record.from_stage == "mql"
    )
    assert isinstance(value, LeadStaged)
    _write(log, "leads.stages.v1", partition, offset, replace(value, from_stage="opportunity"))
    return f"leads.stages.v1/{partition}/{offset}"


def _route_twice(log: MemoryLog) -> str:
    partition, offset, _ = _find(log, "leads.routed.sdr.v1")
    again = _append(log, "leads.routed.sdr.v1", partition, offset, timestamp=log.now)
    return f"leads.routed.sdr.v1/{partition}/{again}"


def _skip_the_withdrawal(log: MemoryLog) -> None:
    partition, offset, value = _find(
        log,
        "leads.handoffs.v1",
        lambda record: record.kind == HandoffKind.WITHDRAWN and record.reason == "reassigned",
    )
    assert isinstance(value, HandoffNoted)
    _write(
        log, "leads.handoffs.v1", partition, offset, replace(value, kind=HandoffKind.NOTED.value)
    )


def _fire_early(log: MemoryLog) -> str:
    partition, offset, value = _find(
        log, "leads.sla-violations.v1", lambda fact: fact.kind == "breach" and fact.lead_id
    )
    assert isinstance(value, SlaViolation)
    at_ms = log.records("leads.sla-violations.v1", partition)[offset].timestamp
    _write(log, "leads.sla-violations.v1", partition, offset, replace(value, deadline_ms=at_ms + 5))
    return f"leads.sla-violations.v1/{partition}/{offset}"


def _end_a_clock_twice(log: MemoryLog) -> str:
    partition, offset, value = _find(
        log, "leads.sla-clocks.v1", lambda record: record.state == "met"
    )
    assert isinstance(value, SlaClock)
    again = _append(log, "leads.sla-clocks.v1", partition, offset, timestamp=log.now)
    return f"leads.sla-clocks.v1/{partition}/{again}"


def _lose_a_timer(log: MemoryLog) -> str:
    clock_id = _find(log, "leads.sla-clocks.v1", lambda record: record.state == "breached")[
        2
    ].clock_id
    for number in range(log.partitions_of("leads.sla-clocks.v1")):
        kept = [
            record
            for record in log.records("leads.sla-clocks.v1", number)
            if (clock := codec_for(SlaClock).decode(record.value or b"")).clock_id != clock_id
            or clock.state == "running"
        ]
        log._records["leads.sla-clocks.v1", number] = [
            record._replace(offset=place) for place, record in enumerate(kept)
        ]
    place, begun, _ = _find(log, "leads.sla-clocks.v1", lambda record: record.clock_id == clock_id)
    return f"leads.sla-clocks.v1/{place}/{begun}"


def _wrong_turn(log: MemoryLog) -> str:
    partition, offset, value = _find(
        log,
        "leads.routed.sdr.v1",
        lambda record: (
            record.rule == "in_turn"
            and sum(not candidate.excluded for candidate in record.candidates) > 1
        ),
    )
    assert isinstance(value, LeadRouted)
    worse = tuple(
        replace(candidate, score="99") if candidate.person == value.owner else candidate
        for candidate in value.candidates
    )
    _write(log, "leads.routed.sdr.v1", partition, offset, replace(value, candidates=worse))
    return f"leads.routed.sdr.v1/{partition}/{offset}"


def _overload(log: MemoryLog) -> str:
    partition, offset, value = _find(
        log, "leads.routed.sdr.v1", lambda record: record.rule == "in_turn"
    )
    assert isinstance(value, LeadRouted)
    full = tuple(
        replace(candidate, capacity=candidate.load)
        if candidate.person == value.owner
        else candidate
        for candidate in value.candidates
    )
    _write(log, "leads.routed.sdr.v1", partition, offset, replace(value, candidates=full))
    return f"leads.routed.sdr.v1/{partition}/{offset}"


def _hide_the_cause(log: MemoryLog) -> str:
    partition, offset, _ = _find(log, "leads.scored.v1")
    headers = [
        header
        for header in _headers(log, "leads.scored.v1", partition, offset)
        if header[0] != "baton_cause"
    ]
    again = _append(log, "leads.scored.v1", partition, offset, headers=headers)
    return f"leads.scored.v1/{partition}/{again}"


def _score_what_was_not_accepted(log: MemoryLog) -> str:
    """Numbers that add up, and an act more than was accepted."""
    partition, offset, value = _find(
        log, "leads.scored.v1", lambda record: record.engagement_micro > 0 and record.cycle == 1
    )
    assert isinstance(value, LeadScored)
    first, *rest = value.contributions
    more = replace(first, event_id="7" * 32)
    total = value.engagement_micro + more.points_micro
    _write(
        log,
        "leads.scored.v1",
        partition,
        offset,
        replace(value, contributions=(first, more, *rest), engagement_micro=total),
    )
    return f"leads.scored.v1/{partition}/{offset}"


def _lose_an_act(log: MemoryLog) -> str:
    """An act was accepted that no score knows: the scorer lost it, or the record of acceptance is
    not the one it took."""
    partition, offset, scored = _find(
        log, "leads.scored.v1", lambda record: record.engagement_micro > 0 and record.cycle == 1
    )
    events = log.records("leads.accepted.v1", partition)
    codec = codec_for(LeadEvent)
    for number, stored in enumerate(events):
        event = codec.decode(stored.value or b"")
        if event.event_id == scored.cause_id and event.engagement is not None:
            quiet = replace(event, engagement=replace(event.engagement, act="unsubscribe"))
            events[number] = stored._replace(value=codec.encode(quiet))
            return f"leads.scored.v1/{partition}/{offset}"
    raise AssertionError("the score has no act for its cause")


def _ignore_a_verdict(log: MemoryLog) -> str:
    partition, offset, act = _find(
        log, "leads.acts.v1", lambda record: record.act.kind == "accepted"
    )
    stages = log.records("leads.stages.v1", partition)
    codec = codec_for(LeadStaged)
    kept = [stage for stage in stages if codec.decode(stage.value or b"").cause_id != act.event_id]
    assert len(kept) < len(stages)
    log._records["leads.stages.v1", partition] = [
        record._replace(offset=place) for place, record in enumerate(kept)
    ]
    return f"leads.acts.v1/{partition}/{offset}"


def _invent_a_verdict(log: MemoryLog) -> str:
    survivors = {
        codec_for(LeadMerge).decode(record.value or b"").survivor
        for number in range(log.partitions_of("leads.merges.v1"))
        for record in log.records("leads.merges.v1", number)
    }
    partition, offset, value = _find(
        log,
        "leads.stages.v1",
        lambda fact: (
            fact.event in VERDICTS and fact.by is not None and fact.lead_id not in survivors
        ),
    )
    assert isinstance(value, LeadStaged)
    _write(log, "leads.stages.v1", partition, offset, replace(value, cause_id="6" * 32))
    return f"leads.stages.v1/{partition}/{offset}"


def _miscount_a_turn(log: MemoryLog) -> str:
    """A turn that was taken is not counted at the next decision: each choice by itself looks
    right."""
    partition, offset, value = _find(
        log,
        "router.answers.v1",
        lambda record: (
            record.routed is not None
            and record.routed.turn_used
            and any(candidate.turns for candidate in record.routed.candidates)
        ),
    )
    assert isinstance(value, RoutingAnswer)
    assert value.routed is not None
    candidates = value.routed.candidates
    fewer = tuple(
        replace(candidate, turns=candidate.turns and candidate.turns - 1)
        for candidate in candidates
    )
    changed = replace(value, routed=replace(value.routed, candidates=fewer))
    _write(log, "router.answers.v1", partition, offset, changed)
    return f"router.answers.v1/{partition}/{offset}"


def _publish_what_no_pool_answered(log: MemoryLog) -> str:
    """A record that nobody of the pool has answered."""
    topic = "leads.routed.sdr.v1"
    partition, offset, value = _find(log, topic, lambda record: record.rule == "in_turn")
    assert isinstance(value, LeadRouted)
    _write(log, topic, partition, offset, replace(value, rule="colleague"))
    return f"{topic}/{partition}/{offset}"


def _drop_the_hand_off(log: MemoryLog) -> str:
    """A lead qualified and nothing followed."""
    partition, offset, value = _find(
        log,
        "leads.stages.v1",
        lambda record: record.event == "qualified" and record.to_stage == "mql",
    )
    assert isinstance(value, LeadStaged)
    orphan = codec_for(LeadStaged).encode(
        replace(value, lead_id="9" * 32, qualification_id="9" * 32)
    )
    again = _append(log, "leads.stages.v1", partition, offset, key=b"9" * 32, value=orphan)
    return f"leads.stages.v1/{partition}/{again}"


def _recycled(log: MemoryLog) -> list[tuple[int, int, LeadRecycled]]:
    codec = codec_for(LeadRecycled)
    return [
        (partition, stored.offset, codec.decode(stored.value or b""))
        for partition in range(log.partitions_of("leads.recycled.v1"))
        for stored in log.records("leads.recycled.v1", partition)
    ]


def _forget_the_returns(log: MemoryLog) -> None:
    """Cycles ended and nobody said when their leads come back; nor did they."""
    for partition, offset, value in _recycled(log):
        _write(
            log,
            "leads.recycled.v1",
            partition,
            offset,
            replace(value, return_at_ms=None, recycle_id="9" * 32),
        )


def _let_a_return_pass(log: MemoryLog) -> None:
    end_ms = max(stored.timestamp for stored in log.history)
    for partition, offset, value in _recycled(log):
        late = replace(value, return_at_ms=end_ms - 2_001, recycle_id="9" * 32)
        _write(log, "leads.recycled.v1", partition, offset, late)


PLANTED: list[tuple[Invariant, Callable[[MemoryLog], str | None]]] = [
    (Invariant.READABLE, _garble),
    (Invariant.READABLE, _garble_what_leads_have),
    (Invariant.UNIQUE, _emit_twice),
    (Invariant.REBUILT, _lose_a_fact),
    (Invariant.REBUILT, _invent_a_fact),
    (Invariant.REBUILT, _change_a_fact),
    (Invariant.STATE, _lose_state),
    (Invariant.STATE, _change_state),
    (Invariant.STATE, _reorder_the_journal),
    (Invariant.STATE, _drop_a_commit),
    (Invariant.ACCEPTED_ONCE, _forget_an_event),
    (Invariant.ACCEPTED_ONCE, _accept_twice),
    (Invariant.SUMS, _wrong_sum),
    (Invariant.STAGES, _jump_a_stage),
    (Invariant.ROUTED_ONCE, _route_twice),
    (Invariant.ROUTED_ONCE, _publish_what_no_pool_answered),
    (Invariant.ONE_HOLDER, _skip_the_withdrawal),
    (Invariant.CLOCKS, _fire_early),
    (Invariant.CLOCKS, _end_a_clock_twice),
    (Invariant.OVERDUE, _lose_a_timer),
    (Invariant.TURNS, _wrong_turn),
    (Invariant.CAPACITY, _overload),
    (Invariant.TURNS, _miscount_a_turn),
    (Invariant.CAUSED, _hide_the_cause),
    (Invariant.SCORES, _score_what_was_not_accepted),
    (Invariant.SCORES, _lose_an_act),
    (Invariant.ANSWERED, _ignore_a_verdict),
    (Invariant.ANSWERED, _invent_a_verdict),
    (Invariant.HELD, _drop_the_hand_off),
    (Invariant.HELD, _forget_the_returns),
    (Invariant.HELD, _let_a_return_pass),
]


@pytest.mark.parametrize(
    ("invariant", "plant"), PLANTED, ids=[plant.__name__.strip("_") for _, plant in PLANTED]
)
def test_a_planted_bug_is_found_by_its_name_and_place(
    log: MemoryLog, invariant: Invariant, plant: Callable[[MemoryLog], str | None]
) -> None:
    place = plant(log)
    recompute = invariant in (Invariant.REBUILT, Invariant.STATE)
    report = audited(log, recompute=recompute)
    found = [finding for finding in report.findings if finding.invariant is invariant]
    assert found, report.findings
    if place is not None:
        assert place in {str(finding.place) for finding in found}


def test_what_was_acknowledged_and_is_nowhere_is_found(sound: MemoryLog) -> None:
    _, _, kept = _find(sound, "intake.keyed.v1")
    report = audited(sound, recompute=False, acknowledged=[kept.event_id, "0" * 32])
    assert [(finding.invariant, "0" * 32 in finding.words) for finding in report.findings] == [
        (Invariant.ACKNOWLEDGED, True)
    ]


def test_old_findings_are_left_out_on_demand(log: MemoryLog) -> None:
    _wrong_sum(log)
    assert audited(log, recompute=False, since_ms=log.now + 1).findings == []


def test_what_cannot_be_checked_is_said(log: MemoryLog) -> None:
    class Cut(MemorySource):
        def first(self, topic: str, partition: int) -> int:
            return 7 if (topic, partition) == ("intake.leads.v1", 1) else 0

    report = Audit(Cut(log), all_reducers(), grace_ms=2_000).run()
    assert report.unchecked == [
        "lead[1]: intake.leads.v1/1 begins at 7, what came before was deleted by retention"
    ]
    assert report.sound


def test_facts_that_came_after_the_tasks_were_computed_again_are_no_findings(
    log: MemoryLog,
) -> None:
    """The system goes on while it is audited: what the second reading finds may be newer than what
    was computed."""
    partition, offset, _ = _find(log, "accounts.scored.v1")

    class Goes(MemorySource):
        def read(self, topic: str, number: int, start: int | None = None) -> Any:
            if (
                topic == "baton.agreements.v1"
            ):  # read once, between the first reading and the second
                new = [
                    (name, b"d" * 32 if name == "ce_id" else data)
                    for name, data in _headers(log, "accounts.scored.v1", partition, offset)
                ]
                _append(log, "accounts.scored.v1", partition, offset, headers=new)
            return super().read(topic, number, start)

    assert Audit(Goes(log), all_reducers(), grace_ms=2_000).run().findings == []


def _headers(log: MemoryLog, topic: str, partition: int, offset: int) -> Any:
    return log.records(topic, partition)[offset].headers
