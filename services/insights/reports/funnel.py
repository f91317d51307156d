"""Funnel and velocity by cohort; acceptance with its reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

from services.insights.derived.cycles import STAGES
from services.insights.figures.funnel import (
    Acceptance,
    Cohort,
    WinRate,
    acceptance_together,
    velocity,
)
from services.insights.figures.survival import Survival
from services.insights.figures.wilson_interval import Share
from services.insights.reports.context import DAY_MS, Context
from services.insights.reports.waits import waits

NONE: Final = "(none)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From one stage to the next: the cohort of the period, how long it takes, how many were
    inferred."""

    from_stage: str
    to_stage: str
    cohort: Cohort
    time: Survival
    inferred: int


_TIMED_MONTHS: Final = 13
_COHORTS: Final = """SELECT stage, sum(entered) entered, sum(reached) reached,
    sum(resolved) resolved, sum(inferred) inferred FROM passages_by_span WHERE {spans}
    AND (:segment IS NULL OR segment = :segment) AND (:pool IS NULL OR pool = :pool) GROUP BY 1"""
_QUALIFIED: Final = """SELECT {key} name, became, reason, sum(number) number FROM qualified_by_span
    WHERE {{spans}} AND (:segment IS NULL OR segment = :segment)
    AND (:pool IS NULL OR pool = :pool) GROUP BY 1, 2, 3"""
_NOTHING: Final = {"entered": 0, "reached": 0, "resolved": 0, "inferred": 0}


def _asked(context: Context) -> dict[str, Any]:
    return {"segment": context.filters.segment, "pool": context.filters.pool}


