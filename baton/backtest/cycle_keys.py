"""How a lead in one of its cycles is named."""

from typing import Final

_AFTER: Final = "/"


def cycle_key(lead_id: str, cycle: int) -> str:
    """Names a lead's cycle, counted by its qualifications; the first one by the lead alone."""
    return lead_id if cycle == 1 else f"{lead_id}{_AFTER}{cycle}"


def is_later(key: str) -> bool:
    """Whether a key of :func:`cycle_key` is of a later cycle than the first."""
    return _AFTER in key


def lead_of(key: str) -> str:
    """The lead of a key of :func:`cycle_key`."""
    return key.partition(_AFTER)[0]
