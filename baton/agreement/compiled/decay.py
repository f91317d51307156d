"""Half-lives: the one place that knows how points decay, in arithmetic that gives the same bits
everywhere.

A point that was earned at ``t_i`` is worth ``p * 2^(-(t - t_i)/h)`` at ``t``. That is ``p *
2^(t_i/h)`` divided by ``2^(t/h)``: the first factor depends on the entry alone, so the numbers of a
group are added once, always in the ledger's order, and only the sum is decayed. The value at any
later time costs one division, and never rises.

Whoever keeps points asks here and knows no formula: what an entry adds to a sum
(:meth:`Decay.grown`, :func:`rebased`), what a sum is worth (:func:`worth`, :class:`DecayMoment`),
when sums that decay by several half-lives are less than a number (:func:`about_when`,
:class:`FadingSum`). What they rely on is that a sum can be kept as a number and a power of two, and
that nothing rises by itself.

All of it is additions, multiplications and divisions of doubles, which IEEE 754 fixes to the bit;
``2^x`` is made here from a table and a polynomial, since the C library's differs between machines.
Its relative error is below 1e-13, and 2e-16 more for each half-life since the epoch (2e-11 for a
half-life of six hours), and it never falls as ``x`` grows by what a millisecond adds for
a half-life of up to a century. Scaling by a power of two is exact, so exponents are kept apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import inf, isqrt, ldexp, log2
from typing import Final

from baton.agreement.quantities import DAY_MS, HOUR_MS

_STEPS: Final = 1024
_HALVINGS: Final = 128
_KEPT_HALF_LIVES: Final = 10
_LONGEST: Final = _HALVINGS * _STEPS
_LN2: Final = 0.6931471805599453
_LN2_2: Final = 0.2402265069591007
_LN2_3: Final = 0.055504108664821576
_NEWTON_STEPS: Final = 12
_BOUND_STEPS: Final = 32


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


def rebased(positive: float, negative: float, base: int, onto: int) -> tuple[float, float]:
    """Two sums that are multiples of ``2^base``, as multiples of ``2^onto``: how they are before
    points with that exponent are added. Exact."""
    return ldexp(positive, base - onto), ldexp(negative, base - onto)


def _left(total: float, step: int) -> float:
    """What is left of ``total`` after so many thousandths of a half-life."""
    return ldexp(total / _POWERS[step & 1023], -(step >> 10))


@dataclass(frozen=True, slots=True)
class Decay:
    """How points lose their worth: half of it every ``half_life_ms``; 0: they lose none.

    ``divisor``, ``grown`` and ``at`` are exact arithmetic, the same to the bit everywhere.
    ``falling``, ``crossing_ms`` and ``of_every_day`` are floating-point estimates: they guide a
    search or a message, and decide nothing.
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

    def of_every_day(self, amount: float, days: float) -> float:
        """About what ``amount`` earned every day has come to after so many days."""
        if not self.half_life_ms:
            return amount * days
        fade, _ = self.falling(1.0, DAY_MS)
        return float(amount * (1 - fade**days) / (1 - fade))


@cache
def decay_of(half_life_ms: int) -> Decay:
    """The decay with this half-life, made once."""
    return Decay(half_life_ms)


class DecayMoment:
    """A moment at which many sums are weighed: what it divides by is computed once a half-life."""

    __slots__ = ("_divisors", "at_ms")

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms
        self._divisors: dict[int, Divisor] = {}

    def left(self, total: float, base: int, half_life_ms: int) -> float:
        """What a sum of grown points, ``total * 2^base``, is worth."""
        if not half_life_ms:
            return total
        divisor = self._divisors.get(half_life_ms)
        if divisor is None:
            divisor = self._divisors[half_life_ms] = decay_of(half_life_ms).divisor(self.at_ms)
        return worth(total, base, divisor)


class FadingSum:
    """Amounts as they are now, added up, and a bound of how soon they can be less than a number.

    ``value`` is what they come to, as whoever adds them up rounds it. Of it ``decays`` falls, by
    half-life, and ``stays`` does not fall by itself.
    """

    __slots__ = ("decays", "stays", "value")

    def __init__(self) -> None:
        self.value = 0
        self.decays: dict[int, float] = {}
        self.stays = 0.0

    def holds_for_ms(self, threshold: int, *, closely: bool) -> int | None:
        """For so long the value is surely not below ``threshold`` if nothing happens; None: by
        itself it never is. As if all of it fell by the shortest half-life; ``closely``: from
        there on again with what is then left, as long as that adds an hour."""
        least, left, after_ms = threshold - self.stays, self.decays, 0
        fastest = decay_of(min(left, default=0))
        for _ in range(_BOUND_STEPS):
            more_ms = fastest.holds_for_ms(sum(left.values()), least)
            if more_ms is None:
                return None
            after_ms += more_ms
            if not closely or len(left) < 2 or more_ms < HOUR_MS:
                break
            left = {
                half_life_ms: decay_of(half_life_ms).surely_left(amount, after_ms)
                for half_life_ms, amount in self.decays.items()
            }
        return after_ms


def about_when(amounts: Iterable[tuple[float, Decay, float]], wanted: float) -> float:
    """About how long after now amounts, each falling by its decay and counting up to its cap
    (below 0: none), come to no more than ``wanted`` together; infinite where they never do.

    Newton's method. Between two moments at which an amount falls to its cap the sum falls more
    slowly all the time, so that a step goes too far only past such a moment, where it stops.
    """
    fixed = 0.0
    fading: list[tuple[float, Decay, float]] = []
    for amount, decay, cap in amounts:
        if decay.half_life_ms:
            fading.append((amount, decay, cap))
        else:
            fixed += amount if cap < 0.0 or amount < cap else cap
    after = 0.0
    for _ in range(_NEWTON_STEPS + len(fading)):
        value, slope, kink = fixed, 0.0, inf
        for amount, decay, cap in fading:
            left, goes = decay.falling(amount, after)
            if 0.0 <= cap < left * (1 - 1e-12):
                value += cap
                kink = min(kink, decay.crossing_ms(amount, cap))
            else:
                value += left
                slope += goes
        if value <= wanted:
            break
        ahead = after + (value - wanted) / slope if slope else kink
        if ahead == inf:
            return inf
        if ahead - after < 0.5:
            break
        after = min(ahead, kink)
    return after
