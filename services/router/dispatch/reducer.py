"""dispatch, per lead: owns the hand-off.

It asks for a holder once per qualification, notes the answer, tells of acceptances and releases in
one order with the requests, and carries out what the SLA watcher and people want done with the
hand-off. A cause that comes again changes nothing; a hand-off that does not stand any more is
refused by name; an acceptance that crossed a reassignment wins.

It chooses neither pool nor person and knows no clock.
"""

from dataclasses import replace

from baton.agreement.reference import AgreementReference
from baton.contracts.intake import LeadCommand
from baton.contracts.leads import LeadAmended, LeadQualified, LeadStaged, StageEvent
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.contracts.slas import SlaAction
from baton.contracts.streams import LeadDecision, SlaDecision, parts_of
from baton.contracts.topic_names import (
    LEADS_HANDOFFS,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_UNROUTED,
    ROUTER_ACCOUNTS,
    ROUTER_HANDOFFS,
    SCORER_LEADS,
    SLA_LEADS,
)
from baton.engine.reducer import Drop, Event, Put, Reducer, Step, View
from services.router import turn_credit
from services.router.dispatch import effects
from services.router.dispatch.amendments import on_amended, on_moved
from services.router.dispatch.authority import authority_of
from services.router.dispatch.command_authorization import Authority, may_not_answer
from services.router.dispatch.effects import Case, Change, Wanted, unchanged
from services.router.dispatch.handlers.actions_and_commands import (
    MANAGER_QUEUE,
    on_action,
    on_command,
    refused,
    reinstated,
)
from services.router.dispatch.handlers.routing_results import find, on_routed, on_unrouted
from services.router.dispatch.state import (
    ONLY,
    OPEN_QUALIFICATION,
    DispatchState,
    Handoff,
    HandoffState,
)
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


