"""What others want done with a hand-off: the SLA watcher's actions and people's commands.

An action or command about a hand-off that does not stand any more, or from somebody who may not, is
refused on ``leads.handoffs.v1`` with its reason. One that comes again changes nothing.
"""

from baton.contracts.intake import MOVED_BY, LeadCommand
from baton.contracts.slas import SlaAction
from baton.contracts.streams import HandoffEvent
from baton.evolve import evolve
from services.router import turn_credit
from services.router.dispatch import effects
from services.router.dispatch.case import Case, Change, Wanted, unchanged
from services.router.dispatch.command_authorization import (
    WAITING,
    Authority,
    Permit,
    Refusal,
    authorise,
)
from services.router.dispatch.handlers.routing_results import find
from services.router.dispatch.publish_handoff import changed
from services.router.dispatch.state import Handoff, HandoffState
from services.router.dispatch.transitions import Move, Trigger, move_for

REASSIGN, MANAGER_QUEUE, RESTORE = "reassign", "manager_queue", "restore"


def on_action(case: Case, action: SlaAction, authority: Authority) -> Change:
    """Carry out ``reassign``, ``manager_queue`` and ``restore``; the other kinds are for people and
    tools."""
    if action.kind not in (REASSIGN, MANAGER_QUEUE, RESTORE) or action.action_id in case.head.done:
        return unchanged(case)
    case = evolve(case, head=effects.carried_out(case.head, action.action_id))
    current = case.head.current
    stands = current is not None and current.handoff_id == action.handoff_id
    if action.kind == RESTORE:
        return _on_restore(case, action)
    move = move_for(
        current.state if current else None, Trigger.MOVED if stands else Trigger.FORMER_MOVED
    )
    if move is Move.REFUSE_STALE and _carried_out_before(case, action):
        return unchanged(case)
    if current is None or move not in (Move.RETRY, Move.AGAIN):
        reason = "stale_handoff" if move is Move.REFUSE_STALE else "closed"
        return refused(case, action.handoff_id, reason, cause=action.action_id)
    if (crossed := _crossed(current, action)) is not None:
        return refused(case, action.handoff_id, crossed, cause=action.action_id)
    wanted = _wanted(current, action, authority)
    if current.state == HandoffState.WATCHED and wanted.watcher == current.owner:
        return unchanged(case)
    if move is Move.AGAIN:
        return (
            effects.ask(case, case.open_qualification.qualified, wanted)
            if case.open_qualification
            else unchanged(case)
        )
    return effects.relieve(
        case, wanted, fault=turn_credit.of_reassignment(action.reason, authority.blameless)
    )


def _carried_out_before(case: Case, action: SlaAction) -> bool:
    """Whether the lead was matched anew for the very reason of the action, by dispatch itself:
    there is nothing left to do."""
    latest = case.head.former[-1] if case.head.former else None
    former = find(case, action.handoff_id) if action.handoff_id else latest
    return former is not None and former.ended is not None and former.ended == action.reason


def _crossed(current: Handoff, action: SlaAction) -> str | None:
    """What had already happened when the action was decided, unknown to who decided it: it wins."""
    if current.state == HandoffState.ACCEPTED and action.at_ms <= current.since_ms:
        return "accepted"
    if current.state == HandoffState.RETURNED and action.at_ms < current.since_ms:
        return "rejected"
    return None


def _wanted(current: Handoff, action: SlaAction, authority: Authority) -> Wanted:
    watched = current.state == HandoffState.WATCHED
    exclude = effects.with_person(
        current.exclude,
        *action.exclude,
        *((current.owner,) if current.owner and not watched else ()),
    )
    if action.kind == REASSIGN:
        return Wanted(reason="reassigned", exclude=exclude, rejecters=current.rejecters)
    if action.to in authority.pools:
        return Wanted(
            reason=MANAGER_QUEUE, exclude=exclude, rejecters=current.rejecters, pool=action.to
        )
    watcher = action.to or authority.manager_of(current.owner) or authority.watcher_of(current.pool)
    known = watcher or (current.owner if watched else None)
    return Wanted(
        reason=MANAGER_QUEUE,
        exclude=exclude,
        rejecters=current.rejecters,
        pool=current.pool,
        watcher=known or "",
    )


