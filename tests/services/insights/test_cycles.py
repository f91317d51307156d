"""The cycles of a lead: what is no move reaches and ends nothing."""

from __future__ import annotations

import pytest

from baton.contracts.leads import LeadStaged, StageEvent
from baton.contracts.stage_events import NO_MOVES
from services.insights.derived.cycles import cycle_rows
from services.insights.derived.lead_rows import Kept


def kept(event: str, to: str, *, cycle: int, at_ms: int) -> Kept:
    move = LeadStaged(
        lead_id="l1",
        cycle=cycle,
        from_stage=to,
        to_stage=to,
        event=event,
        actor="system",
        cause_id="c",
        at_ms=at_ms,
        occurred_at_ms=at_ms,
        evidence_at_ms=at_ms,
        agreement="v",
    )
    return Kept(topic="leads.stages.v1", log_ms=at_ms, log_offset=at_ms, value=move)


@pytest.mark.parametrize("event", sorted(NO_MOVES - {StageEvent.TAKEN_OVER}))
@pytest.mark.parametrize("stage", ["recycled", "customer", "opportunity"])
def test_what_is_no_move_begins_no_cycle_reaches_no_stage_and_ends_nothing(
    event: str, stage: str
) -> None:
    facts = [
        kept("qualified", "mql", cycle=1, at_ms=1),
        kept("recycled", "recycled", cycle=1, at_ms=2),
    ]
    assert [*cycle_rows("l1", [*facts, kept(event, stage, cycle=2, at_ms=3)], ())] == [
        *cycle_rows("l1", facts, ())
    ]
