"""A timer queue: at most one timer per key, fired in the exact order of (due time, key).

A hashed wheel: timers lie unordered in slots of one minute, so starting, moving and stopping a
timer costs the same at ten and at ten million. Only the slot whose time has come is sorted (the
front); timers started for a time up to there go into a small heap beside it. The due time of a key
is kept once, in ``_due``; slots are cleaned at once, front and heap lazily. The queue reads no
clock: the caller passes the time.
"""

from __future__ import annotations

from collections.abc import ItemsView
from heapq import heapify, heappop, heappush
from typing import Protocol

_SLOT_MS = 60_000
_SLACK = 1024
NEVER = 1 << 62

Timer = tuple[int, str]


class TimerQueue(Protocol):
    """The timers of a task's keys that are not held; times are ms of log time."""

    def set(self, key: str, due_ms: int | None) -> None: ...
    @property
    def floor(self) -> int: ...
    def next_due(self) -> int | None: ...
    def pop(self, until_ms: int) -> Timer | None: ...
    def total(self, held: int) -> int:
        """The number of timers, together with ``held`` that were taken out to wait for a proof."""


class TimerWheel:
    """A :class:`TimerQueue` in memory; times are ms of log time."""

    __slots__ = ("_due", "_front", "_front_slot", "_next", "_short", "_slots", "_waiting")

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self._slots: dict[int, set[str]] = {}
        self._waiting: list[int] = []  # heap of slot numbers; may name slots that are gone
        self._front_slot = -NEVER
        self._front: list[Timer] = []  # the opened slot, the last first; may hold stopped ones
        # heap of what was started for a time up to the opened slot; likewise
        self._short: list[Timer] = []
        self._next: int | None = None  # exact next due time where known

    def __len__(self) -> int:
        return len(self._due)

    def total(self, held: int) -> int:
        """See :class:`TimerQueue`."""
        return len(self._due) + held

    def due(self, key: str) -> int | None:
        """When the key is due, or None."""
        return self._due.get(key)

    def items(self) -> ItemsView[str, int]:
        """Every key with its due time, in no order."""
        return self._due.items()

    def set(self, key: str, due_ms: int | None) -> None:
        """Set the key's timer to ``due_ms``, replacing any former one; None removes it."""
        former = self._due.get(key)
        if former == due_ms:
            return
        if former is not None:
            self._leave(key, former)
        if due_ms is None:
            del self._due[key]
            return
        self._due[key] = due_ms
        slot = due_ms // _SLOT_MS
        if slot <= self._front_slot:
            heappush(self._short, (due_ms, key))
        elif (held := self._slots.get(slot)) is not None:
            held.add(key)
        else:
            self._slots[slot] = {key}
            heappush(self._waiting, slot)
        if self._next is not None and due_ms < self._next:
            self._next = due_ms

    def _leave(self, key: str, former: int) -> None:
        if self._next == former:
            self._next = None
        slot = former // _SLOT_MS
        if slot <= self._front_slot:
            if len(self._short) > 2 * len(self._due) + _SLACK:
                self._short = [
                    (due, other)
                    for due, other in self._short
                    if self._due.get(other) == due and other != key
                ]
                heapify(self._short)
            return
        held = self._slots[slot]
        held.discard(key)
        if not held:
            del self._slots[slot]
            if len(self._waiting) > 2 * len(self._slots) + _SLACK:
                self._waiting = list(self._slots)
                heapify(self._waiting)

    @property
    def floor(self) -> int:
        """No timer is due before this (ms); cheap, and possibly too early."""
        floor = self._waiting[0] * _SLOT_MS if self._waiting else NEVER
        if self._front and self._front[-1][0] < floor:
            floor = self._front[-1][0]
        return self._short[0][0] if self._short and self._short[0][0] < floor else floor

    def next_due(self) -> int | None:
        """The exact next due time, or None where there is no timer."""
        if self._next is None and self._due:
            self._tidy()
            ahead = (
                min(map(self._due.__getitem__, self._slots[self._waiting[0]]))
                if self._waiting
                else NEVER
            )
            front = self._front[-1][0] if self._front else NEVER
            short = self._short[0][0] if self._short else NEVER
            self._next = min(ahead, front, short)
        return self._next

    def pop(self, until_ms: int) -> Timer | None:
        """Remove and give the first timer (due, key) that is due at or before ``until_ms``, or
        None."""
        front, short = self._front, self._short
        if short or not front or self._due.get(front[-1][1]) != front[-1][0]:
            self._open(until_ms)
            front = self._front
        from_front = bool(front) and (not short or front[-1] <= short[0])
        if not from_front and not short:
            return None
        first = front[-1] if from_front else short[0]
        if first[0] > until_ms:
            return None
        if from_front:
            front.pop()
        else:
            heappop(short)
        del self._due[first[1]]
        if self._next == first[0]:
            self._next = None
        return first

    def _open(self, until_ms: int) -> None:
        """Sort the next slot into the front, if it may hold what is due by ``until_ms`` and nothing
        is left before it."""
        self._tidy()
        if (
            self._front
            or self._short
            or not self._waiting
            or self._waiting[0] * _SLOT_MS > until_ms
        ):
            return
        self._front_slot = heappop(self._waiting)
        due = self._due
        self._front = sorted(
            [(due[key], key) for key in self._slots.pop(self._front_slot)], reverse=True
        )

    def _tidy(self) -> None:
        """Drop from the tops what is no longer there."""
        due, front, short, waiting = self._due, self._front, self._short, self._waiting
        while front and due.get(front[-1][1]) != front[-1][0]:
            front.pop()
        while short and due.get(short[0][1]) != short[0][0]:
            heappop(short)
        while waiting and waiting[0] not in self._slots:
            heappop(waiting)
