"""What people of the firm say about a lead: whether it may be carried out, and if not, why.

Only the receiving side may accept, reject or give a verdict, its manager in its place, each in the
role that the agreement gives them (:mod:`.acting_role`). An act is about the hand-off that stood
when it was done (:mod:`.meant_handoff`). About one that stands no more it is refused, but for two
cases: an acceptance that crossed a reassignment (it was said before the lead was handed on, and the
new holder has neither accepted nor touched it), and what was said before the qualification was
withdrawn. What becomes of a rejected or recycled lead is decided by the SLA watcher, from the
reason.
"""

from __future__ import annotations

from typing import Final

from baton.contracts.intake import ActKind, LeadAct
from baton.contracts.leads import BY_TOUCH, CLOCK_SKEW_MS, Actor, Stage, StageEvent
from baton.derived_ids import derived_id
from baton.evolve import evolve
from services.scorer.lead import lead_deals
from services.scorer.lead.cycle_state import CycleState
from services.scorer.lead.handlers.acting_role import NotEntitled, acting_role
from services.scorer.lead.handlers.disposition_effects import (
    carry_out,
    said_before_withdrawal,
    speaker,
)
from services.scorer.lead.handlers.handoffs import former_handoff
from services.scorer.lead.handlers.meant_handoff import (
    is_before_handoff,
    is_of_former_cycle,
    with_handoff,
    withdrawn_since,
)
from services.scorer.lead.learnt import note_heard
from services.scorer.lead.stage_moves import Cause, refuse
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import OPEN, Refused, moved

_MOVES: Final = {
    ActKind.ACCEPTED: StageEvent.ACCEPTED,
    ActKind.REJECTED: StageEvent.REJECTED,
    ActKind.QUALIFIED: StageEvent.QUALIFIED,
    ActKind.RECYCLED: StageEvent.RECYCLED,
    ActKind.DISQUALIFIED: StageEvent.DISQUALIFIED,
    ActKind.OPPORTUNITY: StageEvent.OPPORTUNITY,
    ActKind.WON: StageEvent.WON,
    ActKind.LOST: StageEvent.LOST,
    ActKind.REOPENED: StageEvent.REOPENED,
    ActKind.DEAL: StageEvent.DEAL_CHANGED,
}
_TOUCHES: Final = frozenset({ActKind.CALL, ActKind.MAIL, ActKind.MEETING, ActKind.MEETING_BOOKED})
_NEED_REASON: Final = frozenset(
    {StageEvent.REJECTED, StageEvent.RECYCLED, StageEvent.DISQUALIFIED, StageEvent.LOST}
)
_MAX_ATTEMPTS: Final = 32
_MAX_REASON: Final = 100


def on_act(step: LeadStep, event: LeadAct) -> None:
    """Carry out one act, or refuse it."""
    kind = event.act.kind
    if event.act.objections or event.act.competitor:
        _learn(step, event)
    if kind in _TOUCHES:
        _touched(step, event)
    move = _MOVES.get(ActKind(kind)) if kind in set(ActKind) else None
    if move is None:
        return
    role = acting_role(step, event.act)
    if isinstance(role, NotEntitled):
        refuse(step, move.value, cause_of(event), role.reason, detail=role.detail)
        return
    cause = with_handoff(step, cause_of(event, role))
    refused = _unreasoned(step, move, cause) or lead_deals.refusal(step, move, cause)
    if refused is not None:
        refuse(step, move.value, cause, refused[0], detail=refused[1])
    elif lead_deals.is_free(step, move, cause):
        lead_deals.change(step, move, cause)
    elif (withdrawn := withdrawn_since(step, cause)) is not None:
        said_before_withdrawal(step, move, cause, withdrawn)
    elif (reason := _refusal(step, move, cause)) is not None:
        refuse(step, move.value, cause, reason)
    else:
        carry_out(step, move, cause)


def _learn(step: LeadStep, event: LeadAct) -> None:
    """What somebody of the agreement has heard is known, whatever becomes of the act."""
    if not isinstance(acting_role(step, event.act), NotEntitled):
        note_heard(step, event)


def cause_of(event: LeadAct, role: Actor | None = None) -> Cause:
    """The act as the cause of a move, by somebody in ``role``. A role that there is not counts as
    the system's, which no act may speak for."""
    act = event.act
    claimed = Actor(act.actor) if act.actor in set(Actor) else Actor.SYSTEM
    return Cause(
        id=event.event_id,
        actor=role or claimed,
        occurred_at_ms=min(event.occurred_at_ms, event.received_at_ms),
        evidence_at_ms=event.received_at_ms,
        by=act.by,
        reason=(act.reason or "").strip() or None,
        source=event.source,
        handoff_id=act.handoff_id,
        opportunity_id=act.opportunity_id,
        amount_minor=act.amount_minor,
        currency=act.currency,
        expected_close=act.expected_close,
        contract_end=act.contract_end,
        deal_news=lead_deals.news_of(act),
    )


def _unreasoned(step: LeadStep, move: StageEvent, cause: Cause) -> tuple[str, str] | None:
    """Why the reason given will not do, and which ones there are: what ends a cycle is counted and
    recycled by its reason."""
    if move not in _NEED_REASON:
        return None
    known = step.agreement.recycling.reasons
    if cause.reason in known:
        return None
    there_are = f"reasons of the agreement: {', '.join(sorted(known))}"
    if cause.reason is None:
        return "reason_missing", there_are
    return "reason_unknown", f'"{cause.reason[:_MAX_REASON]}" is none of the {there_are}'


