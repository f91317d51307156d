"""Goals of both sides with pace and history, and pipeline coverage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from baton.agreement.compiled.goals import Goal
from services.insights.figures.goal_pace import Coverage, OpenDeal, coverage, linear_forecast, pace
from services.insights.reports.context import Context

_LATEST = """SELECT * FROM goal g WHERE period = (SELECT max(period) FROM goal WHERE goal = g.goal) ORDER BY side, goal"""
_EARLIER = (
    "SELECT period, achieved, target FROM goal WHERE goal = :goal AND period < :period ORDER BY "
    "period DESC LIMIT 5"
)
_DEALS: Final = """SELECT d.currency, d.expected_close,
    CASE WHEN d.amount_minor IS NULL THEN 1 ELSE 0 END undated, sum(d.amount_minor) amount_minor,
    count(*) number FROM deal d CROSS JOIN lead l ON l.lead_id = d.root
    WHERE d.state = 'open' AND l.erased = 0 AND NOT EXISTS (SELECT 1 FROM deal o
        WHERE o.deal = d.deal AND o.state = 'open' AND o.root > d.root) GROUP BY 1, 2, 3
    ORDER BY COALESCE(d.currency, ''), COALESCE(d.expected_close, ''), 3"""


def open_deals(context: Context) -> list[OpenDeal]:
    """Open deals as they were reported last, alike ones together; one of several leads counts
    once."""
    return [
        OpenDeal(
            amount_minor=row["amount_minor"],
            currency=row["currency"],
            expected_close=_day(row["expected_close"]),
            number=row["number"],
        )
        for row in context.rows(_DEALS)
    ]


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def period_of(goal: Goal, today: date) -> tuple[date, date]:
    """The goal's period that ``today`` is in, and the day after it."""
    if goal.per == "quarter":
        first = today.replace(month=today.month - (today.month - 1) % 3, day=1)
        return first, (first + timedelta(days=93)).replace(day=1)
    first = today.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def coverages(context: Context, deals: Sequence[OpenDeal]) -> list[tuple[Goal, Coverage]]:
    """Coverage of every goal that has a quota."""
    found = []
    for goal in context.agreement.goals.values() if context.agreement else ():
        if goal.metric == "coverage" and goal.quota is not None and goal.currency is not None:
            begins, ends = period_of(goal, context.today)
            won = context.value(
                "SELECT sum(amount_minor) FROM conversion WHERE currency = :currency AND won_at_ms "
                ">= :from_ms AND won_at_ms < :until_ms",
                currency=goal.currency,
                from_ms=context.start_of(begins),
                until_ms=context.start_of(ends),
            )
            covered = coverage(
                deals,
                quota_minor=goal.quota * 100,
                won_minor=won or 0,
                currency=goal.currency,
                today=context.today,
                ends=ends,
            )
            found.append((goal, covered))
    return found


def goals(context: Context) -> dict[str, Any]:
    """The page Goals."""
    rows = []
    for row in context.rows(_LATEST):
        gone, days = row["working_days_gone"], row["working_days"]
        sums = {"achieved": row["achieved"], "days_gone": gone, "days": days}
        counted = row["metric"] != "coverage"
        compiled = context.agreement.goals.get(row["goal"]) if context.agreement else None
        rows.append(
            row
            | {
                "label": compiled.label if compiled else row["goal"],
                "pace": pace(target=row["target"], **sums) if counted else None,
                "forecast": linear_forecast(**sums) if counted else None,
                "earlier": context.rows(_EARLIER, goal=row["goal"], period=row["period"])[::-1],
            }
        )
    deals = open_deals(context)
    return {
        "rows": rows,
        "coverages": coverages(context, deals),
        "deals": sum(deal.number for deal in deals),
    }
