"""What managers were notified of in digests: which pool, which period, how many breaches."""

from __future__ import annotations

from typing import Any, Final

from services.insights.reports.context import Context

_DIGESTS: Final = """SELECT pool, to_person, from_ms, until_ms, count FROM sla_digest
    WHERE until_ms >= :from_ms AND until_ms < :until_ms AND (:pool IS NULL OR pool = :pool)
    ORDER BY until_ms DESC, digest_id LIMIT 20"""


def notified_digests(context: Context) -> list[dict[str, Any]]:
    """The latest digests of the period and pool that are looked at."""
    return context.rows(
        _DIGESTS,
        from_ms=context.from_ms,
        until_ms=context.until_ms,
        pool=context.filters.pool,
    )
