"""The lead reducer: scores a lead, moves it in its cycle, says when it is ready for a person and when it is not any more.

Keyed by lead. It owns score and stage. This file only hands each record to the part that knows about it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from baton.agreement.reference import AgreementReference
from baton.contracts.intake import EventKind, LeadAct, LeadEvent, LeadInput
from baton.contracts.leads import BacklogRelease, BuyingGroup, LeadTransfer
from baton.contracts.levels import LeadReactivated, LeadRecycled
from baton.contracts.routing import HandoffNoted, LeadRouted
from baton.engine.reducer import Event, Reducer, Step, View
from services.scorer import decided, events, merge
from services.scorer.acts import cause_of, on_act
from services.scorer.course import refuse, tell_consents
from services.scorer.erasure import erase
from services.scorer.group import on_group
from services.scorer.qualifying import COOLED, considered, reconsidered, released, resumed
from services.scorer.rating import rated, tell
from services.scorer.settling import note_awaited
from services.scorer.state_lead import ENTRY_KINDS, MERGED, LeadHead
from services.scorer.turn import ACCOUNTS, BACKLOG, BUYING, INPUT, PERSONS, QUALIFIED, REFUSALS, SCORED, STAGES, TRANSFERS, Turn


class Lead(Reducer[LeadHead, AgreementReference]):
    """The reducer; see the module."""

    name: ClassVar[str] = "lead"
    service: ClassVar[str] = "scorer"
    inputs: ClassVar[tuple[str, ...]] = (
        INPUT,
        TRANSFERS,
        "leads.routed.sdr.v1",
        "leads.routed.sales.v1",
        "leads.handoffs.v1",
        "scorer.releases.v1",
        BUYING,
        "leads.recycled.v1",
        "leads.reactivated.v1",
    )
    outputs: ClassVar[tuple[str, ...]] = (SCORED, QUALIFIED, STAGES, REFUSALS, PERSONS, ACCOUNTS, TRANSFERS, BACKLOG)
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
        return turn.step()

    def wake(self, view: View[LeadHead], *, now: int, reference: AgreementReference) -> Step[LeadHead]:
        """The score has fallen below where the level is left, or an entry has left its window: by time alone, so nothing can rise. Or a
        lead that is ready has waited long enough for what its hand-off lacks."""
        turn = Turn(view, now=now, reference=reference)
        if not turn.head.ended:
            turn.refold()
            rating = rated(turn, raising=False)
            reconsidered(turn, cause=turn.cause, reason=COOLED)
            settling = turn.head.settling
            if settling is None:
                tell(turn, rating, cause=turn.cause)
            else:
                considered(turn, rating, cause=settling.cause_id, occurred_at_ms=settling.occurred_at_ms)
        return turn.step()

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
        return turn.step()


def _take(turn: Turn, value: object) -> None:
    match value:
        case LeadInput() as told:
            _take_input(turn, told)
        case LeadRouted() as routed:
            decided.on_routed(turn, routed)
        case HandoffNoted() as noted:
            decided.on_noted(turn, noted)
        case LeadRecycled() as recycled:
            decided.on_recycled(turn, recycled)
        case LeadReactivated() as reactivated:
            decided.on_reactivated(turn, reactivated)
        case BuyingGroup() as told:
            on_group(turn, told)
        case BacklogRelease() as release:
            released(turn, release)
        case LeadTransfer() as transfer:
            merge.on_transfer(turn, transfer, _take)
        case other:
            raise TypeError(f"lead does not read {type(other).__name__}")


def _take_input(turn: Turn, told: LeadInput) -> None:
    """All that one event tells, before anything is decided by it."""
    event = told.event
    if event is not None and event.kind == EventKind.ERASURE:
        erase(turn, cause=event.event_id)
        return
    note_awaited(turn, told)
    if told.person is not None:
        events.met(turn, told.person, told.occurred_at_ms, cause=told.cause_id)
    if event is not None:
        _take_event(turn, event)
    if told.act is not None:
        on_act(turn, told.act)
    if told.merge is not None:
        merge.on_merge(turn, told.merge)
    if not (turn.was_rated or turn.head.ended):
        resumed(turn)


def _take_event(turn: Turn, event: LeadEvent) -> None:
    raised_by: tuple[str, ...] = ()
    changed = bool(event.profile) and events.profiled(turn, event)
    match EventKind(event.kind):
        case EventKind.ENGAGEMENT:
            engaged = events.engaged(turn, event)
            changed = changed or engaged
            raised_by = (event.event_id,) if engaged and events.hand_raised(turn, event) else ()
        case EventKind.RETRACTION:
            changed = events.retracted(turn, event)
        case EventKind.CONSENT:
            given = events.consent_given(turn, event)
            changed = changed or given
            if given:
                tell_consents(turn, event.event_id)
        case _:
            pass  # a profile is taken already; a link says who it is, and nothing of the lead
    if changed:
        acted = event.kind == EventKind.ENGAGEMENT and not event.backfill
        events.settle(turn, cause=event.event_id, occurred_at_ms=event.occurred_at_ms, raised_by=raised_by, acted=acted)


def _at_tombstone(turn: Turn, value: object) -> None:
    """Of a merged lead everything goes on to its survivor; an erased one stays erased."""
    merged = turn.head.ended == MERGED
    match value:
        case LeadTransfer() as transfer if merged:
            if not merge.passed_on(turn, transfer):
                _take(turn, transfer)
        case LeadInput() as late if merged and late.merge is None:
            merge.forward(turn, late)
        case LeadInput(act=LeadAct() as act):
            refuse(turn, act.act.kind, cause_of(act), turn.head.ended)
        case _:
            pass
