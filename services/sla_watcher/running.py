"""What can be done to a clock: start, hear evidence, close, pause, and let time pass.

The rule throughout: a clock is judged by what reached Baton before its deadline, and only once that is known. What came after
is noted (``late``) and decides nothing before the clock is settled.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from baton.contracts.levels import ClockState
from services.sla_watcher.evidence import Evidence
from services.sla_watcher.machine import Signal, moves
from services.sla_watcher.state import ClockPause, LateWord, OpenClock
from services.sla_watcher.terms import Terms, terms_of
from services.sla_watcher.turn import Turn, tell_clock, tell_violation

RETRY_MS: Final = 60_000
NOTHING_PROMISED: Final = "no_longer_promised"


def start(turn: Turn, clock: OpenClock) -> None:
    """Start ``clock`` if the agreement promises anything for it and it does not run yet."""
    terms = terms_of(clock, turn.reference)
    if terms is None or any(each.clock_id == clock.clock_id for each in turn.head.clocks):
        return
    begun = scheduled(replace(clock, side=terms.rule.side, target=terms.rule.target.words), terms)
    turn.head = replace(turn.head, clocks=(*turn.head.clocks, begun))
    tell_clock(turn, begun, ClockState.RUNNING)


def scheduled(clock: OpenClock, terms: Terms) -> OpenClock:
    """``clock`` with its deadline and its next moment computed anew."""
    if clock.state == ClockState.BREACHED:
        moments = [each for each in (clock.settle_at_ms, clock.rung_at_ms) if each is not None]
        return replace(clock, next_at_ms=min(moments, default=None))
    deadline = terms.deadline(clock)
    if deadline is None:
        return replace(clock, next_at_ms=None)
    warning = terms.warning(clock)
    next_at = deadline if warning is None else min(warning, deadline)
    return replace(clock, deadline_ms=deadline, next_at_ms=next_at)


def keep(turn: Turn, clock: OpenClock) -> None:
    """Put the changed ``clock`` in its place."""
    clocks = tuple(clock if each.clock_id == clock.clock_id else each for each in turn.head.clocks)
    turn.head = replace(turn.head, clocks=clocks)


def hear(turn: Turn, clock: OpenClock, evidence: Evidence) -> ClockState | None:
    """The act the clock waits for has been done; the state in which the clock ended, None if it has not."""
    paused = any(each.until_ms is None for each in clock.pauses) and clock.state == ClockState.RUNNING
    if paused or evidence.at_ms <= clock.deadline_ms:
        (state,) = moves(ClockState(clock.state), Signal.IN_TIME)
        end(turn, clock, state, LateWord(at_ms=evidence.at_ms, evidence_id=evidence.evidence_id,
                                         inferred=evidence.inferred, reason=evidence.reason))  # fmt: skip
        return state
    return _late(turn, clock, LateWord(at_ms=evidence.at_ms, evidence_id=evidence.evidence_id,
                                       inferred=evidence.inferred, reason=evidence.reason))  # fmt: skip


def close(turn: Turn, clock: OpenClock, reason: str, *, at_ms: int) -> None:
    """There is nothing left to wait for, since ``at_ms``."""
    if clock.state == ClockState.RUNNING and (at_ms <= clock.deadline_ms or clock.next_at_ms is None):
        end(turn, clock, ClockState.CANCELLED, LateWord(at_ms=at_ms, reason=reason))
    else:
        _late(turn, clock, LateWord(at_ms=at_ms, reason=reason))


def end_now(turn: Turn, clock: OpenClock, reason: str) -> None:
    """Close whatever is on its way: the lead is no more (merged, erased)."""
    (state,) = moves(ClockState(clock.state), Signal.CLOSED)
    end(turn, clock, state, LateWord(at_ms=turn.now, reason=reason))


def end(turn: Turn, clock: OpenClock, state: ClockState, word: LateWord) -> None:
    """The clock's one end."""
    turn.head = replace(turn.head, clocks=tuple(each for each in turn.head.clocks if each.clock_id != clock.clock_id))
    tell_clock(turn, clock, state, ended_at_ms=word.at_ms, reason=word.reason, evidence_id=word.evidence_id,
               inferred=word.inferred)  # fmt: skip
    if state is ClockState.WITHDRAWN:
        tell_violation(turn, clock, "withdrawn", reason=word.reason or "evidence_in_time")


def _late(turn: Turn, clock: OpenClock, word: LateWord) -> ClockState | None:
    if clock.state == ClockState.BREACHED and clock.settle_at_ms is None:
        return _settle(turn, clock, word)
    first = word if clock.late is None else min(clock.late, word, key=_by_time)
    noted = replace(clock, late=first, rung_at_ms=None)
    keep(turn, replace(noted, next_at_ms=noted.settle_at_ms) if noted.state == ClockState.BREACHED else noted)
    return None


