"""Decisions of the weekly meeting: what is open, what is late, what was done of late."""

from __future__ import annotations

from typing import Any, Final

from services.insights.reports.context import DAY_MS, Context

_DECISIONS: Final = """SELECT * FROM decision WHERE done = 0 OR at_ms >= :since
    ORDER BY done, due, decision_id LIMIT 40"""


def decisions(context: Context) -> list[dict[str, Any]]:
    """Open ones by their day, then those done in the last eight days; each with ``late``."""
    today = context.today.isoformat()
    rows = context.rows(_DECISIONS, since=context.now_ms - 8 * DAY_MS)
    return [row | {"late": not row["done"] and row["due"] < today} for row in rows]
