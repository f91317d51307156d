"""Leads that are handed over although they are cold, so that outcomes below the threshold are known
(``lifecycle.holdout``).

Blind: whoever gets the lead reads no mark of it. It is as urgent as a warm one and does not cool,
and its points are what they are. The mark is a record of its own on a private topic.
"""

from __future__ import annotations

from baton.agreement.condition_context import ConditionContext, is_reachable
from baton.contracts.leads import Level, Stage
from baton.contracts.streams import LeadHeldOut
from baton.contracts.topic_names import SCORER_HOLDOUTS
from baton.evolve import evolve
from services.scorer.lead.lead_context import context_of
from services.scorer.lead.level import Rating
from services.scorer.lead.settling import lacking
from services.scorer.lead.state import COLD, NOBODY, ONLY, PERSON
from services.scorer.lead.step import LeadStep


def held_out_at_micro(step: LeadStep, rating: Rating) -> int | None:
    """From how many points on this cold lead, which has just acted, is handed over; None: not now.

    Only in its first interest, where somebody can reach it, its hand-off lacks nothing, and no gate
    is shut that a raised hand waits at too.
    """
    if rating.level != COLD or step.head.stage != Stage.INQUIRY.value:
        return None
    lifecycle, levels = step.agreement.lifecycle, step.agreement.levels
    at_micro = lifecycle.holdout.enters_at_micro(step.lead_id, step.head.fit_micro, levels)
    if at_micro is None or rating.engagement_micro < at_micro:
        return None
    if not is_reachable((step.get(PERSON, ONLY) or NOBODY).person):
        return None
    context = context_of(step, rating.engagement_micro)
    if lifecycle.closed_gates(context, fast_track=True) or lacking(step, _as_warm(step, context)):
        return None
    return at_micro


def _as_warm(step: LeadStep, context: ConditionContext) -> ConditionContext:
    """The lead as the router would see it."""
    levels = step.agreement.levels
    leg = levels.queue_for(Level.WARM.value, levels.fit_band(step.head.fit_micro), False)
    return evolve(context, leg=leg)


def publish_held_out(step: LeadStep, rating: Rating, at_micro: int) -> None:
    """The mark, for who judges the score: of the qualification that was just made."""
    step.publish(
        SCORER_HOLDOUTS,
        LeadHeldOut(
            lead_id=step.lead_id,
            qualification_id=step.cycle_state.qualification_id or "",
            at_ms=step.now,
            held_out_at_micro=at_micro,
            fit_micro=step.head.fit_micro,
            engagement_micro=rating.engagement_micro,
            agreement=step.agreement.version,
        ),
    )
