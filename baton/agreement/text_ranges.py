"""Ranges of text, such as of postal codes: ``between: ["10000", "14199"]``, ``["EC1", "EC4"]``.

Blanks and case do not matter. Of a text so much is compared as the bounds are long, so that
``EC1A 1BB`` lies between ``EC1`` and ``EC4``; a number must have as many digits as they have.
"""

from collections.abc import Callable


def bound_of(text: str) -> str:
    """A bound, or a text, as it is compared."""
    return "".join(text.split()).casefold()


def bounds_of(low: str, high: str) -> tuple[str, str]:
    """Both bounds. Raises ``ValueError``, in words, where nothing can lie between them."""
    first, last = bound_of(low), bound_of(high)
    if len(first) != len(last):
        raise ValueError(
            f"between {low} and {high}: write both with as many characters, such as "
            '["10000", "14199"] or ["EC1", "EC4"]'
        )
    if first > last:
        raise ValueError(f"between {low} and {high} nothing can lie: the first must be the smaller")
    return first, last


def lies_between(low: str, high: str) -> Callable[[str], bool]:
    """Whether a text lies between the bounds of :func:`bounds_of`, both included."""
    length, digits = len(low), (low + high).isdigit()

    def check(value: str) -> bool:
        text = bound_of(value)
        if digits and text[length : length + 1].isdigit():
            return False
        return len(text) >= length and low <= text[:length] <= high

    return check
