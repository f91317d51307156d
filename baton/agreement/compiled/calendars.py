"""Business time: when people work, and deadlines counted in it.

A calendar is a sorted list of half-open open intervals, made a local year at a time and kept with running sums, so that a
deadline is two bisections. Everything is in milliseconds UTC; daylight saving is in the intervals. What is open is a pure
function of the calendar's rules. No clock is read.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from baton.agreement.model.calendar import Span
from baton.agreement.wall_time import instant_ms, local_date, same_wall_time_ms

FIRST_YEAR, LAST_YEAR = 1970, 2200
_MEAN_YEAR_MS = 31_556_952_000
_DAY_MS, _MINUTE_MS = 86_400_000, 60_000


class NeverOpenError(ValueError):
    """The calendar has no open time any more, so no deadline exists."""


class _Year(NamedTuple):
    begins_ms: int
    ends_ms: int
    starts: list[int]
    stops: list[int]
    before: list[int]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendar:
    """When a team works.

    ``weekly``: seven tuples of spans, Monday first. ``closed``: days off besides holidays; ``extra``: days with hours of their
    own, which win over everything. ``holidays``: a pure function from a year to its public holidays.
    """

    name: str
    zone: ZoneInfo
    weekly: tuple[tuple[Span, ...], ...]
    holidays: Callable[[int], Mapping[date, str]] = field(default=lambda year: {})
    closed: frozenset[date] = frozenset()
    extra: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    _years: dict[int, _Year] = field(default_factory=dict, repr=False)

    def add_business(self, start_ms: int, amount_ms: int) -> int:
        """The earliest moment by which ``amount_ms`` of open time has passed since ``start_ms``; for nothing, ``start_ms``."""
        if amount_ms <= 0:
            return start_ms
        number = self._year_of(start_ms)
        year = self._year(number)
        wanted = _open_before(year, start_ms) + amount_ms
        while wanted > year.total:
            wanted -= year.total
            number += 1
            if number > LAST_YEAR:
                raise NeverOpenError(f"calendar {self.name} is not open long enough until the year {LAST_YEAR}")
            year = self._year(number)
        index = bisect_left(year.before, wanted) - 1
        return year.starts[index] + wanted - year.before[index]

    def business_between(self, from_ms: int, until_ms: int) -> int:
        """Open milliseconds in ``[from_ms, until_ms)``; 0 if they are the wrong way round."""
        if until_ms <= from_ms:
            return 0
        first, last = self._year_of(from_ms), self._year_of(until_ms)
        total = _open_before(self._year(last), until_ms) - _open_before(self._year(first), from_ms)
        return total + sum(self._year(number).total for number in range(first, last))

    def is_open(self, at_ms: int) -> bool:
        """Whether ``at_ms`` is inside open hours (the closing moment is not)."""
        year = self._year(self._year_of(at_ms))
        index = bisect_right(year.starts, at_ms) - 1
        return index >= 0 and at_ms < year.stops[index]

    def next_open(self, at_ms: int) -> int:
        """``at_ms`` if it is open then, else the next opening."""
        return self.add_business(at_ms, 1) - 1

    def next_close(self, at_ms: int) -> int | None:
        """When the open hours that ``at_ms`` lies in end; None outside them."""
        year = self._year(self._year_of(at_ms))
        index = bisect_right(year.starts, at_ms) - 1
        return year.stops[index] if index >= 0 and at_ms < year.stops[index] else None

    def add_working_days(self, start_ms: int, days: int) -> int:
        """The same wall-clock time on the ``days``-th working day after the day of ``start_ms``."""
        day = local_date(start_ms, self.zone)
        for _ in range(days):
            day = self.working_day_from(day + timedelta(days=1))
        return same_wall_time_ms(start_ms, day, self.zone) if days > 0 else start_ms

    def is_working_day(self, day: date) -> bool:
        """Whether there is any open time on ``day``."""
        return bool(self.spans(day))

    def working_day_from(self, day: date) -> date:
        """``day``, or the first working day after it."""
        while not self.is_working_day(day):
            day += timedelta(days=1)
            if day.year > LAST_YEAR:
                raise NeverOpenError(f"calendar {self.name} has no working day until the year {LAST_YEAR}")
        return day

    def working_days_between(self, first: date, end: date) -> int:
        """Working days in ``[first, end)``."""
        return sum(self.is_working_day(first + timedelta(days=each)) for each in range((end - first).days))

    def opening_of(self, day: date) -> int:
        """When ``day`` opens; on a day off, its midnight."""
        spans = self.spans(day)
        return instant_ms(day, spans[0][0] if spans else 0, self.zone)

    def spans(self, day: date) -> tuple[Span, ...]:
        """The hours of one day: its own ones, none on a day off or a holiday, else those of its weekday."""
        own = self.extra.get(day)
        if own is not None:
            return own
        if day in self.closed or day in self.holidays(day.year):
            return ()
        return self.weekly[day.weekday()]

    def without(self, absences: Sequence[tuple[int, int]]) -> "PersonalCalendar":
        """This calendar less the half-open intervals ``absences`` in which one person is away."""
        return PersonalCalendar(base=self, away=_merged(absences))

    def _year_of(self, at_ms: int) -> int:
        number = min(max(FIRST_YEAR + at_ms // _MEAN_YEAR_MS, FIRST_YEAR), LAST_YEAR)
        year = self._year(number)
        if at_ms < year.begins_ms and number > FIRST_YEAR:
            return number - 1
        if at_ms >= year.ends_ms and number < LAST_YEAR:
            return number + 1
        return number

    def _year(self, number: int) -> _Year:
        made = self._years.get(number)
        if made is None:
            made = self._years[number] = self._make_year(number)
        return made

    def _make_year(self, number: int) -> _Year:
        starts: list[int] = []
        stops: list[int] = []
        day = date(number, 1, 1)
        midnight = begins = instant_ms(day, 0, self.zone)
        while day.year == number:
            tomorrow = day + timedelta(days=1)
            next_midnight = instant_ms(tomorrow, 0, self.zone)
            for opens, closes in self.spans(day):
                if next_midnight - midnight == _DAY_MS:  # an ordinary day: no clock changes on it
                    start, stop = midnight + opens * _MINUTE_MS, midnight + closes * _MINUTE_MS
                else:
                    start, stop = instant_ms(day, opens, self.zone), instant_ms(day, closes, self.zone, last=True)
                start = max(start, stops[-1]) if stops else start
                if stop > start:
                    starts.append(start)
                    stops.append(stop)
            day, midnight = tomorrow, next_midnight
        before = [0]
        for start, stop in zip(starts, stops, strict=True):
            before.append(before[-1] + stop - start)
        return _Year(begins, midnight, starts, stops, before[:-1], before[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalCalendar:
    """A calendar less one person's absences (sorted, disjoint, half-open)."""

    base: Calendar
    away: tuple[tuple[int, int], ...]

    @property
    def zone(self) -> ZoneInfo:
        return self.base.zone

    def add_business(self, start_ms: int, amount_ms: int) -> int:
        """As :meth:`Calendar.add_business`, over time that is open and not away."""
        if amount_ms <= 0:
            return start_ms
        at = start_ms
        for leaves, returns in self.away:
            if returns <= at:
                continue
            here = self.base.business_between(at, leaves)
            if here >= amount_ms:
                break
            amount_ms -= here
            at = returns
        return self.base.add_business(at, amount_ms)

    def business_between(self, from_ms: int, until_ms: int) -> int:
        """As :meth:`Calendar.business_between`, over time that is open and not away."""
        away = sum(self.base.business_between(max(leaves, from_ms), min(returns, until_ms)) for leaves, returns in self.away)
        return self.base.business_between(from_ms, until_ms) - away

    def is_open(self, at_ms: int) -> bool:
        """Whether it is open and the person is there."""
        return self.base.is_open(at_ms) and not any(leaves <= at_ms < returns for leaves, returns in self.away)

    def next_open(self, at_ms: int) -> int:
        """``at_ms`` if it is open and the person is there, else the next such moment."""
        return self.add_business(at_ms, 1) - 1

    def next_close(self, at_ms: int) -> int | None:
        """As :meth:`Calendar.next_close`, or when the person leaves before that."""
        closes = self.base.next_close(at_ms) if self.is_open(at_ms) else None
        return None if closes is None else min((leaves for leaves, _ in self.away if at_ms < leaves < closes), default=closes)

    def add_working_days(self, start_ms: int, days: int) -> int:
        """As :meth:`Calendar.add_working_days`; a day on which the person is away all the open time does not count."""
        day = local_date(start_ms, self.zone)
        for _ in range(days):
            day = self.working_day_from(day + timedelta(days=1))
        return same_wall_time_ms(start_ms, day, self.zone) if days > 0 else start_ms

    def working_day_from(self, day: date) -> date:
        """``day``, or the first day after it with open time on which the person is there."""
        while True:
            day = self.base.working_day_from(day)
            midnight, next_midnight = (instant_ms(day + timedelta(days=more), 0, self.zone) for more in (0, 1))
            if self.business_between(midnight, next_midnight) > 0:
                return day
            day += timedelta(days=1)


AnyCalendar = Calendar | PersonalCalendar


def _open_before(year: _Year, at_ms: int) -> int:
    """Open milliseconds of the year before ``at_ms``."""
    index = bisect_right(year.starts, at_ms) - 1
    if index < 0:
        return 0
    return year.before[index] + min(at_ms, year.stops[index]) - year.starts[index]


def _merged(intervals: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sorted and disjoint."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(each for each in intervals if each[1] > each[0]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return tuple(merged)
