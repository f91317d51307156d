"""Touches by campaign and source, and titled content before deals that ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from services.insights.facts.rollup_tables import (
    ACTS_BY_SPAN,
    CONTENT_BY_SPAN,
    CREDITS_BY_SPAN,
    EVENTS_BY_SOURCE,
    TOUCHES_BY_SPAN,
)
from services.insights.rollups.span_counting import Add, Counting, Row, by_lead, by_span, named_by

_COUNTS: Final = """t.automatic = 0
    AND NOT EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = t.event_id)"""
_TOUCHES: Final = f"""SELECT t.source, t.received_at_ms, t.clamped, t.occurred_at_ms,
    t.campaign, {_COUNTS} FROM touch t WHERE t.event_id {{these}}"""
_FIRST: Final = f"""SELECT COALESCE(t.campaign, ''), min(t.occurred_at_ms) FROM touch t
    WHERE t.lead_id {{these}} AND {_COUNTS} GROUP BY t.lead_id, 1"""
_ACTS: Final = """SELECT a.source, a.received_at_ms, a.occurred_at_ms, a.kind
    FROM act a WHERE a.event_id {these}"""
_CONTENT: Final = f"""SELECT d.root, d.deal, d.ended_at_ms, COALESCE(d.segment, ''), '', d.state
    FROM deal d WHERE d.lead_id {{these}} AND d.state IN ('won', 'lost')
    UNION ALL SELECT DISTINCT seen.* FROM
    (SELECT d.root, d.deal, d.ended_at_ms, COALESCE(d.segment, ''), t.content_title, d.state
        FROM deal d CROSS JOIN touch t ON t.lead_id = d.lead_id
        WHERE d.lead_id {{these}} AND d.state IN ('won', 'lost') AND t.content_title IS NOT NULL
        AND t.occurred_at_ms <= d.ended_at_ms AND {_COUNTS}) seen"""
_CREDITS: Final = """SELECT c.won_at_ms, c.model, c.currency, c.campaign, c.amount_minor
    FROM credit c WHERE c.journey {these}"""


def _touch_adds(rows: Iterable[Row], zone: str) -> Iterator[Add]:
    for source, received_ms, clamped, at_ms, campaign, counts in rows:
        values = (1, clamped, int(campaign is None), received_ms)
        yield Add(EVENTS_BY_SOURCE, (source, "touch"), values)
        if counts:
            yield from by_span(TOUCHES_BY_SPAN, at_ms, zone, (campaign or "",), (1, 0))


def _first_adds(rows: Iterable[Row], zone: str) -> Iterator[Add]:
    for campaign, at_ms in rows:
        yield from by_span(TOUCHES_BY_SPAN, at_ms, zone, (campaign,), (0, 1))


def _act_adds(rows: Iterable[Row], zone: str) -> Iterator[Add]:
    for source, received_ms, at_ms, kind in rows:
        yield Add(EVENTS_BY_SOURCE, (source, "act"), (1, 0, 0, received_ms))
        yield from by_span(ACTS_BY_SPAN, at_ms, zone, (kind,), (1,))


def _content_adds(rows: Iterable[Row], zone: str) -> Iterator[Add]:
    for _, _, at_ms, *key in rows:
        yield from by_span(CONTENT_BY_SPAN, at_ms, zone, tuple(key), (1,))


def _credit_adds(rows: Iterable[Row], zone: str) -> Iterator[Add]:
    for at_ms, *key, amount in rows:
        yield from by_span(CREDITS_BY_SPAN, at_ms, zone, tuple(key), (1, amount))


TOUCHES: Final = Counting(
    statement=_TOUCHES,
    adds=_touch_adds,
    tables=(TOUCHES_BY_SPAN, EVENTS_BY_SOURCE),
    sources=named_by("event_id", "touch", "retraction"),
)
FIRST_TOUCHES: Final = Counting(
    statement=_FIRST,
    adds=_first_adds,
    tables=(TOUCHES_BY_SPAN,),
    sources=by_lead("touch", "retraction"),
)
ACTS: Final = Counting(
    statement=_ACTS,
    adds=_act_adds,
    tables=(EVENTS_BY_SOURCE, ACTS_BY_SPAN),
    sources=named_by("event_id", "act"),
)
CONTENT: Final = Counting(
    statement=_CONTENT,
    adds=_content_adds,
    tables=(CONTENT_BY_SPAN,),
    sources=by_lead("stage_move", "merged", "touch", "retraction"),
    family=True,
)
CREDITS: Final = Counting(
    statement=_CREDITS,
    adds=_credit_adds,
    tables=(CREDITS_BY_SPAN,),
    sources={},
)
"""Counted by who writes them: credits are made anew for a whole journey at once."""
