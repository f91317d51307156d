"""When a lead becomes an MQL.

A fast-track act qualifies at once, whatever the sum, if it was young enough when it came and is no
backfill; it breaks a cool-off. A level of warm or more qualifies if the agreement's gates are open,
no cool-off holds and the lead does not wait in a backlog. Once a cycle: an MQL is not made one
again. What a hand-off needs and is not there yet is waited for a moment (:mod:`.settling`). When an
MQL is withdrawn: :mod:`.withdrawal`.
"""

from __future__ import annotations

from typing import Final

from baton.agreement.compiled.levels import RANK
from baton.agreement.condition_context import ConditionContext
from baton.agreement.condition_fields import REACHABLE
from baton.contracts.leads import LeadQualified, Level, Stage, StageEvent
from baton.contracts.streams import BacklogRelease
from baton.contracts.topic_names import LEADS_QUALIFIED
from baton.derived_ids import derived_id
from baton.evolve import evolve
from services.scorer.lead.backlog_entry import enter_backlog, leave_backlog
from services.scorer.lead.cycle_state import Qualification
from services.scorer.lead.handoff_brief import brief_of
from services.scorer.lead.holdout import held_out_at_micro, publish_held_out
from services.scorer.lead.lead_context import context_of
from services.scorer.lead.level import Raising, Rating, rate_lead
from services.scorer.lead.publish_score import publish_score
from services.scorer.lead.raised_hands import not_retracted, young_hands
from services.scorer.lead.settling import begin_settling, lacking, stop_settling
from services.scorer.lead.stage_moves import Cause, by_system, move_lead, place, refuse
from services.scorer.lead.state import COLD, ONLY, PERSON, Settling
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import REST, Refused

COOL_OFF: Final = "cool-off"
WAITS: Final = "waits its turn: ready by the new agreement"
MAX_RAISED: Final = 8
_REST: Final = frozenset(stage.value for stage in REST)


def consider_qualification(
    step: LeadStep,
    rating: Rating,
    *,
    cause: str,
    occurred_at_ms: int,
    raised_by: tuple[str, ...] = (),
    acted: bool = False,
    adopting: bool = False,
) -> None:
    """Qualify the lead if it is time to; publish its score if it changed. ``raised_by``: fast-track
    acts that count, now or at a lead that ended in this one. ``adopting``: the cause is a new
    agreement, so a lead that is ready now waits its turn, until it has ``acted`` itself."""
    at_rest, settling = step.head.stage in _REST, step.head.settling
    if not at_rest:
        _work_goes_on(step, raised_by, by_system(step, cause, occurred_at_ms=occurred_at_ms))
    raised_by = _with_hands_that_wait(step, raised_by)
    raised = bool(raised_by)
    if not at_rest or not (raised or rating.level != COLD):
        _goes_on_unqualified(step, rating, cause=cause, occurred_at_ms=occurred_at_ms, acted=acted)
        return
    context = context_of(step, rating.engagement_micro)
    held_back = why_not(step, rating, raised=raised, context=context)
    waits = adopting or (bool(step.head.waits) and not (acted or raised))
    if waits and settling is None and not held_back:
        _wait_in_backlog(step, rating, cause=cause)
        held_back = WAITS
    if not held_back and (lacks := lacking(step, _routed_by(step, rating, context, raised=raised))):
        begin_settling(step, cause=cause, occurred_at_ms=occurred_at_ms, raised_by=raised_by)
        publish_score(step, rating, cause=cause, note=f"settles: waits for {', '.join(lacks)}")
        return
    stop_settling(step)
    if held_back == COOL_OFF:
        _note_hot_in_cool_off(step, cause=cause, occurred_at_ms=occurred_at_ms)
    if held_back and raised:
        step.head = evolve(step.head, hands_held=raised_by[-MAX_RAISED:])
    publish_score(step, rating, cause=cause, note=held_back, always=not held_back)
    if not held_back:
        qualify(step, rating, _cause_of(step, settling, cause, occurred_at_ms), raised_by=raised_by)


def _goes_on_unqualified(
    step: LeadStep, rating: Rating, *, cause: str, occurred_at_ms: int, acted: bool
) -> None:
    """Nothing makes it ready; one that acted may be in the hold-out: work that does not cool."""
    stop_settling(step)
    held_out_at = held_out_at_micro(step, rating) if acted else None
    publish_score(step, rating, cause=cause, always=held_out_at is not None)
    if held_out_at is not None:
        made_ready = by_system(step, cause, occurred_at_ms=occurred_at_ms)
        qualify(step, rating._replace(level=Level.WARM.value), made_ready, kept=True)
        publish_held_out(step, rating, held_out_at)


