"""When a small batch is committed: how long its records wait for others. Pure.

A transaction costs as much for one record as for a hundred, so that a task makes no two of them
without a pause in between, in which records gather. A record that comes after the pause does not
wait: nothing would be saved, and a lead passes half a dozen tasks on its way. On a quiet machine
the pause is as configured. Where a transaction takes long, brokers or processor are busy, and
committing sooner than they answer only makes them busier: then the pause may be so much longer that
transactions take at most half of the time, up to a limit.
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
        """A transaction with records was committed, and took so long."""
        self._committed_at = at
        self.pause_s = min(max(self._least_s, 2 * took_s - self._least_s), self._most_s)

    def wait_s(self, now: float) -> float:
        """How long what waits now is to wait for more; 0 or less: no longer."""
        return 0.0 if self._committed_at is None else self._committed_at + self.pause_s - now
