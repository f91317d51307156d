"""Business time: when people work, and deadlines counted in it.

A calendar is a sorted list of half-open open intervals, made a local year at a time and kept with
running sums, so that a deadline is two bisections. Everything is in milliseconds UTC; daylight
saving is in the intervals. What is open is a pure function of the calendar's rules; no clock.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from baton.agreement.compiled.open_intervals import (
    OpenYear,
    merged_intervals,
    open_before,
    open_year,
)
from baton.agreement.model.calendars import Span
from baton.agreement.wall_time import MINUTES_A_DAY, instant_ms, local_date, same_wall_time_ms

FIRST_YEAR, LAST_YEAR = 1970, 2200
_MEAN_YEAR_MS, _MOST_COUNTED = 31_556_952_000, 1_000


class NeverOpenError(ValueError):
    """The calendar has no open time any more, so no deadline exists."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendar:
    """When a team works.

    ``weekly``: seven tuples of spans, Monday first. ``closed``: days off besides holidays;
    ``extra``: days with hours of their own, which win over everything. A span over midnight is one
    shift of the day on which it begins; ``by_calendar_day``: but each part of it is closed by the
    holidays of its own day. ``holidays``: a pure function from a year to its public holidays.
    """

    name: str
    zone: ZoneInfo
    weekly: tuple[tuple[Span, ...], ...]
    holidays: Callable[[int], Mapping[date, str]] = field(default=lambda year: {})
    closed: frozenset[date] = frozenset()
    extra: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    by_calendar_day: bool = False
    _years: dict[int, OpenYear] = field(default_factory=dict, repr=False)
    _counted: dict[tuple[date, date], int] = field(default_factory=dict, repr=False)

    def add_business(self, start_ms: int, amount_ms: int) -> int:
        """The earliest moment by which ``amount_ms`` of open time has passed since ``start_ms``;
        for nothing, ``start_ms``."""
        if amount_ms <= 0:
            return start_ms
        number = self._year_of(start_ms)
        year = self._year(number)
        wanted = open_before(year, start_ms) + amount_ms
        while wanted > year.total:
            wanted -= year.total
            number += 1
            if number > LAST_YEAR:
                raise NeverOpenError(
                    f"calendar {self.name} is not open long enough until the year {LAST_YEAR}"
                )
            year = self._year(number)
        index = bisect_left(year.before, wanted) - 1
        return year.starts[index] + wanted - year.before[index]

    def business_between(self, from_ms: int, until_ms: int) -> int:
        """Open milliseconds in ``[from_ms, until_ms)``; 0 if they are the wrong way round."""
        if until_ms <= from_ms:
            return 0
        first, last = self._year_of(from_ms), self._year_of(until_ms)
        total = open_before(self._year(last), until_ms) - open_before(self._year(first), from_ms)
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
        """The same wall-clock time on the ``days``-th working day after the day of ``start_ms``; in
        the small hours of a night shift, the day on which it began."""
        return _same_time(self, start_ms, days)

    def shift_day(self, at_ms: int) -> date:
        """The day of ``at_ms``; the day before where a shift of that day still runs."""
        today = local_date(at_ms, self.zone)
        yesterday = today - timedelta(days=1)
        hours = self.hours_of(yesterday)
        return (
            yesterday if hours is not None and at_ms < hours[1] and self.is_open(at_ms) else today
        )

    def hours_of(self, day: date) -> tuple[int, int] | None:
        """When the first hours of ``day`` begin and its last ones end, maybe on the next day; None
        on a day off."""
        parts = self.shifts(day)
        return (
            (self._instant(parts[0][0], day), self._instant(parts[-1][1], day, last=True))
            if parts
            else None
        )

    def end_of_day(self, at_ms: int, days: int = 0) -> int:
        """The end of the working day of ``at_ms``, if it is still to come, else of the next one;
        and ``days`` working days on."""
        day = self.working_day_from(self.shift_day(at_ms))
        while self._end_of(day) <= at_ms:
            day = self.working_day_from(day + timedelta(days=1))
        for _ in range(days):
            day = self.working_day_from(day + timedelta(days=1))
        return self._end_of(day)

    def _end_of(self, day: date) -> int:
        hours = self.hours_of(day)
        assert hours is not None, day
        return hours[1]

    def _instant(self, minute: int, day: date, *, last: bool = False) -> int:
        return instant_ms(day, minute, self.zone, last=last)

    def is_working_day(self, day: date) -> bool:
        """Whether any hours begin on ``day``."""
        return bool(self.shifts(day))

    def working_day_from(self, day: date) -> date:
        """``day``, or the first working day after it."""
        while not self.is_working_day(day):
            day += timedelta(days=1)
            if day.year > LAST_YEAR:
                raise NeverOpenError(
                    f"calendar {self.name} has no working day until the year {LAST_YEAR}"
                )
        return day

    def working_days_between(self, first: date, end: date) -> int:
        """Working days in ``[first, end)``. Each goal asks the same of its period all day long."""
        counted = self._counted.get((first, end))
        if counted is None:
            days = range((end - first).days)
            counted = sum(self.is_working_day(first + timedelta(days=day)) for day in days)
            if len(self._counted) >= _MOST_COUNTED:
                self._counted.clear()
            self._counted[first, end] = counted
        return counted

    def opening_of(self, day: date) -> int:
        """When ``day`` opens; on a day off, its midnight."""
        parts = self.shifts(day)
        return instant_ms(day, parts[0][0] if parts else 0, self.zone)

    def shifts(self, day: date) -> tuple[Span, ...]:
        """The hours that begin on ``day``: its own ones, none on a day off or a holiday, else those
        of its weekday. Minutes count from its midnight; hours over midnight go on beyond 24:00."""
        own = self.extra.get(day)
        if own is not None:
            return own
        if not self.by_calendar_day:
            return () if self._is_off(day) else self.weekly[day.weekday()]
        return tuple(self._open_parts(day))

    def _open_parts(self, day: date) -> Iterator[Span]:
        """The hours of the weekday, less what lies on a day off."""
        off, next_off = self._is_off(day), self._is_off(day + timedelta(days=1))
        for opens, closes in self.weekly[day.weekday()]:
            start = max(opens, MINUTES_A_DAY) if off else opens
            stop = min(closes, MINUTES_A_DAY) if next_off else closes
            if start < stop:
                yield start, stop

    def _is_off(self, day: date) -> bool:
        return day in self.closed or day in self.holidays(day.year)

    def without(self, absences: Sequence[tuple[int, int]]) -> "PersonalCalendar":
        """This calendar less the half-open intervals ``absences`` in which one person is away."""
        return PersonalCalendar(base=self, away=merged_intervals(absences))

    def _year_of(self, at_ms: int) -> int:
        number = min(max(FIRST_YEAR + at_ms // _MEAN_YEAR_MS, FIRST_YEAR), LAST_YEAR)
        year = self._year(number)
        if at_ms < year.begins_ms and number > FIRST_YEAR:
            return number - 1
        if at_ms >= year.ends_ms and number < LAST_YEAR:
            return number + 1
        return number

    def _year(self, number: int) -> OpenYear:
        made = self._years.get(number)
        if made is None:
            made = self._years[number] = open_year(number, self.zone, self.shifts)
        return made


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
        away = sum(
            self.base.business_between(max(leaves, from_ms), min(returns, until_ms))
            for leaves, returns in self.away
        )
        return self.base.business_between(from_ms, until_ms) - away

    def is_open(self, at_ms: int) -> bool:
        """Whether it is open and the person is there."""
        return self.base.is_open(at_ms) and not any(
            leaves <= at_ms < returns for leaves, returns in self.away
        )

    def next_open(self, at_ms: int) -> int:
        """``at_ms`` if it is open and the person is there, else the next such moment."""
        return self.add_business(at_ms, 1) - 1

    def next_close(self, at_ms: int) -> int | None:
        """As :meth:`Calendar.next_close`, or when the person leaves before that."""
        closes = self.base.next_close(at_ms) if self.is_open(at_ms) else None
        return (
            None
            if closes is None
            else min((leaves for leaves, _ in self.away if at_ms < leaves < closes), default=closes)
        )

    def add_working_days(self, start_ms: int, days: int) -> int:
        """As :meth:`Calendar.add_working_days`; a day on which the person is away all the open time
        does not count."""
        return _same_time(self, start_ms, days)

    def shift_day(self, at_ms: int) -> date:
        """As :meth:`Calendar.shift_day`."""
        return self.base.shift_day(at_ms)

    def end_of_day(self, at_ms: int, days: int = 0) -> int:
        """As :meth:`Calendar.end_of_day`; days on which the person is away all the time that is
        left are none."""
        day = self.working_day_from(self.shift_day(at_ms))
        while self.business_between(at_ms, self.base.end_of_day(self.base.opening_of(day))) <= 0:
            day = self.working_day_from(day + timedelta(days=1))
        for _ in range(days):
            day = self.working_day_from(day + timedelta(days=1))
        return self.base.end_of_day(self.base.opening_of(day))

    def working_day_from(self, day: date) -> date:
        """``day``, or the first day after it with open time on which the person is there."""
        while True:
            day = self.base.working_day_from(day)
            hours = self.base.hours_of(day)
            if hours is not None and self.business_between(*hours) > 0:
                return day
            day += timedelta(days=1)


AnyCalendar = Calendar | PersonalCalendar


def _same_time(calendar: AnyCalendar, start_ms: int, days: int) -> int:
    if days <= 0:
        return start_ms
    day = begun = calendar.shift_day(start_ms)
    for _ in range(days):
        day = calendar.working_day_from(day + timedelta(days=1))
    into_next = local_date(start_ms, calendar.zone) - begun
    return same_wall_time_ms(start_ms, day + into_next, calendar.zone)
