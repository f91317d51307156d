"""Fairness: who was given how much, by pool; by person where the house has switched that on, or for
oneself."""

from __future__ import annotations

from typing import Any

from services.insights.reports.context import Context

_BY = """SELECT h.{key} name, h.pool, count(*) handed, count(DISTINCT h.lead_id) leads, sum(h.turn_used) turns,
    count(*) FILTER (WHERE h.level = 'hot') hot,
    count(*) FILTER (WHERE EXISTS (SELECT 1 FROM stage_move m WHERE m.handoff_id = h.handoff_id AND m.event = 'accepted')) accepted,
    count(*) FILTER (WHERE EXISTS (SELECT 1 FROM stage_move m WHERE m.handoff_id = h.handoff_id AND m.event = 'rejected')) rejected,
    count(*) FILTER (WHERE EXISTS (SELECT 1 FROM ladder_step s WHERE s.handoff_id = h.handoff_id AND s.kind = 'reassign')) taken
    FROM handoff h WHERE h.routed_at_ms >= :from_ms AND h.routed_at_ms < :until_ms AND (:pool IS NULL OR h.pool = :pool)
    AND (:own IS NULL OR h.owner = :own) GROUP BY 1, 2 ORDER BY 2, 1"""


def fairness(context: Context) -> dict[str, Any]:
    """The page Fairness."""
    asked = {"from_ms": context.from_ms, "until_ms": context.until_ms, "pool": context.filters.pool}
    own = None if context.per_person else context.viewer.person or ""
    people = context.rows(_BY.format(key="owner"), own=own, **asked)
    weights = {
        (pool.name, member.person): member.weight
        for pool in (context.agreement.pools.values() if context.agreement else ())
        for member in pool.members
    }
    pools = context.rows(_BY.format(key="pool"), own=None, **asked)
    turns = {row["pool"]: row["turns"] for row in pools}
    for row in people:
        weight = weights.get((row["pool"], row["name"]), 0)
        whole = sum(own for (pool, _), own in weights.items() if pool == row["pool"])
        row["weight"] = weight
        row["ideal"] = turns.get(row["pool"], 0) * weight / whole if whole else None
    return {
        "pools": pools,
        "people": people,
        "per_person": context.per_person,
        "away": _away(context),
    }


def _away(context: Context) -> list[dict[str, Any]]:
    from services.insights.projection.reference import book_in

    reference = book_in(context.db).at(context.now_ms)
    soon = context.now_ms + 14 * 86_400_000
    return [
        {"person": absence.person, "from_ms": absence.from_ms, "until_ms": absence.until_ms}
        for absence in (reference.absences if reference else ())
        if absence.until_ms > context.now_ms and absence.from_ms < soon
    ]
