"""Half-lives: the one place that knows how points decay, in arithmetic that gives the same bits
everywhere.

A point that was earned at ``t_i`` is worth ``p * 2^(-(t - t_i)/h)`` at ``t``. That is ``p *
2^(t_i/h)`` divided by ``2^(t/h)``: the first factor depends on the entry alone, so the numbers of a
group are added once, always in the ledger's order, and only the sum is decayed. The value at any
later time costs one division, and never rises.

All of it is additions, multiplications and divisions of doubles, which IEEE 754 fixes to the bit;
``2^x`` is made here from a table and a polynomial, since the C library's differs between machines.
Its relative error is below 1e-13, and 2e-16 more for each half-life since the epoch (2e-11 for a
half-life of six hours), and it never falls as ``x`` grows by what a millisecond adds for
a half-life of up to a century. Scaling by a power of two is exact, so exponents are kept apart.
"""

from dataclasses import dataclass
from functools import cache
from math import inf, isqrt, ldexp, log2
from typing import Final

_STEPS: Final = 1024
_HALVINGS: Final = 128
_KEPT_HALF_LIVES: Final = 10
_LONGEST: Final = _HALVINGS * _STEPS
_LN2: Final = 0.6931471805599453
_LN2_2: Final = 0.2402265069591007
_LN2_3: Final = 0.055504108664821576


def _powers() -> tuple[float, ...]:
    """``2^(k/1024)``, each correctly rounded: ten integer square roots, then products of
    integers."""
    one = 1 << 256
    root = one * 2
    for _ in range(10):
        root = isqrt(root * one)
    powers, power = [], one
    for _ in range(_STEPS):
        powers.append(power / one)
        power = power * root // one
    return tuple(powers)


_POWERS: Final = _powers()


Divisor = tuple[float, int]
"""``(m, q)`` meaning ``m * 2^q``, ``1 <= m < 2``: what sums of grown points are divided by at a
moment."""


def worth(grown: float, base: int, divisor: Divisor) -> float:
    """What ``grown * 2^base``, a sum or the share of one entry, is worth at the moment of the
    divisor."""
    return ldexp(grown / divisor[0], base - divisor[1])


def _left(total: float, step: int) -> float:
    """What is left of ``total`` after so many thousandths of a half-life."""
    return ldexp(total / _POWERS[step & 1023], -(step >> 10))


@dataclass(frozen=True, slots=True)
class Decay:
    """How points lose their worth: half of it every ``half_life_ms``; 0: they lose none.

    ``divisor``, ``grown`` and ``at`` are exact arithmetic, the same to the bit everywhere.
    ``falling`` and ``crossing_ms`` are floating-point estimates: they guide a search or a message,
    and decide nothing.
    """

    half_life_ms: int = 0

    @property
    def faded_ms(self) -> int:
        """The age from which on an entry is worth so little that it is dropped."""
        return _KEPT_HALF_LIVES * self.half_life_ms

    def divisor(self, at_ms: int) -> Divisor:
        """``2^(at/half_life)``."""
        if not self.half_life_ms:
            return 1.0, 0
        halvings = at_ms / self.half_life_ms
        step = int(halvings * 1024.0)
        rest = halvings - step * 0.0009765625
        return _POWERS[step & 1023] * (
            1.0 + rest * (_LN2 + rest * (_LN2_2 + rest * _LN2_3))
        ), step >> 10

    def grown(self, points: float, at_ms: int) -> tuple[float, int]:
        """Points earned at ``at_ms`` as they are added up: a number, and the power of two that it
        is a multiple of."""
        mantissa, exponent = self.divisor(at_ms)
        return points * mantissa, exponent

    def at(self, total: float, base: int, at_ms: int) -> float:
        """What a sum of grown points, ``total * 2^base``, is worth at ``at_ms``."""
        return worth(total, base, self.divisor(at_ms)) if self.half_life_ms else total

    def holds_for_ms(self, total: float, least: float) -> int | None:
        """For how many ms ``total`` surely stays at ``least`` or more while it decays, to a
        thousandth of a half-life, downwards; None: for ever."""
        if least <= 0 or not self.half_life_ms:
            return None
        # The logarithm only says where to look: which step it is, the exact comparison decides.
        low = int(log2(total / least) * _STEPS) if total > least else 0
        low = min(low, _LONGEST)
        while low < _LONGEST and _left(total, low + 1) >= least:
            low += 1
        while low and _left(total, low) < least:
            low -= 1
        return low * self.half_life_ms // _STEPS

    def surely_left(self, total: float, after_ms: int) -> float:
        """What is left of ``total`` after a time, to a thousandth of a half-life, downwards."""
        return _left(total, -(-after_ms * _STEPS // self.half_life_ms))

    def falling(self, amount: float, after_ms: float) -> tuple[float, float]:
        """About what is left of ``amount`` after a time, and how much of it goes in the next ms."""
        if not self.half_life_ms:
            return amount, 0.0
        left = amount * float(2.0 ** (-after_ms / self.half_life_ms))
        return left, left * _LN2 / self.half_life_ms

    def crossing_ms(self, amount: float, threshold: float) -> float:
        """About how long after now ``amount`` falls to ``threshold``; infinite where it never
        does."""
        if threshold <= 0 or not self.half_life_ms:
            return inf
        return self.half_life_ms * log2(amount / threshold)


@cache
def decay_of(half_life_ms: int) -> Decay:
    """The decay with this half-life, made once."""
    return Decay(half_life_ms)
