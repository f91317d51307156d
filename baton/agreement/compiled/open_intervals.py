"""Open time as sorted half-open intervals in milliseconds UTC: a year of it with running sums, and
intervals made disjoint."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple


class OpenYear(NamedTuple):
    """One local year of a calendar: when it begins and ends, its intervals, and the open time
    before each of them."""

    begins_ms: int
    ends_ms: int
    starts: list[int]
    stops: list[int]
    before: list[int]
    total: int


def open_before(year: OpenYear, at_ms: int) -> int:
    """Open milliseconds of the year before ``at_ms``."""
    index = bisect_right(year.starts, at_ms) - 1
    if index < 0:
        return 0
    return year.before[index] + min(at_ms, year.stops[index]) - year.starts[index]


def merged_intervals(intervals: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sorted and disjoint."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(interval for interval in intervals if interval[1] > interval[0]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return tuple(merged)
