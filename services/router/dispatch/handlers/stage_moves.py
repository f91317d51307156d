"""What the moves of a lead in its cycle do to its hand-off: verdicts of people, and ends.

A verdict is about the hand-off that it names; an end ends the qualification that it names, and
nothing else.
"""

from baton.contracts.leads import LeadStaged, StageEvent
from baton.evolve import evolve
from services.router import turn_credit
from services.router.dispatch import effects
from services.router.dispatch.case import Case, Change, Wanted, unchanged
from services.router.dispatch.command_authorization import Authority, may_not_answer
from services.router.dispatch.handlers.actions_and_commands import (
    MANAGER_QUEUE,
    refused,
    reinstated,
)
from services.router.dispatch.handlers.routing_results import find
from services.router.dispatch.lead_changes import on_moved
from services.router.dispatch.state import Handoff, HandoffState
from services.router.dispatch.transitions import Move, Trigger, move_for

ENDS = frozenset(
    {
        StageEvent.WITHDRAWN,
        StageEvent.RECYCLED,
        StageEvent.DISQUALIFIED,
        StageEvent.WON,
        StageEvent.LOST,
        StageEvent.MERGED,
        StageEvent.ERASED,
    }
)
"""Stage events after which nobody holds the lead for this qualification."""
FINAL = frozenset({StageEvent.MERGED, StageEvent.ERASED})


def on_staged(case: Case, staged: LeadStaged, authority: Authority) -> Change:
    """A move of the lead in its cycle: a verdict about the hand-off, an end, or news of it."""
    if staged.event in FINAL:
        case = evolve(case, head=evolve(case.head, gone=staged.event))
    if staged.event in ENDS:
        return _on_end(case, staged, authority)
    current = case.head.current
    trigger = _verdict(staged, current, authority)
    if trigger is None:
        return on_moved(case, staged)
    move = move_for(current.state if current else None, trigger)
    about = find(case, staged.handoff_id) or current
    if about is not None and move in _ANSWERS:
        why = may_not_answer(staged.by, about, authority)
        if why is not None:
            return refused(case, staged.handoff_id, why, cause=staged.cause_id, by=staged.by)
    if move is Move.IGNORE:
        return unchanged(case)
    if current is None or move not in _ANSWERS:
        reason = "no_open_handoff" if staged.handoff_id is None else "stale_handoff"
        return refused(case, staged.handoff_id, reason, cause=staged.cause_id, by=staged.by)
    return _answer(case, staged, current, move, authority)


def _verdict(staged: LeadStaged, current: Handoff | None, authority: Authority) -> Trigger | None:
    """What the move says of the hand-off; None: it is no verdict."""
    stands = current is not None and staged.handoff_id in (None, current.handoff_id)
    match staged.event:
        case StageEvent.ACCEPTED:
            return Trigger.ACCEPTED if stands else Trigger.FORMER_ACCEPTED
        case StageEvent.REJECTED if staged.reason in authority.reassigning:
            return Trigger.MISROUTED if stands else Trigger.FORMER_REJECTED
        case StageEvent.REJECTED:
            return Trigger.REJECTED if stands else Trigger.FORMER_REJECTED
        case _:
            return None


def _answer(
    case: Case, staged: LeadStaged, current: Handoff, move: Move, authority: Authority
) -> Change:
    match move:
        case Move.ACCEPT:
            return _accept(case, staged, current)
        case Move.RETURN:
            return _return(case, staged, current, authority)
        case Move.RETRY:
            return _match_anew(case, staged, current, authority)
        case _:
            handoff_id = staged.handoff_id or current.handoff_id
            return reinstated(case, handoff_id, HandoffState.ACCEPTED, cause=staged.cause_id)


def _accept(case: Case, staged: LeadStaged, current: Handoff) -> Change:
    before = _held_before(case, current, staged.by) if staged.handoff_id is None else None
    if before is not None:
        return reinstated(case, before, HandoffState.ACCEPTED, cause=staged.cause_id)
    if current.owner is None and staged.by is None:
        return refused(case, staged.handoff_id, "nobody_named", cause=staged.cause_id)
    return effects.accept(case, staged.by)


def _return(case: Case, staged: LeadStaged, current: Handoff, authority: Authority) -> Change:
    stopped = effects.stop(
        case,
        state=HandoffState.RETURNED,
        reason=staged.reason or "rejected",
        fault=turn_credit.of_rejection(staged.reason, authority.blameless),
        silent=staged.by == current.owner,
        by=staged.by,
    )
    return _with_rejecter(stopped, staged.by or current.owner)


_ANSWERS = frozenset({Move.ACCEPT, Move.RETURN, Move.RETRY, Move.REINSTATE})
"""What only who may answer for the hand-off can do."""


def _match_anew(case: Case, staged: LeadStaged, current: Handoff, authority: Authority) -> Change:
    """Somebody says of a lead that waits that it is not for them: it is matched anew at once, and a
    queue holds it all the while."""
    who = (staged.by,) if staged.by else ()
    wanted = Wanted(
        reason=staged.reason,
        exclude=effects.with_person(current.exclude, *who),
        rejecters=effects.with_person(current.rejecters, *who),
    )
    if current.state == HandoffState.WATCHED and staged.by in current.rejecters:
        # It would come back to them; who watches it keeps it, and decides.
        wanted = evolve(
            wanted, reason=MANAGER_QUEUE, pool=current.pool, watcher=current.owner or ""
        )
    return effects.relieve(
        case,
        wanted,
        fault=turn_credit.of_rejection(staged.reason, authority.blameless),
        by=staged.by,
    )


def _with_rejecter(change: Change, person: str | None) -> Change:
    """Remember who said no, for when it is asked whose turn it is."""
    current = change.head.current
    if current is None or person is None:
        return change
    returned = evolve(current, rejecters=effects.with_person(current.rejecters, person))
    return evolve(change, head=evolve(change.head, current=returned))


def _held_before(case: Case, current: Handoff, by: str | None) -> str | None:
    """The former hand-off of the same qualification that ``by`` held, if the current one is not
    theirs: it is what they accepted."""
    if by is None or by == current.owner:
        return None
    mine = [
        former
        for former in case.head.former
        if former.qualification_id == current.qualification_id and former.owner == by
    ]
    return mine[-1].handoff_id if mine else None


def _on_end(case: Case, staged: LeadStaged, authority: Authority) -> Change:
    current = case.head.current
    if current is None or (
        staged.qualification_id != current.qualification_id and staged.event not in FINAL
    ):
        return unchanged(case)
    match move_for(current.state, Trigger.ENDED):
        case Move.CLOSE:
            accepted = current.state == HandoffState.ACCEPTED
            fault = turn_credit.of_end(
                staged.event, staged.reason, authority.blameless, accepted=accepted
            )
            own = staged.by is not None and staged.by == current.owner
            return effects.stop(
                case,
                state=HandoffState.CLOSED,
                reason=staged.event,
                fault=fault,
                silent=own,
                by=staged.by,
            )
        case Move.END:
            return effects.end(case, reason=staged.event)
        case _:
            return unchanged(case)
