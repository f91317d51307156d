"""What operators order of the workers through the log."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipOrder:
    """``baton.skips.v1``: a task is to leave out what stops it, keyed by reducer, partition and
    place.

    ``place`` is what the task itself names when it stops. ``by`` and ``why`` are for the record; no
    personal data.
    """

    reducer: str
    partition: int
    place: str
    by: str
    why: str = ""
