"""Shares of leads where accounts were drawn and not leads: people of one account often have one
outcome, so a lead more of the same account says less than a lead of another. Pure.

The variance is that of a ratio of account totals (Cochran 1977, Sampling Techniques, 3rd ed., 6.3);
what it is against that of independent leads is the design effect, and Wilson's interval is taken
with so many times fewer leads, with Student's t for few accounts (Korn and Graubard 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from services.insights.figures.wilson_interval import Z_95, wilson

AccountTotal = tuple[int, int]
"""Of one account: leads handed over, and how many of those reached the outcome."""
Difference = tuple[float, float, float]
"""A difference of two rates, and the bounds of its 95 % interval."""


@dataclass(frozen=True, slots=True)
class AccountTotals:
    """The leads of an arm, by account."""

    totals: Sequence[AccountTotal]

    @property
    def handed(self) -> int:
        """Leads."""
        return sum(handed for handed, _ in self.totals)

    @property
    def reached(self) -> int:
        """Of those, how many reached it."""
        return sum(reached for _, reached in self.totals)

    @property
    def rate(self) -> float:
        """The share of leads."""
        return self.reached / self.handed

    @property
    def design_effect(self) -> float:
        """How many leads say as much as one independent lead; 1 where every account has one."""
        handed, accounts, rate = self.handed, len(self.totals), self.rate
        if accounts == handed:
            return 1.0
        if rate in (0.0, 1.0) or accounts < 2:
            return sum(own * own for own, _ in self.totals) / handed
        squares = sum((reached - rate * own) ** 2 for own, reached in self.totals)
        variance = accounts / (accounts - 1) * squares / handed**2
        return max(variance / (rate * (1 - rate) / handed), 1.0)

    @property
    def effective(self) -> float:
        """So many independent leads would say as much."""
        accounts, handed = len(self.totals), self.handed
        if accounts == handed or accounts < 2:
            return handed / self.design_effect
        student = Z_95 * (1 + (Z_95**2 + 1) / (4 * (accounts - 1)))
        return handed / self.design_effect * (Z_95 / student) ** 2

    @property
    def bounds(self) -> tuple[float, float]:
        """The 95 % interval of the rate."""
        return wilson(self.rate * self.effective, self.effective)


def difference(one: AccountTotals, other: AccountTotals) -> Difference:
    """``one`` less ``other``, with Newcombe's interval (1998, method 10) from the two Wilson
    intervals."""
    first, second = one.rate, other.rate
    (low_1, high_1), (low_2, high_2) = one.bounds, other.bounds
    low = first - second - sqrt((first - low_1) ** 2 + (high_2 - second) ** 2)
    high = first - second + sqrt((high_1 - first) ** 2 + (second - low_2) ** 2)
    return first - second, low, high
