"""Touches by campaign and source, and titled content before deals that ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final

from services.insights.facts.rollup_tables import (
    ACTS_BY_SPAN,
    CONTENT_BY_SPAN,
    CREDITS_BY_SPAN,
    EVENTS_BY_SOURCE,
    TOUCHES_BY_SPAN,
)
from services.insights.rollups.span_counting import Add, Counting, Row, by_span

_COUNTS: Final = """t.automatic = 0
    AND NOT EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = t.event_id)"""
_TOUCHES: Final = f"""SELECT t.lead_id, t.source, t.received_at_ms, t.clamped, t.occurred_at_ms,
    t.campaign, {_COUNTS} FROM touch t WHERE t.lead_id {{these}} ORDER BY t.lead_id"""
_ACTS: Final = """SELECT a.source, a.received_at_ms, a.occurred_at_ms, a.kind
    FROM act a WHERE a.lead_id {these}"""
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
    for _, those in groupby(rows, key=itemgetter(0)):
        first: dict[str, int] = {}
        for _, source, received_ms, clamped, at_ms, campaign, counts in those:
            values = (1, clamped, int(campaign is None), received_ms)
            yield Add(EVENTS_BY_SOURCE, (source, "touch"), values)
            if counts:
                name = campaign or ""
                yield from by_span(TOUCHES_BY_SPAN, at_ms, zone, (name,), (1, 0))
                first[name] = min(first.get(name, at_ms), at_ms)
        for name, at_ms in first.items():
            yield from by_span(TOUCHES_BY_SPAN, at_ms, zone, (name,), (0, 1))


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
    sources=frozenset({"touch", "retraction"}),
)
ACTS: Final = Counting(
    statement=_ACTS,
    adds=_act_adds,
    tables=(EVENTS_BY_SOURCE, ACTS_BY_SPAN),
    sources=frozenset({"act"}),
)
CONTENT: Final = Counting(
    statement=_CONTENT,
    adds=_content_adds,
    tables=(CONTENT_BY_SPAN,),
    sources=frozenset({"stage_move", "merged", "touch", "retraction"}),
    family=True,
)
CREDITS: Final = Counting(
    statement=_CREDITS,
    adds=_credit_adds,
    tables=(CREDITS_BY_SPAN,),
    sources=frozenset(),
)
"""By journey: credits are made anew for a whole journey at once."""
