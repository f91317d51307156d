"""Qualifications, hand-offs and cycles that ended, by span. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from services.insights.facts.rollup_tables import (
    DEALS_BY_SPAN,
    HANDOFFS_BY_SPAN,
    QUALIFIED_BY_SPAN,
    REASONS_BY_SPAN,
    RECYCLED_BY_SPAN,
    REFUSALS_BY_SPAN,
)
from services.insights.facts.table import Table
from services.insights.rollups.span_counting import (
    Add,
    Counting,
    Row,
    Source,
    by_lead,
    by_span,
    named_by,
)
from services.insights.rollups.wait_counts import POOL_OF

_QUALIFIED: Final = f"""SELECT q.qualified_at_ms, COALESCE(q.latest_campaign, ''),
    COALESCE(q.segment, ''), COALESCE({POOL_OF}, ''), COALESCE(m.event, ''),
    CASE WHEN m.event = 'rejected' THEN COALESCE(m.reason, '') ELSE '' END
    FROM qualification q LEFT JOIN stage_move m ON m.fact_id = (SELECT v.fact_id FROM stage_move v
        WHERE v.qualification_id = q.qualification_id
        AND v.event IN ('accepted', 'rejected', 'recycled', 'disqualified', 'withdrawn')
        ORDER BY v.occurred_at_ms, v.fact_id LIMIT 1)
    WHERE q.qualification_id {{these}} AND q.stage = 'mql'"""
_HANDOFFS: Final = """SELECT h.routed_at_ms, h.pool, h.owner, h.turn_used, h.level = 'hot',
    EXISTS (SELECT 1 FROM stage_move m WHERE m.handoff_id = h.handoff_id AND m.event = 'accepted'),
    EXISTS (SELECT 1 FROM stage_move m WHERE m.handoff_id = h.handoff_id AND m.event = 'rejected'),
    EXISTS (SELECT 1 FROM ladder_step s WHERE s.handoff_id = h.handoff_id AND s.kind = 'reassign')
    FROM handoff h WHERE h.handoff_id {these}"""
_RECYCLED: Final = """SELECT r.log_ms, r.reason, r.outcome,
    EXISTS (SELECT 1 FROM reactivated b WHERE b.recycle_id = r.recycle_id),
    EXISTS (SELECT 1 FROM qualification q WHERE q.lead_id = r.lead_id AND q.stage = 'mql'
        AND q.qualified_at_ms > r.log_ms),
    EXISTS (SELECT 1 FROM deal d WHERE d.lead_id = r.lead_id AND d.state = 'won'
        AND d.ended_at_ms > r.log_ms)
    FROM recycled r WHERE r.lead_id {these}"""
_REASONS: Final = """SELECT occurred_at_ms, COALESCE(segment, ''), event, COALESCE(reason, '')
    FROM stage_move WHERE lead_id {these}
    AND event IN ('rejected', 'lost', 'recycled', 'disqualified')
    UNION ALL SELECT d.ended_at_ms, COALESCE(d.segment, ''), d.state, COALESCE(d.reason, '')
    FROM deal d JOIN stage_move m ON m.fact_id = d.ended_by
    WHERE d.lead_id {these} AND d.state = 'lost' AND m.event = 'deal_changed'"""

_DEALS: Final = """SELECT d.opened_at_ms, COALESCE(d.currency, ''), d.amount_minor IS NOT NULL,
    COALESCE(d.amount_minor, 0), d.state = 'won', d.state IN ('won', 'lost'),
    CASE WHEN d.state = 'won' THEN d.ended_at_ms - d.opened_at_ms ELSE 0 END
    FROM deal d WHERE d.lead_id {these} AND d.opened_at_ms IS NOT NULL"""
_REFUSALS: Final = """SELECT r.log_ms, r.event, r.reason, r.log_ms FROM refusal r
    WHERE r.fact_id {these}"""


def _counting(
    statement: str,
    table: Table,
    keys: int,
    sources: Mapping[str, tuple[Source, ...]],
    *,
    family: bool = False,
) -> Counting:
    """A row is a moment, so many columns of the key, and what is added; or one, where nothing
    is."""

    def adds(rows: Iterable[Row], zone: str) -> Iterator[Add]:
        for at_ms, *rest in rows:
            counts = (1, *(int(value) for value in rest[keys:]))
            yield from by_span(table, at_ms, zone, tuple(rest[:keys]), counts)

    return Counting(statement=statement, adds=adds, tables=(table,), sources=sources, family=family)


QUALIFIED: Final = _counting(
    _QUALIFIED,
    QUALIFIED_BY_SPAN,
    5,
    named_by("qualification_id", "qualification", "stage_move", "handoff"),
)
HANDOFFS: Final = _counting(
    _HANDOFFS,
    HANDOFFS_BY_SPAN,
    2,
    named_by("handoff_id", "handoff", "stage_move", "ladder_step"),
)
RECYCLED: Final = _counting(
    _RECYCLED,
    RECYCLED_BY_SPAN,
    2,
    by_lead("recycled", "reactivated", "qualification", "stage_move", "merged"),
    family=True,
)
REASONS: Final = _counting(
    _REASONS, REASONS_BY_SPAN, 3, by_lead("stage_move", "merged"), family=True
)
REFUSALS: Final = _counting(_REFUSALS, REFUSALS_BY_SPAN, 2, named_by("fact_id", "refusal"))
DEALS: Final = _counting(_DEALS, DEALS_BY_SPAN, 1, by_lead("stage_move", "merged"), family=True)
