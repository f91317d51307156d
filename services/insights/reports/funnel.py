"""Funnel and velocity by cohort; acceptance with its reasons."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

from services.insights.derived.cycles import STAGES
from services.insights.figures.funnel import Acceptance, Cohort, WinRate, velocity
from services.insights.figures.intervals import Share
from services.insights.figures.survival import Survival, survival
from services.insights.reports.context import DAY_MS, Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From one stage to the next: the cohort of the period, how long it takes, how many were
    inferred."""

    from_stage: str
    to_stage: str
    cohort: Cohort
    time: Survival
    inferred: int


_GRAIN_MS: Final = 300_000
_TIMED_DAYS: Final = 365
_FILTERED = """FROM cycle c JOIN lead l ON l.lead_id = c.lead_id WHERE {before}_ms >= :from_ms AND {before}_ms < :until_ms
    AND (:segment IS NULL OR l.segment = :segment) AND (:pool IS NULL OR l.pool = :pool)"""
_COHORT = """SELECT count(*) entered, count({after}_ms) reached,
    count(*) FILTER (WHERE {after}_ms IS NOT NULL OR ended_ms IS NOT NULL) resolved,
    count(*) FILTER (WHERE (';' || inferred || ';') LIKE '%;{after};%') inferred """
_TIMES = """SELECT {after}_ms IS NOT NULL reached, CASE WHEN COALESCE({after}_ms, ended_ms, :now) > {before}_ms
    THEN (COALESCE({after}_ms, ended_ms, :now) - {before}_ms) / :grain ELSE 0 END time, count(*) number """
_REPORTED = """ AND (';' || inferred || ';') NOT LIKE '%;{before};%' AND (';' || inferred || ';') NOT LIKE '%;{after};%' GROUP BY 1, 2"""


def _asked(context: Context, from_ms: int, until_ms: int) -> dict[str, Any]:
    return {
        "from_ms": from_ms,
        "until_ms": until_ms,
        "segment": context.filters.segment,
        "pool": context.filters.pool,
    }


def times(context: Context) -> dict[str, Survival]:
    """How long each step takes, by its first stage: of those of the last year, to five minutes. Who
    is still there, or left another way, is censored; stages that were inferred are left out."""
    found = {}
    since = context.now_ms - _TIMED_DAYS * DAY_MS
    for before, after in pairwise(STAGES):
        statement = (_TIMES + _FILTERED + _REPORTED).format(before=before, after=after)
        ended: Counter[int] = Counter()
        still: Counter[int] = Counter()
        for row in context.rows(
            statement,
            now=context.now_ms,
            grain=_GRAIN_MS,
            **_asked(context, since, context.now_ms + 1),
        ):
            (ended if row["reached"] else still)[row["time"] * _GRAIN_MS] += row["number"]
        found[before] = survival(ended, still)
    return found


def steps(context: Context, timed: dict[str, Survival], from_ms: int, until_ms: int) -> list[Step]:
    """Every step of the funnel, of those who entered it in the period."""
    found = []
    for before, after in pairwise(STAGES):
        statement = (_COHORT + _FILTERED).format(before=before, after=after)
        (row,) = context.rows(statement, **_asked(context, from_ms, until_ms))
        p90_ms = timed[before].quantile(0.9)
        ripe = (p90_ms is not None and until_ms + p90_ms <= context.now_ms) or row[
            "resolved"
        ] == row["entered"]
        counted = Cohort(
            entered=row["entered"], reached=row["reached"], resolved=row["resolved"], ripe=ripe
        )
        found.append(
            Step(
                from_stage=before,
                to_stage=after,
                cohort=counted,
                time=timed[before],
                inferred=row["inferred"],
            )
        )
    return found


