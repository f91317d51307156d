"""What needs somebody now: late, hot and untouched, at risk, waiting in a queue; and leads that
nobody holds."""

from __future__ import annotations

from typing import Any, Final

from services.insights.reports.context import Context

_GROUPED: Final = """SELECT CASE WHEN holder_kind = 'nobody' THEN 'nobody'
    WHEN due_ms < :now THEN 'late' WHEN hot = 1 THEN 'hot' WHEN risk_ms < :now THEN 'risk'
    WHEN holder_kind = 'queue' THEN 'queue' ELSE 'calm' END name, count(*) number
    FROM work WHERE {filtered} GROUP BY 1"""
_OF: Final = {
    "nobody": "holder_kind = 'nobody'",
    "late": "due_ms < :now AND holder_kind <> 'nobody'",
    "hot": "holder_kind = 'person' AND hot = 1 AND due_ms >= :now",
    "risk": "hot = 0 AND due_ms >= :now AND risk_ms < :now AND holder_kind <> 'nobody'",
    "queue": "holder_kind = 'queue' AND hot = 0 AND due_ms >= :now AND risk_ms >= :now",
}
_FIRST: Final = """SELECT l.lead_id, l.holder, l.holder_kind, l.pool, l.stage, l.level, l.grade,
    l.segment, l.account_id, l.hand_raised, l.handoff_id, l.engagement_micro, c.clock,
    c.deadline_ms FROM (SELECT lead_id, due_ms FROM work WHERE {group} AND {filtered}
        ORDER BY due_ms, lead_id LIMIT {most}) w
    CROSS JOIN lead l ON l.lead_id = w.lead_id
    LEFT JOIN clock c ON c.clock_id = (SELECT clock_id FROM clock WHERE lead_id = l.lead_id
        AND state IN ('running', 'breached') AND cycle = l.cycle
        AND (handoff_id IS NULL OR handoff_id = l.handoff_id)
        ORDER BY deadline_ms, clock_id LIMIT 1)
    ORDER BY w.due_ms, w.lead_id"""
_UNFILTERED: Final = f"""SELECT (SELECT count(*) FROM work) held, {
    ", ".join(
        f"(SELECT count(*) FROM work WHERE {condition}) {name}" for name, condition in _OF.items()
    )
}"""
"""Each by a range of an index: only those that need somebody are looked at."""
_SHOWN: Final = 60
CALM: Final = "calm"
"""In work, and nobody is needed now."""

GROUPS: Final = (
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


def now(context: Context) -> dict[str, Any]:
    """The page Now."""
    counts = counted(context)
    return {
        "groups": [
            (name, title, says, first_of(context, name) if counts[name] else [], counts[name])
            for name, title, says in GROUPS
        ],
        "counts": counts,
    }


def counted(context: Context) -> dict[str, int]:
    """How many leads are in which group."""
    names = [name for name, _, _ in GROUPS]
    asked = _asked(context)
    if any(value is not None for value in asked.values()):
        statement = _GROUPED.format(filtered=_filtered(context))
        rows = context.rows(statement, now=context.now_ms, **asked)
        found = {row["name"]: row["number"] for row in rows}
        return {name: found.get(name, 0) for name in (*names, CALM)}
    (found,) = context.rows(_UNFILTERED, now=context.now_ms)
    groups = {name: found[name] for name in names}
    return {**groups, CALM: found["held"] - sum(groups.values())}


def first_of(context: Context, group: str, most: int = _SHOWN) -> list[dict[str, Any]]:
    """The most urgent ones of a group."""
    statement = _FIRST.format(group=_OF[group], filtered=_filtered(context), most=most)
    return context.named(context.rows(statement, now=context.now_ms, **_asked(context)))


def _filtered(context: Context) -> str:
    return context.filtered(pool="pool", segment="segment", person="holder")


def _asked(context: Context) -> dict[str, str | None]:
    filters = context.filters
    return {"pool": filters.pool, "segment": filters.segment, "person": filters.person}
