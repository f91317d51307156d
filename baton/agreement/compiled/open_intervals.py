"""Open time as sorted half-open intervals in milliseconds UTC: a year of it with running sums, and
intervals made disjoint."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from baton.agreement.model.calendars import Span
from baton.agreement.wall_time import MINUTES_A_DAY, instant_ms

_DAY_MS, _MINUTE_MS = 86_400_000, 60_000

Shifts = Callable[[date], tuple[Span, ...]]
"""The hours that begin on a day, in minutes from its midnight."""


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


def open_year(number: int, zone: ZoneInfo, shifts: Shifts) -> OpenYear:
    """A local year from the hours that begin on its days, and on the eve of it."""
    starts: list[int] = []
    stops: list[int] = []
    begins, ends = (instant_ms(date(year, 1, 1), 0, zone) for year in (number, number + 1))
    for opens, closes in _hours_around(number, zone, shifts):
        start = max(opens, stops[-1] if stops else begins)
        stop = min(closes, ends)
        if stop > start:
            starts.append(start)
            stops.append(stop)
    before = [0]
    for start, stop in zip(starts, stops, strict=True):
        before.append(before[-1] + stop - start)
    return OpenYear(begins, ends, starts, stops, before[:-1], before[-1])


def _hours_around(number: int, zone: ZoneInfo, shifts: Shifts) -> Iterator[tuple[int, int]]:
    """The hours that begin in a year, or on the eve of it, as moments in order."""
    day = date(number, 1, 1) - timedelta(days=1)
    midnight = instant_ms(day, 0, zone)
    while day.year <= number:
        tomorrow = day + timedelta(days=1)
        next_midnight = instant_ms(tomorrow, 0, zone)
        for opens, closes in shifts(day):
            # no clock changes on the day
            if closes <= MINUTES_A_DAY and next_midnight - midnight == _DAY_MS:
                yield midnight + opens * _MINUTE_MS, midnight + closes * _MINUTE_MS
            else:
                yield (
                    instant_ms(day, opens, zone),
                    instant_ms(day, closes, zone, last=True),
                )
        day, midnight = tomorrow, next_midnight
