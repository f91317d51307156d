"""Clocks by the span in which they fall due. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from services.insights.facts.rollup_tables import CLOCKS_BY_SPAN
from services.insights.rollups.span_counting import Add, Counting, Row, by_span, named_by

_CLOCKS: Final = """SELECT c.deadline_ms, c.side, c.clock, c.pool, c.segment, c.state,
    c.ended_at_ms, c.reason, c.spent_system_ms, c.spent_queue_ms, c.spent_human_ms,
    c.spent_buyer_ms, c.spent_rest_ms,
    EXISTS (SELECT 1 FROM violation v WHERE v.clock_id = c.clock_id AND v.kind = 'breach'
        AND v.unproven = 1)
    FROM clock c WHERE c.clock_id {these}"""
_KEPT: Final = frozenset({"met", "withdrawn"})


def _adds(rows: Iterable[Row], zone: str) -> Iterator[Add]:
    for row in rows:
        deadline_ms, side, clock, pool, segment, state, ended_ms, reason, *spent, unproven = row
        cancelled = state == "cancelled"
        key = (
            side,
            clock,
            pool or "",
            segment or "",
            state,
            int(cancelled and ended_ms is not None and ended_ms > deadline_ms),
            (reason or "") if cancelled else "",
            int(bool(unproven) and state not in _KEPT),
        )
        times = (part or 0 for part in spent) if ended_ms is not None else (0,) * len(spent)
        yield from by_span(CLOCKS_BY_SPAN, deadline_ms, zone, key, (1, *times))


CLOCKS: Final = Counting(
    statement=_CLOCKS,
    adds=_adds,
    tables=(CLOCKS_BY_SPAN,),
    sources=named_by("clock_id", "clock", "violation"),
)
