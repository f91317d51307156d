"""Which times can be offered: inside somebody's working hours and outside what they are busy with.
Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from baton.agreement.compiled.agreement import AnyCalendar
from baton.agreement.compiled.calendars import PersonalCalendar
from baton.agreement.wall_time import instant_ms, local_date
from services.delivery.targets.people_model import SlotRules

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_A_DAY: Final = 3
"""Of one day no more are shown, so that the choice covers several days."""

Busy = Sequence[tuple[int, int]]
"""Half-open spans in milliseconds since 1970, sorted and disjoint."""


def free_slots(calendar: AnyCalendar, busy: Busy, rules: SlotRules, now_ms: int) -> list[int]:
    """Every start, in order, from the notice on to the horizon: those that lie whole inside open
    hours."""
    length = rules.minutes * _MINUTE_MS
    first = now_ms + rules.notice_minutes * _MINUTE_MS
    last = now_ms + rules.days * _DAY_MS
    days = _days(calendar, first, last)
    begun = sorted({start for day in days for start in _grid(calendar, day, length)})
    away = calendar.away if isinstance(calendar, PersonalCalendar) else ()
    return [
        start
        for start in begun
        if first <= start < last
        and is_outside(busy, start, start + length)
        and is_outside(away, start, start + length)
    ]


def _days(calendar: AnyCalendar, first: int, last: int) -> list[date]:
    """The days whose hours may reach between the moments: those of the day before may."""
    begin = local_date(first, calendar.zone) - timedelta(days=1)
    number = (local_date(last, calendar.zone) - begin).days
    return [begin + timedelta(days=day) for day in range(number + 1)]


def _grid(calendar: AnyCalendar, day: date, length: int) -> Iterator[int]:
    """The starts of a day: one after the other from when its hours begin, in the zone of who works
    then, so that a day from half past nine has its first slot at half past nine."""
    base = calendar.base if isinstance(calendar, PersonalCalendar) else calendar
    for opens, closes in base.shifts(day):
        from_ms = instant_ms(day, opens, base.zone)
        yield from range(
            from_ms, instant_ms(day, closes, base.zone, last=True) - length + 1, length
        )


def is_free(
    calendar: AnyCalendar, busy: Busy, rules: SlotRules, start_ms: int, now_ms: int
) -> bool:
    """Whether a slot that was shown some minutes ago can still be given: the notice may have begun
    meanwhile."""
    length = rules.minutes * _MINUTE_MS
    on_the_grid = any(
        start_ms in _grid(calendar, day, length) for day in _days(calendar, start_ms, start_ms)
    )
    return (
        now_ms < start_ms < now_ms + rules.days * _DAY_MS
        and on_the_grid
        and is_outside(busy, start_ms, start_ms + length)
        and calendar.business_between(start_ms, start_ms + length) == length
    )


def shown_of(starts: Iterable[int], rules: SlotRules) -> tuple[int, ...]:
    """The earliest ones, a few of a day. ``starts`` are in order; one may come more than once."""
    of_day: Counter[int] = Counter()
    found: list[int] = []
    for start in starts:
        if found and found[-1] == start:
            continue
        of_day[start // _DAY_MS] += 1
        if of_day[start // _DAY_MS] <= _A_DAY:
            found.append(start)
            if len(found) == rules.shown:
                break
    return tuple(found)


def slot_text(start_ms: int) -> str:
    """A start as the page reads it: ISO 8601 in UTC."""
    return datetime.fromtimestamp(start_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_outside(busy: Busy, start_ms: int, stop_ms: int) -> bool:
    """Whether none of the spans, sorted and disjoint, overlaps: the last one that begins before the
    stop ended before the start."""
    index = bisect_left(busy, (stop_ms,)) - 1  # (stop,) sorts before every span from it on
    return index < 0 or busy[index][1] <= start_ms
