"""Recycling and returns: by reason, how many went out, came back, qualified again, were won; what
is due and what is overdue."""

from __future__ import annotations

from typing import Any, Final

from services.insights.reports.context import Context

_BY_REASON: Final = """SELECT reason, outcome, sum(ended) ended, sum(back) back, sum(again) again,
    sum(won) won FROM recycled_by_span WHERE {spans} GROUP BY 1, 2 ORDER BY 3 DESC, 1"""
_DUE: Final = """SELECT l.lead_id, l.holder, l.holder_kind, l.next_at_ms, l.account_id, l.segment,
    r.reason, r.track, r.needs FROM lead l LEFT JOIN rest r ON r.recycle_id =
    (SELECT recycle_id FROM rest WHERE lead_id = l.lead_id ORDER BY log_ms DESC LIMIT 1)
    WHERE l.holder_kind = 'nurture' AND l.next_at_ms >= :from_ms AND l.next_at_ms < :until_ms
    ORDER BY l.next_at_ms LIMIT 60"""
_OVERDUE: Final = """SELECT count(*) FROM lead
    WHERE holder_kind = 'nurture' AND next_at_ms >= 0 AND next_at_ms < :now"""
_RESTING: Final = "SELECT count(*) FROM lead WHERE holder_kind = 'nurture'"
_MISSING: Final = """SELECT count(DISTINCT r.lead_id) FROM rest r
    CROSS JOIN lead l ON l.lead_id = r.lead_id
    WHERE r.needs > '' AND l.holder_kind = 'nurture'
    AND NOT EXISTS (SELECT 1 FROM rest n WHERE n.lead_id = r.lead_id AND n.log_ms > r.log_ms)"""


def returning(context: Context, from_ms: int, until_ms: int) -> list[dict[str, Any]]:
    """Leads that come back by themselves in a period."""
    return context.named(context.rows(_DUE, from_ms=from_ms, until_ms=until_ms))


def recycling(context: Context) -> dict[str, Any]:
    """The page Recycling."""
    week = 7 * 86_400_000
    return {
        "reasons": context.counted(_BY_REASON, context.from_ms, context.until_ms),
        "soon": returning(context, context.now_ms, context.now_ms + 4 * week),
        "overdue": context.value(_OVERDUE, now=context.now_ms),
        "resting": context.value(_RESTING),
        "missing": context.value(_MISSING),
    }
