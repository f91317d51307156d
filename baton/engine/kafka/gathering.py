"""How long a small batch waits for more records before it is committed. Pure.

A transaction costs as much for one record as for a hundred. On a quiet machine it takes some
hundredths of a second, and the wait is as configured. Where it takes long, brokers or processor
are busy, and committing sooner than they answer only makes them busier: then a task waits so much
longer that its transactions take at most half of the time, up to a limit.
"""

from __future__ import annotations


class Gathering:
    """``least_s``: the wait where transactions are quick; ``most_s``: the longest."""

    __slots__ = ("_least_s", "_most_s", "wait_s")

    def __init__(self, *, least_s: float, most_s: float) -> None:
        self._least_s, self._most_s = least_s, max(least_s, most_s)
        self.wait_s = least_s

    def committed(self, took_s: float) -> None:
        """The last transaction took so long."""
        longer_s = 2 * took_s - self._least_s
        self.wait_s = min(max(self._least_s, longer_s), self._most_s)
