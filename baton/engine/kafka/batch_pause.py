"""When a small batch is committed: how long its records wait for others. Pure.

A transaction costs as much for one record as for a hundred, so a task pauses after each of them, in
which records gather. One that comes after the pause does not wait: nothing would be saved, and a
lead passes half a dozen tasks on its way. One that came while the last transaction was under way
waits for no longer than the pause, counted from when it came.

On a quiet machine the pause is as configured. Where a transaction takes long, brokers or processor
are busy, and committing sooner than they answer only makes them busier: then the pause may be so
much longer that transactions take at most half of the time, up to a limit.
"""

from __future__ import annotations


class Gathering:
    """``least_s``: the pause where transactions are quick; ``most_s``: the longest. Moments are in
    seconds of one clock that does not run backwards."""

    __slots__ = ("_committed_at", "_least_s", "_most_s", "pause_s")

    def __init__(self, *, least_s: float, most_s: float) -> None:
        self._least_s, self._most_s = least_s, max(least_s, most_s)
        self._committed_at: float | None = None
        self.pause_s = least_s

    def committed(self, at: float, took_s: float) -> None:
        """A transaction with records was committed at that moment, and took so long."""
        self._committed_at = at
        self.pause_s = min(max(self._least_s, 2 * took_s - self._least_s), self._most_s)

    def until(self, came_at: float) -> float:
        """The moment at which a batch is begun whose first record came then."""
        if self._committed_at is None:
            return came_at
        return min(came_at, self._committed_at) + self.pause_s
