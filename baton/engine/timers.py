"""Timers of a task: at most one for each key, fired in the exact order of (due time, key).

A hashed wheel: timers lie in slots of one second, so starting and stopping one costs the same at ten and at ten million. Only the
slot whose time has come is put in order, in a small heap (the front). What a key waits for is kept once, in ``_due``; slots are
cleaned at once and the front lazily. It reads no clock: the caller says how far time has come.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

_SLOT_MS = 1000
_SLACK = 1024


class Timers:
    """``set``, ``pop`` and ``next_due`` of one task's timers; times are ms of log time."""

    __slots__ = ("_due", "_front", "_front_slot", "_next", "_slots", "_waiting")

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self._slots: dict[int, str | set[str]] = {}  # one key needs no set: most slots of a long future hold one
        self._waiting: list[int] = []  # heap of slot numbers; may name slots that are gone
        self._front: list[tuple[int, str]] = []  # heap of timers in slots up to _front_slot; may hold stopped ones
        self._front_slot = -(1 << 62)
        self._next: int | None = None  # exact next due time where known

    def __len__(self) -> int:
        return len(self._due)

    def due(self, key: str) -> int | None:
        """When the key is due, or None."""
        return self._due.get(key)

    def set(self, key: str, due_ms: int | None) -> None:
        """Let the key wait for ``due_ms`` instead of what it waited for before; None: for nothing."""
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
            heappush(self._front, (due_ms, key))
        else:
            self._enter(key, slot)
        if self._next is not None and due_ms < self._next:
            self._next = due_ms

    def _enter(self, key: str, slot: int) -> None:
        held = self._slots.get(slot)
        if held is None:
            self._slots[slot] = key
            heappush(self._waiting, slot)
        elif isinstance(held, set):
            held.add(key)
        else:
            self._slots[slot] = {held, key}

    def _leave(self, key: str, former: int) -> None:
        if self._next == former:
            self._next = None
        slot = former // _SLOT_MS
        if slot <= self._front_slot:
            if len(self._front) > 2 * len(self._due) + _SLACK:
                self._front = [(due, each) for due, each in self._front if self._due.get(each) == due and each != key]
                heapify(self._front)
            return
        held = self._slots[slot]
        if isinstance(held, set) and len(held) > 1:
            held.discard(key)
            return
        del self._slots[slot]
        if len(self._waiting) > 2 * len(self._slots) + _SLACK:
            self._waiting = list(self._slots)
            heapify(self._waiting)

    @property
    def floor(self) -> int:
        """No timer is due before this (ms); cheap, and possibly too early."""
        front = self._front[0][0] if self._front else 1 << 62
        return min(front, self._waiting[0] * _SLOT_MS) if self._waiting else front

    def next_due(self) -> int | None:
        """The exact next due time, or None where there is no timer."""
        if self._next is None and self._due:
            self._tidy()
            front = self._front[0][0] if self._front else 1 << 62
            self._next = min(front, self._earliest_of_slots())
        return self._next

    def _earliest_of_slots(self) -> int:
        if not self._waiting:
            return 1 << 62
        held = self._slots[self._waiting[0]]
        return min(map(self._due.__getitem__, held)) if isinstance(held, set) else self._due[held]

    def pop(self, until_ms: int) -> tuple[int, str] | None:
        """Remove and give the first timer (due, key) that is due at or before ``until_ms``, or None."""
        if self.floor > until_ms:
            return None
        self._open(until_ms)
        if not self._front or self._front[0][0] > until_ms:
            return None
        due, key = heappop(self._front)
        del self._due[key]
        if self._next == due:
            self._next = None
        return due, key

    def _open(self, until_ms: int) -> None:
        """Put the first slot that may hold what is due next into the front."""
        self._tidy()
        while self._waiting and self._waiting[0] * _SLOT_MS <= until_ms and not self._front:
            slot = heappop(self._waiting)
            held = self._slots.pop(slot)
            keys = held if isinstance(held, set) else (held,)
            self._front_slot = slot
            self._front = [(self._due[key], key) for key in keys]
            heapify(self._front)
            self._tidy()

    def _tidy(self) -> None:
        """Drop from the tops of both heaps what is no longer there."""
        front, due = self._front, self._due
        while front and due.get(front[0][1]) != front[0][0]:
            heappop(front)
        while self._waiting and self._waiting[0] not in self._slots:
            heappop(self._waiting)
