"""The ladder: what is done about a breach, step by step, until the act happens.

Notify, reassign (at most so many times a qualification), escalate once, the manager's queue; a step that has had its turn is
passed over. What takes the lead from somebody is never done on an unproven breach: it is asked for again later. A buyer who
raised a hand is not sent away for our failure, but to the manager.
"""

from dataclasses import replace
from typing import Final

from baton.agreement.compiled.slas import LadderStep
from baton.contracts.slas import ActionKind
from services.sla_watcher.clocks.breaches import RETRY_MS
from services.sla_watcher.clocks.clock_terms import Terms
from services.sla_watcher.clocks.recycling import Leaving, leave
from services.sla_watcher.clocks.sla_facts import tell_action
from services.sla_watcher.clocks.state import OpenClock
from services.sla_watcher.clocks.step import Turn

RECYCLE: Final = "recycle"
TAKES_AWAY: Final = frozenset({ActionKind.REASSIGN.value, ActionKind.MANAGER_QUEUE.value, RECYCLE})


def climb(turn: Turn, clock: OpenClock, terms: Terms) -> OpenClock | None:
    """Take the next step for ``clock``; the clock as it is then, or None if the step ended it."""
    step = terms.rule.ladder[clock.rung]
    if step.kind in TAKES_AWAY and not turn.proven:
        return replace(clock, rung_at_ms=turn.now + RETRY_MS)
    match step.kind:
        case ActionKind.NOTIFY:
            tell_action(turn, clock, step.kind, to=recipient(turn, clock, step) or clock.side, reason="breach")
        case ActionKind.REASSIGN:
            if _reassign(turn, clock, step):
                return replace(clock, rung=clock.rung + 1, rung_at_ms=None)
        case ActionKind.ESCALATE:
            _escalate(turn, clock, step)
        case ActionKind.MANAGER_QUEUE:
            if _to_manager(turn, clock, step):
                return replace(clock, rung=clock.rung + 1, rung_at_ms=None)
        case _:
            return _recycle(turn, clock, step)
    return replace(clock, rung=clock.rung + 1, rung_at_ms=terms.rung_due(clock.rung + 1, clock.deadline_ms))


def recipient(turn: Turn, clock: OpenClock, step: LadderStep) -> str | None:
    """Who is meant by the step: the owner, their manager (else the pool's), or whom the agreement names. Where there is nobody, the
    side that owes the promise is told."""
    manager = turn.reference.agreement.manager_of(person=clock.owner, pool=clock.pool)
    if step.to == "manager" or (step.to is None and step.kind != ActionKind.NOTIFY):
        return manager
    return (clock.owner or manager) if step.to in (None, "owner") else step.to


def _reassign(turn: Turn, clock: OpenClock, step: LadderStep) -> bool:
    passing, holder = turn.head.passing, turn.head.holder
    if passing is None or holder is None or holder.handoff_id != clock.handoff_id:
        return False
    if passing.moved == clock.handoff_id:
        return True
    if passing.reassigned >= step.at_most:
        return False
    failed = passing.failed if clock.owner is None or clock.owner in passing.failed else (*passing.failed, clock.owner)
    moved = replace(passing, reassigned=passing.reassigned + 1, failed=failed, moved=clock.handoff_id)
    turn.head = replace(turn.head, passing=moved)
    tell_action(turn, clock, ActionKind.REASSIGN, reason="breach", exclude=failed)
    return True


def _escalate(turn: Turn, clock: OpenClock, step: LadderStep) -> None:
    passing = turn.head.passing
    if passing is not None and passing.escalated:
        return
    if passing is not None:
        turn.head = replace(turn.head, passing=replace(passing, escalated=True))
    tell_action(turn, clock, ActionKind.ESCALATE, to=recipient(turn, clock, step) or clock.side, reason="breach")


def _to_manager(turn: Turn, clock: OpenClock, step: LadderStep) -> bool:
    passing = turn.head.passing
    if passing is None or passing.queued:
        return False
    turn.head = replace(turn.head, passing=replace(passing, queued=True))
    tell_action(turn, clock, ActionKind.MANAGER_QUEUE, to=recipient(turn, clock, step), reason="breach")
    return True


def _recycle(turn: Turn, clock: OpenClock, step: LadderStep) -> OpenClock | None:
    passing = turn.head.passing
    if passing is None:
        return replace(clock, rung=clock.rung + 1, rung_at_ms=None)
    if passing.hand_raised:
        _to_manager(turn, clock, step)
        return replace(clock, rung=clock.rung + 1, rung_at_ms=None)
    leave(turn, Leaving(reason=step.reason or "sla_expired", handoff_id=clock.handoff_id))
    return None
