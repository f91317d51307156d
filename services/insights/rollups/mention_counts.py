"""What acts named (objections, competitors, content), by span, and what became of the deals. Pure.

How many different leads named a word in a period is no sum over days. But a mention is the lead's
first of the period exactly where the mention before it lies before the period, so mentions are
counted by the day of the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from services.insights.facts.rollup_tables import DEALS_BY_MENTION, MENTIONS_BY_SPAN
from services.insights.rollups.span_counting import Add, Counting, Row, by_lead, by_span
from services.insights.rollups.spans import spans_of

_MENTIONS: Final = """SELECT m.kind, m.word, m.occurred_at_ms, lag(m.occurred_at_ms)
    OVER (PARTITION BY m.lead_id, m.kind, m.word ORDER BY m.occurred_at_ms)
    FROM mention m WHERE m.lead_id {these}"""
_DEALS: Final = """SELECT DISTINCT heard.* FROM
    (SELECT d.root, d.deal, d.ended_at_ms, COALESCE(d.segment, ''), m.kind, m.word, d.state
        FROM deal d CROSS JOIN mention m ON m.lead_id = d.lead_id
        WHERE d.lead_id {these} AND d.state IN ('won', 'lost')
        AND m.kind IN ('objection', 'competitor') AND m.occurred_at_ms <= d.ended_at_ms) heard"""


def _mention_adds(rows: Iterable[Row], zone: str) -> Iterator[Add]:
    for kind, word, at_ms, last_ms in rows:
        before = "" if last_ms is None else spans_of(last_ms, zone)[0]
        yield from by_span(MENTIONS_BY_SPAN, at_ms, zone, (kind, word, before), (1,))


def _deal_adds(rows: Iterable[Row], zone: str) -> Iterator[Add]:
    for _, _, at_ms, *key in rows:
        yield from by_span(DEALS_BY_MENTION, at_ms, zone, tuple(key), (1,))


MENTIONS: Final = Counting(
    statement=_MENTIONS,
    adds=_mention_adds,
    tables=(MENTIONS_BY_SPAN,),
    sources=by_lead("mention"),
)
DEALS_HEARD: Final = Counting(
    statement=_DEALS,
    adds=_deal_adds,
    tables=(DEALS_BY_MENTION,),
    sources=by_lead("stage_move", "merged", "mention"),
    family=True,
)
