"""Goals begin with the first agreement and with the task's first log time, whatever comes first:
no period from before that is opened, judged or published."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text, model_of, version_of
from baton.agreement.reference import AgreementBook, reference_of
from baton.contracts.codec import codec_for
from baton.contracts.goals import GoalProgress, GoalTally
from baton.contracts.reference_records import AgreementRecord
from baton.contracts.slas import SlaViolation
from baton.contracts.topic_names import BATON_AGREEMENTS
from baton.contracts.topics import TOPICS
from baton.engine.batch import Batch, Record
from baton.engine.core import Core
from baton.engine.kafka.batch_filler import BatchFiller
from baton.engine.kafka.loop_share import LoopShare
from baton.engine.memory.host import MemoryHost
from baton.engine.reducer import Event, ReferenceBook
from services.sla_watcher.goals.reducer import Goals
from tests.services.sla_watcher.sla_scene import Terms, agreement, ms, plain_agreement

GOALS = """
  mqls: {side: marketing, metric: mql, target: 4}
  wins: {side: sales, metric: won, target: 4, per: quarter}
"""
PUBLISHED = "2025-11-10 10:00"
NOW = "2026-03-02 10:00"


def _book() -> AgreementBook:
    """The agreement, signed and published in November 2025."""
    text = canonical_text(model_of(plain_agreement(goals=GOALS)))
    version, book = version_of(text), AgreementBook()
    records = [
        AgreementRecord(record_id=side, kind="approved", version=version, side=side, by="mona")
        for side in ("marketing", "sales")
    ]
    records.append(AgreementRecord(record_id="p", kind="published", version=version, text=text))
    for offset, record in enumerate(records):
        at_ms = ms(PUBLISHED)
        book.add(
            Event(
                topic=BATON_AGREEMENTS,
                partition=0,
                offset=offset,
                key=version,
                value=record,
                id=record.record_id,
                at_ms=at_ms,
                received_at_ms=at_ms,
            )
        )
    return book


class _NoInputs:
    """Inputs without a record."""

    def peek(self) -> tuple[str, Record] | None:
        return None

    def take(self, topic: str) -> bool:
        raise AssertionError("no record")

    def behind(self, patience_s: float) -> float:
        return 0.0

    def end_positions(self) -> dict[str, int]:
        return {"sla.tallies.v1": 0}


class _BrokerTime:
    """Moves the task's time on, once the broker has given it, and fires what is proven."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.to_ms: int | None = None

    async def fill(self, share: LoopShare) -> bool:
        if self.to_ms is not None:
            self._core.advance(self.to_ms)
            self._core.fire_held(self.to_ms, proven=True)
        return True


class _LiveTask:
    """A new task of the goals, filled batch by batch as the one on Kafka is, without a broker."""

    def __init__(self, book: ReferenceBook[Any]) -> None:
        self.core = Core(Goals(), book)
        self._time = _BrokerTime(self.core)
        self._filler = BatchFiller(self.core, _NoInputs(), self._time, LoopShare(), adopt_keys=500)

    async def batch(self, when: str | None = None) -> list[Any]:
        """What one batch publishes; ``when``: the broker's time, if it has been asked for."""
        self._time.to_ms = None if when is None else ms(when)
        self.core.begin(0)
        batch = await self._filler.fill(
            records=500, records_only=False, decidable_ms=1 << 60, patience_s=0.0
        )
        self.core.discard() if batch is None else self.core.commit()
        return [] if batch is None else _values(batch)


def _values(batch: Batch) -> list[Any]:
    return _decoded((record.topic, record.value) for record in batch.outgoing)


def _decoded(records: Iterable[tuple[str, bytes | None]]) -> list[Any]:
    """The goals' facts among the records of a log."""
    values = []
    for topic, value in records:
        kind = TOPICS[topic].record if topic in Goals.outputs else None
        if kind is not None and value is not None:
            values.append(codec_for(kind).decode(value))
    return values


def _periods(facts: list[Any]) -> list[tuple[str, str, bool]]:
    """Goal, period, and whether it carries a moment after the publication."""
    return sorted(
        (progress.goal, progress.period, progress.at_ms >= ms(PUBLISHED))
        for progress in facts
        if isinstance(progress, GoalProgress)
    )


def _breaches(facts: list[Any]) -> list[tuple[str | None, str | None, int]]:
    return sorted(
        (violation.goal, violation.reason, violation.deadline_ms)
        for violation in facts
        if isinstance(violation, SlaViolation)
    )


