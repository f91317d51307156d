"""Whether the goals of both sides would have been met. Pure.

What is ready (``mql``) is replayed under both agreements, so it is known. What people made of leads
is known only where history handed them over too: of the rest nobody can say, so such a goal is met,
missed, or open between the two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.goals import Goal
from baton.agreement.wall_time import local_date, zone_named
from baton.backtest.history import History
from baton.backtest.replay import FirstQualification

MET, MISSED, OPEN = "met", "missed", "cannot be said"
_OUTCOMES: Final[Mapping[str, str]] = {
    "sal": "accepted",
    "sql": "sql",
    "opportunity": "opportunity",
    "won": "won",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalOutlook:
    """A goal of the new agreement in one whole period. ``new_least`` leads certainly count under
    the new one, ``not_evaluable`` more might; with the old one it was ``old``."""

    goal: str
    period: str
    target: int
    old: int
    new_least: int
    not_evaluable: int

    @property
    def verdict(self) -> str:
        """Whether the new agreement would have met it."""
        if self.new_least >= self.target:
            return MET
        return MISSED if self.new_least + self.not_evaluable < self.target else OPEN


def goal_outlooks(
    agreement: CompiledAgreement,
    old: Mapping[str, FirstQualification],
    new: Mapping[str, FirstQualification],
    *,
    history: History | None,
    since_ms: int,
    until_ms: int,
) -> tuple[GoalOutlook, ...]:
    """Every goal that counts leads, in each period that lies wholly in ``[since_ms, until_ms)``."""
    found = []
    for goal in agreement.goals.values():
        for period in _whole_periods(goal, agreement.timezone, since_ms, until_ms):
            if goal.metric == "mql":
                found.append(_of_ready(goal, period, agreement.timezone, old, new))
            elif goal.metric in _OUTCOMES and history is not None:
                found.append(_of_outcomes(goal, period, agreement.timezone, old, new, history))
    return tuple(found)


def _of_ready(
    goal: Goal,
    period: str,
    zone: str,
    old: Mapping[str, FirstQualification],
    new: Mapping[str, FirstQualification],
) -> GoalOutlook:
    counted = [
        sum(
            goal.segment in (None, one.segment) and _period(goal, one.at_ms, zone) == period
            for one in leads.values()
        )
        for leads in (old, new)
    ]
    return GoalOutlook(
        goal=goal.name,
        period=period,
        target=goal.target,
        old=counted[0],
        new_least=counted[1],
        not_evaluable=0,
    )


def _of_outcomes(
    goal: Goal,
    period: str,
    zone: str,
    old: Mapping[str, FirstQualification],
    new: Mapping[str, FirstQualification],
    history: History,
) -> GoalOutlook:
    outcome = _OUTCOMES[goal.metric]
    reached = {
        lead_id
        for lead_id, outcomes in history.reached_at.items()
        if outcome in outcomes and _period(goal, outcomes[outcome], zone) == period
    }
    unworked = [
        one
        for lead_id, one in new.items()
        if lead_id not in history.handed and _period(goal, one.at_ms, zone) <= period
    ]
    return GoalOutlook(
        goal=goal.name,
        period=period,
        target=goal.target,
        old=_of_segment(goal, (old[lead_id] for lead_id in reached if lead_id in old)),
        new_least=_of_segment(goal, (new[lead_id] for lead_id in reached if lead_id in new)),
        not_evaluable=_of_segment(goal, unworked),
    )


def _of_segment(goal: Goal, leads: Iterable[FirstQualification]) -> int:
    return sum(goal.segment in (None, one.segment) for one in leads)


def _whole_periods(goal: Goal, zone: str, since_ms: int, until_ms: int) -> list[str]:
    """The periods of which neither end is cut off, in order."""
    days = Counter[str]()
    first, last = (local_date(at_ms, zone_named(zone)) for at_ms in (since_ms, until_ms - 1))
    for number in range(first.toordinal(), last.toordinal() + 1):
        days[_period_of(goal, date.fromordinal(number))] += 1
    before = _period_of(goal, date.fromordinal(first.toordinal() - 1))
    after = _period_of(goal, date.fromordinal(last.toordinal() + 1))
    return [period for period in days if period not in (before, after)]


def _period(goal: Goal, at_ms: int, zone: str) -> str:
    return _period_of(goal, local_date(at_ms, zone_named(zone)))


def _period_of(goal: Goal, day: date) -> str:
    if goal.per == "quarter":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return f"{day.year}-{day.month:02}"
