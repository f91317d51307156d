"""How a goal stands: what was achieved, at which pace, and whether it is going to be missed.

pace = achieved / (goal * working days gone / working days of the period), in parts per million. For
coverage it is what is open against what is left of the quota, as a share of the agreed multiple: no
days in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from baton.agreement.compiled.goals import Goal
from baton.agreement.model.goals import MONEY_METRICS
from baton.contracts.currencies import minor_digits
from services.sla_watcher.goals.periods import Period

COVERAGE: Final = "coverage"
WON_AMOUNT: Final = "won_amount"
PPM: Final = 1_000_000
_PERCENT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """``target`` and ``achieved`` in units of the metric: leads, whole money, or (for coverage)
    percent of what is left."""

    target: int
    achieved: int
    pace_ppm: int

    @property
    def reached(self) -> bool:
        """Whether nothing is missing."""
        return self.achieved >= self.target


def minor_units(currency: str) -> int:
    """How many minor units one unit of ``currency`` (ISO 4217) has."""
    return int(10 ** minor_digits(currency))


def in_units(goal: Goal, total: int) -> int:
    """A sum as people count it: leads, or whole units of the goal's currency."""
    return (
        total // minor_units(goal.currency)
        if goal.metric in MONEY_METRICS and goal.currency
        else total
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeals:
    """The open pipeline in minor units: what is ``due`` in the period and not past, and what stands
    beside it."""

    due: int = 0
    overdue: int = 0
    later: int = 0
    undated: int = 0


def deal_day(text: str | None) -> str:
    """The day on which a deal is expected to close, as ISO; empty where none is known, or what was
    reported is none."""
    try:
        return date.fromisoformat((text or "")[:10]).isoformat()
    except ValueError:
        return ""


def open_deals(by_day: Mapping[str, int], period: Period, today: date) -> OpenDeals:
    """The pipeline split by where its days lie, as seen on ``today``."""
    now, end = today.isoformat(), period.end.isoformat()
    dated = {day: amount for day, amount in by_day.items() if day}
    return OpenDeals(
        due=sum(amount for day, amount in dated.items() if now <= day < end),
        overdue=sum(amount for day, amount in dated.items() if day < now),
        later=sum(amount for day, amount in dated.items() if day >= max(now, end)),
        undated=by_day.get("", 0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedDays:
    """The working days on which the goal is owed: so many are ``gone`` of ``days``, in a period of
    ``whole``."""

    gone: int
    days: int
    whole: int


def standing(goal: Goal, *, total: int, open_minor: int, owed: OwedDays) -> Standing:
    """How the goal stands. ``total``: leads, or for money goals what was won in minor units. Where
    it came into force within the period, its target is the share of the working days left then,
    rounded down."""
    if goal.metric == COVERAGE:
        return _coverage(goal, won_minor=total, open_minor=open_minor)
    achieved = in_units(goal, total)
    target = goal.target * owed.days // owed.whole if owed.days < owed.whole else goal.target
    expected = target * owed.gone
    pace = achieved * owed.days * PPM // expected if expected else PPM
    return Standing(target=target, achieved=achieved, pace_ppm=pace)


def _coverage(goal: Goal, *, won_minor: int, open_minor: int) -> Standing:
    left = (goal.quota or 0) * minor_units(goal.currency or "") - won_minor
    target = goal.target * _PERCENT
    achieved = target if left <= 0 else max(0, open_minor) * _PERCENT // left
    return Standing(target=target, achieved=achieved, pace_ppm=achieved * PPM // target)


def will_be_missed(goal: Goal, now: Standing, owed: OwedDays) -> bool:
    """From the middle of the period on: whether the pace is below what the two sides agreed to be
    warned at."""
    return 2 * owed.gone >= owed.days and not now.reached and now.pace_ppm < goal.warn_below_ppm
