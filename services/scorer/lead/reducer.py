"""The lead reducer: scores a lead, moves it in its cycle, decides when it is ready for a
person and when it no longer is.

Keyed by lead. It owns score and stage. This file only dispatches records to their handlers.
"""

from __future__ import annotations

from typing import ClassVar

from baton.agreement.reference import AgreementReference
from baton.contracts.accounts import BuyingGroup
from baton.contracts.intake import EventKind, LeadAct, LeadCommand, LeadEvent, LeadInput
from baton.contracts.streams import BacklogRelease, HandoffChange, SlaDecision
from baton.contracts.topic_names import (
    INTAKE_LEADS,
    LEADS_AMENDMENTS,
    LEADS_PERSONS,
    LEADS_QUALIFIED,
    LEADS_REFUSALS,
    LEADS_SCORED,
    LEADS_STAGES,
    ROUTER_HANDOFFS,
    SCORER_ACCOUNTS,
    SCORER_BACKLOG,
    SCORER_BUYING,
    SCORER_HOLDOUTS,
    SCORER_LEADS,
    SCORER_RELEASES,
    SCORER_TRANSFERS,
    SLA_LEADS,
)
from baton.contracts.transfers import LeadTransfer
from baton.engine.reducer import Event, Reducer, Step, View
from baton.evolve import evolve
from services.scorer.lead.amendments import amend_qualification
from services.scorer.lead.handlers import events, handoffs, merge, recycling, separation
from services.scorer.lead.handlers.account import on_group
from services.scorer.lead.handlers.dispositions import cause_of, on_act
from services.scorer.lead.handlers.erasure import erase
from services.scorer.lead.level import Raising, rate_lead
from services.scorer.lead.publish_score import publish_score
from services.scorer.lead.qualification import consider_qualification, release_from_backlog, resumed
from services.scorer.lead.repeated_reports import expect_repeat, take_repeat
from services.scorer.lead.rescore import rescore
from services.scorer.lead.settling import note_awaited
from services.scorer.lead.stage_moves import publish_consents, refuse
from services.scorer.lead.state import ENTRY_KINDS, MERGED, LeadHead
from services.scorer.lead.step import LeadStep
from services.scorer.lead.withdrawal import COOLED, reconsider_qualification


