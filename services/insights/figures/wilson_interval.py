"""Shares with what is not known about them: Wilson's interval, and the rules for when a share may
be shown at all.

Source: E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

Z_95: Final = 1.959963984540054
FEWEST_FOR_A_RATE: Final = 20
FEWEST_FOR_A_FIRM_RATE: Final = 100
SMALL_CELL: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """``count`` of ``total``. ``low`` and ``high`` bound the true share with 95 % confidence."""

    count: int
    total: int

    @property
    def rate(self) -> float | None:
        """The share; None of nothing."""
        return self.count / self.total if self.total else None

    @property
    def shown(self) -> bool:
        """Whether there is enough to speak of a rate; below that, counts are shown."""
        return self.total >= FEWEST_FOR_A_RATE

    @property
    def firm(self) -> bool:
        """Whether the rate needs no warning that it rests on little."""
        return self.total >= FEWEST_FOR_A_FIRM_RATE

    @property
    def low(self) -> float:
        """The lower bound."""
        return wilson(self.count, self.total)[0]

    @property
    def high(self) -> float:
        """The upper bound."""
        return wilson(self.count, self.total)[1]


def wilson(count: float, total: float, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval for ``count`` of ``total``, which may be effective numbers; (0, 1) of
    nothing."""
    if not 0 <= count <= total:
        raise ValueError(f"{count} of {total} is no share")
    if total == 0:
        return (0.0, 1.0)
    rate, square = count / total, z * z / total
    centre = rate + square / 2
    margin = z * sqrt(rate * (1 - rate) / total + square / (4 * total))
    low, high = (centre - margin) / (1 + square), (centre + margin) / (1 + square)
    return (0.0 if count == 0 else low, 1.0 if count == total else high)
