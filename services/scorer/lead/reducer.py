"""The lead reducer: scores a lead, moves it in its cycle, says when it is ready for a person and when it is not any more.

Keyed by lead. It owns score and stage. This file only hands each record to the part that knows about it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from baton.agreement.reference import AgreementReference
from baton.contracts.intake import EventKind, LeadAct, LeadEvent, LeadMerge, LeadPerson
from baton.contracts.leads import BacklogRelease, BuyingGroup, LeadTransfer
from baton.contracts.routing import HandoffNoted, LeadRouted
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.contracts.topic_names import (
    LEADS_ACCEPTED,
    LEADS_ACTS,
    LEADS_HANDOFFS,
    LEADS_MERGES,
    LEADS_PERSONS,
    LEADS_QUALIFIED,
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
    LEADS_REFUSALS,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SCORED,
    LEADS_STAGES,
    SCORER_ACCOUNTS,
    SCORER_BACKLOG,
    SCORER_BUYING,
    SCORER_RELEASES,
    SCORER_TRANSFERS,
)
from baton.engine.reducer import Event, Reducer, Step, View
from services.scorer.lead.handlers import events, handoffs, merge, recycling
from services.scorer.lead.handlers.account import on_group
from services.scorer.lead.handlers.dispositions import cause_of, on_act
from services.scorer.lead.handlers.erasure import erase
from services.scorer.lead.level import rated
from services.scorer.lead.publish_score import tell
from services.scorer.lead.qualification import COOLED, considered, reconsidered, released
from services.scorer.lead.rescore import settle
from services.scorer.lead.stage_moves import refuse, tell_consents
from services.scorer.lead.state import ENTRY_KINDS, MERGED, LeadHead
from services.scorer.lead.step import Turn


class Lead(Reducer[LeadHead, AgreementReference]):
    """The reducer; see the module."""

    name: ClassVar[str] = "lead"
    service: ClassVar[str] = "scorer"
    inputs: ClassVar[tuple[str, ...]] = (
        LEADS_ACCEPTED,
        LEADS_ACTS,
        LEADS_PERSONS,
        LEADS_MERGES,
        SCORER_TRANSFERS,
        LEADS_ROUTED_SDR,
        LEADS_ROUTED_SALES,
        LEADS_HANDOFFS,
        SCORER_RELEASES,
        SCORER_BUYING,
        LEADS_RECYCLED,
        LEADS_REACTIVATED,
    )
    outputs: ClassVar[tuple[str, ...]] = (
        LEADS_SCORED,
        LEADS_QUALIFIED,
        LEADS_STAGES,
        LEADS_REFUSALS,
        SCORER_ACCOUNTS,
        SCORER_TRANSFERS,
        SCORER_BACKLOG,
    )
    head_type: ClassVar[type[LeadHead] | None] = LeadHead
    entry_kinds = ENTRY_KINDS
    adopts: ClassVar[bool] = True

    def step(self, view: View[LeadHead], event: Event, *, now: int, reference: AgreementReference) -> Step[LeadHead]:
        """Take one input record."""
        turn = Turn(view, now=now, reference=reference, received_at_ms=event.received_at_ms)
        if turn.head.ended:
            _at_tombstone(turn, event.value)
        else:
            _take(turn, event.value)
        return turn.finish()

    def wake(self, view: View[LeadHead], *, now: int, reference: AgreementReference) -> Step[LeadHead]:
        """The score has fallen below where the level is left, or an entry has left its window: by time alone, so nothing can rise."""
        turn = Turn(view, now=now, reference=reference)
        if not turn.head.ended:
            turn.refold()
            rating = rated(turn, raising=False)
            reconsidered(turn, cause=turn.cause, reason=COOLED)
            tell(turn, rating, cause=turn.cause)
        return turn.finish()

    def adopt(self, view: View[LeadHead], *, old: str, new: AgreementReference, now: int) -> Step[LeadHead]:
        """Score anew under another agreement."""
        turn = Turn(view, now=now, reference=new)
        if turn.head.ended:
            return turn.unchanged()
        fit = turn.agreement.fit.evaluate(turn.profile).points_micro
        turn.head = replace(turn.head, fit_micro=fit)
        turn.recount()
        turn.role_moved = True
        rating = rated(turn, raising=True, cause=turn.cause)
        reconsidered(turn, cause=turn.cause, reason=COOLED)
        considered(turn, rating, cause=turn.cause, occurred_at_ms=now, adopting=True)
        return turn.finish()


def _take(turn: Turn, value: object) -> None:
    match value:
        case LeadEvent() as event:
            _take_event(turn, event)
        case LeadPerson() as person if person.erased:
            erase(turn, cause=person.event_id)
        case LeadPerson() as person:
            events.met(turn, person)
        case LeadAct() as act:
            on_act(turn, act)
        case LeadRouted() as routed:
            handoffs.on_routed(turn, routed)
        case HandoffNoted() as noted:
            handoffs.on_noted(turn, noted)
        case LeadRecycled() as recycled:
            recycling.on_recycled(turn, recycled)
        case LeadReactivated() as reactivated:
            recycling.on_reactivated(turn, reactivated)
        case BuyingGroup() as told:
            on_group(turn, told)
        case BacklogRelease() as release:
            released(turn, release)
        case LeadMerge() as merged:
            merge.on_merge(turn, merged)
        case LeadTransfer() as transfer:
            merge.on_transfer(turn, transfer, _take)
        case other:
            raise TypeError(f"lead does not read {type(other).__name__}")


def _take_event(turn: Turn, event: LeadEvent) -> None:
    raised = False
    match EventKind(event.kind):
        case EventKind.ENGAGEMENT:
            changed = events.engaged(turn, event)
            raised = changed and events.hand_raised(turn, event)
        case EventKind.PROFILE:
            changed = events.profiled(turn, event)
        case EventKind.RETRACTION:
            changed = events.retracted(turn, event)
        case EventKind.CONSENT:
            changed = events.consent_given(turn, event)
            if changed:
                tell_consents(turn, event.event_id)
        case EventKind.ERASURE:
            erase(turn, cause=event.event_id)
            return
        case EventKind.LINK | EventKind.ACT | EventKind.COMMAND:
            return
    if changed:
        acted = event.kind == EventKind.ENGAGEMENT and not event.backfill
        settle(turn, cause=event.event_id, occurred_at_ms=event.occurred_at_ms, raised=raised, acted=acted)


def _at_tombstone(turn: Turn, value: object) -> None:
    """Of a merged lead everything goes on to its survivor; an erased one stays erased."""
    merged = turn.head.ended == MERGED
    match value:
        case LeadTransfer() as transfer if merged:
            if not merge.passed_on(turn, transfer):
                _take(turn, transfer)
        case (LeadEvent() | LeadPerson() | LeadAct()) as late if merged:
            merge.forward(turn, late)
        case LeadAct() as act:
            refuse(turn, act.act.kind, cause_of(act), turn.head.ended)
        case _:
            pass
