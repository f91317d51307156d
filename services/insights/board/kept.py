"""Reports that took long are kept for a while, so that many viewers of a large board cost what one
does. Each says as of when it is.

A report is kept for so many times as long as it took to make; one that is made quickly is always
made anew. It is kept for who asked: others may know other names.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from services.insights.reports.context import Context

_TIMES: Final = 15
_LONGEST_S: Final = 30.0
_QUICK_S: Final = 0.1
_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class _Kept:
    report: dict[str, Any]
    now_ms: int
    until_s: float


class KeptReports:
    """Thread-safe. Of two who ask at once both make it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[Any, ...], _Kept] = {}

    def report(
        self, path: str, make: Callable[[Context], dict[str, Any]], context: Context
    ) -> tuple[dict[str, Any], int]:
        """The report of a page, and the moment as of which it is."""
        viewer = context.viewer
        asked = tuple(sorted(context.filters.given.items()))
        key = (path, asked, viewer.person, viewer.role, context.per_person, context.today)
        began = self._clock()
        with self._lock:
            found = self._kept.get(key)
        if found is not None and found.until_s > began:
            return found.report, found.now_ms
        report = make(context)
        took = self._clock() - began
        if took > _QUICK_S:
            self._keep(key, _Kept(report, context.now_ms, began + min(_TIMES * took, _LONGEST_S)))
        return report, context.now_ms

    def _keep(self, key: tuple[Any, ...], made: _Kept) -> None:
        now = self._clock()
        with self._lock:
            self._kept = {name: item for name, item in self._kept.items() if item.until_s > now}
            if len(self._kept) < _MOST:
                self._kept[key] = made
