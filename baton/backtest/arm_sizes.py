"""Whether as many of so many may have been drawn with a given chance. Pure.

The binomial distribution itself, and not the chi-square that stands for it where many are expected:
with a small share, or in the first days, a few accounts would be called too many, or none too few.
"""

from __future__ import annotations

from math import exp, lgamma, log
from typing import Final

UNLIKELY: Final = 0.001
"""What chance brings about once in a thousand times, on either side."""
_ENOUGH: Final = 1e-9
"""A term of the tail that is this much smaller than the first one ends the sum."""


def is_unlikely(count: int, total: int, share: float) -> bool:
    """Whether ``count`` of ``total`` is further from ``share`` than chance allows."""
    if not total or not 0 < share < 1:
        return False
    if count > total * share:
        count, share = total - count, 1 - share  # the other side of the same draw
    return 2 * _at_most(count, total, share) < UNLIKELY


def _at_most(count: int, total: int, share: float) -> float:
    """How likely ``count`` or fewer are, ``count`` being no more than is expected."""
    term = first = exp(
        lgamma(total + 1)
        - lgamma(count + 1)
        - lgamma(total - count + 1)
        + count * log(share)
        + (total - count) * log(1 - share)
    )
    tail = term
    while count and term > first * _ENOUGH:
        term *= count / (total - count + 1) * (1 - share) / share
        count -= 1
        tail += term
    return tail