class Dispatch(Reducer[DispatchState, AgreementReference]):
    """The reducer; see the module."""

    name = "dispatch"
    service = "router"
    inputs = (SCORER_LEADS, SLA_LEADS, LEADS_ROUTED_SDR, LEADS_ROUTED_SALES, LEADS_UNROUTED)
    outputs = (ROUTER_ACCOUNTS, ROUTER_HANDOFFS, LEADS_HANDOFFS)
    head_type = DispatchState
    entry_kinds = (OPEN_QUALIFICATION,)
    adopts = True

    def step(
        self, view: View[DispatchState], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[DispatchState]:
        """Take one input record."""
        case = _case(view, now, reference, at=event.at_ms)
        match event.value:
            case LeadRouted() as routed:
                change = on_routed(case, routed)
            case LeadUnrouted() as unrouted:
                change = on_unrouted(case, unrouted)
            case LeadDecision() | SlaDecision() as said:
                change = _on_said(case, said, reference)
            case other:
                raise TypeError(f"dispatch does not read {type(other).__name__}")
        return _step(view, case, change)

    def adopt(
        self, view: View[DispatchState], *, old: str, new: AgreementReference, now: int
    ) -> Step[DispatchState]:
        """Whoever left under the new agreement is relieved of what they hold."""
        case = _case(view, now, new, at=now)
        current = case.head.current
        if (
            current is None
            or current.owner is None
            or current.state not in (HandoffState.OFFERED, HandoffState.ACCEPTED)
        ):
            return _step(view, case, unchanged(case))
        if authority_of(new).works_here(current.owner):
            return _step(view, case, unchanged(case))
        wanted = Wanted(
            reason="owner_left", exclude=effects.with_person(current.exclude, current.owner)
        )
        return _step(view, case, effects.relieve(case, wanted, fault=turn_credit.NO_FAULT))


def _case(view: View[DispatchState], now: int, reference: AgreementReference, *, at: int) -> Case:
    head = view.head or DispatchState(lead_id=view.key)
    return Case(
        cause=view.cause,
        now=now,
        at=at,
        agreement=reference.version,
        head=head,
        open_qualification=view.get(OPEN_QUALIFICATION, ONLY),
    )


def _step(view: View[DispatchState], case: Case, change: Change) -> Step[DispatchState]:
    untouched = change.head is case.head
    keeps = change.open_qualification is case.open_qualification
    return Step(
        head=view.head if untouched else change.head,
        put=(Put(OPEN_QUALIFICATION, ONLY, change.open_qualification),)
        if change.open_qualification is not None and not keeps
        else (),
        drop=(Drop(OPEN_QUALIFICATION, ONLY),)
        if change.open_qualification is None and not keeps
        else (),
        facts=change.facts,
    )


def _on_said(case: Case, said: LeadDecision | SlaDecision, reference: AgreementReference) -> Change:
    """Each part of the record in order, from what the former one left."""
    change = unchanged(case)
    amended = isinstance(said, LeadDecision) and said.amended is not None
    for part in parts_of(said):
        if amended and isinstance(part, LeadStaged) and part.event in _IN_AMENDMENT:
            continue
        case = replace(case, head=change.head, open_qualification=change.open_qualification)
        then = _on_part(case, part, reference)
        change = replace(then, facts=(*change.facts, *then.facts))
    return change


_IN_AMENDMENT = frozenset({StageEvent.HAND_RAISED, StageEvent.CONSENT_CHANGED})
"""Moves whose news the amendment of the same record has, with the whole brief."""


def _on_part(case: Case, part: object, reference: AgreementReference) -> Change:
    authority = authority_of(reference)
    match part:
        case LeadAmended() as amended:
            return on_amended(case, amended, reference.agreement.routing)
        case LeadQualified() as qualified:
            return _on_qualified(case, qualified)
        case LeadStaged() as staged:
            return _on_staged(case, staged, authority)
        case SlaAction() as action:
            return on_action(case, action, authority)
        case LeadCommand() as command:
            return on_command(case, command, authority)
        case _:
            return unchanged(case)


def _on_qualified(case: Case, qualified: LeadQualified) -> Change:
    head, current = case.head, case.head.current
    if head.gone == StageEvent.ERASED or qualified.qualification_id in head.done:
        return unchanged(case)
    # A merged lead qualifies only where its merges went full circle, so that it lives again.
    case = replace(
        case, head=replace(effects.carried_out(head, qualified.qualification_id), gone=None)
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


def _on_staged(case: Case, staged: LeadStaged, authority: Authority) -> Change:
    if staged.event in FINAL:
        case = replace(case, head=replace(case.head, gone=staged.event))
    if staged.event in ENDS:
        return _on_end(case, staged, authority)
    current = case.head.current
    stands = current is not None and staged.handoff_id in (None, current.handoff_id)
    match staged.event:
        case StageEvent.ACCEPTED:
            trigger = Trigger.ACCEPTED if stands else Trigger.FORMER_ACCEPTED
        case StageEvent.REJECTED if staged.reason in authority.reassigning:
            trigger = Trigger.MISROUTED if stands else Trigger.FORMER_REJECTED
        case StageEvent.REJECTED:
            trigger = Trigger.REJECTED if stands else Trigger.FORMER_REJECTED
        case _:
            return on_moved(case, staged)
    move = move_for(current.state if current else None, trigger)
    about = find(case, staged.handoff_id) or current
    if (
        about is not None
        and move in _ANSWERS
        and (why := may_not_answer(staged.by, about, authority)) is not None
    ):
        return refused(case, staged.handoff_id, why, cause=staged.cause_id, by=staged.by)
    match move:
        case Move.ACCEPT if current is not None:
            if (
                staged.handoff_id is None
                and (before := _held_before(case, current, staged.by)) is not None
            ):
                return reinstated(case, before, HandoffState.ACCEPTED, cause=staged.cause_id)
            if current.owner is None and staged.by is None:
                return refused(case, staged.handoff_id, "nobody_named", cause=staged.cause_id)
            return effects.accept(case, staged.by)
        case Move.RETURN if current is not None:
            reason = staged.reason or "rejected"
            own = staged.by == current.owner
            fault = turn_credit.of_rejection(staged.reason, authority.blameless)
            stopped = effects.stop(
                case,
                state=HandoffState.RETURNED,
                reason=reason,
                fault=fault,
                silent=own,
                by=staged.by,
            )
            return _with_rejecter(stopped, staged.by or current.owner)
        case Move.RETRY if current is not None:
            return _match_anew(case, staged, current, authority)
        case Move.REINSTATE if current is not None:
            return reinstated(
                case,
                staged.handoff_id or current.handoff_id,
                HandoffState.ACCEPTED,
                cause=staged.cause_id,
            )
        case Move.IGNORE:
            return unchanged(case)
        case _:
            reason = "no_open_handoff" if staged.handoff_id is None else "stale_handoff"
            return refused(case, staged.handoff_id, reason, cause=staged.cause_id, by=staged.by)


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
        wanted = replace(
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
    told = replace(current, rejecters=effects.with_person(current.rejecters, person))
    return replace(change, head=replace(change.head, current=told))


def _held_before(case: Case, current: Handoff, by: str | None) -> str | None:
    """The former hand-off of the same qualification that ``by`` held, if the current one is not
    theirs: it is what they accepted."""
    if by is None or by == current.owner:
        return None
    mine = [
        each
        for each in case.head.former
        if each.qualification_id == current.qualification_id and each.owner == by
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
