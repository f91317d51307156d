"""Records of goals: what counts towards a goal, and its progress.

Times are ``..._ms``: milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

JOINED_METRIC: Final = "joined"
GOAL_ENDED: Final = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalTally:
    """``sla.tallies.v1`` (keyed by goal): something that counts towards a goal. ``amount`` is in
    units of the goal's metric; ``tally_id`` makes it count once; what counts people counts once a
    lead and ``cycle``. ``into``: no amount, but the news that the lead has ended in that one, so
    that the two are one person. ``due``: the day on which an open deal is expected to close, as the
    deal says. ``replaces``: the tally of the same win that this one takes the place of (``amount``
    0: of nothing); where that one is not counted, neither is this. A negative ``amount`` of what
    counts people takes back what the lead and ``cycle`` counted for."""

    goal: str
    tally_id: str
    metric: str
    amount: int
    occurred_at_ms: int
    segment: str | None
    lead_id: str
    cause_id: str
    cycle: int = 0
    into: str | None = None
    due: str | None = None
    replaces: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalProgress:
    """``goals.progress.v1``: a goal in its period. ``pace`` in parts per million: achieved / (goal
    * share of working days gone). ``last_periods``: what the former ones gave, by period
    (``2026-10``). ``state``: running, met or missed (the period is over), ended (it is agreed no
    more). ``owed_from``: the day (ISO) on which the goal came into force, where that is after the
    period's first working day; then ``target`` and ``working_days`` are those from that day on.

    Coverage counts the open deals that are expected to close in the period and are not past that
    day; beside them, in whole units of the currency: ``open_overdue`` (the day is past),
    ``open_later`` (after the period), ``open_undated`` (no day is known)."""

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
    open_overdue: int = 0
    open_later: int = 0
    open_undated: int = 0
    owed_from: str | None = None
