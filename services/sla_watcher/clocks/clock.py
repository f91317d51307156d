"""What can be done to a clock: start it, hear evidence, close it, pause it.

The rule throughout: a clock is judged by what reached Baton before its deadline, and only once that
is known. What came after is noted (``late``) and decides nothing before the clock is settled.
"""

from typing import Final

from baton.contracts.slas import ClockState
from baton.evolve import evolve
from services.sla_watcher.clocks import closed_breaches
from services.sla_watcher.clocks.clock_terms import Terms, terms_of
from services.sla_watcher.clocks.evidence import Evidence
from services.sla_watcher.clocks.sla_facts import publish_clock, publish_violation
from services.sla_watcher.clocks.state import ClockPause, LastWord, OpenClock
from services.sla_watcher.clocks.step import ClockStep
from services.sla_watcher.clocks.transitions import Signal, moves

NOTHING_PROMISED: Final = "no_longer_promised"


def start_clock(step: ClockStep, clock: OpenClock) -> None:
    """Start ``clock`` if the agreement promises anything for it and it does not run yet."""
    terms = terms_of(clock, step.reference)
    if terms is None or any(_same(other, clock) for other in step.head.clocks):
        return
    begun = scheduled(evolve(clock, side=terms.rule.side, target=terms.rule.target.words), terms)
    step.head = evolve(step.head, clocks=(*step.head.clocks, begun))
    publish_clock(step, begun, ClockState.RUNNING)


def _same(one: OpenClock, other: OpenClock) -> bool:
    """Whether two clocks wait for the same thing: there is never a second one of a hand-off."""
    of_one = one.handoff_id is not None and (one.clock, one.handoff_id) == (
        other.clock,
        other.handoff_id,
    )
    return one.clock_id == other.clock_id or of_one


def find_clock(step: ClockStep, clock_id: str) -> OpenClock | None:
    """The open clock with this id, as it is now."""
    return next((clock for clock in step.head.clocks if clock.clock_id == clock_id), None)


def store_clock(step: ClockStep, clock: OpenClock) -> None:
    """Put the changed ``clock`` in its place."""
    clocks = tuple(
        clock if known.clock_id == clock.clock_id else known for known in step.head.clocks
    )
    step.head = evolve(step.head, clocks=clocks)


def scheduled(clock: OpenClock, terms: Terms) -> OpenClock:
    """``clock`` with its deadline and its next moment computed anew."""
    if clock.state == ClockState.BREACHED:
        moments = [due for due in (clock.settle_at_ms, clock.rung_at_ms) if due is not None]
        return evolve(clock, next_at_ms=min(moments, default=None))
    deadline = terms.deadline(clock)
    warning = terms.warning(clock)
    next_at = deadline if warning is None else min(warning, deadline)
    return evolve(clock, deadline_ms=deadline, next_at_ms=next_at)


def record_evidence(step: ClockStep, clock: OpenClock, evidence: Evidence) -> ClockState | None:
    """The act the clock waits for has been done; the state in which the clock ended, None if it has
    not."""
    word = LastWord(
        at_ms=evidence.at_ms,
        evidence_id=evidence.evidence_id,
        inferred=evidence.inferred,
        reason=evidence.reason,
    )
    if evidence.at_ms <= clock.deadline_ms:
        (state,) = moves(ClockState(clock.state), Signal.IN_TIME)
        end_clock(step, clock, state, word)
        return state
    return _late(step, clock, word)


def stands_still(clock: OpenClock) -> bool:
    """Whether a running clock has a pause that nothing has ended."""
    return (
        clock.state == ClockState.RUNNING
        and bool(clock.pauses)
        and clock.pauses[-1].until_ms is None
    )


def close_clock(step: ClockStep, clock: OpenClock, reason: str, *, at_ms: int) -> None:
    """There is nothing left to wait for, since ``at_ms``."""
    word = LastWord(at_ms=at_ms, reason=reason)
    if clock.state == ClockState.RUNNING and at_ms <= clock.deadline_ms:
        end_clock(step, clock, ClockState.CANCELLED, word)
    else:
        _late(step, clock, word)


def end_clock_now(step: ClockStep, clock: OpenClock, reason: str) -> None:
    """Close whatever is on its way: the lead is no more (merged, erased)."""
    (state,) = moves(ClockState(clock.state), Signal.CLOSED)
    end_clock(step, clock, state, LastWord(at_ms=step.now, reason=reason))


