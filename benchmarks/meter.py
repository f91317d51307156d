"""How CPU, time and memory of one process are taken, in the same way for everything that is
measured."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


def cpu_s() -> float:
    """User and system time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> int:
    """Resident bytes of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Meter:
    """Marks of (events done, CPU seconds, seconds): one at the start, one about half-way, one at
    the end."""

    count: int
    marks: list[tuple[int, float, float]] = field(default_factory=list)

    def mark(self, done: int) -> None:
        """So many events are done now."""
        self.marks.append((done, cpu_s(), time.perf_counter()))

    def look(self, done: int) -> None:
        """Mark the half when it is reached; to be called as often as one likes."""
        if len(self.marks) == 1 and done >= self.count // 2:
            self.mark(done)

    def figures(self) -> dict[str, Any]:
        """What :func:`figures_of` makes of the marks."""
        return figures_of(self.marks)


def figures_of(marks: Sequence[tuple[int, float, float]]) -> dict[str, Any]:
    """CPU microseconds an event and events a second: of the whole, and of the second half, when
    everything is warm."""
    first, last = marks[0], marks[-1]
    # a short run may be over at its first look
    half = next(mark for mark in reversed(marks) if mark[0] < last[0])
    return {
        "events": last[0] - first[0],
        "cpu_us": _cpu_us(half, last),
        "whole_cpu_us": _cpu_us(first, last),
        "per_second": round((last[0] - half[0]) / (last[2] - half[2])),
        "cpu_share": round((last[1] - half[1]) / (last[2] - half[2]), 2),
    }


def _cpu_us(before: tuple[int, float, float], after: tuple[int, float, float]) -> float:
    return round((after[1] - before[1]) / (after[0] - before[0]) * 1e6, 1)
