"""Sources and campaigns: touches, hand-overs, what was won by a model of attribution, and why sales
rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from operator import add
from typing import Any, Final

from services.insights.figures.attribution import DEFINITIONS, Model
from services.insights.figures.funnel import Acceptance, acceptance_together
from services.insights.reports.campaign_names import as_one, folded, spellings
from services.insights.reports.context import Context
from services.insights.reports.funnel import NONE, acceptance_by

_TOUCHES: Final = """SELECT campaign, sum(touches) touches, sum(leads) leads FROM touches_by_span
    WHERE {spans} GROUP BY 1"""
_CREDIT: Final = """SELECT model, campaign, currency, sum(amount_minor) amount FROM credits_by_span
    WHERE {spans} GROUP BY 1, 2, 3"""
_WON: Final = """SELECT currency, sum(amount_minor) amount, count(*) deals,
    count(*) FILTER (WHERE amount_minor IS NULL) unknown FROM conversion
    WHERE won_at_ms >= :from_ms AND won_at_ms < :until_ms GROUP BY 1
    ORDER BY COALESCE(sum(amount_minor), -1) DESC"""


_COSTS: Final = """SELECT campaign, month, amount_minor, currency, channel, owner
    FROM campaign_cost ORDER BY log_ms, log_offset"""


def costs(context: Context) -> dict[str, dict[str, Any]]:
    """What campaigns cost in the period by campaign, with channel and owner: a month's cost is
    shared out by days. ``currency`` None: it was reported in several. Of two spellings of a
    campaign in one month the later report stands."""
    found: dict[str, dict[str, Any]] = {}
    latest = {(folded(row["campaign"]), row["month"]): row for row in context.rows(_COSTS)}
    for row in latest.values():
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


def credit_by_campaign(context: Context) -> dict[Model, dict[str, dict[str, int]]]:
    """What campaigns are credited with, by model and currency: the rows of each add up to what was
    won."""
    found: dict[Model, dict[str, dict[str, int]]] = {model: {} for model in Model}
    for row in context.counted(_CREDIT, context.from_ms, context.until_ms):
        by_currency = found[Model(row["model"])].setdefault(row["currency"], {})
        by_currency[row["campaign"]] = row["amount"]
    return found


def _touches(context: Context) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for row in context.counted(_TOUCHES, context.from_ms, context.until_ms):
        counted = Counter(touches=row["touches"], leads=row["leads"])
        found.setdefault(row["campaign"] or NONE, Counter()).update(counted)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _ByCampaign:
    """What there is of campaigns in the period; spellings of one campaign are together."""

    touches: dict[str, Counter[str]]
    accepted: dict[str, tuple[Acceptance, Counter[str]]]
    credits: dict[Model, dict[str, dict[str, int]]]
    costs: dict[str, dict[str, Any]]


def _by_campaign(context: Context) -> _ByCampaign:
    touches, spent = _touches(context), costs(context)
    accepted = acceptance_by(context, "campaign", context.from_ms, context.until_ms)
    credits = credit_by_campaign(context)
    amounts = [by for currencies in credits.values() for by in currencies.values()]
    shown = spellings(
        (
            {name: counted["touches"] for name, counted in touches.items()},
            dict.fromkeys(accepted, 0),
            dict.fromkeys(spent, 0),
            *(dict.fromkeys(names, 0) for names in amounts),
        )
    )
    return _ByCampaign(
        touches=as_one(touches, shown, add),
        accepted=as_one(accepted, shown, _accepted_together),
        credits={
            model: {name: as_one(by, shown, add) for name, by in currencies.items()}
            for model, currencies in credits.items()
        },
        costs=as_one(spent, shown, _cost_together),
    )


def _accepted_together(
    one: tuple[Acceptance, Counter[str]], other: tuple[Acceptance, Counter[str]]
) -> tuple[Acceptance, Counter[str]]:
    return acceptance_together((one[0], other[0])), one[1] + other[1]


def _cost_together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Months of one campaign under several spellings."""
    return {
        "amount": one["amount"] + other["amount"],
        "currency": one["currency"] if one["currency"] == other["currency"] else None,
        "channel": one["channel"] or other["channel"],
        "owner": one["owner"] or other["owner"],
    }


def sources(context: Context) -> dict[str, Any]:
    """The page Sources."""
    found = _by_campaign(context)
    won = context.rows(_WON, from_ms=context.from_ms, until_ms=context.until_ms)
    currency = next((row["currency"] for row in won if row["currency"]), None)
    mine = found.credits[context.filters.model]
    shown = mine.get(currency or "", {})
    return {
        "rows": _rows(found, shown, currency),
        "costs_known": bool(found.costs),
        "won": won,
        "currency": currency,
        "total": sum(shown.values()),
        "model": context.filters.model,
        "models": tuple(Model),
        "definition": DEFINITIONS[context.filters.model],
        "every": {model: by.get(currency or "", {}) for model, by in found.credits.items()},
        "others": {name: sum(by.values()) for name, by in mine.items() if name != currency},
        "reasons": sum(
            (reasons for _, reasons in found.accepted.values()), Counter()
        ).most_common(),
    }


def _rows(
    found: _ByCampaign, credited: Mapping[str, int], currency: str | None
) -> list[dict[str, Any]]:
    touches, accepted, spent = found.touches, found.accepted, found.costs
    names = sorted(
        touches.keys() | accepted.keys() | credited.keys() | spent.keys(),
        key=lambda name: (-credited.get(name, 0), name),
    )
    return [
        {
            "name": name,
            "touches": touches[name]["touches"] if name in touches else 0,
            "leads": touches[name]["leads"] if name in touches else 0,
            "acceptance": accepted[name][0] if name in accepted else None,
            "reasons": accepted[name][1].most_common(3) if name in accepted else [],
            "amount": credited.get(name, 0),
            "cost": _cost_of(spent.get(name), accepted.get(name), credited.get(name, 0), currency),
        }
        for name in names
    ]


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
