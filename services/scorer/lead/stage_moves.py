"""Moves a lead in its cycle: asks the table, keeps the dates, publishes the move. The one place
where a stage changes.

What is no move (a consent, a merge, an erasure, a hand raised by a lead that is worked on) infers
no stage and dates none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baton.contracts.deals import LeadDeal
from baton.contracts.leads import (
    Actor,
    EarlierCycle,
    LeadRefused,
    LeadStaged,
    Level,
    Stage,
    StageEvent,
)
from baton.contracts.stage_events import NO_MOVES
from baton.contracts.topic_names import LEADS_REFUSALS, LEADS_STAGES
from baton.evolve import evolve
from services.scorer.lead.backlog_entry import leave_backlog
from services.scorer.lead.consents import consents_of
from services.scorer.lead.deal_book import DealNews
from services.scorer.lead.learnt import learnt_of
from services.scorer.lead.raised_hands import hands_since
from services.scorer.lead.state import CYCLE, DATES, StageDates
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import Refused, moved, skipped

CONTRACT_END: Final = "contract_end"
"""The profile field that says when the contract with the current supplier ends: an act that names
no end of its own is about that one."""
RECEIVER: Final = {"sdr": Actor.SDR, "sales": Actor.SALES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What causes a move. ``evidence_at_ms``: when it first reached Baton; ``occurred_at_ms``:
    event time."""

    id: str
    actor: Actor
    occurred_at_ms: int
    evidence_at_ms: int
    by: str | None = None
    reason: str | None = None
    source: str | None = None
    handoff_id: str | None = None
    opportunity_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    expected_close: str | None = None
    contract_end: str | None = None
    deal_news: DealNews | None = None
    deal: LeadDeal | None = None


def by_system(
    step: LeadStep, cause_id: str, *, occurred_at_ms: int | None = None, reason: str | None = None
) -> Cause:
    """Baton itself causes the move, by the rules of the agreement."""
    at_ms = step.now if occurred_at_ms is None else occurred_at_ms
    return Cause(
        id=cause_id,
        actor=Actor.SYSTEM,
        occurred_at_ms=at_ms,
        evidence_at_ms=step.received_at_ms,
        reason=reason,
    )


def move_lead(
    step: LeadStep, move: StageEvent, cause: Cause, *, to: Stage | None = None
) -> Refused | None:
    """Make the move and publish it, or return why not. ``to`` overrides the table's target where a
    reason decides (disqualified instead of recycled)."""
    stage = Stage(step.head.stage)
    target = moved(stage, move, cause.actor)
    if isinstance(target, Refused):
        return target
    place(step, move, cause, target if to is None else to)
    return None


def place(step: LeadStep, move: StageEvent, cause: Cause, target: Stage) -> None:
    """Put the lead into ``target`` and publish ``LeadStaged``."""
    stage = Stage(step.head.stage)
    between = _reached(step, move, cause, target)
    step.head = evolve(step.head, stage=target.value)
    if step.explains:
        staged = _staged(step, move, cause, from_stage=stage)
        inferred = tuple(skipped_stage.value for skipped_stage in between)
        step.publish(LEADS_STAGES, evolve(staged, inferred=inferred))


def _staged(step: LeadStep, move: StageEvent, cause: Cause, *, from_stage: Stage) -> LeadStaged:
    """The record of a move that was just made."""
    head, cycle_state, profile = step.head, step.cycle_state, step.profile
    return LeadStaged(
        lead_id=step.lead_id,
        cycle=head.cycle,
        from_stage=from_stage.value,
        to_stage=head.stage,
        event=move.value,
        actor=cause.actor.value,
        cause_id=cause.id,
        at_ms=step.now,
        occurred_at_ms=cause.occurred_at_ms,
        evidence_at_ms=cause.evidence_at_ms,
        agreement=step.agreement.version,
        by=cause.by,
        reason=cause.reason,
        handoff_id=cause.handoff_id or cycle_state.handoff_id,
        qualification_id=cycle_state.qualification_id,
        segment=step.agreement.segment_of(profile),
        level=cycle_state.work.level or head.level,
        opportunity_id=cause.opportunity_id,
        amount_minor=cause.amount_minor,
        currency=cause.currency,
        expected_close=cause.expected_close,
        contract_end=cause.contract_end or profile.get(CONTRACT_END),
        hand_raised=cycle_state.hand_raised,
        source=cause.source,
        consents=None if move in (StageEvent.MERGED, StageEvent.ERASED) else consents_of(step),
        survivor=head.survivor,
        deal=cause.deal,
        learnt=learnt_of(step),
    )


