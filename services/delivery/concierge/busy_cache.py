"""The busy times of people as their calendars said last, in memory: whoever answers a form reads
them here and nowhere else. They are never written to a file."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

from services.delivery.concierge.slots import Busy

STALE_AFTER_MS: Final = 3_600_000
"""After an hour without an answer from a calendar its person is no longer taken for free."""


class BusyCache:
    """Used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, Busy]] = {}
        self.version = 0

    def put(self, person: str, busy: Busy, at_ms: int) -> None:
        """What a calendar says now."""
        with self._lock:
            self._known[person] = at_ms, tuple(busy)
            self.version += 1

    def confirm(self, person: str, at_ms: int) -> None:
        """The calendar says that it has not changed."""
        with self._lock:
            known = self._known.get(person)
            if known is not None:
                self._known[person] = at_ms, known[1]

    def at(self, now_ms: int) -> Mapping[str, Busy]:
        """By person; whoever is not among them has no calendar, or one that does not answer."""
        with self._lock:
            return {
                person: busy
                for person, (at_ms, busy) in self._known.items()
                if now_ms - at_ms <= STALE_AFTER_MS
            }
