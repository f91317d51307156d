"""Goals: pace and forecast within a period, and pipeline coverage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction


def pace(*, achieved: int, target: int, days_gone: int, days: int) -> Fraction | None:
    """Achieved for what should be achieved by now: 1 is on course. None before the first working
    day, or without a target."""
    return Fraction(achieved * days, target * days_gone) if target > 0 and days_gone > 0 else None


def linear_forecast(*, achieved: int, days_gone: int, days: int) -> Fraction | None:
    """What the period comes to if it goes on like this; None before the first working day."""
    return Fraction(achieved * days, days_gone) if days_gone > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeal:
    """An open opportunity as it was reported last; or so many alike ones, with the sum of their
    amounts."""

    amount_minor: int | None
    currency: str | None
    expected_close: date | None
    number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """``open_minor``: deals to close in the period and not past. ``left_minor``: quota less won.
    The other three are beside it, and not in it: ``stale`` (expected close is past), ``undated``
    (no date or no amount), ``foreign`` (another currency). All but amounts are numbers of deals."""

    open_minor: int
    left_minor: int
    counted: int
    stale: int = 0
    undated: int = 0
    foreign: int = 0

    @property
    def done(self) -> bool:
        """The quota is won: there is nothing left to cover."""
        return self.left_minor <= 0

    @property
    def ratio(self) -> Fraction | None:
        """How many times what is left is covered; None where nothing is left."""
        return None if self.done else Fraction(self.open_minor, self.left_minor)


def coverage(
    deals: Iterable[OpenDeal],
    *,
    quota_minor: int,
    won_minor: int,
    currency: str,
    today: date,
    ends: date,
) -> Coverage:
    """Of the period that ends before ``ends``."""
    open_minor = 0
    numbers = dict.fromkeys(("counted", "stale", "undated", "foreign"), 0)
    for deal in deals:
        if deal.currency is not None and deal.currency != currency:
            numbers["foreign"] += deal.number
        elif deal.expected_close is None or deal.amount_minor is None:
            numbers["undated"] += deal.number
        elif deal.expected_close < today:
            numbers["stale"] += deal.number
        elif deal.expected_close < ends:
            numbers["counted"] += deal.number
            open_minor += deal.amount_minor
    return Coverage(open_minor=open_minor, left_minor=quota_minor - won_minor, **numbers)
