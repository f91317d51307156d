"""SLA of both sides, and speed to lead: shared by the pages SLA and Monday."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.insights.figures.compliance import ClockNow, Compliance, compliance_of
from services.insights.figures.speed import HumanAct, Waiting, attempts, contacts, waiting
from services.insights.figures.survival import Survival
from services.insights.reports.context import Context
from services.insights.reports.notified_digests import notified_digests

SIDES = ("marketing", "sales", "sales_management")
_SPENT = ("system", "queue", "human", "buyer", "rest")
_CLOCKS = f"""SELECT c.side, c.clock, c.pool, c.state, c.deadline_ms < :now past,
    c.state = 'cancelled' AND c.ended_at_ms > c.deadline_ms late, CASE WHEN c.state = 'cancelled' THEN c.reason END reason,
    CASE WHEN c.state IN ('met', 'withdrawn') THEN 0 WHEN EXISTS (SELECT 1 FROM violation v WHERE v.clock_id = c.clock_id
        AND v.kind = 'breach' AND v.unproven = 1) THEN 1 ELSE 0 END unproven,
    count(*) number, {", ".join(f"sum(CASE WHEN c.ended_at_ms IS NOT NULL THEN c.spent_{part}_ms END) {part}" for part in _SPENT)}
    FROM clock c WHERE c.deadline_ms >= :from_ms AND c.deadline_ms < :until_ms
    AND (:pool IS NULL OR c.pool = :pool) AND (:segment IS NULL OR c.segment = :segment) GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY c.side, c.clock, c.state, COALESCE(c.pool, ''), 5, 6, 8"""


def clock_groups(context: Context, from_ms: int, until_ms: int) -> list[dict[str, Any]]:
    """The clocks that fall due in a period, as they were published last: alike ones in one row,
    with their number."""
    asked = context.filters
    period = {"from_ms": from_ms, "until_ms": until_ms, "now": context.now_ms}
    return context.rows(_CLOCKS, pool=asked.pool, segment=asked.segment, **period)


def _alike(row: dict[str, Any], now_ms: int) -> tuple[ClockNow, int]:
    """A clock that stands for all of the row, and how many they are."""
    deadline = now_ms - 1 if row["past"] else now_ms + 1
    ended = deadline + 1 if row["late"] else None
    clock = ClockNow(
        state=row["state"],
        deadline_ms=deadline,
        ended_at_ms=ended,
        reason=row["reason"],
        unproven=bool(row["unproven"]),
    )
    return clock, row["number"]


def compliance_by(
    context: Context, rows: list[dict[str, Any]], *keys: str
) -> dict[tuple[Any, ...], Compliance]:
    """Compliance of the rows' clocks by columns."""
    groups: dict[tuple[Any, ...], list[tuple[ClockNow, int]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(_alike(row, context.now_ms))
    ordered = sorted(groups.items(), key=lambda group: str(group[0]))
    return {key: compliance_of(counted, context.now_ms) for key, counted in ordered}


def side_by_side(context: Context, from_ms: int, until_ms: int) -> dict[str, Compliance]:
    """Compliance of each side; a side without clocks too."""
    found = compliance_by(context, clock_groups(context, from_ms, until_ms), "side")
    return {side: found.get((side,)) or Compliance(counts={}) for side in SIDES}


def time_spent(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Where the time of the ended clocks went, ms."""
    return {part: sum(row[part] or 0 for row in rows) for part in _SPENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How long buyers who raised their hand waited for a person: to the first attempt, and to the
    first contact."""

    attempt: Survival
    contact: Survival
    hands: int
    untouched: int


_RAISED = """SELECT q.qualification_id, COALESCE(t.occurred_at_ms, q.qualified_at_ms) at_ms, a.kind, a.occurred_at_ms, a.automatic, a.outcome
    FROM qualification q LEFT JOIN touch t ON t.event_id = q.cause_id LEFT JOIN act a ON a.lead_id = q.lead_id
    WHERE q.hand_raised = 1 AND q.stage = 'mql' AND q.qualified_at_ms >= :from_ms AND q.qualified_at_ms < :until_ms
    AND (:segment IS NULL OR q.segment = :segment)"""


def speed_to_lead(context: Context, from_ms: int, until_ms: int) -> Speed:
    """Of the hands raised in a period."""
    raised: dict[str, int] = {}
    acts: dict[str, list[HumanAct]] = {}
    for row in context.rows(
        _RAISED, from_ms=from_ms, until_ms=until_ms, segment=context.filters.segment
    ):
        name = row["qualification_id"]
        raised[name] = row["at_ms"]
        if row["kind"] is not None:
            automatic = bool(row["automatic"])
            act = HumanAct(
                kind=row["kind"],
                occurred_at_ms=row["occurred_at_ms"],
                automatic=automatic,
                outcome=row["outcome"],
            )
            acts.setdefault(name, []).append(act)
    waits: list[Waiting] = [
        waiting(at_ms, acts.get(name, []), context.now_ms) for name, at_ms in raised.items()
    ]
    untouched = sum(wait.attempted_ms is None for wait in waits)
    return Speed(
        attempt=attempts(waits), contact=contacts(waits), hands=len(waits), untouched=untouched
    )


_STANDS = """FROM clock c JOIN lead l ON l.lead_id = c.lead_id
    WHERE c.state IN ('running', 'breached') AND c.deadline_ms < :now
    AND l.holder_kind IN ('person', 'queue', 'nobody') AND c.cycle = l.cycle
    AND (c.handoff_id IS NULL OR c.handoff_id = l.handoff_id)
    AND (:pool IS NULL OR c.pool = :pool) AND (:segment IS NULL OR c.segment = :segment)"""
_OPEN = f"""SELECT c.*, l.holder,
    (SELECT kind FROM ladder_step s WHERE s.clock_id = c.clock_id ORDER BY s.log_ms DESC,
        CASE s.kind WHEN 'notify' THEN 1 ELSE 0 END, s.action_id LIMIT 1) step
    {_STANDS} ORDER BY c.deadline_ms, c.clock_id LIMIT 200"""
_OPEN_COUNT = f"SELECT count(*) {_STANDS}"


def open_breaches(context: Context) -> tuple[list[dict[str, Any]], int]:
    """Clocks past their deadline that whoever holds the lead can still stop, the oldest first, with
    the last step of the ladder; and how many there are."""
    asked = {
        "now": context.now_ms,
        "pool": context.filters.pool,
        "segment": context.filters.segment,
    }
    return context.named(context.rows(_OPEN, **asked)), context.value(_OPEN_COUNT, **asked)


def weeks_before(context: Context, number: int) -> list[tuple[int, int]]:
    """The last whole weeks before the present one, Monday to Monday, in the agreement's zone; the
    latest first."""
    monday = context.today - timedelta(days=context.today.weekday())
    starts = [monday - timedelta(days=7 * back) for back in range(number + 1)]
    return [(context.start_of(starts[n + 1]), context.start_of(starts[n])) for n in range(number)]


def sla(context: Context) -> dict[str, Any]:
    """The page SLA."""
    rows = clock_groups(context, context.from_ms, context.until_ms)
    overdue, number = open_breaches(context)
    cancelled: Counter[str] = Counter()
    for found in compliance_by(context, rows, "side").values():
        cancelled.update(found.reasons)
    weeks = [
        (start, side_by_side(context, start, end))
        for start, end in reversed(weeks_before(context, 8))
    ]
    sides = compliance_by(context, rows, "side")
    return {
        "sides": {side: sides.get((side,)) or Compliance(counts={}) for side in SIDES},
        "by_clock": compliance_by(context, rows, "side", "clock"),
        "spent": time_spent(rows),
        "speed": speed_to_lead(context, context.from_ms, context.until_ms),
        "open": overdue,
        "overdue": number,
        "digests": notified_digests(context),
        "cancelled": sorted(cancelled.items(), key=lambda item: (-item[1], item[0])),
        "weeks": weeks,
    }
