"""SLA of both sides, and speed to lead: shared by the pages SLA and Monday."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from services.insights.figures.compliance import ClockNow, Compliance, compliance_of
from services.insights.figures.survival import Survival
from services.insights.reports.context import Context
from services.insights.reports.notified_digests import notified_digests
from services.insights.reports.waits import waits
from services.insights.rollups.wait_counts import ATTEMPT, CONTACT

SIDES = ("marketing", "sales", "sales_management")
_SPENT = ("system", "queue", "human", "buyer", "rest")
_SUMS: Final = ", ".join(f"sum(spent_{part}_ms) {part}" for part in _SPENT)
_FILTERED: Final = "{filtered} GROUP BY 1, 2, 3, 4, 5, 6, 7"
_COUNTED: Final = f"""SELECT side, clock, state, ended_late late, reason, unproven, 1 past,
    sum(number) number, {_SUMS} FROM clocks_by_span
    WHERE {{{{spans}}}} AND state <> :but AND {_FILTERED}"""
_NOTHING: Final = ", ".join(f"0 {part}" for part in _SPENT)
_RUNNING: Final = f"""SELECT side, clock, state, 0 late, '' reason,
    CASE WHEN deadline_ms < :now AND EXISTS (SELECT 1 FROM violation v
        WHERE v.clock_id = c.clock_id AND v.kind = 'breach' AND v.unproven = 1)
        THEN 1 ELSE 0 END unproven,
    CASE WHEN deadline_ms < :now THEN 1 ELSE 0 END past, count(*) number, {_NOTHING}
    FROM clock c WHERE state = 'running' AND deadline_ms >= :from_ms AND deadline_ms < :until_ms
    AND {_FILTERED}"""


def clock_groups(context: Context, from_ms: int, until_ms: int) -> list[dict[str, Any]]:
    """The clocks that fall due in a period, as they were published last: alike ones in one row,
    with their number. They were counted before; but of those that run and fall due from today on,
    what has run out depends on the moment."""
    asked = {"pool": context.filters.pool, "segment": context.filters.segment}
    today_ms = context.start_of(context.today)
    filtered = context.filtered(pool="pool", segment="COALESCE(segment, '')")
    counted, running = _COUNTED.format(filtered=filtered), _RUNNING.format(filtered=filtered)
    rows = context.counted(counted, from_ms, min(until_ms, today_ms), but="", **asked)
    if until_ms > today_ms:
        lately_ms = max(from_ms, today_ms)
        rows += context.counted(counted, lately_ms, until_ms, but="running", **asked)
        period = {"from_ms": lately_ms, "until_ms": until_ms, "now": context.now_ms}
        rows += context.rows(running, **asked, **period)
    return sorted(rows, key=lambda row: (row["side"], row["clock"], row["state"], row["reason"]))


def _alike(row: dict[str, Any], now_ms: int) -> tuple[ClockNow, int]:
    """A clock that stands for all of the row, and how many they are."""
    deadline = now_ms - 1 if row["past"] else now_ms + 1
    ended = deadline + 1 if row["late"] else None
    clock = ClockNow(
        state=row["state"],
        deadline_ms=deadline,
        ended_at_ms=ended,
        reason=row["reason"] or None,
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
    first contact. To the minute up to an hour, then coarser."""

    attempt: Survival
    contact: Survival
    hands: int
    untouched: int


def speed_to_lead(context: Context, from_ms: int, until_ms: int) -> Speed:
    """Of the hands raised in a period."""
    found = waits(context, (ATTEMPT, CONTACT), from_ms, until_ms)
    attempt, contact = found[ATTEMPT], found[CONTACT]
    return Speed(
        attempt=attempt,
        contact=contact,
        hands=attempt.ended + attempt.open,
        untouched=attempt.open,
    )


_LATE: Final = "FROM open_clock WHERE deadline_ms < :now AND {filtered}"
_OPEN: Final = f"""SELECT c.*, o.holder, (SELECT kind FROM ladder_step s
        WHERE s.clock_id = o.clock_id
        ORDER BY s.log_ms DESC, CASE s.kind WHEN 'notify' THEN 1 ELSE 0 END, s.action_id
        LIMIT 1) step
    FROM (SELECT clock_id, holder {_LATE} ORDER BY deadline_ms, clock_id LIMIT 100) o
    CROSS JOIN clock c ON c.clock_id = o.clock_id ORDER BY c.deadline_ms, c.clock_id"""
_OPEN_COUNT: Final = f"SELECT count(*) {_LATE}"


def open_breaches(context: Context) -> tuple[list[dict[str, Any]], int]:
    """Clocks past their deadline that whoever holds the lead can still stop, the oldest first, with
    the last step of the ladder; and how many there are."""
    asked = {
        "now": context.now_ms,
        "pool": context.filters.pool,
        "segment": context.filters.segment,
    }
    filtered = context.filtered(pool="pool", segment="segment")
    rows = context.rows(_OPEN.format(filtered=filtered), **asked)
    return context.named(rows), context.value(_OPEN_COUNT.format(filtered=filtered), **asked)


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
