"""Leads that somebody has to work on, with the moments from which they are late or at risk, so that
what needs somebody now is found without looking at all leads. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from services.insights.facts.change import Put, put
from services.insights.facts.derived_tables import WORK

NEVER_MS: Final = 1 << 62
"""Later than every moment: no clock runs."""
HELD: Final = """SELECT l.lead_id, l.holder_kind, l.holder, l.pool, l.segment, l.level,
    l.hand_raised, l.routed_at_ms, l.last_act_ms, c.started_at_ms, c.deadline_ms
    FROM lead l LEFT JOIN clock c ON c.clock_id = (SELECT clock_id FROM clock
        WHERE lead_id = l.lead_id AND state IN ('running', 'breached') AND cycle = l.cycle
        AND (handoff_id IS NULL OR handoff_id = l.handoff_id)
        ORDER BY deadline_ms, clock_id LIMIT 1)
    WHERE l.holder_kind IN ('person', 'queue', 'nobody') AND l.survivor IS NULL AND l.erased = 0
    AND l.lead_id = ?1"""
"""A lead in work with the clock that runs out first."""


def work_rows(rows: Iterator[tuple[Any, ...]]) -> Iterator[Put]:
    """The row of a lead, from what :data:`HELD` finds of it; at risk once three quarters of the
    time are gone, untouched while nobody has done anything since the hand-over."""
    for row in rows:
        lead_id, kind, holder, pool, segment, level, asked, routed_ms, act_ms, start_ms, due_ms = (
            row
        )
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
