"""Who has how much open work, counted once in a while: counting looks at every open hand-off."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import apsw

from services.delivery.concierge.known_leads import open_work


class WorkCount:
    """Used by several threads. ``counted_every_s``: seconds a count is good for. ``keeping``: held
    while a claim is kept and added, so that no count runs between the two."""

    def __init__(self, counted_every_s: float, keeping: threading.Lock) -> None:
        self._counted_every_s, self._keeping = counted_every_s, keeping
        self._lock = threading.Lock()
        self._work: tuple[float, Mapping[str, int]] = (-1e9, {})

    def at(self, db: apsw.Connection, now_ms: int) -> Mapping[str, int]:
        """Open work by person. Who asks while it is counted, or while a claim is kept, has the
        former count; only for the first one everybody waits."""
        with self._lock:
            counted_at, work = self._work
        if time.monotonic() - counted_at < self._counted_every_s:
            return work
        if not self._keeping.acquire(blocking=counted_at < 0):
            return work
        try:
            work = open_work(db, now_ms)
            with self._lock:
                self._work = time.monotonic(), work
        finally:
            self._keeping.release()
        return work

    def add(self, person: str) -> None:
        """A claim that was just kept; ``keeping`` is held."""
        with self._lock:
            counted_at, work = self._work
            self._work = counted_at, {**work, person: work.get(person, 0) + 1}
