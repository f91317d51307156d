"""What can be done to a clock: start it, hear evidence, close it, pause it.

The rule throughout: a clock is judged by what reached Baton before its deadline, and only once that is known. What came after
is noted (``late``) and decides nothing before the clock is settled.
"""

from dataclasses import replace
from typing import Final

from baton.contracts.slas import ClockState
from services.sla_watcher.clocks import closed_breaches
from services.sla_watcher.clocks.clock_terms import Terms, terms_of
from services.sla_watcher.clocks.evidence import Evidence
from services.sla_watcher.clocks.intervals import LONGEST_WAIT_MS
from services.sla_watcher.clocks.sla_facts import tell_clock, tell_violation
from services.sla_watcher.clocks.state import ClockPause, LastWord, OpenClock
from services.sla_watcher.clocks.step import Turn
from services.sla_watcher.clocks.transitions import Signal, moves

NOTHING_PROMISED: Final = "no_longer_promised"


def start(turn: Turn, clock: OpenClock) -> None:
    """Start ``clock`` if the agreement promises anything for it and it does not run yet."""
    terms = terms_of(clock, turn.reference)
    if terms is None or any(_same(each, clock) for each in turn.head.clocks):
        return
    begun = scheduled(replace(clock, side=terms.rule.side, target=terms.rule.target.words), terms)
    turn.head = replace(turn.head, clocks=(*turn.head.clocks, begun))
    tell_clock(turn, begun, ClockState.RUNNING)


def _same(one: OpenClock, other: OpenClock) -> bool:
    """Whether two clocks wait for the same thing: there is never a second one of a hand-off."""
    of_one = one.handoff_id is not None and (one.clock, one.handoff_id) == (other.clock, other.handoff_id)
    return one.clock_id == other.clock_id or of_one


def find(turn: Turn, clock_id: str) -> OpenClock | None:
    """The open clock with this id, as it is now."""
    return next((each for each in turn.head.clocks if each.clock_id == clock_id), None)


def keep(turn: Turn, clock: OpenClock) -> None:
    """Put the changed ``clock`` in its place."""
    clocks = tuple(clock if each.clock_id == clock.clock_id else each for each in turn.head.clocks)
    turn.head = replace(turn.head, clocks=clocks)


def scheduled(clock: OpenClock, terms: Terms) -> OpenClock:
    """``clock`` with its deadline and its next moment computed anew."""
    if clock.state == ClockState.BREACHED:
        moments = [each for each in (clock.settle_at_ms, clock.rung_at_ms) if each is not None]
        return replace(clock, next_at_ms=min(moments, default=None))
    deadline = terms.deadline(clock)
    warning = terms.warning(clock)
    next_at = deadline if warning is None else min(warning, deadline)
    return replace(clock, deadline_ms=deadline, next_at_ms=next_at)


def hear(turn: Turn, clock: OpenClock, evidence: Evidence) -> ClockState | None:
    """The act the clock waits for has been done; the state in which the clock ended, None if it has not."""
    word = LastWord(at_ms=evidence.at_ms, evidence_id=evidence.evidence_id, inferred=evidence.inferred, reason=evidence.reason)
    if evidence.at_ms <= clock.deadline_ms:
        (state,) = moves(ClockState(clock.state), Signal.IN_TIME)
        end(turn, clock, state, word)
        return state
    return _late(turn, clock, word)


def stands_still(clock: OpenClock) -> bool:
    """Whether a running clock has a pause that nothing has ended."""
    return clock.state == ClockState.RUNNING and bool(clock.pauses) and clock.pauses[-1].until_ms is None


def close(turn: Turn, clock: OpenClock, reason: str, *, at_ms: int) -> None:
    """There is nothing left to wait for, since ``at_ms``."""
    word = LastWord(at_ms=at_ms, reason=reason)
    if clock.state == ClockState.RUNNING and at_ms <= clock.deadline_ms:
        end(turn, clock, ClockState.CANCELLED, word)
    else:
        _late(turn, clock, word)


def end_now(turn: Turn, clock: OpenClock, reason: str) -> None:
    """Close whatever is on its way: the lead is no more (merged, erased)."""
    (state,) = moves(ClockState(clock.state), Signal.CLOSED)
    end(turn, clock, state, LastWord(at_ms=turn.now, reason=reason))


