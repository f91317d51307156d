"""Business time with its arithmetic: which open hours make up a deadline, and which days do not
count.

Pure. The deadline itself is the agreement's own computation
(:class:`~baton.agreement.compiled.sla_targets.Target`); the stretches here are listed beside it and
add up to it.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from baton.agreement.compiled.calendars import AnyCalendar, Calendar, PersonalCalendar
from baton.agreement.compiled.sla_targets import Target, target_of
from baton.agreement.quantities import (
    TargetKind,
    TargetWords,
    duration_words,
    parse_duration_ms,
    parse_target,
)
from baton.agreement.wall_time import local_date

_MOST_STRETCHES = 1_000
_DAY_MS = 86_400_000
_WEEKEND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Open hours that count, half-open; ``sum_ms`` with all before it."""

    from_ms: int
    until_ms: int
    sum_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOff:
    """A day without hours, and why: a holiday's name, ``weekend``, ``closed``, ``away``."""

    day: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessTime:
    """From one moment to another in a calendar. ``open_ms``: the sum of all stretches;
    ``elapsed_ms``: around the clock; ``cut``: not every stretch is listed."""

    calendar: str
    zone: str
    from_ms: int
    until_ms: int
    open_ms: int
    elapsed_ms: int
    stretches: tuple[Stretch, ...]
    days_off: tuple[DayOff, ...]
    cut: bool = False
    target: str | None = None


def target_from(text: str, calendar: AnyCalendar) -> Target:
    """The target that ``text`` says: any form of the agreement, and ``6h`` or ``90 minutes`` for
    open time. Raises ValueError with what to write instead."""
    try:
        words = parse_target(text)
    except ValueError:
        try:
            amount = parse_duration_ms(text)
        except ValueError:
            amount = 0
        if amount <= 0 or amount % _DAY_MS == 0:
            raise
        words = TargetWords(kind=TargetKind.BUSINESS, amount=amount)
    return target_of(words, calendar)


def deadline_of(calendar: AnyCalendar, from_ms: int, target: Target) -> BusinessTime:
    """When a clock that starts at ``from_ms`` is due, and how that adds up."""
    found = between(calendar, from_ms, target.deadline(from_ms, calendar))
    return BusinessTime(
        calendar=found.calendar,
        zone=found.zone,
        from_ms=found.from_ms,
        until_ms=found.until_ms,
        open_ms=found.open_ms,
        elapsed_ms=found.elapsed_ms,
        stretches=found.stretches,
        days_off=found.days_off,
        cut=found.cut,
        target=target.words,
    )


def between(calendar: AnyCalendar, from_ms: int, until_ms: int) -> BusinessTime:
    """The open time in ``[from_ms, until_ms)``."""
    stretches = _stretches(calendar, from_ms, until_ms)
    open_ms = calendar.business_between(from_ms, until_ms)
    base = calendar.base if isinstance(calendar, PersonalCalendar) else calendar
    return BusinessTime(
        calendar=base.name,
        zone=str(calendar.zone),
        from_ms=from_ms,
        until_ms=until_ms,
        open_ms=open_ms,
        elapsed_ms=max(until_ms - from_ms, 0),
        stretches=stretches,
        days_off=_days_off(calendar, base, from_ms, until_ms),
        cut=(stretches[-1].sum_ms if stretches else 0) != open_ms,
    )


def _stretches(calendar: AnyCalendar, from_ms: int, until_ms: int) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    at, total = from_ms, 0
    while at < until_ms and len(found) < _MOST_STRETCHES:
        opens = calendar.next_open(at)
        closes = calendar.next_close(opens)
        if opens >= until_ms or closes is None:
            break
        at = min(closes, until_ms)
        total += at - opens
        found.append(Stretch(from_ms=opens, until_ms=at, sum_ms=total))
    return tuple(found)


def _days_off(
    calendar: AnyCalendar, base: Calendar, from_ms: int, until_ms: int
) -> tuple[DayOff, ...]:
    found: list[DayOff] = []
    day, last = local_date(from_ms, base.zone), local_date(until_ms, base.zone)
    while day <= last and len(found) < _MOST_STRETCHES:
        reason = _reason(calendar, base, day)
        if reason is not None:
            found.append(DayOff(day=day.isoformat(), reason=reason))
        day += timedelta(days=1)
    return tuple(found)


def _reason(calendar: AnyCalendar, base: Calendar, day: date) -> str | None:
    hours = base.hours_of(day)
    if hours is not None:
        return "away" if calendar.business_between(*hours) <= 0 else None
    if day in base.closed:
        return "closed"
    holiday = base.holidays(day.year).get(day)
    return holiday or ("weekend" if day.weekday() >= _WEEKEND else "closed")


def sum_words(ms: int) -> str:
    """``6 hours 30 minutes``; what is less than a second only where there is nothing else."""
    return duration_words(ms - ms % 1_000 if ms >= 1_000 else ms)


def open_words(ms: int) -> str:
    """Open time: hours and below, since a day of it can be taken two ways (24 hours, or one working
    day)."""
    hours, rest = divmod(ms, 3_600_000)
    if not hours:
        return sum_words(ms)
    words = f"{hours} hour{'' if hours == 1 else 's'}"
    return f"{words} {sum_words(rest)}" if rest >= 1_000 else words
