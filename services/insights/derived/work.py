"""Leads that somebody has to work on, with the moments from which they are late or at risk, so that
what needs somebody now is found without looking at all leads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from services.insights.facts.change import Put, put
from services.insights.facts.derived_tables import OPEN_CLOCK, WORK

NEVER_MS: Final = 1 << 62
"""Later than every moment: no clock runs."""
HELD: Final = """SELECT l.lead_id, l.holder_kind, l.holder, l.pool, l.segment, l.level,
    l.hand_raised, l.routed_at_ms, l.last_act_ms,
    c.clock_id, c.pool, c.segment, c.started_at_ms, c.deadline_ms
    FROM lead l LEFT JOIN clock c ON c.lead_id = l.lead_id
        AND c.state IN ('running', 'breached') AND c.cycle = l.cycle
        AND (c.handoff_id IS NULL OR c.handoff_id = l.handoff_id)
    WHERE l.holder_kind IN ('person', 'queue', 'nobody') AND l.survivor IS NULL AND l.erased = 0
    AND l.lead_id IN ({these}) ORDER BY l.lead_id, c.deadline_ms, c.clock_id"""
"""Leads in work with the clocks that can still be stopped, the one that runs out first first."""
LEAD_COLUMNS: Final = (
    "holder_kind",
    "holder",
    "pool",
    "segment",
    "level",
    "hand_raised",
    "routed_at_ms",
    "last_act_ms",
    "cycle",
    "handoff_id",
    "survivor",
    "erased",
)
"""The columns of the lead that :data:`HELD` reads."""


def work_rows(rows: Iterable[tuple[Any, ...]]) -> Iterator[Put]:
    """The row of each lead, and those of its clocks, from what :data:`HELD` finds of it; at risk
    once three quarters of the time are gone, untouched while nobody has done anything since the
    hand-over."""
    worked = None
    for lead_id, kind, holder, pool, segment, level, asked, routed_ms, act_ms, *clock in rows:
        clock_id, clock_pool, clock_segment, start_ms, due_ms = clock
        if clock_id is not None:
            yield put(
                OPEN_CLOCK,
                clock_id=clock_id,
                lead_id=lead_id,
                holder=holder,
                pool=clock_pool or "",
                segment=clock_segment or "",
                deadline_ms=due_ms,
            )
        if lead_id == worked:
            continue
        worked = lead_id
        is_touched = act_ms is not None and act_ms >= (routed_ms or 0)
        is_hot = kind == "person" and not is_touched and (level == "hot" or bool(asked))
        yield put(
            WORK,
            lead_id=lead_id,
            holder_kind=kind,
            holder=holder,
            pool=pool or "",
            segment=segment or "",
            hot=is_hot,
            due_ms=NEVER_MS if due_ms is None else due_ms,
            risk_ms=NEVER_MS if due_ms is None else start_ms + 3 * (due_ms - start_ms) // 4,
        )
