"""What time brings to a clock: warnings, the one breach, and then, while the act is still waited for, the ladder.

A breach is told at its deadline. It is settled when the evidence grace is over and everything appended until then is known; only
then a late act ends the clock.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from baton.contracts.slas import ClockState
from services.sla_watcher.clocks import clock as running
from services.sla_watcher.clocks.clock_terms import Terms, terms_of
from services.sla_watcher.clocks.sla_facts import tell_clock, tell_violation
from services.sla_watcher.clocks.state import LastWord, OpenClock
from services.sla_watcher.clocks.step import Turn

RETRY_MS: Final = 60_000
"""How long after an unproven moment the proof is asked for again."""

Climb = Callable[[Turn, OpenClock, Terms], OpenClock | None]
"""Takes the next step of the ladder; gives the clock as it is then, None if that ended it."""


def pass_time(turn: Turn, clock: OpenClock, climb: Climb) -> None:
    """Do what is due for ``clock`` by now."""
    terms = terms_of(clock, turn.reference)
    if terms is None:
        _nothing_promised(turn, clock)
        return
    if clock.state == ClockState.RUNNING:
        _run(turn, clock, terms)
    breached = running.find(turn, clock.clock_id)
    if breached is not None and breached.state == ClockState.BREACHED:
        _wait_on(turn, breached, terms, climb)


def _nothing_promised(turn: Turn, clock: OpenClock) -> None:
    """The agreement knows no such promise any more: what runs is let go, what was broken stays broken, and nothing is done."""
    if clock.state == ClockState.RUNNING:
        running.end(turn, clock, ClockState.CANCELLED, LastWord(at_ms=turn.now, reason=running.NOTHING_PROMISED))
    else:
        running.keep(turn, replace(clock, rung_at_ms=None, settle_at_ms=None, next_at_ms=None))


def _run(turn: Turn, clock: OpenClock, terms: Terms) -> None:
    due = clock.deadline_ms if clock.due else terms.deadline(clock)
    if due <= turn.now:
        _breach(turn, clock, terms, due)
        return
    late = clock.late
    if late is not None and late.at_ms <= due:
        # The deadline has moved behind what seemed late: the holder turned out to be away.
        running.end(turn, clock, ClockState.MET if late.evidence_id else ClockState.CANCELLED, late)
        return
    running.reschedule(turn, _warned(turn, clock, terms), reason="absence")


def _warned(turn: Turn, clock: OpenClock, terms: Terms) -> OpenClock:
    due = terms.warning(clock)
    while due is not None and due <= turn.now:
        tell_violation(turn, clock, "warning", number=clock.warned, unproven=not turn.proven)
        clock = replace(clock, warned=clock.warned + 1)
        due = terms.warning(clock)
    running.keep(turn, clock)
    return clock


def _breach(turn: Turn, clock: OpenClock, terms: Terms, due: int) -> None:
    breached = replace(
        clock,
        state=ClockState.BREACHED,
        deadline_ms=due,
        settle_at_ms=due + terms.rule.evidence_grace_ms,
        rung_at_ms=None if clock.late else terms.rung_due(0, due),
    )
    running.keep(turn, running.scheduled(breached, terms))
    tell_clock(turn, breached, ClockState.BREACHED)
    tell_violation(turn, breached, "breach", unproven=not turn.proven)


def _wait_on(turn: Turn, clock: OpenClock, terms: Terms, climb: Climb) -> None:
    if clock.settle_at_ms is not None and clock.settle_at_ms <= turn.now:
        clock = replace(clock, settle_at_ms=None if turn.proven else turn.now + RETRY_MS)
        if clock.settle_at_ms is None and clock.late is not None:
            running.settle(turn, clock, clock.late)
            return
    while clock.rung_at_ms is not None and clock.rung_at_ms <= turn.now:
        running.keep(turn, clock)
        climbed = climb(turn, clock, terms)
        if climbed is None:
            return
        clock = climbed
    running.keep(turn, running.scheduled(clock, terms))
