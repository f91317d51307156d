"""The timer queue of a state on disk: the timers that are due first are in memory, the others in
the store's index until their time comes near.

A lead that sleeps for months has a timer too (its return date, the day an entry leaves its window),
so ten million leads would have a gigabyte or two of timers in memory. The queue gives exactly what
:class:`~baton.engine.timers.TimerWheel` gives, in the same order; a test holds the two together.
"""

from __future__ import annotations

from heapq import nsmallest
from typing import Protocol

from baton.engine.timers import NEVER, Timer, TimerWheel

MOST = 50_000
"""How many timers are read from the index at once. Twice as many may be in memory, and besides
those of the open batch."""

_EVERYTHING: Timer = (NEVER, "")


class TimerIndex(Protocol):
    """The saved timers of a store."""

    @property
    def timer_count(self) -> int: ...
    def timers_from(self, first: Timer, limit: int) -> list[Timer]:
        """At most ``limit`` saved timers at or after ``first``, in the order of (due time, key)."""


class WindowedTimers:
    """A :class:`~baton.engine.timers.TimerQueue` over an index.

    ``_near`` has every timer before ``_horizon``, and none after it. What was set since the store
    was saved last is in ``_changed`` too: of these keys the index knows the former timer only.
    """

    __slots__ = ("_changed", "_horizon", "_index", "_most", "_near")

    def __init__(self, index: TimerIndex, most: int = MOST) -> None:
        self._index, self._most = index, most
        self._near = TimerWheel()
        self._changed: dict[str, int | None] = {}
        self._horizon: Timer = (-NEVER, "")

    def total(self, held: int) -> int:
        """Held timers are in the index like all others."""
        return self._index.timer_count

    @property
    def in_memory(self) -> int:
        """How many timers are in memory."""
        return len(self._near)

    def set(self, key: str, due_ms: int | None) -> None:
        """Set the key's timer to ``due_ms``, replacing any former one; None removes it."""
        self._changed[key] = due_ms
        near = due_ms is not None and (due_ms, key) < self._horizon
        self._near.set(key, due_ms if near else None)

    @property
    def floor(self) -> int:
        """No timer is due before this (ms); cheap, and possibly too early."""
        return min(self._near.floor, self._horizon[0])

    def next_due(self) -> int | None:
        """The exact next due time, or None where there is no timer."""
        while not len(self._near) and self._horizon < _EVERYTHING:
            self._read_on()
        return self._near.next_due()

    def pop(self, until_ms: int) -> Timer | None:
        """Remove and give the first timer (due, key) that is due at or before ``until_ms``, or
        None."""
        while True:
            found = self._near.pop(until_ms)
            if found is not None or self._horizon[0] > until_ms:
                return found
            self._read_on()

    def saved(self) -> None:
        """The store has saved everything that was set: what is due last may leave the memory."""
        self._changed.clear()
        if len(self._near) <= 2 * self._most:
            return
        *kept, self._horizon = nsmallest(
            self._most + 1, ((due, key) for key, due in self._near.items())
        )
        self._near = TimerWheel()
        for due, key in kept:
            self._near.set(key, due)

    def _read_on(self) -> None:
        """Move the horizon: take the next timers from the index, and those of what is not saved
        that lie between."""
        found = self._index.timers_from(self._horizon, self._most)
        last = found[-1] if len(found) == self._most else None
        # A key followed by the least character is the next one in the order.
        horizon = _EVERYTHING if last is None else (last[0], last[1] + "\0")
        for due, key in found:
            if key not in self._changed:
                self._near.set(key, due)
        for key, changed in self._changed.items():
            if changed is not None and self._horizon <= (changed, key) < horizon:
                self._near.set(key, changed)
        self._horizon = horizon
