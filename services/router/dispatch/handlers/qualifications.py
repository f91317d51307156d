"""A lead has qualified: dispatch asks for a holder, once per qualification."""

from baton.contracts.leads import LeadQualified, StageEvent
from baton.evolve import evolve
from services.router.dispatch import effects
from services.router.dispatch.case import Case, Change, Wanted, unchanged
from services.router.dispatch.state import HandoffState
from services.router.dispatch.transitions import Move, Trigger, move_for


def on_qualified(case: Case, qualified: LeadQualified) -> Change:
    """Ask for a holder; a qualification that is open already gives way to the new one."""
    head, current = case.head, case.head.current
    if head.gone == StageEvent.ERASED or qualified.qualification_id in head.done:
        return unchanged(case)
    # A merged lead qualifies only where its merges went full circle, so that it lives again.
    case = evolve(
        case, head=evolve(effects.carried_out(head, qualified.qualification_id), gone=None)
    )
    move = move_for(current.state if current else None, Trigger.QUALIFIED)
    if current is None or move is Move.OPEN:
        return effects.ask(case, qualified, Wanted(owner=qualified.owner))
    same_cycle = current.cycle == qualified.cycle and current.state == HandoffState.ACCEPTED
    passes = same_cycle and current.leg != qualified.leg
    owner = current.owner if same_cycle and not passes else None
    reason = "qualified" if passes else "requalified"
    return effects.replaced(
        case, qualified, Wanted(owner=owner or qualified.owner), reason=reason, silent=passes
    )
