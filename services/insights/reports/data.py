"""How good the board's data is: how fresh, what was refused, what could not be taken, what is
missing."""

from __future__ import annotations

from typing import Any, Final

from services.insights.reports.context import Context

_TOPICS = """SELECT topic, sum(records) records, max(last_ms) last_ms, max(CASE WHEN began_offset > 0 THEN began_ms END) incomplete_ms
    FROM position GROUP BY 1 ORDER BY 1"""
_REFUSALS: Final = """SELECT event, reason, sum(number) number, max(last_ms) last_ms
    FROM refusals_by_span WHERE {spans} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 40"""
_DEAD = (
    "SELECT code, count(*) number, max(log_ms) last_ms FROM dead_letter GROUP BY 1 ORDER BY 2 DESC"
)
_SOURCES: Final = """SELECT source, sum(events) events, max(last_ms) last_ms, sum(clamped) clamped
    FROM events_by_source GROUP BY 1 ORDER BY 1"""
_TOUCH_GAP: Final = """SELECT COALESCE(sum({part}), 0) part, COALESCE(sum(events), 0) whole
    FROM events_by_source WHERE kind = 'touch'"""
_GAPS: Final = (
    ("touches without a campaign", _TOUCH_GAP.format(part="unnamed")),
    ("touches whose time lay in the future", _TOUCH_GAP.format(part="clamped")),
    (
        "deals won without an amount",
        "SELECT count(*) FILTER (WHERE amount_minor IS NULL) part, count(*) whole FROM conversion",
    ),
    (
        "open deals without an expected close",
        (
            "SELECT count(*) FILTER (WHERE expected_close IS NULL) part, count(*) whole FROM "
            "deal WHERE state = 'open'"
        ),
    ),
    (
        "qualified leads without a segment",
        (
            "SELECT COALESCE(sum(CASE WHEN segment = '' THEN number END), 0) part, "
            "COALESCE(sum(number), 0) whole FROM qualified_by_span WHERE length(span) = 7"
        ),
    ),
    (
        "lost deals without a reason of their own",
        """SELECT count(*) FILTER (WHERE reason = 'lost_other') part, count(*) whole
        FROM deal WHERE state = 'lost'""",
    ),
)


def complete_since(context: Context) -> int | None:
    """From when on the board has everything; None: since the first record there ever was."""
    found: int | None = context.value("SELECT max(began_ms) FROM position WHERE began_offset > 0")
    return found


def first_record_ms(context: Context) -> int | None:
    """When the first record that the board has was appended; None: it read none."""
    found: int | None = context.value("SELECT min(began_ms) FROM position")
    return found


def data(context: Context) -> dict[str, Any]:
    """The page Data."""
    gaps = [(words, context.rows(statement)[0]) for words, statement in _GAPS]
    return {
        "topics": context.rows(_TOPICS),
        "refusals": context.counted(_REFUSALS, context.from_ms, context.until_ms),
        "dead": context.rows(_DEAD),
        "sources": context.rows(_SOURCES),
        "gaps": gaps,
        "since": complete_since(context),
        "revision": context.value("SELECT value FROM meta WHERE name = 'revision'"),
    }