async def test_a_new_live_task_opens_its_goals_when_it_knows_the_time_and_not_in_1970() -> None:
    task = _LiveTask(_book())
    assert await task.batch() == []
    assert not task.core.adopting
    assert task.core.changes_by(ms(NOW)), "the host would not ask for the time"
    facts = await task.batch(NOW) + await task.batch("2026-03-02 12:00")
    assert _periods(facts) == [("mqls", "2026-03", True), ("wins", "2026-Q1", True)]
    assert _breaches(facts) == []
    assert not task.core.adopting
    later = await task.batch("2026-04-01 12:00")
    assert _breaches(later) == [
        ("mqls", "missed", ms("2026-04-01 00:00")),
        ("wins", "missed", ms("2026-04-01 00:00")),
    ]


def _committed(core: Core, act: Callable[[], object]) -> list[Any]:
    """What one batch publishes."""
    core.begin(0)
    act()
    batch = core.seal()
    assert batch is not None
    core.commit()
    return _values(batch)


def _let_pass(core: Core, until: str) -> None:
    core.advance(ms(until))
    core.fire_held(ms(until), proven=True)


def test_a_task_that_adopted_without_a_log_time_misses_nothing_from_before_the_agreement() -> None:
    core = Core(Goals(), _book())
    facts = _committed(core, lambda: core.adopt_slice(500))
    facts += _committed(core, lambda: _let_pass(core, "2026-01-02 12:00"))
    assert _breaches(facts) == [
        ("mqls", "missed", ms("2025-12-01 00:00")),
        ("mqls", "missed", ms("2026-01-01 00:00")),
        ("wins", "missed", ms("2026-01-01 00:00")),
    ]


def test_goals_that_were_opened_in_1970_go_on_from_the_first_agreement() -> None:
    agreed = agreement(goals=GOALS)
    terms = Terms(agreed)
    core = Core(Goals(), terms)
    _committed(core, lambda: core.adopt_slice(500))
    terms.put(ms(PUBLISHED), reference_of(agreed, began_ms=ms("2026-01-02 10:00")))
    facts = _committed(core, lambda: _let_pass(core, "2026-01-05 10:00"))
    assert _breaches(facts) == []
    assert _periods(facts) == [("mqls", "2026-01", True), ("wins", "2026-Q1", True)]


def _host(start: str) -> MemoryHost:
    return MemoryHost([Goals()], _book(), start_ms=ms(start))


def _tally(occurred: str, lead: str = "l") -> GoalTally:
    return GoalTally(
        goal="mqls",
        tally_id=lead,
        metric="mql",
        amount=1,
        segment=None,
        lead_id=lead,
        cause_id="c",
        occurred_at_ms=ms(occurred),
    )


def _facts(host: MemoryHost) -> list[Any]:
    return _decoded((record.topic, record.value) for record in host.log.history)


@pytest.mark.parametrize("occurred", ["2025-05-05 10:00", "2025-10-31 10:00"])
def test_a_first_event_from_before_the_agreement_opens_no_period_and_is_counted(
    occurred: str,
) -> None:
    host = _host("2025-06-02 10:00")
    host.send("sla.tallies.v1", "mqls", _tally(occurred))
    host.advance(ms("2025-12-01 12:00"))
    facts = _facts(host)
    mqls = [
        progress
        for progress in facts
        if isinstance(progress, GoalProgress) and progress.goal == "mqls"
    ]
    assert {mql.period for mql in mqls} == {"2025-11", "2025-12"}
    assert mqls[-1].last_periods[occurred[:7]] == 1
    assert [(goal, ends) for goal, _, ends in _breaches(facts) if goal == "mqls"] == [
        ("mqls", ms("2025-12-01 00:00"))
    ]


def test_what_is_counted_later_for_a_month_before_the_agreement_is_no_verdict_on_it() -> None:
    host = _host(NOW)
    host.settle()
    host.send("sla.tallies.v1", "mqls", _tally("2025-10-05 10:00"))
    host.send("sla.tallies.v1", "mqls", _tally("2025-12-05 10:00", "m"))
    host.settle()
    assert [
        (fact.period, fact.state, dict(fact.last_periods))
        for fact in _facts(host)
        if fact.goal == "mqls"
    ] == [
        ("2026-03", "running", {}),
        ("2026-03", "running", {"2025-10": 1}),
        ("2025-12", "missed", {"2025-10": 1}),
    ]
