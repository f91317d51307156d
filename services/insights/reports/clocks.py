"""SLA of both sides, and speed to lead: shared by the pages SLA and Monday."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from services.insights.figures.compliance import ClockNow, Compliance, compliance
from services.insights.figures.speed import HumanAct, Waiting, attempts, contacts, waiting
from services.insights.figures.survival import Survival
from services.insights.reports.context import DAY_MS, Context

SIDES = ("marketing", "sales", "sales_management")
_CLOCKS = """SELECT c.*, EXISTS (SELECT 1 FROM violation v WHERE v.clock_id = c.clock_id AND v.kind = 'breach' AND v.unproven = 1) unproven
    FROM clock c WHERE c.deadline_ms >= :from_ms AND c.deadline_ms < :until_ms
    AND (:pool IS NULL OR c.pool = :pool) AND (:segment IS NULL OR c.segment = :segment)"""


def clock_rows(context: Context, from_ms: int, until_ms: int) -> list[dict[str, Any]]:
    """The clocks that fall due in a period, as they were published last."""
    asked = context.filters
    return context.rows(_CLOCKS, from_ms=from_ms, until_ms=until_ms, pool=asked.pool, segment=asked.segment)


def _now(row: dict[str, Any]) -> ClockNow:
    return ClockNow(
        state=row["state"],
        deadline_ms=row["deadline_ms"],
        ended_at_ms=row["ended_at_ms"],
        reason=row["reason"],
        unproven=bool(row["unproven"]),
    )


def compliance_by(context: Context, rows: list[dict[str, Any]], *keys: str) -> dict[tuple[Any, ...], Compliance]:
    """Compliance of the rows' clocks by columns."""
    groups: dict[tuple[Any, ...], list[ClockNow]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(_now(row))
    whole = {"from_ms": -(1 << 62), "until_ms": 1 << 62, "now_ms": context.now_ms}
    return {key: compliance(clocks, **whole) for key, clocks in sorted(groups.items(), key=lambda each: str(each[0]))}


def side_by_side(context: Context, from_ms: int, until_ms: int) -> dict[str, Compliance]:
    """Compliance of each side; a side without clocks too."""
    found = compliance_by(context, clock_rows(context, from_ms, until_ms), "side")
    return {side: found.get((side,)) or Compliance(counts={}) for side in SIDES}


def time_spent(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Where the time of the ended clocks went, ms."""
    spent: Counter[str] = Counter()
    for row in rows:
        for part in ("system", "queue", "human", "buyer", "rest"):
            spent[part] += row[f"spent_{part}_ms"] or 0
    return dict(spent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How long buyers who raised their hand waited for a person: to the first attempt, and to the first contact."""

    attempt: Survival
    contact: Survival
    hands: int
    untouched: int


_RAISED = """SELECT q.lead_id, COALESCE(t.occurred_at_ms, q.qualified_at_ms) at_ms FROM qualification q
    LEFT JOIN touch t ON t.event_id = q.cause_id WHERE q.hand_raised = 1 AND q.stage = 'mql'
    AND q.qualified_at_ms >= :from_ms AND q.qualified_at_ms < :until_ms AND (:segment IS NULL OR q.segment = :segment)"""


def speed_to_lead(context: Context, from_ms: int, until_ms: int) -> Speed:
    """Of the hands raised in a period."""
    waits: list[Waiting] = []
    for row in context.rows(_RAISED, from_ms=from_ms, until_ms=until_ms, segment=context.filters.segment):
        acts = [
            HumanAct(
                kind=act["kind"], occurred_at_ms=act["occurred_at_ms"], automatic=bool(act["automatic"]), outcome=act["outcome"]
            )
            for act in context.rows("SELECT * FROM act WHERE lead_id = :lead", lead=row["lead_id"])
        ]
        waits.append(waiting(row["at_ms"], acts, context.now_ms))
    untouched = sum(each.attempted_ms is None for each in waits)
    return Speed(attempt=attempts(waits), contact=contacts(waits), hands=len(waits), untouched=untouched)


_OPEN = """SELECT c.*, l.label_free, l.holder FROM clock c JOIN (SELECT lead_id, holder, '' label_free FROM lead) l ON l.lead_id = c.lead_id
    WHERE c.state IN ('running', 'breached') AND c.deadline_ms < :now AND (:pool IS NULL OR c.pool = :pool)
    AND (:segment IS NULL OR c.segment = :segment) ORDER BY c.deadline_ms LIMIT 200"""
_STEPS = "SELECT clock_id, kind, max(log_ms) at FROM ladder_step GROUP BY clock_id"


def open_breaches(context: Context) -> list[dict[str, Any]]:
    """Clocks past their deadline and still open, the oldest first, each with the last step of the ladder."""
    steps = {row["clock_id"]: row["kind"] for row in context.rows(_STEPS)}
    found = context.rows(_OPEN, now=context.now_ms, pool=context.filters.pool, segment=context.filters.segment)
    return context.named([row | {"step": steps.get(row["clock_id"])} for row in found])


def weeks_before(context: Context, number: int) -> list[tuple[int, int]]:
    """The last whole weeks before the present one, Monday to Monday, in the agreement's zone; the latest first."""
    from datetime import timedelta

    monday = context.today - timedelta(days=context.today.weekday())
    starts = [monday - timedelta(days=7 * back) for back in range(number + 1)]
    return [(context.start_of(starts[n + 1]), context.start_of(starts[n])) for n in range(number)]


def sla(context: Context) -> dict[str, Any]:
    """The page SLA."""
    rows = clock_rows(context, context.from_ms, context.until_ms)
    return {
        "sides": side_by_side(context, context.from_ms, context.until_ms),
        "by_clock": compliance_by(context, rows, "side", "clock"),
        "by_pool": compliance_by(context, [row for row in rows if row["pool"]], "pool"),
        "spent": time_spent([row for row in rows if row["ended_at_ms"]]),
        "speed": speed_to_lead(context, context.from_ms, context.until_ms),
        "open": open_breaches(context),
        "cancelled": Counter(row["reason"] or "not said" for row in rows if row["state"] == "cancelled").most_common(),
        "weeks": [(start, side_by_side(context, start, end)) for start, end in reversed(weeks_before(context, 8))],
    }


__all__ = ["DAY_MS", "SIDES", "Speed", "clock_rows", "open_breaches", "side_by_side", "sla", "speed_to_lead", "weeks_before"]
