"""Ranges of text, such as of postal codes: ``between: ["10000", "14199"]``, ``["EC1", "EC4"]``.

Blanks and case do not matter. Of a text so much is compared as the bounds are long; a number must
have as many digits as they have. Bounds that are British districts (``EH1``, ``EH55``) are compared
by the district's number: ``SW1`` to ``SW4`` is not ``SW11``.
"""

import re
from collections.abc import Callable

_DISTRICT = re.compile(r"([a-z]{1,2})(\d{1,2})")
_BRITISH = re.compile(r"([a-z]{1,2})(\d{1,2})[a-z]?(?:\d[a-z]{2})?")
"""Area, number and letter of the district, and what follows in a whole code."""

Bounds = tuple[str, str]


def bound_of(text: str) -> str:
    """A bound, or a text, as it is compared."""
    return "".join(text.split()).casefold()


def bounds_of(low: str, high: str) -> Bounds:
    """Both bounds. Raises ``ValueError``, in words, where nothing can lie between them."""
    first, last = bound_of(low), bound_of(high)
    districts = _districts(first, last)
    if districts is None and len(first) != len(last):
        raise ValueError(
            f"between {low} and {high}: write both with as many characters, such as "
            '["10000", "14199"], or as districts of one area, such as ["EC1", "EC4"]'
        )
    if (first > last) if districts is None else (districts[1] > districts[2]):
        raise ValueError(f"between {low} and {high} nothing can lie: the first must be the smaller")
    return first, last


def lies_between(low: str, high: str) -> Callable[[str], bool]:
    """Whether a text lies between the bounds of :func:`bounds_of`, both included."""
    length, digits, districts = len(high), (low + high).isdigit(), _districts(low, high)

    def check(value: str) -> bool:
        text = bound_of(value)
        if districts is not None and (found := _BRITISH.fullmatch(text)) is not None:
            area, first, last = districts
            return found[1] == area and first <= int(found[2]) <= last
        if len(low) != length or (digits and text[length : length + 1].isdigit()):
            return False
        return len(text) >= length and low <= text[:length] <= high

    return check


def _districts(low: str, high: str) -> tuple[str, int, int] | None:
    """Area and numbers, where both bounds are districts of one area."""
    first, last = _DISTRICT.fullmatch(low), _DISTRICT.fullmatch(high)
    if first is None or last is None or first[1] != last[1]:
        return None
    return first[1], int(first[2]), int(last[2])
