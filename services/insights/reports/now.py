"""What needs somebody now: late, hot and untouched, at risk, waiting in a queue; and leads that
nobody holds."""

from __future__ import annotations

from collections import Counter
from typing import Any

from services.insights.reports.context import Context

_DUE = """LEFT JOIN clock c ON c.clock_id = (SELECT clock_id FROM clock WHERE lead_id = l.lead_id
        AND state IN ('running', 'breached') AND cycle = l.cycle
        AND (handoff_id IS NULL OR handoff_id = l.handoff_id) ORDER BY deadline_ms, clock_id LIMIT 1)"""
_HELD = f"""SELECT l.lead_id, l.holder_kind, l.pool, l.level, l.hand_raised, l.routed_at_ms,
    l.last_act_ms, c.deadline_ms, c.started_at_ms FROM lead l {_DUE}
    WHERE l.holder_kind IN ('person', 'queue', 'nobody') AND l.survivor IS NULL AND l.erased = 0
    AND (:pool IS NULL OR l.pool = :pool) AND (:segment IS NULL OR l.segment = :segment)
    AND (:person IS NULL OR l.holder = :person)"""
_WHOLE = f"""SELECT l.lead_id, l.holder, l.holder_kind, l.pool, l.stage, l.level, l.grade,
    l.segment, l.account_id, l.hand_raised, l.handoff_id, l.engagement_micro, c.clock,
    c.deadline_ms FROM lead l {_DUE} WHERE l.lead_id IN """
_AT_RISK_SHARE = 0.75
_SHOWN = 60

GROUPS = (
    (
        "nobody",
        "Nobody holds it",
        "There should be none: no lead without a holder and a next date.",
    ),
    ("late", "Late", "A clock has run out and nothing has stopped it."),
    (
        "hot",
        "Hot, not touched yet",
        "Hot or with a raised hand, and no act of a person since it was handed over.",
    ),
    ("risk", "At risk", "More than three quarters of the time is gone."),
    ("queue", "Waiting in a queue", "Nobody is eligible yet; the pool's queue holds it."),
)


def group_of(row: dict[str, Any], now_ms: int) -> str:
    """The most urgent group the lead belongs to; ``calm`` where it needs nobody now."""
    if row["holder_kind"] == "nobody":
        return "nobody"
    deadline, started = row["deadline_ms"], row["started_at_ms"]
    if deadline is not None and deadline < now_ms:
        return "late"
    touched = row["last_act_ms"] is not None and row["last_act_ms"] >= (row["routed_at_ms"] or 0)
    if (
        row["holder_kind"] == "person"
        and not touched
        and (row["level"] == "hot" or row["hand_raised"])
    ):
        return "hot"
    if deadline is not None and now_ms - started > _AT_RISK_SHARE * (deadline - started):
        return "risk"
    return "queue" if row["holder_kind"] == "queue" else "calm"


def now(context: Context) -> dict[str, Any]:
    """The page Now."""
    asked = context.filters
    rows = context.rows(_HELD, pool=asked.pool, segment=asked.segment, person=asked.person)
    grouped: dict[str, list[dict[str, Any]]] = {
        name: [] for name in (*(group[0] for group in GROUPS), "calm")
    }
    for row in rows:
        grouped[group_of(row, context.now_ms)].append(row)
    counts = {name: len(found) for name, found in grouped.items()}
    shown = {name: context.named(_whole(context, grouped[name])) for name, _, _ in GROUPS}
    return {
        "groups": [(name, title, says, shown[name], counts[name]) for name, title, says in GROUPS],
        "counts": counts,
        "held": len(rows),
        "load": sorted(Counter((row["pool"] or "—") for row in rows).items()),
    }


def _whole(context: Context, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All columns of the most urgent ones: of many leads only what groups them is read."""
    first = sorted(found, key=lambda row: (row["deadline_ms"] or 1 << 62, row["lead_id"]))[:_SHOWN]
    if not first:
        return []
    asked = {f"lead_{number}": row["lead_id"] for number, row in enumerate(first)}
    marks = ", ".join(f":{name}" for name in asked)
    rows = {row["lead_id"]: row for row in context.rows(f"{_WHOLE}({marks})", **asked)}
    return [rows[row["lead_id"]] for row in first]