def _with_hands_that_wait(step: LeadStep, raised_by: tuple[str, ...]) -> tuple[str, ...]:
    """``raised_by`` and the hands that were raised while the lead settled, or waited at a gate."""
    settling = step.head.settling
    if settling is not None:
        raised_by = not_retracted(step, dict.fromkeys((*settling.raised_by, *raised_by)))
    if step.head.hands_held:
        raised_by = young_hands(step, (*step.head.hands_held, *raised_by))
        step.head = evolve(step.head, hands_held=())
    return raised_by


def _wait_in_backlog(step: LeadStep, rating: Rating, *, cause: str) -> None:
    pool, _ = step.agreement.routing.expected(context_of(step, rating.engagement_micro))
    enter_backlog(
        step, pool, level=rating.level, engagement_micro=rating.engagement_micro, cause=cause
    )


def _routed_by(
    step: LeadStep, rating: Rating, context: ConditionContext, *, raised: bool
) -> ConditionContext:
    """The lead of ``context`` as the router would see it if it were handed over now."""
    levels = step.agreement.levels
    leg = levels.queue_for(rating.level, levels.fit_band(step.head.fit_micro), raised)
    return evolve(context, leg=leg, hand_raised=raised)


def resumed(step: LeadStep, *, cause: str, occurred_at_ms: int) -> None:
    """A lead that settles, or that a gate holds which asks for a way to reach it, is looked at
    again: what it waits for may be there."""
    settling = step.head.settling
    if settling is not None:
        cause, occurred_at_ms = step.cause, settling.occurred_at_ms
    elif REACHABLE not in step.agreement.lifecycle.asks or (
        step.get(PERSON, ONLY) is step.view.get(PERSON, ONLY)
    ):
        return
    rating = rate_lead(step, raising=Raising.NOT)
    consider_qualification(step, rating, cause=cause, occurred_at_ms=occurred_at_ms)


def _cause_of(step: LeadStep, settling: Settling | None, cause: str, occurred_at_ms: int) -> Cause:
    """What made the lead ready, where it has settled since."""
    if settling is None:
        return by_system(step, cause, occurred_at_ms=occurred_at_ms)
    made_ready = by_system(step, settling.cause_id, occurred_at_ms=settling.occurred_at_ms)
    return evolve(made_ready, evidence_at_ms=settling.received_at_ms)


def release_from_backlog(step: LeadStep, release: BacklogRelease) -> None:
    """The lead's turn in the backlog has come: it qualifies if it is still ready."""
    if step.head.waits != release.queue:
        return
    step.head = evolve(step.head, waits="")
    rating = rate_lead(step, raising=Raising.NOT)
    if step.head.stage in _REST and rating.level != COLD and not why_not(step, rating):
        publish_score(step, rating, cause=step.cause, always=True)
        qualify(step, rating, by_system(step, step.cause))


def why_not(
    step: LeadStep, rating: Rating, *, raised: bool = False, context: ConditionContext | None = None
) -> str:
    """What keeps a warm lead from being an MQL, in words; empty: nothing. A ``raised`` hand breaks
    a cool-off, and passes every gate but those that say otherwise. ``context``: the lead now."""
    if (
        not raised
        and step.head.stage == Stage.RECYCLED.value
        and (rest := step.cycle_state.rest) is not None
        and step.now < rest.cool_off_until_ms
    ):
        return COOL_OFF
    if not step.agreement.lifecycle.gates:
        return ""
    context = context or context_of(step, rating.engagement_micro)
    closed = step.agreement.lifecycle.closed_gates(context, fast_track=raised)
    return f"not yet: {'; '.join(closed)}" if closed else ""


def qualify(
    step: LeadStep,
    rating: Rating,
    cause: Cause,
    *,
    raised_by: tuple[str, ...] = (),
    owner: str | None = None,
    leg: str = "",
    kept: bool = False,
) -> None:
    """Make the lead an MQL and hand its story over. ``raised_by``: the fast-track acts that count;
    ``leg``: work that was accepted before a merge goes on with who had it; ``kept``: it does not
    cool."""
    leave_backlog(step, cause=cause.id)
    head, levels = step.head, step.agreement.levels
    raised = bool(raised_by)
    leg = leg or levels.queue_for(rating.level, levels.fit_band(head.fit_micro), raised)
    if head.stage == Stage.CUSTOMER.value and owner is None:
        owner = step.cycle_state.owner
    qualification = Qualification(
        qualification_id=derived_id(cause.id, "qualification", step.lead_id),
        cause_id=cause.id,
        leg=leg,
        level=urgency(step, rating.level, raised=raised),
        raised_by=raised_by,
        kept=kept or step.holds,
    )
    step.update_cycle(
        qualification=qualification,
        handoff=None,
        withdrawn=None,
        qualified_at_ms=step.now,
        customer_of=None,
    )
    refused = move_lead(step, StageEvent.QUALIFIED, cause)
    assert refused is None, refused
    hand_over(step, rating, cause, owner=owner)


