"""The ladder: what is done about a breach, step by step, until the act happens.

Notify, reassign (at most so many times a qualification), escalate once, the manager's queue; a step
that has had its turn is passed over. What takes the lead from somebody is never done on an unproven
breach: it is asked for again later. A buyer who raised a hand is not sent away for our failure, but
to the manager.
"""

from typing import Final

from baton.agreement.compiled.slas import LadderStep
from baton.contracts.slas import ActionKind
from baton.evolve import evolve
from services.sla_watcher.clocks.breaches import RETRY_MS
from services.sla_watcher.clocks.clock_terms import Terms
from services.sla_watcher.clocks.recycling import Leaving, leave_cycle
from services.sla_watcher.clocks.sla_facts import BREACH, publish_action
from services.sla_watcher.clocks.state import OpenClock
from services.sla_watcher.clocks.step import ClockStep

RECYCLE: Final = "recycle"
TAKES_AWAY: Final = frozenset({ActionKind.REASSIGN.value, ActionKind.MANAGER_QUEUE.value, RECYCLE})


def climb(step: ClockStep, clock: OpenClock, terms: Terms) -> OpenClock | None:
    """Take the next step for ``clock``; the clock as it is then, or None if the step ended it."""
    rung = terms.rule.ladder[clock.rung]
    passing = step.head.passing
    raised = passing is not None and passing.hand_raised
    if not rung.is_for(level=clock.level, segment=clock.segment, hand_raised=raised):
        return _next_rung(clock, terms)
    if rung.kind in TAKES_AWAY and not step.proven:
        return evolve(clock, rung_at_ms=step.now + RETRY_MS)
    match rung.kind:
        case ActionKind.NOTIFY:
            publish_action(
                step,
                clock,
                rung.kind,
                to=recipient(step, clock, rung) or clock.side,
                reason=BREACH,
            )
        case ActionKind.REASSIGN:
            if _reassign(step, clock, rung):
                return evolve(clock, rung=clock.rung + 1, rung_at_ms=None)
        case ActionKind.ESCALATE:
            _escalate(step, clock, rung)
        case ActionKind.MANAGER_QUEUE:
            if _to_manager(step, clock, rung):
                return evolve(clock, rung=clock.rung + 1, rung_at_ms=None)
        case _:
            return _recycle(step, clock, rung)
    return _next_rung(clock, terms)


def _next_rung(clock: OpenClock, terms: Terms) -> OpenClock:
    return evolve(
        clock, rung=clock.rung + 1, rung_at_ms=terms.rung_due(clock.rung + 1, clock.deadline_ms)
    )


def recipient(step: ClockStep, clock: OpenClock, rung: LadderStep) -> str | None:
    """Who is meant by the step: the owner, their manager (else the pool's), or whom the agreement
    names. Where there is nobody, the side that owes the promise is notified."""
    manager = step.reference.agreement.manager_of(person=clock.owner, pool=clock.pool)
    if rung.to == "manager" or (rung.to is None and rung.kind != ActionKind.NOTIFY):
        return manager
    return (clock.owner or manager) if rung.to in (None, "owner") else rung.to


def _reassign(step: ClockStep, clock: OpenClock, rung: LadderStep) -> bool:
    passing, holder = step.head.passing, step.head.holder
    if passing is None or holder is None or holder.handoff.handoff_id != clock.handoff_id:
        return False
    if passing.moved == clock.handoff_id:
        return True
    if passing.reassigned >= rung.at_most:
        return False
    failed = (
        passing.failed
        if clock.owner is None or clock.owner in passing.failed
        else (*passing.failed, clock.owner)
    )
    moved = evolve(
        passing, reassigned=passing.reassigned + 1, failed=failed, moved=clock.handoff_id
    )
    step.head = evolve(step.head, passing=moved)
    publish_action(step, clock, ActionKind.REASSIGN, reason=BREACH, exclude=failed)
    return True


def _escalate(step: ClockStep, clock: OpenClock, rung: LadderStep) -> None:
    passing = step.head.passing
    if passing is not None and passing.escalated:
        return
    if passing is not None:
        step.head = evolve(step.head, passing=evolve(passing, escalated=True))
    publish_action(
        step,
        clock,
        ActionKind.ESCALATE,
        to=recipient(step, clock, rung) or clock.side,
        reason=BREACH,
    )


def _to_manager(step: ClockStep, clock: OpenClock, rung: LadderStep) -> bool:
    passing = step.head.passing
    manager = recipient(step, clock, rung)
    if passing is None or passing.queued or manager is None:
        return False  # nobody would have the lead: it stays with whom it is with
    step.head = evolve(step.head, passing=evolve(passing, queued=True))
    publish_action(step, clock, ActionKind.MANAGER_QUEUE, to=manager, reason=BREACH)
    return True


def _recycle(step: ClockStep, clock: OpenClock, rung: LadderStep) -> OpenClock | None:
    passing = step.head.passing
    if passing is None:
        return evolve(clock, rung=clock.rung + 1, rung_at_ms=None)
    if passing.hand_raised:
        _to_manager(step, clock, rung)
        return evolve(clock, rung=clock.rung + 1, rung_at_ms=None)
    leaving = Leaving(
        reason=rung.reason or "sla_expired",
        qualification_id=passing.qualification_id,
        handoff_id=clock.handoff_id,
    )
    leave_cycle(step, leaving)
    return None
