"""What follows a rejection: somebody else at once, later, or never, by the reason."""

from typing import Final

from baton.agreement.model.recycling import Outcome
from baton.contracts.slas import ActionKind, SlaAction
from baton.evolve import evolve
from services.sla_watcher.clocks.recycling import Leaving, leave_cycle
from services.sla_watcher.clocks.state import Holder
from services.sla_watcher.clocks.step import ClockStep

MOST_RETURNED: Final = 3
"""Rejections of one qualification after which the manager gets the lead, not a further
colleague."""


def after_rejection(step: ClockStep, leaving: Leaving, holder: Holder | None) -> None:
    """The receiver said no: somebody else at once, later, or never, by the reason."""
    rule = step.reference.agreement.recycling.reason(leaving.reason)
    if rule.outcome is not Outcome.REASSIGN:
        leave_cycle(step, leaving)
        return
    passing = step.head.passing
    if passing is None:
        return
    failed = (
        passing.failed
        if leaving.by is None or leaving.by in passing.failed
        else (*passing.failed, leaving.by)
    )
    counted = evolve(
        passing, failed=failed, returned=passing.returned + 1, moved=leaving.handoff_id
    )
    step.head = evolve(step.head, passing=counted)
    manager = _manager(step, holder)
    again = passing.returned < MOST_RETURNED or manager is None
    step.publish_action(
        SlaAction(
            action_id=step.id_of("action", "rejected"),
            kind=ActionKind.REASSIGN if again else ActionKind.MANAGER_QUEUE,
            lead_id=step.lead_id,
            handoff_id=leaving.handoff_id or "",
            clock_id="",
            at_ms=step.now,
            cause_id=step.cause,
            agreement=step.version,
            owner=leaving.by,
            pool=holder.pool if holder else None,
            to=None if again else manager,
            reason=leaving.reason,
            exclude=failed,
        ),
    )


def _manager(step: ClockStep, holder: Holder | None) -> str | None:
    agreement = step.reference.agreement
    return agreement.manager_of(person=holder.owner, pool=holder.pool) if holder else None