def _reached(step: LeadStep, move: StageEvent, cause: Cause, target: Stage) -> tuple[Stage, ...]:
    """Date the stage that is reached, and those on the way to it that nobody reported: which these
    are. A win that is taken back leads through none."""
    stage = Stage(step.head.stage)
    if target is stage or move in NO_MOVES:
        return ()
    by_bridge = step.cycle_state.work.leg == "sdr"
    is_back = move is StageEvent.REOPENED
    between = () if is_back else skipped(stage, target, by_bridge=by_bridge)
    for inferred in between:
        _date(step, inferred, cause.occurred_at_ms, inferred=True)
    _date(step, target, cause.occurred_at_ms, inferred=False)
    return between


def publish_consents(step: LeadStep, cause_id: str) -> None:
    """Publish changed consents for whoever may nurture the lead; nobody does before it was an MQL
    or rested."""
    if (
        step.cycle_state.qualified_at_ms
        or step.head.stage != Stage.INQUIRY.value
        or step.head.cycle > 1
    ):
        place(step, StageEvent.CONSENT_CHANGED, by_system(step, cause_id), Stage(step.head.stage))


def refuse(
    step: LeadStep, event: str, cause: Cause, reason: str, *, detail: str | None = None
) -> None:
    """Publish on ``leads.refusals.v1`` why something was not carried out. ``detail``: what would
    have been right, in words."""
    step.publish(
        LEADS_REFUSALS,
        LeadRefused(
            lead_id=step.lead_id,
            cause_id=cause.id,
            event=event,
            stage=step.head.ended or step.head.stage,
            actor=cause.actor.value,
            reason=reason,
            at_ms=step.now,
            by=cause.by,
            handoff_id=cause.handoff_id,
            agreement=step.agreement.version,
            detail=detail,
        ),
    )


def end_cycle(
    step: LeadStep, outcome: str, *, reason: str | None, ended_at_ms: int
) -> tuple[str, ...]:
    """Close the books of the cycle. The next one begins at ``ended_at_ms``, when the act that ended
    this one was done, not when it was reported; only activity since then counts in it. Gives the
    hands that the lead has raised since."""
    leave_backlog(step, cause=step.cause)
    head, cycle_state = step.head, step.cycle_state
    since_ms = min(
        max(ended_at_ms, cycle_state.handed_at_ms, cycle_state.qualified_at_ms, head.since_ms),
        step.now,
    )
    ended = EarlierCycle(
        cycle=head.cycle,
        ended_at_ms=since_ms,
        outcome=outcome,
        reason=reason,
        holder=cycle_state.owner,
    )
    step.put(CYCLE, cycle_item(ended, step.lead_id), ended)
    keeps_owner = outcome == Stage.CUSTOMER.value
    step.update_cycle(
        qualification=None,
        handoff=None,
        withdrawn=None,
        customer_of=cycle_state.owner if keeps_owner else None,
    )
    step.head = evolve(
        step.head,
        cycle=head.cycle + 1,
        since_ms=since_ms,
        level=Level.COLD.value,
        level_since_ms=0,
        level_cause="",
    )
    step.recount()
    return hands_since(step, cycle_state.work.raised_by)


def cycle_item(cycle: EarlierCycle, lead_id: str) -> str:
    """Former cycles in the order of their ends; those of a merged lead lie between."""
    return f"{cycle.ended_at_ms:013d}-{cycle.cycle:04d}-{lead_id}"


def _date(step: LeadStep, stage: Stage, at_ms: int, *, inferred: bool) -> None:
    known = step.get(DATES, stage.value)
    if known is None:
        step.put(
            DATES,
            stage.value,
            StageDates(
                first_ms=at_ms, latest_ms=at_ms, first_inferred=inferred, latest_inferred=inferred
            ),
        )
        return
    first = (known.first_ms, known.first_inferred) if known.first_ms <= at_ms else (at_ms, inferred)
    latest = (
        (known.latest_ms, known.latest_inferred) if known.latest_ms > at_ms else (at_ms, inferred)
    )
    dates = StageDates(
        first_ms=first[0], first_inferred=first[1], latest_ms=latest[0], latest_inferred=latest[1]
    )
    step.put(DATES, stage.value, dates)
