"""Opportunities as money: what is open counts towards the pipeline, what is won towards the closes.

Amounts are in minor units of their currency. Only goals in the same currency count them: no rate is
guessed.
"""

from dataclasses import replace
from typing import Final

from baton.contracts.leads import LeadStaged, StageEvent
from services.sla_watcher.clocks.goal_tallies import goals_for, publish_tally
from services.sla_watcher.clocks.state import OpenDeal
from services.sla_watcher.clocks.step import ClockStep

PIPELINE: Final = "coverage"
WON_AMOUNT: Final = "won_amount"
_CLOSES: Final = frozenset(
    {
        StageEvent.WON,
        StageEvent.LOST,
        StageEvent.RECYCLED,
        StageEvent.DISQUALIFIED,
        StageEvent.MERGED,
        StageEvent.ERASED,
    }
)


def on_deal(step: ClockStep, staged: LeadStaged) -> None:
    """Note what the move says about money."""
    if staged.event == StageEvent.WON and staged.amount_minor and staged.currency:
        for goal in goals_for(step, WON_AMOUNT, staged.currency):
            _count(step, goal, WON_AMOUNT, staged, staged.amount_minor)
        for goal in goals_for(step, PIPELINE, staged.currency):
            _count(step, goal, WON_AMOUNT, staged, staged.amount_minor)
    name = staged.opportunity_id or f"{step.lead_id}/{staged.cycle}"
    if staged.event in _CLOSES:
        for deal in step.head.deals:
            if staged.opportunity_id is None or deal.opportunity_id == name:
                _change(step, staged, deal, replace(deal, amount_minor=0))
    elif staged.amount_minor is not None and staged.currency is not None:
        known = next((each for each in step.head.deals if each.opportunity_id == name), None)
        opened = known or OpenDeal(opportunity_id=name, amount_minor=0, currency=staged.currency)
        due = staged.expected_close or opened.due
        _change(step, staged, opened, replace(opened, amount_minor=staged.amount_minor, due=due))


def _change(step: ClockStep, staged: LeadStaged, deal: OpenDeal, changed: OpenDeal) -> None:
    others = tuple(each for each in step.head.deals if each.opportunity_id != deal.opportunity_id)
    step.head = replace(step.head, deals=(*others, changed) if changed.amount_minor else others)
    if deal.due == changed.due or not changed.amount_minor:
        moves = (
            {deal.due: changed.amount_minor - deal.amount_minor}
            if deal.amount_minor
            else {changed.due: changed.amount_minor}
        )
    else:
        moves = {deal.due: -deal.amount_minor, changed.due: changed.amount_minor}
    for goal in goals_for(step, PIPELINE, deal.currency):
        for due, amount_minor in moves.items():
            if amount_minor:
                _count(step, goal, PIPELINE, staged, amount_minor, due=due)


def _count(
    step: ClockStep,
    goal: str,
    metric: str,
    staged: LeadStaged,
    amount_minor: int,
    *,
    due: str | None = None,
) -> None:
    publish_tally(
        step,
        goal,
        metric,
        amount=amount_minor,
        occurred_at_ms=staged.occurred_at_ms,
        subject=(step.lead_id, staged.cycle, staged.opportunity_id or "", step.cause, due or ""),
        due=due,
    )
