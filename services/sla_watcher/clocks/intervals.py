"""Deadlines and split times, derived from intervals.

A clock is its start, its pauses and the agreement's target; the moment at which a share of the
target is used up follows from these, whatever order the pauses became known in. So a changed target
or calendar never loses the time a clock stood still.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from services.sla_watcher.clocks.state import ClockPause


class CountedTime(Protocol):
    """Time that counts: a calendar's open time, or simply time."""

    def add_business(self, start_ms: int, amount_ms: int) -> int:
        """The first moment by which ``amount_ms`` of counted time has gone since ``start_ms``."""

    def business_between(self, from_ms: int, until_ms: int) -> int:
        """How much counted time lies in ``[from_ms, until_ms)``."""


@dataclass(frozen=True, slots=True)
class PlainTime:
    """Elapsed time: every millisecond counts."""

    def add_business(self, start_ms: int, amount_ms: int) -> int:
        """Just the sum."""
        return start_ms + amount_ms

    def business_between(self, from_ms: int, until_ms: int) -> int:
        """Just the difference, never negative."""
        return max(0, until_ms - from_ms)


def disjoint(pauses: Iterable[ClockPause], from_ms: int) -> tuple[tuple[int, int], ...]:
    """The pauses from ``from_ms`` on as disjoint intervals in order; overlapping ones count once.
    One that is still open counts as long as it can last."""
    merged: list[tuple[int, int]] = []
    for pause in sorted(pauses, key=lambda pause: pause.from_ms):
        start = max(pause.from_ms, from_ms)
        end = pause.from_ms + pause.longest_ms if pause.until_ms is None else pause.until_ms
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def moment(time: CountedTime, start_ms: int, unpaused_ms: int, pauses: Iterable[ClockPause]) -> int:
    """``unpaused_ms`` moved on by the counted time of the pauses before it.

    A moment that falls exactly on the beginning of a pause is reached: the pause came too late to
    move it.
    """
    at_ms = unpaused_ms
    for begin, end in disjoint(pauses, start_ms):
        if at_ms <= begin:
            break
        at_ms = time.add_business(at_ms, time.business_between(begin, end))
    return at_ms
