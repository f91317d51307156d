"""dispatch, per lead: owns the hand-off.

It asks for a holder once per qualification, publishes the answer if it still stands, publishes
acceptances and releases in one order with the requests, and carries out what the SLA watcher and
people want done with the hand-off. A cause that comes again changes nothing; a hand-off that does
not stand any more is refused by name; an acceptance that crossed a reassignment wins.

It chooses neither pool nor person and knows no clock.
"""

from baton.agreement.reference import AgreementReference
from baton.contracts.intake import LeadCommand
from baton.contracts.leads import LeadAmended, LeadQualified, LeadStaged, StageEvent
from baton.contracts.slas import SlaAction
from baton.contracts.streams import LeadDecision, RoutingAnswer, SlaDecision, parts_of
from baton.contracts.topic_names import (
    LEADS_HANDOFFS,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_UNROUTED,
    ROUTER_ACCOUNTS,
    ROUTER_ANSWERS,
    ROUTER_HANDOFFS,
    SCORER_LEADS,
    SLA_LEADS,
)
from baton.engine.reducer import Drop, Event, Put, Reducer, Step, View
from baton.evolve import evolve
from services.router import turn_credit
from services.router.dispatch import effects
from services.router.dispatch.authority import authority_of
from services.router.dispatch.case import Case, Change, Wanted, unchanged
from services.router.dispatch.handlers.actions_and_commands import on_action, on_command
from services.router.dispatch.handlers.qualifications import on_qualified
from services.router.dispatch.handlers.routing_results import on_answer
from services.router.dispatch.handlers.stage_moves import on_staged
from services.router.dispatch.lead_changes import on_amended
from services.router.dispatch.state import (
    ONLY,
    OPEN_QUALIFICATION,
    DispatchState,
    HandoffState,
)


class Dispatch(Reducer[DispatchState, AgreementReference]):
    """The reducer; see the module."""

    name = "dispatch"
    service = "router"
    inputs = (SCORER_LEADS, SLA_LEADS, ROUTER_ANSWERS)
    outputs = (
        ROUTER_ACCOUNTS,
        ROUTER_HANDOFFS,
        LEADS_HANDOFFS,
        LEADS_ROUTED_SDR,
        LEADS_ROUTED_SALES,
        LEADS_UNROUTED,
    )
    head_type = DispatchState
    entry_kinds = (OPEN_QUALIFICATION,)
    adopts = True

    def step(
        self, view: View[DispatchState], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[DispatchState]:
        """Take one input record."""
        case = _case(view, now, reference, at=event.at_ms)
        match event.value:
            case RoutingAnswer() as answer:
                change = on_answer(case, answer)
            case LeadDecision() | SlaDecision() as decision:
                change = _on_decision(case, decision, reference)
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


def _on_decision(
    case: Case, decision: LeadDecision | SlaDecision, reference: AgreementReference
) -> Change:
    """The parts of the record in order, one from what the former one left."""
    change = unchanged(case)
    amended = isinstance(decision, LeadDecision) and decision.amended is not None
    for part in parts_of(decision):
        if amended and isinstance(part, LeadStaged) and part.event in _IN_AMENDMENT:
            continue
        case = evolve(case, head=change.head, open_qualification=change.open_qualification)
        then = _on_part(case, part, reference)
        change = evolve(then, facts=(*change.facts, *then.facts))
    return change


_IN_AMENDMENT = frozenset({StageEvent.HAND_RAISED, StageEvent.CONSENT_CHANGED})
"""Moves whose news the amendment of the same record has, with the whole brief."""


def _on_part(case: Case, part: object, reference: AgreementReference) -> Change:
    authority = authority_of(reference)
    match part:
        case LeadAmended() as amended:
            return on_amended(case, amended, reference.agreement.routing)
        case LeadQualified() as qualified:
            return on_qualified(case, qualified)
        case LeadStaged() as staged:
            return on_staged(case, staged, authority)
        case SlaAction() as action:
            return on_action(case, action, authority)
        case LeadCommand() as command:
            return on_command(case, command, authority)
        case _:
            return unchanged(case)
