"""Recycling and returns: by reason, how many went out, came back, qualified again, were won; what
is due and what is overdue."""

from __future__ import annotations

from typing import Any

from services.insights.reports.context import Context

_BY_REASON = """SELECT r.reason, r.outcome, count(*) ended,
    count(*) FILTER (WHERE EXISTS (SELECT 1 FROM reactivated b WHERE b.recycle_id = r.recycle_id)) back,
    count(*) FILTER (WHERE EXISTS (SELECT 1 FROM qualification q WHERE q.lead_id = r.lead_id AND q.stage = 'mql' AND q.qualified_at_ms > r.log_ms))
        again,
    count(*) FILTER (WHERE EXISTS (SELECT 1 FROM conversion w WHERE w.lead_id = r.lead_id AND w.won_at_ms > r.log_ms)) won
    FROM recycled r WHERE r.log_ms >= :from_ms AND r.log_ms < :until_ms GROUP BY 1, 2 ORDER BY 3 DESC, 1"""
_DUE = """SELECT l.lead_id, l.holder, l.holder_kind, l.next_at_ms, l.account_id, l.segment, r.reason, r.track, r.needs FROM lead l
    LEFT JOIN recycled r ON r.recycle_id = (SELECT recycle_id FROM recycled WHERE lead_id = l.lead_id ORDER BY log_ms DESC LIMIT 1)
    WHERE l.holder_kind = 'nurture' AND l.next_at_ms >= :from_ms AND l.next_at_ms < :until_ms ORDER BY l.next_at_ms LIMIT 60"""
_MISSING = """SELECT count(DISTINCT r.lead_id) FROM recycled r JOIN lead l ON l.lead_id = r.lead_id
    WHERE r.needs IS NOT NULL AND l.holder_kind = 'nurture'"""


def returning(context: Context, from_ms: int, until_ms: int) -> list[dict[str, Any]]:
    """Leads that come back by themselves in a period."""
    return context.named(context.rows(_DUE, from_ms=from_ms, until_ms=until_ms))


def recycling(context: Context) -> dict[str, Any]:
    """The page Recycling."""
    week = 7 * 86_400_000
    return {
        "reasons": context.rows(_BY_REASON, from_ms=context.from_ms, until_ms=context.until_ms),
        "soon": returning(context, context.now_ms, context.now_ms + 4 * week),
        "overdue": returning(context, 0, context.now_ms),
        "resting": context.value("SELECT count(*) FROM lead WHERE holder_kind = 'nurture'"),
        "missing": context.value(_MISSING),
    }
