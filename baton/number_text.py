"""Numbers as people and spreadsheets write them, read where there is one reading, and never
guessed. Pure.

``1.200`` is twelve hundred in Berlin and one and a fifth in Boston: where a number of things is
meant it is 1200, else nobody knows. ``None`` says that a text is no number, or more than one.
"""

from __future__ import annotations

import re
from decimal import Decimal

_MAX_CHARACTERS = 64
_EXACT = 2**53  # floating-point numbers below it have every integer
# A space of any width, and the Swiss apostrophe, separate thousands and nothing else.
_ONLY_THOUSANDS = re.compile(r"(?<=\d)[\s\u00a0\u2009\u202f'’](?=\d{3}(?!\d))")
# Digits that begin with a zero are a postcode or a number of an article, no quantity.
_CODE = re.compile(r"[+-]?0\d")
_PLAIN = re.compile(r"([+-]?)(\d+)\Z")
_GROUPED = re.compile(r"([+-]?)(\d{1,3}(?:([.,])\d{3})(?:\3\d{3})*)(?:(?!\3)[.,](\d+))?\Z")
_INDIAN = re.compile(r"([+-]?)(\d{1,2}(?:,\d{2})+,\d{3})(?:\.(\d+))?\Z")
_FRACTION = re.compile(r"([+-]?)(\d+)[.,](\d+)\Z")


def number_in(text: str, *, whole: bool = False) -> Decimal | None:
    """The number a text certainly says. ``whole``: a number of things is meant, so ``1.200`` can
    only be 1200, and ``1.2`` is none."""
    if len(text) > _MAX_CHARACTERS:
        return None
    plain = _ONLY_THOUSANDS.sub("", text.strip()).replace("−", "-")
    found = _read(plain, whole=whole)
    return found if found is None or not whole or found == found.to_integral_value() else None


def _read(plain: str, *, whole: bool) -> Decimal | None:
    if not plain.isascii() or _CODE.match(plain):
        return None
    if match := _PLAIN.match(plain):
        return Decimal(match[1] + match[2])
    if match := _INDIAN.match(plain):
        return Decimal(f"{match[1]}{match[2].replace(',', '')}.{match[3] or 0}")
    if match := _GROUPED.match(plain):
        sign, groups, separator, fraction = match.groups()
        first = groups.split(separator)[0]
        certain = whole or fraction is not None or groups.count(separator) > 1
        if certain and not first.startswith("0"):
            return Decimal(f"{sign}{groups.replace(separator, '')}.{fraction or 0}")
        if not first.startswith("0"):
            return None
    if match := _FRACTION.match(plain):
        return Decimal(f"{match[1]}{match[2]}.{match[3]}")
    return None


_RANGE = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?)|\+)\Z")


def range_in(text: str) -> tuple[float, float] | None:
    """The ends of a range as it is normalised: ``51-200``, ``250+`` (to infinity). None for
    anything else."""
    match = _RANGE.match(text) if len(text) <= _MAX_CHARACTERS else None
    if match is None:
        return None
    low, high = float(match[1]), float(match[2]) if match[2] else float("inf")
    return (low, high) if low <= high else None


def number_text(value: int | float) -> str:
    """A number of JSON as the text of an id: JSON does not distinguish ``4711.0`` from ``4711``."""
    exact = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return str(int(value) if exact else value)


def written(number: Decimal) -> str:
    """The number in the one form that every reader reads alike: no exponent, no group, no ``.0``.

    Three digits behind the point get a fourth: ``1.200`` would be read as twelve hundred.
    """
    if number == number.to_integral_value():
        return str(int(number))
    text = format(number.normalize(), "f")
    return text + "0" if len(text.partition(".")[2]) == 3 else text