def _refusal(step: LeadStep, move: StageEvent, cause: Cause) -> str | None:
    """Why the act is not carried out; None if it may be. The first reason that holds, in this
    order."""
    cycle_state = step.cycle_state
    if is_of_former_cycle(step, move, cause) and not lead_deals.names_deal(step, move, cause):
        return "former_cycle"
    if not (lead_deals.names_deal(step, move, cause) or _stands(cycle_state, move, cause)):
        return "stale_handoff"
    speaks_as = speaker(cause.actor, move, cycle_state)
    target = moved(Stage(step.head.stage), move, speaks_as)
    if isinstance(target, Refused):
        return target.reason
    if is_before_handoff(step, move, cause, speaks_as):
        return "nothing_handed_off"
    return _not_the_holder(step, cause) or _too_late(step, move, cause) or _incomplete(move, cause)


def _stands(cycle_state: CycleState, move: StageEvent, cause: Cause) -> bool:
    """Whether the hand-off that the act names is the one that stands; an act that names none means
    that one."""
    named = cause.handoff_id
    if named is None or named == cycle_state.handoff_id:
        return True
    former = former_handoff(cycle_state, named)
    if former is not None:
        handoff = cycle_state.handoff
        handed_on_ms = former.until_ms if handoff is None else handoff.from_ms
        crossed = cause.occurred_at_ms <= handed_on_ms and not (
            cycle_state.accepted or cycle_state.touched
        )
        return move is StageEvent.ACCEPTED and crossed and cause.by == former.owner
    return _is_ahead(cycle_state, named)


def _is_ahead(cycle_state: CycleState, handoff_id: str) -> bool:
    """Whether it is a hand-off of this qualification whose routed record is still on its way here:
    its id follows from the two."""
    later = range(cycle_state.work.attempt + 1, cycle_state.work.attempt + 1 + _MAX_ATTEMPTS)
    qualification = cycle_state.qualification_id
    return qualification is not None and any(
        handoff_id == derived_id("handoff", qualification, attempt) for attempt in later
    )


def _not_the_holder(step: LeadStep, cause: Cause) -> str | None:
    cycle_state = step.cycle_state
    if cause.actor not in (Actor.SDR, Actor.SALES) or step.head.stage not in OPEN:
        return None
    leg = cycle_state.work.leg
    if leg and leg != cause.actor.value:
        return f"held_by_{leg}"
    former = former_handoff(cycle_state, cause.handoff_id)
    if former is None and cause.handoff_id not in (None, cycle_state.handoff_id):
        return None
    owner = former.owner if former is not None else cycle_state.owner
    return "held_by_another" if owner is not None and cause.by != owner else None


def _too_late(step: LeadStep, move: StageEvent, cause: Cause) -> str | None:
    """What may be said of a hand-off once only; after a rejection, what was done before it."""
    cycle_state = step.cycle_state
    rejected_at_ms = cycle_state.work.rejected_at_ms if cycle_state.handoff is None else None
    if rejected_at_ms is not None and (
        move is StageEvent.REJECTED
        or (move is StageEvent.ACCEPTED and cause.occurred_at_ms <= rejected_at_ms)
    ):
        return "rejected_already"
    if (
        cycle_state.accepted
        and cause.handoff_id in (None, cycle_state.handoff_id)
        and move is StageEvent.ACCEPTED
    ):
        return "already_accepted"
    if (
        cycle_state.accepted
        and move is StageEvent.REJECTED
        and step.head.stage in (Stage.SQL, Stage.OPPORTUNITY)
    ):
        return "too_late_to_reject"
    return None


def _incomplete(move: StageEvent, cause: Cause) -> str | None:
    if move in lead_deals.SAY_AMOUNTS and cause.amount_minor is not None:
        if not cause.currency:
            return "currency_missing"
        if cause.amount_minor < 0:
            return "amount_negative"
    return None


def _touched(step: LeadStep, event: LeadAct) -> None:
    """A person's attempt to reach the buyer, by whoever holds the lead. Who was offered it and has
    not answered takes it by that: the one acceptance that router and SLA watcher follow as well.
    So does who was offered a lead that was withdrawn only after the attempt."""
    act, cycle_state = event.act, step.cycle_state
    handoff = cycle_state.handoff
    by_touch = evolve(cause_of(event), reason=BY_TOUCH)
    if act.automatic:
        return
    if (withdrawn := withdrawn_since(step, by_touch)) is not None:
        spoken = evolve(by_touch, actor=Actor(withdrawn.leg))
        said_before_withdrawal(step, StageEvent.ACCEPTED, spoken, withdrawn)
        return
    if handoff is None or handoff.touched or act.by != handoff.latest.owner:
        return
    step.update_cycle(handoff=evolve(handoff, touched=True))
    offered = not handoff.accepted and step.head.stage in (Stage.MQL, Stage.TQL)
    meant = act.handoff_id in (None, cycle_state.handoff_id)
    if offered and meant and event.occurred_at_ms >= handoff.from_ms - CLOCK_SKEW_MS:
        leg, handoff_id = cycle_state.work.leg, cycle_state.handoff_id
        accepted = evolve(by_touch, actor=Actor(leg), handoff_id=handoff_id)
        carry_out(step, StageEvent.ACCEPTED, accepted)
