"""Fairness: who was given how much, by pool; by person where the house has switched that on, or for
oneself."""

from __future__ import annotations

from typing import Any, Final

from services.insights.reports.context import Context

_BY: Final = """SELECT {key} name, pool, sum(handed) handed, sum(turns) turns, sum(hot) hot,
    sum(accepted) accepted, sum(rejected) rejected, sum(taken) taken
    FROM handoffs_by_span WHERE {{spans}} AND (:pool IS NULL OR pool = :pool)
    AND (:own IS NULL OR owner = :own) GROUP BY 1, 2 ORDER BY 2, 1"""


def fairness(context: Context) -> dict[str, Any]:
    """The page Fairness."""
    period = (context.from_ms, context.until_ms)
    pool = context.filters.pool
    own = None if context.per_person else context.viewer.person or ""
    people = context.counted(_BY.format(key="owner"), *period, own=own, pool=pool)
    weights = {
        (pool.name, member.person): member.weight
        for pool in (context.agreement.pools.values() if context.agreement else ())
        for member in pool.members
    }
    pools = context.counted(_BY.format(key="pool"), *period, own=None, pool=pool)
    turns = {row["pool"]: row["turns"] for row in pools}
    for row in people:
        weight = weights.get((row["pool"], row["name"]))  # None: has left the pool since
        whole = sum(own for (pool, _), own in weights.items() if pool == row["pool"])
        row["weight"] = weight
        row["ideal"] = (
            None if weight is None or not whole else turns.get(row["pool"], 0) * weight / whole
        )
    return {
        "pools": pools,
        "people": people,
        "per_person": context.per_person,
        "away": _away(context),
    }


def _away(context: Context) -> list[dict[str, Any]]:
    from services.insights.projection.reference_state import book_in

    reference = book_in(context.db).at(context.now_ms)
    soon = context.now_ms + 14 * 86_400_000
    return [
        {"person": absence.person, "from_ms": absence.from_ms, "until_ms": absence.until_ms}
        for absence in (reference.absences if reference else ())
        if absence.until_ms > context.now_ms and absence.from_ms < soon
    ]
