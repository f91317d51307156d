"""Sources and campaigns: touches, hand-overs, what was won by a model of attribution, and why sales
rejected."""

from __future__ import annotations

from collections import Counter
from typing import Any

from services.insights.figures.attribution import DEFINITIONS, Model
from services.insights.reports.context import Context
from services.insights.reports.funnel import acceptance_by

_TOUCHES = """SELECT COALESCE(campaign, '(none)') name, count(*) touches, count(DISTINCT lead_id) leads FROM touch
    WHERE occurred_at_ms >= :from_ms AND occurred_at_ms < :until_ms AND automatic = 0
    AND event_id NOT IN (SELECT event_id FROM retraction) GROUP BY 1"""
_CREDIT = """SELECT campaign name, currency, sum(amount_minor) amount, count(DISTINCT conversion_id) deals FROM credit
    WHERE model = :model AND won_at_ms >= :from_ms AND won_at_ms < :until_ms GROUP BY 1, 2"""
_WON = """SELECT currency, sum(amount_minor) amount, count(*) deals, count(*) FILTER (WHERE amount_minor IS NULL) unknown FROM conversion
    WHERE won_at_ms >= :from_ms AND won_at_ms < :until_ms GROUP BY 1 ORDER BY COALESCE(sum(amount_minor), -1) DESC"""


def credit_by_campaign(context: Context, model: Model) -> dict[str, dict[str, int]]:
    """What campaigns are credited with by a model, by currency: its rows add up to what was won."""
    found: dict[str, dict[str, int]] = {}
    for row in context.rows(
        _CREDIT, model=model.value, from_ms=context.from_ms, until_ms=context.until_ms
    ):
        found.setdefault(row["currency"], {})[row["name"]] = row["amount"]
    return found


def sources(context: Context) -> dict[str, Any]:
    """The page Sources."""
    period = {"from_ms": context.from_ms, "until_ms": context.until_ms}
    touches = {row["name"]: row for row in context.rows(_TOUCHES, **period)}
    accepted = acceptance_by(context, "latest_campaign", context.from_ms, context.until_ms)
    credits = credit_by_campaign(context, context.filters.model)
    won = context.rows(_WON, **period)
    currency = next((row["currency"] for row in won if row["currency"]), None)
    shown = credits.get(currency or "", {})
    names = sorted(
        touches.keys() | accepted.keys() | shown.keys(),
        key=lambda name: (-shown.get(name, 0), name),
    )
    rows = [
        {
            "name": name,
            "touches": touches.get(name, {}).get("touches", 0),
            "leads": touches.get(name, {}).get("leads", 0),
            "acceptance": accepted[name][0] if name in accepted else None,
            "reasons": accepted[name][1].most_common(3) if name in accepted else [],
            "amount": shown.get(name, 0),
        }
        for name in names
    ]
    every = {model: credit_by_campaign(context, model).get(currency or "", {}) for model in Model}
    return {
        "rows": rows,
        "won": won,
        "currency": currency,
        "total": sum(shown.values()),
        "model": context.filters.model,
        "models": tuple(Model),
        "definition": DEFINITIONS[context.filters.model],
        "every": every,
        "others": {name: sum(by.values()) for name, by in credits.items() if name != currency},
        "reasons": sum((each for _, each in accepted.values()), Counter[str]()).most_common(),
    }
