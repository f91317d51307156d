"""Half-lives in arithmetic that gives the same bits everywhere.

A point that was earned at ``t_i`` is worth ``p * 2^(-(t - t_i)/h)`` at ``t``. That is ``p * 2^(t_i/h)`` divided by ``2^(t/h)``: the
first factor depends on the entry alone, so the numbers of a group are added once, as integers, and only the sum is decayed.
Adding integers knows no order, so the sum is the same to the bit whatever arrived first; and the value at any later time costs
one division.

``2^x`` is made here from a table and a polynomial, with additions, multiplications and one division of doubles, which IEEE 754
fixes to the bit; the C library's ``exp2`` differs between machines. Its relative error is below 1e-13, and it never falls as ``x``
grows by what a millisecond adds for a half-life of up to a century.

Numbers of this module are micropoints times 2^16 (``fine``): the rounding of a group is far below a millionth of a point.
"""

from math import isqrt
from typing import Final

FINE_BITS: Final = 16
FINE: Final = 1 << FINE_BITS
_STEPS: Final = 1024
MANTISSA_BITS: Final = 52
_MANTISSA: Final = float(1 << MANTISSA_BITS)
_LN2: Final = 0.6931471805599453
_LN2_2: Final = 0.2402265069591007
_LN2_3: Final = 0.055504108664821576


def _powers() -> tuple[float, ...]:
    """``2^(k/1024)``, each correctly rounded: ten integer square roots, then products of integers."""
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


def grown(fine: float, at_ms: int, half_life_ms: int) -> tuple[int, int]:
    """``fine * 2^(at/half_life)`` as ``(c, q)`` meaning ``c * 2^q``."""
    halvings = at_ms / half_life_ms
    step = int(halvings * 1024.0)
    rest = halvings - step * 0.0009765625
    return int(fine * (_POWERS[step & 1023] * (1.0 + rest * (_LN2 + rest * (_LN2_2 + rest * _LN2_3))))), step >> 10


def growth(at_ms: int, half_life_ms: int) -> tuple[int, int]:
    """``2^(at/half_life)`` as ``(m, q)`` meaning ``m / 2^52 * 2^q``. Never falls as ``at_ms`` grows."""
    halvings = at_ms / half_life_ms
    step = int(halvings * 1024.0)
    rest = halvings - step * 0.0009765625
    mantissa = _POWERS[step & 1023] * (1.0 + rest * (_LN2 + rest * (_LN2_2 + rest * _LN2_3)))
    return int(mantissa * _MANTISSA), step >> 10


def worth(total: int, base: int, at_ms: int, half_life_ms: int) -> int:
    """``total * 2^base / 2^(at/half_life)``, rounded towards zero: what a sum of grown numbers is worth at ``at_ms``.

    Falls in size, or stays, as ``at_ms`` grows. ``base`` must not be above ``at_ms // half_life_ms``.
    """
    mantissa, exponent = growth(at_ms, half_life_ms)
    if total < 0:
        return -((-total << MANTISSA_BITS) // (mantissa << (exponent - base)))
    return (total << MANTISSA_BITS) // (mantissa << (exponent - base))