def end_clock(step: ClockStep, clock: OpenClock, state: ClockState, word: LastWord) -> None:
    """The clock's one end."""
    step.head = evolve(
        step.head,
        clocks=tuple(known for known in step.head.clocks if known.clock_id != clock.clock_id),
    )
    publish_clock(step, clock, state, word)
    if state is ClockState.WITHDRAWN:
        publish_violation(step, clock, "withdrawn", reason="evidence_in_time")
    elif state in (ClockState.MET_LATE, ClockState.ABANDONED):
        closed_breaches.remember_breach(step, clock)


def settle_clock(step: ClockStep, clock: OpenClock, word: LastWord) -> ClockState:
    """End a breached clock by a word that came after its deadline, now that nothing from before it
    is expected."""
    (state,) = moves(
        ClockState.BREACHED, Signal.CLOSED if word.evidence_id is None else Signal.LATE
    )
    end_clock(step, clock, state, word)
    return state


def _late(step: ClockStep, clock: OpenClock, word: LastWord) -> ClockState | None:
    if clock.state == ClockState.BREACHED and clock.settle_at_ms is None:
        return settle_clock(step, clock, word)
    first = word if clock.late is None else min(clock.late, word, key=_by_time)
    noted = evolve(clock, late=first, rung_at_ms=None)
    store_clock(
        step,
        evolve(noted, next_at_ms=noted.settle_at_ms)
        if noted.state == ClockState.BREACHED
        else noted,
    )
    return None


def _by_time(word: LastWord) -> tuple[int, str]:
    return word.at_ms, word.evidence_id or ""


def pause_clock(
    step: ClockStep, clock: OpenClock, reason: str, *, at_ms: int, longest_ms: int
) -> None:
    """The clock stands still from ``at_ms``; nothing happens to one that is breached, late or
    stands already."""
    if clock.state == ClockState.RUNNING and at_ms < clock.deadline_ms and not stands_still(clock):
        begin = max(at_ms, clock.started_at_ms)
        stretch = ClockPause(
            reason=reason, from_ms=begin, deadline_ms=clock.deadline_ms, longest_ms=longest_ms
        )
        reschedule_clock(
            step, evolve(clock, pauses=(*clock.pauses, stretch)), reason=f"paused: {reason}"
        )


def resume_clock(step: ClockStep, clock: OpenClock, *, at_ms: int) -> None:
    """The clock goes on from ``at_ms``."""
    if stands_still(clock):
        begun = clock.pauses[-1].from_ms
        stretch = evolve(
            clock.pauses[-1], until_ms=min(max(at_ms, begun), begun + clock.pauses[-1].longest_ms)
        )
        reschedule_clock(
            step, evolve(clock, pauses=(*clock.pauses[:-1], stretch)), reason="resumed"
        )


def adopt_reference(step: ClockStep, clock: OpenClock, *, reason: str) -> None:
    """Compute a running clock anew under the agreement and the absences that hold from now on. One
    that has run out is judged by the former; and nobody is late by a promise that was made
    afterwards: then the former deadline stands."""
    if clock.deadline_ms <= step.now:
        store_clock(step, evolve(clock, due=True))
        return
    terms = terms_of(clock, step.reference)
    promised_ms, since_ms = 0, 0
    if terms is not None and terms.own_deadline(clock) <= step.now:
        paused = clock.pauses[-1] if stands_still(clock) else None
        promised_ms, since_ms = (
            (paused.deadline_ms, paused.from_ms) if paused else (clock.deadline_ms, step.now)
        )
    reschedule_clock(
        step, evolve(clock, promised_ms=promised_ms, promised_at_ms=since_ms), reason=reason
    )


def adopt_ladder(step: ClockStep, clock: OpenClock) -> None:
    """What is done about a breach follows the agreement in force; what was done already is done."""
    terms = terms_of(clock, step.reference)
    if terms is not None and clock.rung_at_ms is not None:
        store_clock(
            step,
            scheduled(
                evolve(clock, rung_at_ms=terms.rung_due(clock.rung, clock.deadline_ms)), terms
            ),
        )


def reschedule_clock(step: ClockStep, clock: OpenClock, *, reason: str) -> None:
    """Compute a running clock anew from its intervals, and publish what moved: its deadline, or
    whether it stands still."""
    terms = terms_of(clock, step.reference)
    if terms is None:
        end_clock(
            step, clock, ClockState.CANCELLED, LastWord(at_ms=step.now, reason=NOTHING_PROMISED)
        )
        return
    moved = scheduled(evolve(clock, side=terms.rule.side, target=terms.rule.target.words), terms)
    former = find_clock(step, clock.clock_id) or clock
    store_clock(step, moved)
    if (moved.deadline_ms, moved.target, moved.pauses) != (
        former.deadline_ms,
        former.target,
        former.pauses,
    ):
        publish_clock(step, moved, ClockState.RUNNING, reason=reason)
