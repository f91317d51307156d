"""Records of goals: what counts towards a goal, and its progress.

Times are ``..._ms``: milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

OPENED: Final = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalTally:
    """``sla.tallies.v1`` (keyed by goal): something that counts towards a goal. ``amount`` is in units of the goal's metric;
    ``tally_id`` makes it count once."""

    goal: str
    tally_id: str
    metric: str
    amount: int
    occurred_at_ms: int
    segment: str | None
    lead_id: str
    cause_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalProgress:
    """``goals.progress.v1``: a goal in its period. ``pace`` in parts per million: achieved / (goal * share of working days
    gone). ``last_periods``: what the former ones gave, by period (``2026-10``)."""

    goal: str
    metric: str
    side: str
    period: str
    segment: str | None
    target: int
    achieved: int
    pace_ppm: int
    working_days_gone: int
    working_days: int
    at_ms: int
    cause_id: str
    agreement: str
    state: str = "running"
    last_periods: Mapping[str, int] = field(default_factory=dict)
