"""Months and quarters in the agreement's time zone, and how much of one is gone in working days."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from baton.agreement.compiled.calendars import Calendar
from baton.agreement.wall_time import instant_ms, local_date

QUARTER: Final = "quarter"
_MONTHS_A_YEAR: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One month or quarter: ``first`` day and the day after its last one."""

    name: str
    first: date
    end: date

    def ends_ms(self, zone: ZoneInfo) -> int:
        """The midnight at which it is over."""
        return instant_ms(self.end, 0, zone)

    def working_days(self, calendar: Calendar, *, since: date | None = None) -> int:
        """How many working days it has, from ``since`` on where that is within it."""
        return calendar.working_days_between(since or self.first, self.end)

    def working_days_gone(
        self, calendar: Calendar, at_ms: int, zone: ZoneInfo, *, since: date | None = None
    ) -> int:
        """How many of them are over; the day of ``at_ms`` is not."""
        first = since or self.first
        today = min(max(local_date(at_ms, zone), first), self.end)
        return calendar.working_days_between(first, today)


def period_of(at_ms: int, per: str, zone: ZoneInfo) -> Period:
    """The month or quarter that ``at_ms`` falls in."""
    day = local_date(at_ms, zone)
    return _period(day.year, day.month, per)


def period_named(name: str) -> Period:
    """The inverse of a period's name: ``2026-10`` or ``2026-Q4``."""
    year, part = name.split("-")
    if part.startswith("Q"):
        return _period(int(year), 3 * int(part[1:]) - 2, QUARTER)
    return _period(int(year), int(part), "month")


def next_working_morning(at_ms: int, calendar: Calendar, zone: ZoneInfo) -> int:
    """When the first working day after the day of ``at_ms`` opens."""
    return calendar.opening_of(
        calendar.working_day_from(local_date(at_ms, zone) + timedelta(days=1))
    )


def _period(year: int, month: int, per: str) -> Period:
    if per == QUARTER:
        number = (month + 2) // 3
        return Period(
            name=f"{year}-Q{number}",
            first=date(year, 3 * number - 2, 1),
            end=_first_of(year, 3 * number + 1),
        )
    return Period(
        name=f"{year}-{month:02d}", first=date(year, month, 1), end=_first_of(year, month + 1)
    )


def _first_of(year: int, month: int) -> date:
    return date(year + 1, 1, 1) if month > _MONTHS_A_YEAR else date(year, month, 1)