class Lead(Reducer[LeadHead, AgreementReference]):
    """The reducer; see the module. For a replay that asks for qualifications only: ``explains``
    False publishes no scores, reasons and moves, nor what other services need, and under ``holds``
    whoever is handed over stays in hand until the cycle is ended."""

    name: ClassVar[str] = "lead"
    service: ClassVar[str] = "scorer"
    inputs: ClassVar[tuple[str, ...]] = (
        INTAKE_LEADS,
        SCORER_TRANSFERS,
        SCORER_RELEASES,
        SCORER_BUYING,
        ROUTER_HANDOFFS,
        SLA_LEADS,
    )
    outputs: ClassVar[tuple[str, ...]] = (
        SCORER_LEADS,
        LEADS_SCORED,
        LEADS_QUALIFIED,
        LEADS_STAGES,
        LEADS_REFUSALS,
        LEADS_AMENDMENTS,
        LEADS_PERSONS,
        SCORER_ACCOUNTS,
        SCORER_TRANSFERS,
        SCORER_BACKLOG,
        SCORER_HOLDOUTS,
    )
    head_type: ClassVar[type[LeadHead] | None] = LeadHead
    entry_kinds = ENTRY_KINDS
    adopts: ClassVar[bool] = True

    def __init__(self, *, explains: bool = True, holds: bool = False) -> None:
        self._explains, self._holds = explains, holds

    def editions(self, reference: AgreementReference) -> tuple[str, ...]:
        """The agreement, and whom a challenger scores."""
        return (reference.scoring_edition,)

    def step(
        self, view: View[LeadHead], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[LeadHead]:
        """Take one input record."""
        step = LeadStep(
            view,
            now=now,
            reference=reference,
            received_at_ms=event.received_at_ms,
            explains=self._explains,
            holds=self._holds,
        )
        if step.head.ended:
            _at_tombstone(step, event.value)
        else:
            _take(step, event.value)
            if step.explains:
                amend_qualification(step)
        return step.finish()

    def wake(
        self, view: View[LeadHead], *, now: int, reference: AgreementReference
    ) -> Step[LeadHead]:
        """The score has fallen below where the level is left, or an entry has left its window: by
        time alone, so nothing can rise. Or a lead that is ready has waited long enough for what its
        hand-off lacks."""
        step = LeadStep(
            view, now=now, reference=reference, explains=self._explains, holds=self._holds
        )
        if not step.head.ended:
            step.refold()
            rating = rate_lead(step, raising=Raising.NOT)
            reconsider_qualification(step, cause=step.cause, reason=COOLED)
            settling = step.head.settling
            if settling is None:
                publish_score(step, rating, cause=step.cause)
            else:
                consider_qualification(
                    step, rating, cause=step.cause, occurred_at_ms=settling.occurred_at_ms
                )
        return step.finish()

    def adopt(
        self, view: View[LeadHead], *, old: str, new: AgreementReference, now: int
    ) -> Step[LeadHead]:
        """Score anew under another agreement."""
        step = LeadStep(view, now=now, reference=new)
        if step.head.ended:
            return step.unchanged()
        step.head = evolve(step.head, fit_micro=step.fit.points_micro)
        step.recount()
        step.role_moved = True
        rating = rate_lead(step, raising=Raising.ALWAYS, cause=step.cause)
        reconsider_qualification(step, cause=step.cause, reason=COOLED)
        consider_qualification(step, rating, cause=step.cause, occurred_at_ms=now, adopting=True)
        return step.finish()


def _take(step: LeadStep, value: object) -> None:
    match value:
        case LeadInput() as record:
            _take_input(step, record)
        case HandoffChange() as change:
            handoffs.on_changed(step, change)
        case SlaDecision() as decision:
            _take_decision(step, decision)
        case BuyingGroup() as group:
            on_group(step, group)
        case BacklogRelease() as release:
            release_from_backlog(step, release)
        case LeadTransfer() as transfer:
            merge.on_transfer(step, transfer, _take)
        case other:
            raise TypeError(f"lead does not read {type(other).__name__}")


def _take_decision(step: LeadStep, decision: SlaDecision) -> None:
    """An action that it names is dispatch's to carry out."""
    if decision.recycled is not None:
        recycling.on_recycled(step, decision.recycled)
    if decision.reactivated is not None:
        recycling.on_reactivated(step, decision.reactivated)


def _take_input(step: LeadStep, record: LeadInput) -> None:
    """Take all that came with one event, in the agreement's words, before anything is decided by
    it."""
    record = step.agreement.synonyms.of(record)
    event = record.event
    if event is not None and event.kind == EventKind.ERASURE:
        erase(step, cause=event.event_id)
        return
    note_awaited(step, record)
    repeated = take_repeat(step, record)
    if record.person is not None and repeated is None:
        events.record_person(step, record.person, record.occurred_at_ms, cause=record.cause_id)
    if event is not None:
        _take_event(step, event, repeated)
    step.act, step.command = record.act, record.command
    if record.act is not None:
        on_act(step, record.act)
    if record.merge is not None:
        merge.on_merge(step, record.merge)
    if record.separation is not None:
        separation.on_separation(step, record.separation)
    if not (step.was_rated or step.head.ended):
        resumed(step, cause=record.cause_id, occurred_at_ms=record.occurred_at_ms)
    if repeated is None:
        expect_repeat(step, record)


def _take_event(step: LeadStep, event: LeadEvent, repeated: bool | None) -> None:
    raised_by: tuple[str, ...] = ()
    changed = repeated or (
        repeated is None and bool(event.profile) and events.record_profile(step, event)
    )
    match EventKind(event.kind):
        case EventKind.ENGAGEMENT:
            engaged = events.record_engagement(step, event)
            changed = changed or engaged
            raised_by = (event.event_id,) if engaged and events.is_hand_raise(step, event) else ()
        case EventKind.RETRACTION:
            changed = events.retract_event(step, event)
        case EventKind.CONSENT:
            given = events.record_consent(step, event)
            changed = changed or given
            if given:
                publish_consents(step, event.event_id)
        case _:
            pass  # a profile is taken already; a link says who it is, and nothing of the lead
    if changed:
        rescore(
            step,
            cause=event.event_id,
            occurred_at_ms=event.occurred_at_ms,
            raised_by=raised_by,
            acted=event.kind == EventKind.ENGAGEMENT and not event.backfill,
            against=events.speaks_against(step, event),
            retracts=event.kind == EventKind.RETRACTION,
        )


def _at_tombstone(step: LeadStep, value: object) -> None:
    """Of a merged lead everything goes on to its survivor; an erased one stays erased."""
    merged = step.head.ended == MERGED
    match value:
        case LeadTransfer() as transfer if merged:
            if not merge.passed_on(step, transfer):
                _take(step, transfer)
        case LeadInput() as late if merged and late.merge is None:
            merge.forward(step, late)
        case LeadInput(act=LeadAct() as act):
            refuse(step, act.act.kind, cause_of(act), step.head.ended)
        case LeadInput(command=LeadCommand() as command):
            step.command = command
        case _:
            pass