def acceptance_by(
    context: Context, key: str, from_ms: int, until_ms: int
) -> dict[str, tuple[Acceptance, Counter[str]]]:
    """Acceptance of those who qualified in the period by a column of the qualification, with the
    reasons of the rejected."""
    assert key in ("segment", "latest_campaign", "source", "level", "leg")
    found: dict[str, list[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    for row in context.rows(
        f"""SELECT COALESCE(q.{key}, '(none)') name, q.qualification_id,
            (SELECT m.event || '/' || COALESCE(m.reason, '') FROM stage_move m WHERE m.qualification_id = q.qualification_id
             AND m.event IN ('accepted', 'rejected', 'recycled', 'disqualified', 'withdrawn') ORDER BY m.occurred_at_ms, m.fact_id LIMIT 1)
             became
            FROM qualification q JOIN lead l ON l.lead_id = q.lead_id WHERE q.stage = 'mql' AND q.qualified_at_ms >= :from_ms
            AND q.qualified_at_ms < :until_ms AND (:segment IS NULL OR q.segment = :segment) AND (:pool IS NULL OR l.pool = :pool)""",
        from_ms=from_ms,
        until_ms=until_ms,
        segment=context.filters.segment,
        pool=context.filters.pool,
    ):
        event, _, reason = (row["became"] or "").partition("/")
        found.setdefault(row["name"], []).append(event)
        if event == "rejected":
            reasons.setdefault(row["name"], Counter())[reason or "not said"] += 1
    return {
        name: (_acceptance(events), reasons.get(name, Counter()))
        for name, events in sorted(found.items())
    }


def _acceptance(events: list[str]) -> Acceptance:
    counted = Counter(events)
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
    parts = list(acceptance_by(context, "leg", from_ms, until_ms).values())
    reasons: Counter[str] = Counter()
    for _, those in parts:
        reasons += those
    sums = [
        sum(getattr(part, name) for part, _ in parts)
        for name in ("accepted", "rejected", "expired", "waiting")
    ]
    return Acceptance(accepted=sums[0], rejected=sums[1], expired=sums[2], waiting=sums[3]), reasons


def meetings(context: Context) -> dict[str, Any] | None:
    """Meetings booked, held and missed in the period; None: nobody reported any."""
    counted = Counter(
        {
            row["kind"]: row["number"]
            for row in context.rows(
                """SELECT kind, count(*) number FROM act WHERE occurred_at_ms >= :from_ms
                AND occurred_at_ms < :until_ms AND kind IN ('meeting_booked', 'meeting', 'no_show')
                GROUP BY 1""",
                from_ms=context.from_ms,
                until_ms=context.until_ms,
            )
        }
    )
    held, missed = counted["meeting"], counted["no_show"]
    if not counted:
        return None
    return {
        "booked": counted["meeting_booked"],
        "held": held,
        "missed": missed,
        "shown": Share(count=held, total=held + missed),
    }


def win_rate(context: Context, from_ms: int, until_ms: int) -> WinRate:
    """Of the deals that ended in the period."""
    moves = Counter(
        row["what"]
        for row in context.rows(
            """SELECT state what FROM deal WHERE state <> 'open'
            AND ended_at_ms >= :from_ms AND ended_at_ms < :until_ms""",
            from_ms=from_ms,
            until_ms=until_ms,
        )
    )
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


_OPENED: Final = """SELECT opened_at_ms opened, amount_minor, currency,
    CASE WHEN state = 'won' THEN ended_at_ms END won FROM deal
    WHERE opened_at_ms >= :from_ms AND opened_at_ms < :until_ms"""
_CLOSED: Final = """SELECT count(*) FILTER (WHERE state = 'won') won, count(*) ended FROM deal
    WHERE state IN ('won', 'lost') AND opened_at_ms >= :from_ms AND opened_at_ms < :until_ms"""


def _velocity(context: Context, rate: WinRate) -> dict[str, Any] | None:
    """All four figures of the deals that opened in the period, in the currency most of them have;
    None where one is missing."""
    period = {"from_ms": context.from_ms, "until_ms": context.until_ms}
    deals = context.rows(_OPENED, **period)
    if not deals or rate.narrow.rate is None:
        return None
    currency = Counter(deal["currency"] for deal in deals).most_common(1)[0][0]
    amounts = [
        deal["amount_minor"]
        for deal in deals
        if deal["currency"] == currency and deal["amount_minor"] is not None
    ]
    days = [(deal["won"] - deal["opened"]) / DAY_MS for deal in deals if deal["won"]]
    (closed,) = context.rows(_CLOSED, **period)
    if not amounts or not days or not closed["ended"]:
        return None
    share, average = closed["won"] / closed["ended"], sum(amounts) / len(amounts)
    length = sum(days) / len(days)
    found = velocity(
        opportunities=len(deals), win_rate=share, average_minor=average, cycle_days=length
    )
    if found is None:
        return None
    return {
        "deals": len(deals),
        "rate": share,
        "average": round(average),
        "days": length,
        "a_day": round(found),
        "currency": currency,
    }