def end(turn: Turn, clock: OpenClock, state: ClockState, word: LastWord) -> None:
    """The clock's one end."""
    turn.head = replace(turn.head, clocks=tuple(each for each in turn.head.clocks if each.clock_id != clock.clock_id))
    tell_clock(turn, clock, state, word)
    if state is ClockState.WITHDRAWN:
        tell_violation(turn, clock, "withdrawn", reason="evidence_in_time")
    elif state in (ClockState.MET_LATE, ClockState.ABANDONED):
        closed_breaches.remember(turn, clock)


def settle(turn: Turn, clock: OpenClock, word: LastWord) -> ClockState:
    """End a breached clock by a word that came after its deadline, now that nothing from before it is expected."""
    (state,) = moves(ClockState.BREACHED, Signal.CLOSED if word.evidence_id is None else Signal.LATE)
    end(turn, clock, state, word)
    return state


def _late(turn: Turn, clock: OpenClock, word: LastWord) -> ClockState | None:
    if clock.state == ClockState.BREACHED and clock.settle_at_ms is None:
        return settle(turn, clock, word)
    first = word if clock.late is None else min(clock.late, word, key=_by_time)
    noted = replace(clock, late=first, rung_at_ms=None)
    keep(turn, replace(noted, next_at_ms=noted.settle_at_ms) if noted.state == ClockState.BREACHED else noted)
    return None


def _by_time(word: LastWord) -> tuple[int, str]:
    return word.at_ms, word.evidence_id or ""


def pause(turn: Turn, clock: OpenClock, reason: str, *, at_ms: int) -> None:
    """The clock stands still from ``at_ms``; nothing happens to one that is breached, late or stands already."""
    if clock.state == ClockState.RUNNING and at_ms < clock.deadline_ms and not stands_still(clock):
        begin = max(at_ms, clock.started_at_ms)
        stretch = ClockPause(reason=reason, from_ms=begin, deadline_ms=clock.deadline_ms)
        reschedule(turn, replace(clock, pauses=(*clock.pauses, stretch)), reason=f"paused: {reason}")


def resume(turn: Turn, clock: OpenClock, *, at_ms: int) -> None:
    """The clock goes on from ``at_ms``."""
    if stands_still(clock):
        begun = clock.pauses[-1].from_ms
        stretch = replace(clock.pauses[-1], until_ms=min(max(at_ms, begun), begun + LONGEST_WAIT_MS))
        reschedule(turn, replace(clock, pauses=(*clock.pauses[:-1], stretch)), reason="resumed")


def adopt(turn: Turn, clock: OpenClock) -> None:
    """Compute a running clock anew under the agreement that has just come into force. One that has run out is judged by the
    former; and nobody is late by a promise that was made afterwards: then the former deadline stands."""
    if clock.deadline_ms <= turn.now:
        keep(turn, replace(clock, due=True))
        return
    terms = terms_of(clock, turn.reference)
    promised_ms, since_ms = 0, 0
    if terms is not None and terms.own_deadline(clock) <= turn.now:
        paused = clock.pauses[-1] if stands_still(clock) else None
        promised_ms, since_ms = (paused.deadline_ms, paused.from_ms) if paused else (clock.deadline_ms, turn.now)
    reschedule(turn, replace(clock, promised_ms=promised_ms, promised_at_ms=since_ms), reason="agreement")


def adopt_broken(turn: Turn, clock: OpenClock) -> None:
    """What is done about a breach follows the agreement in force; what was done already is done."""
    terms = terms_of(clock, turn.reference)
    if terms is not None and clock.rung_at_ms is not None:
        keep(turn, scheduled(replace(clock, rung_at_ms=terms.rung_due(clock.rung, clock.deadline_ms)), terms))


def reschedule(turn: Turn, clock: OpenClock, *, reason: str) -> None:
    """Compute a running clock anew from its intervals, and tell what moved: its deadline, or whether it stands still."""
    terms = terms_of(clock, turn.reference)
    if terms is None:
        end(turn, clock, ClockState.CANCELLED, LastWord(at_ms=turn.now, reason=NOTHING_PROMISED))
        return
    moved = scheduled(replace(clock, side=terms.rule.side, target=terms.rule.target.words), terms)
    former = find(turn, clock.clock_id) or clock
    keep(turn, moved)
    if (moved.deadline_ms, moved.target, moved.pauses) != (former.deadline_ms, former.target, former.pauses):
        tell_clock(turn, moved, ClockState.RUNNING, reason=reason)
