"""What time brings to a clock: warnings, the one breach, and then, while the act is still waited
for, the ladder.

A breach is published at its deadline. It is settled when the evidence grace is over and everything
appended until then is known; only then a late act ends the clock.
"""

from collections.abc import Callable
from typing import Final

from baton.contracts.slas import ClockState
from baton.evolve import evolve
from services.sla_watcher.clocks.clock import (
    NOTHING_PROMISED,
    end_clock,
    find_clock,
    reschedule_clock,
    scheduled,
    settle_clock,
    store_clock,
)
from services.sla_watcher.clocks.clock_terms import Terms, terms_of
from services.sla_watcher.clocks.sla_facts import publish_clock, publish_violation
from services.sla_watcher.clocks.state import LastWord, OpenClock
from services.sla_watcher.clocks.step import ClockStep

RETRY_MS: Final = 60_000
"""How long after an unproven moment the proof is asked for again."""

Climb = Callable[[ClockStep, OpenClock, Terms], OpenClock | None]
"""Takes the next step of the ladder; gives the clock as it is then, None if that ended it."""


def pass_time(step: ClockStep, clock: OpenClock, climb: Climb) -> None:
    """Do what is due for ``clock`` by now."""
    terms = terms_of(clock, step.reference)
    if terms is None:
        _nothing_promised(step, clock)
        return
    if clock.state == ClockState.RUNNING:
        _run(step, clock, terms)
    breached = find_clock(step, clock.clock_id)
    if breached is not None and breached.state == ClockState.BREACHED:
        _wait_on(step, breached, terms, climb)


def _nothing_promised(step: ClockStep, clock: OpenClock) -> None:
    """The agreement knows no such promise any more: what runs is let go, what was broken stays
    broken, and nothing is done."""
    if clock.state == ClockState.RUNNING:
        end_clock(
            step, clock, ClockState.CANCELLED, LastWord(at_ms=step.now, reason=NOTHING_PROMISED)
        )
    else:
        store_clock(step, evolve(clock, rung_at_ms=None, settle_at_ms=None, next_at_ms=None))


def _run(step: ClockStep, clock: OpenClock, terms: Terms) -> None:
    due = clock.deadline_ms if clock.due else terms.deadline(clock)
    if due <= step.now:
        _breach(step, clock, terms, due)
        return
    late = clock.late
    if late is not None and late.at_ms <= due:
        # The deadline has moved behind what seemed late: the holder turned out to be away.
        end_clock(step, clock, ClockState.MET if late.evidence_id else ClockState.CANCELLED, late)
        return
    reschedule_clock(step, _warned(step, clock, terms), reason="absence")


def _warned(step: ClockStep, clock: OpenClock, terms: Terms) -> OpenClock:
    due = terms.warning(clock)
    while due is not None and due <= step.now:
        publish_violation(step, clock, "warning", number=clock.warned, unproven=not step.proven)
        clock = evolve(clock, warned=clock.warned + 1)
        due = terms.warning(clock)
    store_clock(step, clock)
    return clock


def _breach(step: ClockStep, clock: OpenClock, terms: Terms, due: int) -> None:
    breached = evolve(
        clock,
        state=ClockState.BREACHED,
        deadline_ms=due,
        settle_at_ms=due + terms.rule.evidence_grace_ms,
        rung_at_ms=None if clock.late else terms.rung_due(0, due),
    )
    store_clock(step, scheduled(breached, terms))
    publish_clock(step, breached, ClockState.BREACHED)
    publish_violation(step, breached, "breach", unproven=not step.proven)


def _wait_on(step: ClockStep, clock: OpenClock, terms: Terms, climb: Climb) -> None:
    if clock.settle_at_ms is not None and clock.settle_at_ms <= step.now:
        clock = evolve(clock, settle_at_ms=None if step.proven else step.now + RETRY_MS)
        if clock.settle_at_ms is None and clock.late is not None:
            settle_clock(step, clock, clock.late)
            return
    while clock.rung_at_ms is not None and clock.rung_at_ms <= step.now:
        store_clock(step, clock)
        climbed = climb(step, clock, terms)
        if climbed is None:
            return
        clock = climbed
    store_clock(step, scheduled(clock, terms))