def _on_restore(case: Case, action: SlaAction) -> Change:
    former, current = find(case, action.handoff_id), case.head.current
    open_still = current is not None and current.state not in (
        HandoffState.ACCEPTED,
        HandoffState.CLOSED,
    )
    if former is None or former is current or not open_still:
        return refused(case, action.handoff_id, "stale_handoff", cause=action.action_id)
    accepted = former.state == HandoffState.ACCEPTED
    state = HandoffState.ACCEPTED if accepted else HandoffState.OFFERED
    return reinstated(case, action.handoff_id, state, cause=action.action_id)


def reinstated(case: Case, handoff_id: str, state: HandoffState, *, cause: str) -> Change:
    """Let a former hand-off stand again, if it is of the qualification that is open and somebody
    held it."""
    handoff, current = find(case, handoff_id), case.head.current
    known = (
        handoff is not None
        and current is not None
        and handoff.qualification_id == current.qualification_id
    )
    if handoff is None or not known or handoff.owner is None or case.open_qualification is None:
        return refused(case, handoff_id, "stale_handoff", cause=cause)
    return effects.reinstate(case, handoff, state)


def on_command(case: Case, lead_command: LeadCommand, authority: Authority) -> Change:
    """Carry out a person's command, or say why not."""
    if lead_command.event_id in case.head.done:
        return unchanged(case)
    # The withdrawal names the command as its cause: whoever gave it finds what came of it.
    head = effects.carried_out(case.head, lead_command.event_id)
    case = evolve(case, head=head, cause=lead_command.event_id)
    command, current = lead_command.command, case.head.current
    stands = command.handoff_id in (None, current.handoff_id if current else None)
    move = move_for(
        current.state if current else None,
        Trigger.COMMANDED if stands else Trigger.FORMER_COMMANDED,
    )
    if current is None or move is not Move.RETRY:
        reason = "stale_handoff" if move is Move.REFUSE_STALE else "no_open_handoff"
        return refused(case, command.handoff_id, reason, cause=lead_command.event_id, by=command.by)
    match authorise(command, current, authority):
        case Refusal(reason=reason):
            return refused(
                case, current.handoff_id, reason, cause=lead_command.event_id, by=command.by
            )
        case Permit(person=person, pool=pool):
            by_manager = current.owner is not None and authority.manages(command.by, current.owner)
            # A rep who passes a lead on has had the turn; a manager may say that it was nobody's
            # fault.
            fault = (
                turn_credit.NO_FAULT
                if by_manager and command.reason in authority.blameless
                else None
            )
            # Who passed it on, or was relieved of it, is not asked again when it is somebody's turn
            # later.
            leaves = (current.owner,) if current.owner and current.state not in WAITING else ()
            exclude = effects.with_person(current.exclude, *leaves)
            wanted = Wanted(
                reason=MOVED_BY[command.kind], exclude=exclude, person=person, pool=pool
            )
            return effects.relieve(case, wanted, fault=fault, by=command.by)


def refused(
    case: Case, handoff_id: str | None, reason: str, *, cause: str, by: str | None = None
) -> Change:
    """Say no on ``leads.handoffs.v1``; the state stays."""
    known = find(case, handoff_id) if handoff_id else case.head.current
    unknown = Handoff(
        handoff_id=handoff_id or "",
        qualification_id="",
        attempt=0,
        cycle=0,
        state=HandoffState.CLOSED,
        queue_key="",
        account_id=None,
        leg="",
        since_ms=case.at,
    )
    said = {"reason": reason, "cause_id": cause, "by": by, "published": True}
    return unchanged(case, *changed(case, known or unknown, HandoffEvent.REFUSED, **said))