def times(context: Context) -> dict[str, Survival]:
    """How long each step takes, by its first stage: of those who entered it in this month or the
    twelve before. Who is still there, or left another way, is censored; stages that were inferred
    are left out."""
    begins, _ = _months(context, _TIMED_MONTHS)[0]
    following = (context.today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return waits(context, STAGES[:-1], context.start_of(begins), context.start_of(following))


def steps(context: Context, timed: dict[str, Survival], from_ms: int, until_ms: int) -> list[Step]:
    """Every step of the funnel, of those who entered it in the period."""
    rows = context.counted(_COHORTS, from_ms, until_ms, **_asked(context))
    by_stage = {row["stage"]: row for row in rows}
    return [
        _step(context, before, after, by_stage.get(before, _NOTHING), timed[before], until_ms)
        for before, after in pairwise(STAGES)
    ]


def _step(
    context: Context,
    before: str,
    after: str,
    row: Mapping[str, int],
    time: Survival,
    until_ms: int,
) -> Step:
    p90_ms = time.quantile(0.9)
    is_old = p90_ms is not None and until_ms + p90_ms <= context.now_ms
    counted = Cohort(
        entered=row["entered"],
        reached=row["reached"],
        resolved=row["resolved"],
        ripe=is_old or row["resolved"] == row["entered"],
    )
    return Step(
        from_stage=before, to_stage=after, cohort=counted, time=time, inferred=row["inferred"]
    )


def acceptance_by(
    context: Context, key: str, from_ms: int, until_ms: int
) -> dict[str, tuple[Acceptance, Counter[str]]]:
    """Acceptance of those who qualified in the period by segment, pool or campaign, with the
    reasons of the rejected."""
    assert key in ("segment", "campaign", "pool")
    found: dict[str, Counter[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    statement = _QUALIFIED.format(key=key)
    for row in context.counted(statement, from_ms, until_ms, **_asked(context)):
        name = row["name"] or NONE
        found.setdefault(name, Counter())[row["became"]] += row["number"]
        if row["became"] == "rejected":
            reasons.setdefault(name, Counter())[row["reason"] or "not said"] += row["number"]
    return {
        name: (_acceptance(counted), reasons.get(name, Counter()))
        for name, counted in sorted(found.items())
    }


def _acceptance(counted: Counter[str]) -> Acceptance:
    expired = counted["recycled"] + counted["disqualified"]
    return Acceptance(
        accepted=counted["accepted"],
        rejected=counted["rejected"],
        expired=expired,
        waiting=counted[""],
    )


def acceptance_of_all(
    context: Context, from_ms: int, until_ms: int
) -> tuple[Acceptance, Counter[str]]:
    """The same for all together."""
    parts = list(acceptance_by(context, "segment", from_ms, until_ms).values())
    reasons: Counter[str] = Counter()
    for _, those in parts:
        reasons += those
    return acceptance_together(part for part, _ in parts), reasons


_MEETINGS: Final = """SELECT kind, sum(number) number FROM acts_by_span
    WHERE {spans} AND kind IN ('meeting_booked', 'meeting', 'no_show') GROUP BY 1"""


def meetings(context: Context) -> dict[str, Any] | None:
    """Meetings booked, held and missed in the period; None: nobody reported any."""
    rows = context.counted(_MEETINGS, context.from_ms, context.until_ms)
    counted = Counter({row["kind"]: row["number"] for row in rows})
    held, missed = counted["meeting"], counted["no_show"]
    if not counted:
        return None
    return {
        "booked": counted["meeting_booked"],
        "held": held,
        "missed": missed,
        "shown": Share(count=held, total=held + missed),
    }


_DEALS_ENDED: Final = """SELECT state, count(*) number FROM deal
    WHERE state IN ('won', 'lost', 'derailed')
    AND ended_at_ms >= :from_ms AND ended_at_ms < :until_ms GROUP BY 1"""


def win_rate(context: Context, from_ms: int, until_ms: int) -> WinRate:
    """Of the deals that ended in the period."""
    period = {"from_ms": from_ms, "until_ms": until_ms}
    moves = Counter({row["state"]: row["number"] for row in context.rows(_DEALS_ENDED, **period)})
    return WinRate(won=moves["won"], lost=moves["lost"], derailed=moves["derailed"])


def _months(context: Context, number: int) -> list[tuple[date, date]]:
    first = context.today.replace(day=1)
    found = []
    for _ in range(number):
        following = (first + timedelta(days=32)).replace(day=1)
        found.append((first, following))
        first = (first - timedelta(days=1)).replace(day=1)
    return found[::-1]


def funnel(context: Context) -> dict[str, Any]:
    """The page Funnel."""
    timed = times(context)
    months = [
        (begins, steps(context, timed, context.start_of(begins), context.start_of(ends)))
        for begins, ends in _months(context, 6)
    ]
    rate = win_rate(context, context.from_ms, context.until_ms)
    return {
        "steps": steps(context, timed, context.from_ms, context.until_ms),
        "months": months,
        "acceptance": acceptance_of_all(context, context.from_ms, context.until_ms),
        "by_segment": acceptance_by(context, "segment", context.from_ms, context.until_ms),
        "meetings": meetings(context),
        "win_rate": rate,
        "velocity": _velocity(context, rate),
    }


_OPENED: Final = """SELECT currency, sum(deals) deals, sum(amounts) amounts,
    sum(amount_minor) amount, sum(won) won, sum(ended) ended, sum(took_ms) took_ms
    FROM deals_by_span WHERE {spans} GROUP BY 1 ORDER BY 2 DESC, 1"""


def _velocity(context: Context, rate: WinRate) -> dict[str, Any] | None:
    """All four figures of the deals that opened in the period, of those in the currency most of
    them have; None where one is missing. Deals in other currencies, or in none that is known, are
    counted beside: amounts of several currencies have no average."""
    rows = context.counted(_OPENED, context.from_ms, context.until_ms)
    most = next((row for row in rows if row["currency"] and row["amounts"]), None)
    if most is None or not most["won"] or rate.narrow.rate is None:
        return None
    share, average = most["won"] / most["ended"], most["amount"] / most["amounts"]
    length = most["took_ms"] / most["won"] / DAY_MS
    found = velocity(
        opportunities=most["deals"], win_rate=share, average_minor=average, cycle_days=length
    )
    if found is None:
        return None
    return {
        "deals": most["deals"],
        "others": sum(row["deals"] for row in rows) - most["deals"],
        "rate": share,
        "average": round(average),
        "days": length,
        "a_day": round(found),
        "currency": most["currency"],
    }