def urgency(step: LeadStep, level: str, *, raised: bool) -> str:
    """The level a hand-off is worked at: a raised hand is hot, with poor fit warm, whatever the
    sum."""
    if not raised:
        return level
    poor = step.agreement.levels.fit_band(step.head.fit_micro) in step.agreement.lifecycle.poor_fit
    return Level.WARM.value if poor and level != Level.HOT.value else Level.HOT.value


def hand_over(step: LeadStep, rating: Rating, cause: Cause, *, owner: str | None = None) -> None:
    """Publish ``LeadQualified`` for the qualification that the cycle's state names."""
    head, cycle_state, profile = step.head, step.cycle_state, step.profile
    step.publish(
        LEADS_QUALIFIED,
        LeadQualified(
            qualification_id=cycle_state.qualification_id or "",
            lead_id=step.lead_id,
            cycle=head.cycle,
            leg=cycle_state.work.leg,
            level=cycle_state.work.level,
            grade=rating.grade,
            fit_micro=head.fit_micro,
            engagement_micro=rating.engagement_micro,
            hand_raised=cycle_state.hand_raised,
            cause_id=cause.id,
            qualified_at_ms=step.now,
            received_at_ms=cause.evidence_at_ms,
            segment=step.agreement.segment_of(profile),
            story=brief_of(step),
            agreement=step.agreement.version,
            rejecters=cycle_state.rejecters,
            owner=owner,
            stage=head.stage,
            qualified_by=cycle_state.work.bridged_by,
        ),
    )


def _work_goes_on(step: LeadStep, raised_by: tuple[str, ...], cause: Cause) -> None:
    """The lead is somebody's work already, or not to come back."""
    _note_hotter(step)
    if raised_by:
        _raised_again(step, raised_by, cause)


def _raised_again(step: LeadStep, raised_by: tuple[str, ...], cause: Cause) -> None:
    """A hand is raised by a lead that is somebody's work already: from now on it is as urgent as
    one that was handed over with a raised hand, and its holder is notified. Or by one that is not
    to come back."""
    if step.head.stage == Stage.DISQUALIFIED.value:
        refused = move_lead(step, StageEvent.QUALIFIED, cause)
        assert isinstance(refused, Refused)
        refuse(step, StageEvent.QUALIFIED.value, cause, refused.reason)
    else:
        add_hands(step, raised_by)
        place(step, StageEvent.HAND_RAISED, cause, Stage(step.head.stage))


def add_hands(step: LeadStep, raised_by: tuple[str, ...]) -> None:
    """The work that is under way is as urgent from now on as one that began with a raised hand."""
    work = step.cycle_state.work
    step.update_work(
        raised_by=tuple(dict.fromkeys((*work.raised_by, *raised_by)))[-MAX_RAISED:],
        level=max(
            work.level or Level.WARM.value,
            urgency(step, step.head.level, raised=True),
            key=RANK.__getitem__,
        ),
    )


def _note_hot_in_cool_off(step: LeadStep, *, cause: str, occurred_at_ms: int) -> None:
    """Who nurtures the lead hears that it has become hot; it counts at the return."""
    former, hot = step.former, Level.HOT.value
    was_hot = former is not None and former.level == hot and former.cycle == step.head.cycle
    if step.head.level == hot and not was_hot:
        hotter = by_system(step, cause, occurred_at_ms=occurred_at_ms, reason=COOL_OFF)
        place(step, StageEvent.BECAME_HOT, hotter, Stage(step.head.stage))


def _note_hotter(step: LeadStep) -> None:
    """A lead that is somebody's work, or waits to be, has become hotter than it was handed over as:
    that amends the hand-off. Cooling does not."""
    work = step.cycle_state.qualification
    if work is not None and work.level and RANK[step.head.level] > RANK[work.level]:
        step.update_work(level=step.head.level)
