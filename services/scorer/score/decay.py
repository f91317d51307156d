"""Half-lives in arithmetic that gives the same bits everywhere.

A point that was earned at ``t_i`` is worth ``p * 2^(-(t - t_i)/h)`` at ``t``. That is ``p *
2^(t_i/h)`` divided by ``2^(t/h)``: the first factor depends on the entry alone, so the numbers of a
group are added once, always in the ledger's order, and only the sum is decayed. The value at any
later time costs one division, and never rises.

All of it is additions, multiplications and divisions of doubles, which IEEE 754 fixes to the bit;
``2^x`` is made here from a table and a polynomial, since the C library's differs between machines.
Its relative error is below 1e-13, and it never falls as ``x`` grows by what a millisecond adds for
a half-life of up to a century. Scaling by a power of two is exact, so exponents are kept apart.
"""

from math import isqrt, ldexp
from typing import Final

_STEPS: Final = 1024
_HALVINGS: Final = 128
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


def growth(at_ms: int, half_life_ms: int) -> tuple[float, int]:
    """``2^(at/half_life)`` as ``(m, q)`` meaning ``m * 2^q``, ``1 <= m < 2``."""
    halvings = at_ms / half_life_ms
    step = int(halvings * 1024.0)
    rest = halvings - step * 0.0009765625
    return _POWERS[step & 1023] * (
        1.0 + rest * (_LN2 + rest * (_LN2_2 + rest * _LN2_3))
    ), step >> 10


def worth(total: float, base: int, at_ms: int, half_life_ms: int) -> float:
    """``total * 2^base / 2^(at/half_life)``: what a sum of grown numbers is worth at ``at_ms``."""
    mantissa, exponent = growth(at_ms, half_life_ms)
    return ldexp(total / mantissa, base - exponent)


def worth_after(total: float, least: float, half_life_ms: int) -> int:
    """For how many ms ``total`` surely stays at ``least`` (above 0) or more while it decays; to a
    thousandth of a half-life, downwards."""
    low, high = 0, _HALVINGS * _STEPS
    while low < high:
        middle = (low + high + 1) // 2
        if ldexp(total / _POWERS[middle & 1023], -(middle >> 10)) >= least:
            low = middle
        else:
            high = middle - 1
    return low * half_life_ms // _STEPS
