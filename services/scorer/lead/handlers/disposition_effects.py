"""What an act of the firm changes once it is allowed: the stage, who holds the lead, opportunities,
the end of a cycle."""

from __future__ import annotations

from typing import Final

from baton.agreement.compiled.levels import RANK
from baton.agreement.model.recycling import Outcome
from baton.contracts.leads import Actor, Level, Stage, StageEvent
from baton.derived_ids import derived_id
from baton.evolve import evolve
from services.scorer.lead import lead_deals
from services.scorer.lead.cycle_state import (
    UNTIL_DECIDED,
    CycleState,
    Handoff,
    Rest,
    WithdrawnHandoff,
)
from services.scorer.lead.deal_book import lose_open_deals
from services.scorer.lead.handlers.handoffs import former_handoff, held_again, held_by
from services.scorer.lead.level import Raising, rate_lead
from services.scorer.lead.qualification import hand_over, qualify
from services.scorer.lead.rescore import rescore
from services.scorer.lead.stage_moves import Cause, by_system, end_cycle, move_lead, place, refuse
from services.scorer.lead.step import LeadStep

_ENDS: Final = frozenset(
    {StageEvent.RECYCLED, StageEvent.DISQUALIFIED, StageEvent.LOST, StageEvent.WON}
)
_MAX_REJECTERS: Final = 16


def speaker(actor: Actor, move: StageEvent, cycle_state: CycleState) -> Actor:
    """A manager speaks for the side that has the lead, where that side has to say it."""
    speaks = move in (StageEvent.ACCEPTED, StageEvent.REJECTED, StageEvent.QUALIFIED)
    return (
        Actor.SDR if actor is Actor.MANAGER and speaks and cycle_state.work.leg == "sdr" else actor
    )


def carry_out(step: LeadStep, move: StageEvent, cause: Cause) -> None:
    """Make an allowed move with all that goes with it."""
    if move is StageEvent.ACCEPTED:
        _reinstate(step, cause)
    if lead_deals.is_of_deal_alone(step, move, cause):
        lead_deals.change(step, move, cause)
        return
    cause = lead_deals.keep(step, move, cause)
    spoken = evolve(cause, actor=speaker(cause.actor, move, step.cycle_state))
    if move is StageEvent.QUALIFIED and spoken.actor is Actor.SDR:
        _bridged(step, spoken)
        return
    refused = move_lead(step, move, spoken, to=_by_reason(step, move, cause))
    assert refused is None, refused
    _after(step, move, cause)


def said_before_withdrawal(
    step: LeadStep, move: StageEvent, cause: Cause, withdrawn: WithdrawnHandoff
) -> None:
    """An act of who had the lead, done before its qualification was withdrawn and reported after:
    an acceptance or a verdict stands, and the lead is theirs again; a rejection is remembered, and
    ends the lead where its reason disqualifies."""
    if move in (StageEvent.REJECTED, StageEvent.RECYCLED):
        _remember_rejecter(step, cause)
        if step.agreement.recycling.reason(cause.reason).outcome is Outcome.DISQUALIFY:
            place(step, StageEvent.DISQUALIFIED, cause, Stage.DISQUALIFIED)
            _ended(step, StageEvent.DISQUALIFIED, cause)
        else:
            refuse(
                step,
                move.value,
                cause,
                "withdrawn_already",
                detail="the lead rests; it is not offered to them again",
            )
        return
    rating = rate_lead(step, raising=Raising.NOT)
    level = max(withdrawn.level or Level.WARM.value, rating.level, key=RANK.__getitem__)
    qualify(
        step,
        rating._replace(level=level),
        by_system(step, cause.id, occurred_at_ms=cause.occurred_at_ms),
        raised_by=withdrawn.raised_by,
        owner=withdrawn.owner,
        leg=withdrawn.leg,
    )
    handoff_id = derived_id("handoff", step.cycle_state.qualification_id or "", 1)
    carry_out(step, move, evolve(cause, handoff_id=handoff_id))