def _settle(turn: Turn, clock: OpenClock, word: LateWord) -> ClockState:
    signal = Signal.CLOSED if word.evidence_id is None else Signal.LATE
    (state,) = moves(ClockState.BREACHED, signal)
    end(turn, clock, state, word)
    return state


def _by_time(word: LateWord) -> tuple[int, str]:
    return word.at_ms, word.evidence_id or ""


def pause(turn: Turn, clock: OpenClock, reason: str, *, at_ms: int) -> None:
    """The clock stands still from ``at_ms``; nothing happens to one that is breached or stands already."""
    if clock.state == ClockState.RUNNING and at_ms < clock.deadline_ms and all(each.until_ms for each in clock.pauses):
        stretch = ClockPause(reason=reason, from_ms=max(at_ms, clock.started_at_ms))
        reschedule(turn, replace(clock, pauses=(*clock.pauses, stretch)), reason=f"paused: {reason}")


def resume(turn: Turn, clock: OpenClock, *, at_ms: int) -> None:
    """The clock goes on from ``at_ms``."""
    if clock.pauses and clock.pauses[-1].until_ms is None:
        stretch = replace(clock.pauses[-1], until_ms=max(at_ms, clock.pauses[-1].from_ms))
        reschedule(turn, replace(clock, pauses=(*clock.pauses[:-1], stretch)), reason="resumed")


def reschedule(turn: Turn, clock: OpenClock, *, reason: str) -> None:
    """Compute the deadline anew and tell it if it moved, or if the clock now stands still."""
    terms = terms_of(clock, turn.reference)
    if terms is None:
        end(turn, clock, ClockState.CANCELLED, LateWord(at_ms=turn.now, reason=NOTHING_PROMISED))
        return
    moved = scheduled(replace(clock, side=terms.rule.side, target=terms.rule.target.words), terms)
    keep(turn, moved)
    if moved.deadline_ms != clock.deadline_ms or moved.next_at_ms is None or reason.startswith(("paused", "resumed")):
        tell_clock(turn, moved, ClockState.RUNNING, reason=reason)


def pass_time(turn: Turn, clock: OpenClock, climb: Callable[[Turn, OpenClock, Terms], OpenClock | None]) -> None:
    """Do what is due for ``clock`` by now. ``climb`` takes the next step of the ladder and gives the clock as it is then, None
    if that ended it."""
    terms = terms_of(clock, turn.reference)
    if terms is None:
        if clock.state == ClockState.RUNNING:
            end(turn, clock, ClockState.CANCELLED, LateWord(at_ms=turn.now, reason=NOTHING_PROMISED))
        else:
            keep(turn, replace(clock, rung_at_ms=None, settle_at_ms=None, next_at_ms=None))
        return
    if clock.state == ClockState.RUNNING:
        _run(turn, clock, terms)
        clock = next((each for each in turn.head.clocks if each.clock_id == clock.clock_id), clock)
    if clock.state == ClockState.BREACHED:
        _breached(turn, clock, terms, climb)


def _run(turn: Turn, clock: OpenClock, terms: Terms) -> None:
    due = clock.deadline_ms if clock.due else terms.deadline(clock)
    if due is not None and due <= turn.now:
        breached = replace(
            clock, state=ClockState.BREACHED, deadline_ms=due, settle_at_ms=due + terms.rule.evidence_grace_ms,
            rung_at_ms=None if clock.late else terms.rung_due(0, due),
        )  # fmt: skip
        keep(turn, scheduled(breached, terms))
        tell_clock(turn, breached, ClockState.BREACHED)
        tell_violation(turn, breached, "breach", unproven=not turn.proven)
        return
    warning = terms.warning(clock)
    while warning is not None and warning <= turn.now:
        tell_violation(turn, clock, "warning", number=clock.warned, unproven=not turn.proven)
        clock = replace(clock, warned=clock.warned + 1)
        warning = terms.warning(clock)
    reschedule(turn, clock, reason="absence")


def _breached(turn: Turn, clock: OpenClock, terms: Terms, climb: Callable[[Turn, OpenClock, Terms], OpenClock | None]) -> None:
    if clock.settle_at_ms is not None and clock.settle_at_ms <= turn.now:
        clock = replace(clock, settle_at_ms=None if turn.proven else turn.now + RETRY_MS)
        if clock.settle_at_ms is None and clock.late is not None:
            _settle(turn, clock, clock.late)
            return
    while clock.rung_at_ms is not None and clock.rung_at_ms <= turn.now:
        keep(turn, clock)
        climbed = climb(turn, clock, terms)
        if climbed is None:
            return
        clock = climbed
    keep(turn, scheduled(clock, terms))
