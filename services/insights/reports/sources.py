"""Sources and campaigns: touches, hand-overs, what was won by a model of attribution, and why sales
rejected."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from services.insights.figures.attribution import DEFINITIONS, Model
from services.insights.figures.funnel import Acceptance
from services.insights.reports.context import Context
from services.insights.reports.funnel import acceptance_by

_TOUCHES = """SELECT COALESCE(campaign, '(none)') name, count(*) touches, count(DISTINCT lead_id) leads FROM touch
    WHERE occurred_at_ms >= :from_ms AND occurred_at_ms < :until_ms AND automatic = 0
    AND event_id NOT IN (SELECT event_id FROM retraction) GROUP BY 1"""
_CREDIT = """SELECT campaign name, currency, sum(amount_minor) amount, count(DISTINCT conversion_id) deals FROM credit
    WHERE model = :model AND won_at_ms >= :from_ms AND won_at_ms < :until_ms GROUP BY 1, 2"""
_WON = """SELECT currency, sum(amount_minor) amount, count(*) deals, count(*) FILTER (WHERE amount_minor IS NULL) unknown FROM conversion
    WHERE won_at_ms >= :from_ms AND won_at_ms < :until_ms GROUP BY 1 ORDER BY COALESCE(sum(amount_minor), -1) DESC"""


_COSTS = "SELECT campaign, month, amount_minor, currency, channel, owner FROM campaign_cost"


def costs(context: Context) -> dict[str, dict[str, Any]]:
    """What campaigns cost in the period by campaign, with channel and owner: a month's cost is
    shared out by days. ``currency`` None: it was reported in several."""
    found: dict[str, dict[str, Any]] = {}
    for row in context.rows(_COSTS):
        part = _part_of_month(row["month"], context.filters.from_day, context.filters.until_day)
        if part == 0:
            continue
        known = found.setdefault(
            row["campaign"],
            {"amount": Fraction(0), "currency": row["currency"], "channel": None, "owner": None},
        )
        known["amount"] += row["amount_minor"] * part
        known |= {name: row[name] for name in ("channel", "owner") if row[name]}
        if known["currency"] != row["currency"]:
            known["currency"] = None
    return {
        name: known | {"amount": round(known["amount"])} for name, known in sorted(found.items())
    }


def _part_of_month(month: str, begins: date, ends: date) -> Fraction:
    """The share of a month's days that lie in the period; 0 of what is no month."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        return Fraction(0)
    following = (first + timedelta(days=32)).replace(day=1)
    days = (min(ends, following) - max(begins, first)).days
    return Fraction(max(0, days), (following - first).days)


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
    credits = {model: credit_by_campaign(context, model) for model in Model}
    won = context.rows(_WON, **period)
    currency = next((row["currency"] for row in won if row["currency"]), None)
    mine = credits[context.filters.model]
    shown, spent = mine.get(currency or "", {}), costs(context)
    names = sorted(
        touches.keys() | accepted.keys() | shown.keys() | spent.keys(),
        key=lambda name: (-shown.get(name, 0), name),
    )
    return {
        "rows": [
            {
                "name": name,
                "touches": touches.get(name, {}).get("touches", 0),
                "leads": touches.get(name, {}).get("leads", 0),
                "acceptance": accepted[name][0] if name in accepted else None,
                "reasons": accepted[name][1].most_common(3) if name in accepted else [],
                "amount": shown.get(name, 0),
                "cost": _cost_of(spent.get(name), accepted.get(name), shown.get(name, 0), currency),
            }
            for name in names
        ],
        "costs_known": bool(spent),
        "won": won,
        "currency": currency,
        "total": sum(shown.values()),
        "model": context.filters.model,
        "models": tuple(Model),
        "definition": DEFINITIONS[context.filters.model],
        "every": {model: by.get(currency or "", {}) for model, by in credits.items()},
        "others": {name: sum(by.values()) for name, by in mine.items() if name != currency},
        "reasons": sum(
            (acceptance for _, acceptance in accepted.values()), Counter[str]()
        ).most_common(),
    }


def _cost_of(
    spent: dict[str, Any] | None,
    accepted: tuple[Acceptance, Counter[str]] | None,
    credited: int,
    currency: str | None,
) -> dict[str, Any] | None:
    """What a campaign cost, for each hand-off accepted, and what came back of it; None: nothing
    was reported."""
    if spent is None:
        return None
    handed = accepted[0].accepted if accepted else 0
    comparable = spent["currency"] is not None and spent["currency"] == currency
    return spent | {
        "each": round(Fraction(spent["amount"], handed)) if handed else None,
        "back": Fraction(credited, spent["amount"]) if comparable and spent["amount"] else None,
    }