def _by_reason(step: LeadStep, move: StageEvent, cause: Cause) -> Stage | None:
    """A reason that the agreement disqualifies for does so, whatever the act was called."""
    if move not in (StageEvent.RECYCLED, StageEvent.LOST):
        return None
    rule = step.agreement.recycling.reason(cause.reason)
    return Stage.DISQUALIFIED if rule.outcome is Outcome.DISQUALIFY else None


def _after(step: LeadStep, move: StageEvent, cause: Cause) -> None:
    match move:
        case (
            StageEvent.ACCEPTED
            | StageEvent.QUALIFIED
            | StageEvent.OPPORTUNITY
            | StageEvent.REOPENED
        ):
            _take_up(step, cause.by)
        case StageEvent.REJECTED:
            _remember_rejecter(step, cause)
            step.update_cycle(handoff=None)
            step.update_work(rejected_at_ms=cause.occurred_at_ms)
        case _ if move in _ENDS:
            _ended(step, move, cause)


def _take_up(step: LeadStep, by: str | None) -> None:
    """The lead is the work of who has it; where nobody does, of who says so."""
    cycle_state = step.cycle_state
    owner = cycle_state.owner or by
    handoff = cycle_state.handoff or held_by(owner, cycle_state, handoff_id=None, now=step.now)
    latest = evolve(handoff.latest, owner=owner)
    step.update_cycle(
        handoff=Handoff(latest=latest, from_ms=handoff.from_ms, accepted=True, touched=True)
    )


def _remember_rejecter(step: LeadStep, cause: Cause) -> None:
    rejecters = tuple(dict.fromkeys((*step.cycle_state.rejecters, cause.by or "")))[
        -_MAX_REJECTERS:
    ]
    step.update_cycle(rejecters=rejecters)


def _ended(step: LeadStep, move: StageEvent, cause: Cause) -> None:
    if move is StageEvent.WON and step.cycle_state.owner is None:
        step.update_cycle(customer_of=cause.by)
    if move is not StageEvent.WON:
        lose_open_deals(step)
    ended_as = Stage(step.head.stage)
    raised_by = end_cycle(
        step, ended_as.value, reason=cause.reason, ended_at_ms=cause.occurred_at_ms
    )
    if ended_as is Stage.RECYCLED:
        # When it comes back is the SLA watcher's to say; until it has, only a raised hand brings
        # the lead back.
        step.update_cycle(
            recycles=step.cycle_state.recycles + 1,
            rest=Rest(reason=cause.reason, cool_off_until_ms=UNTIL_DECIDED),
        )
    rescore(step, cause=cause.id, occurred_at_ms=cause.occurred_at_ms, raised_by=raised_by)


def _bridged(step: LeadStep, cause: Cause) -> None:
    """The bridge team passes the lead on: a qualification of its own for sales, in the same
    cycle."""
    refused = move_lead(step, StageEvent.QUALIFIED, cause)
    assert refused is None, refused
    qualification = evolve(
        step.cycle_state.work,
        qualification_id=derived_id(cause.id, "qualification", step.lead_id),
        cause_id=cause.id,
        bridged_by=cause.by,
        leg="sales",
        attempt=0,
        rejected_at_ms=None,
        former=(),
    )
    step.update_cycle(qualification=qualification, handoff=None)
    hand_over(step, rate_lead(step, raising=Raising.NOT), cause)


def _reinstate(step: LeadStep, cause: Cause) -> None:
    """An acceptance that crossed a reassignment: the former hand-off stands again. One that came
    before its routed record: so does it."""
    cycle_state = step.cycle_state
    former = former_handoff(cycle_state, cause.handoff_id)
    if former is not None:
        left = tuple(work for work in cycle_state.work.former if work is not former)
        qualification_id = cycle_state.qualification_id or ""
        step.update_cycle(handoff=held_again(former, qualification_id, now=step.now))
        step.update_work(leg=former.leg, former=left)
    elif cause.handoff_id is not None and cause.handoff_id != cycle_state.handoff_id:
        ahead = held_by(cause.by, cycle_state, handoff_id=cause.handoff_id, now=step.now)
        step.update_cycle(handoff=ahead)
