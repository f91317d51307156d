"""Targets bound to a calendar: the deadline of a promise, and its warnings.

Never mixed: business time (open hours only), working days (the same wall-clock time), elapsed time,
the end of a working day.
"""

from dataclasses import dataclass

from baton.agreement.compiled.calendars import AnyCalendar
from baton.agreement.quantities import TargetKind, TargetWords


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """``amount`` is milliseconds, or days for working days. ``calendar`` is used where the caller
    hands in none."""

    kind: TargetKind
    amount: int
    calendar: AnyCalendar
    words: str

    def deadline(self, start_ms: int, calendar: AnyCalendar | None = None) -> int:
        """The last moment to be in time, for a clock that started at ``start_ms`` (both ms UTC)."""
        hours = calendar or self.calendar
        match self.kind:
            case TargetKind.BUSINESS:
                return hours.add_business(start_ms, self.amount)
            case TargetKind.WORKING_DAYS:
                return hours.add_working_days(start_ms, self.amount)
            case TargetKind.ELAPSED:
                return start_ms + self.amount
            case TargetKind.END_OF_DAY:
                return hours.end_of_day(start_ms, self.amount)

    def at_percent(self, start_ms: int, percent: int, calendar: AnyCalendar | None = None) -> int:
        """When ``percent`` of the time to the deadline is gone: of the open time, but for elapsed
        targets.

        Where no time is open before the deadline it is the percentage of the elapsed time.
        """
        hours = calendar or self.calendar
        deadline = self.deadline(start_ms, calendar)
        if self.kind is not TargetKind.ELAPSED:
            open_ms = hours.business_between(start_ms, deadline)
            if open_ms > 0:
                return min(hours.add_business(start_ms, open_ms * percent // 100), deadline)
        return start_ms + (deadline - start_ms) * percent // 100


def target_of(words: TargetWords, calendar: AnyCalendar) -> Target:
    """Bind a target as written to the calendar it counts in."""
    return Target(kind=words.kind, amount=words.amount, calendar=calendar, words=words.words)
