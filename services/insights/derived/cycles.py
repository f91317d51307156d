"""The cycles of a lead, from its moves alone: when each stage was reached first, and when a cycle
ended short of a customer. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from baton.contracts.leads import LeadStaged, Stage, StageEvent
from baton.contracts.stage_events import NO_MOVES
from services.insights.derived.lead_rows import Kept
from services.insights.facts.change import Put, put
from services.insights.facts.derived_tables import CYCLE

STAGES: Final = (Stage.MQL, Stage.SAL, Stage.SQL, Stage.OPPORTUNITY, Stage.CUSTOMER)
"""The stages that the funnel has; those of the bridge team lie between the first two."""
_ENDS: Final = frozenset({Stage.RECYCLED, Stage.DISQUALIFIED, Stage.INQUIRY})
_NO_MOVE: Final = NO_MOVES - {StageEvent.TAKEN_OVER}


@dataclass(slots=True)
class _Cycle:
    reached: dict[str, int] = field(default_factory=dict)
    inferred: set[str] = field(default_factory=set)
    ended_ms: int | None = None


def cycle_rows(lead_id: str, facts: Sequence[Kept], wins: Container[str]) -> Iterator[Put]:
    """A row for each cycle. A skipped stage counts as reached with the one that skipped it, and is
    marked inferred. ``wins``: the facts of the wins that stand; one that was taken back reached no
    customer."""
    cycles: dict[int, _Cycle] = {}
    moves = [
        fact
        for fact in facts
        if isinstance(fact.value, LeadStaged) and fact.value.event not in _NO_MOVE
    ]
    for kept in sorted(moves, key=lambda move: (move.value.occurred_at_ms, move.order)):
        undone = kept.value.event == StageEvent.WON and kept.fact_id not in wins
        _take(cycles.setdefault(kept.value.cycle, _Cycle()), kept.value, reaches=not undone)
    for number, cycle in sorted(cycles.items()):
        reached = {f"{stage}_ms": cycle.reached.get(stage) for stage in STAGES}
        inferred = ";".join(stage for stage in STAGES if stage in cycle.inferred)
        yield put(
            CYCLE,
            lead_id=lead_id,
            cycle=number,
            ended_ms=cycle.ended_ms,
            inferred=inferred,
            **reached,
        )


def _take(cycle: _Cycle, move: LeadStaged, *, reaches: bool) -> None:
    for stage in move.inferred:
        if stage not in cycle.reached:
            cycle.reached[stage] = move.occurred_at_ms
            cycle.inferred.add(stage)
    if move.to_stage in _ENDS:
        cycle.ended_ms = cycle.ended_ms if cycle.ended_ms is not None else move.occurred_at_ms
    elif reaches:
        cycle.reached.setdefault(move.to_stage, move.occurred_at_ms)
