"""Cycles by when they reached a stage, and how long steps take. Pure.

A wait stands under its segment and pool, and under ``*`` for all of either, since curves of many
parts cannot be added quickly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from services.insights.derived.cycles import STAGES
from services.insights.facts.rollup_tables import PASSAGES_BY_SPAN, WAITS_BY_SPAN
from services.insights.rollups.durations import HOUR_MS, MINUTE_MS, rounded_up
from services.insights.rollups.span_counting import (
    LEAD_SOURCES,
    Add,
    Counting,
    Row,
    Source,
    by_lead,
    by_span,
)
from services.insights.rollups.spans import spans_of

ALL: Final = "*"
ATTEMPT: Final = "attempt"
CONTACT: Final = "contact"
_OPEN_GRAIN_MS: Final = 5 * MINUTE_MS
POOL_OF: Final = """(SELECT h.pool FROM handoff h WHERE h.qualification_id = q.qualification_id
    ORDER BY h.attempt DESC, h.handoff_id DESC LIMIT 1)"""
"""The pool of a qualification's last hand-off."""
_CYCLES: Final = f"""SELECT c.mql_ms, c.sal_ms, c.sql_ms, c.opportunity_ms, c.customer_ms,
    c.ended_ms, c.inferred, q.segment, {POOL_OF}
    FROM cycle c LEFT JOIN qualification q ON q.qualification_id = (SELECT l.qualification_id
        FROM qualification l WHERE l.lead_id = c.lead_id AND l.cycle = c.cycle
        ORDER BY l.qualified_at_ms DESC, l.qualification_id DESC LIMIT 1)
    WHERE c.lead_id {{these}}"""
_HANDS: Final = f"""SELECT raised.*, (SELECT min(a.occurred_at_ms) FROM act a
        WHERE a.lead_id = raised.lead_id AND a.occurred_at_ms >= raised.at_ms AND a.automatic = 0
        AND a.kind IN ('call', 'mail', 'meeting')),
    (SELECT min(a.occurred_at_ms) FROM act a
        WHERE a.lead_id = raised.lead_id AND a.occurred_at_ms >= raised.at_ms
        AND (a.kind = 'buyer_reply' OR (a.automatic = 0 AND a.outcome = 'reached'
            AND a.kind IN ('call', 'mail', 'meeting'))))
    FROM (SELECT q.lead_id, q.qualified_at_ms counted_ms, q.segment, {POOL_OF} pool,
        COALESCE(t.occurred_at_ms, q.qualified_at_ms) at_ms
        FROM qualification q LEFT JOIN touch t ON t.event_id = q.cause_id
        WHERE q.lead_id {{these}} AND q.hand_raised = 1 AND q.stage = 'mql'
        UNION ALL
        SELECT s.lead_id, t.occurred_at_ms, s.segment,
            {POOL_OF.replace("q.qualification_id", "s.qualification_id")}, t.occurred_at_ms
        FROM stage_move s JOIN touch t ON t.event_id = s.cause_id
        WHERE s.lead_id {{these}} AND s.event = 'hand_raised') raised"""
"""Hands that made a lead ready for a person, and those that were raised after that; but not those
that a lead took over with another, which count where they were raised."""


def _cycle_adds(rows: Iterable[Row], zone: str) -> Iterator[Add]:
    for *reached, ended_ms, inferred, segment, pool in rows:
        guessed = set(inferred.split(";"))
        steps = zip(pairwise(STAGES), pairwise(reached), strict=True)
        for (stage, following), (entered_ms, next_ms) in steps:
            if entered_ms is None:
                continue
            resolved = next_ms is not None or ended_ms is not None
            counts = (1, int(next_ms is not None), int(resolved), int(following in guessed))
            key = (stage, segment or "", pool or "")
            yield from by_span(PASSAGES_BY_SPAN, entered_ms, zone, key, counts)
            if stage in guessed or following in guessed:
                continue
            month = spans_of(entered_ms, zone)[1:]
            how = _how(entered_ms, next_ms, ended_ms, HOUR_MS)
            yield from _waits(stage, month, segment, pool, how)


def _hand_adds(rows: Iterable[Row], zone: str) -> Iterator[Add]:
    for _, counted_ms, segment, pool, raised_ms, *firsts in rows:
        spans = spans_of(counted_ms, zone)
        for step, first_ms in zip((ATTEMPT, CONTACT), firsts, strict=True):
            how = _how(raised_ms, first_ms, None, _OPEN_GRAIN_MS)
            yield from _waits(step, spans, segment, pool, how)


def _how(start_ms: int, reached_ms: int | None, left_ms: int | None, grain_ms: int) -> Row:
    if reached_ms is not None:
        return "reached", rounded_up(reached_ms - start_ms)
    if left_ms is not None:
        return "left", rounded_up(left_ms - start_ms)
    return "open", start_ms // grain_ms * grain_ms


def _waits(
    step: str, spans: Iterable[str], segment: str | None, pool: str | None, how: Row
) -> Iterator[Add]:
    for span in spans:
        for some in (segment or "", ALL):
            for one in (pool or "", ALL):
                yield Add(WAITS_BY_SPAN, (some, one, step, span, *how), (1,))


CYCLES: Final = Counting(
    statement=_CYCLES,
    adds=_cycle_adds,
    tables=(PASSAGES_BY_SPAN, WAITS_BY_SPAN),
    sources=by_lead("stage_move", "merged", "qualification", "handoff"),
    family=True,
)
_RAISED_LATER: Final = "SELECT lead_id FROM stage_move WHERE event = 'hand_raised' AND "
_CAUSES: Final = (
    Source(
        column="event_id", referred="SELECT lead_id FROM qualification WHERE cause_id IN ({these})"
    ),
    Source(column="event_id", referred=_RAISED_LATER + "cause_id IN ({these})"),
)
_HANDED_OVER: Final = Source(
    column="qualification_id", referred=_RAISED_LATER + "qualification_id IN ({these})"
)
HANDS: Final = Counting(
    statement=_HANDS,
    adds=_hand_adds,
    tables=(WAITS_BY_SPAN,),
    sources=by_lead("qualification", "stage_move", "act")
    | {"handoff": (*LEAD_SOURCES["handoff"], _HANDED_OVER), "touch": _CAUSES},
)
