"""Which times can be offered: inside somebody's working hours and outside what they are busy with.
Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from baton.agreement.compiled.agreement import AnyCalendar
from baton.agreement.compiled.open_intervals import merged_intervals
from services.delivery.targets.people_model import SlotRules

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_A_DAY: Final = 3
"""Of one day no more are shown, so that the choice covers several days."""

Busy = Sequence[tuple[int, int]]
"""Half-open spans in milliseconds since 1970, sorted and disjoint."""


def free_slots(calendar: AnyCalendar, busy: Busy, rules: SlotRules, now_ms: int) -> list[int]:
    """Every start, in order, from the notice on to the horizon: those that lie whole inside open
    hours. Costs a step for each of the open hours' spans, however fine the slots are."""
    length = rules.minutes * _MINUTE_MS
    first = now_ms + rules.notice_minutes * _MINUTE_MS
    last = now_ms + rules.days * _DAY_MS
    found: list[int] = []
    for opens, closes in merged_intervals(_open_spans(calendar, first, last + length)):
        begin = opens + -opens % length
        found += range(begin, min(last, closes - length + 1), length)
    return [start for start in found if is_outside(busy, start, start + length)]


def _open_spans(calendar: AnyCalendar, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Open hours from ``first`` to ``last``; neighbours may touch."""
    at = first
    while calendar.business_between(at, last) > 0:
        opens = calendar.next_open(at)
        closes = calendar.next_close(opens)
        assert closes is not None, opens
        yield opens, closes
        at = closes


def is_free(
    calendar: AnyCalendar, busy: Busy, rules: SlotRules, start_ms: int, now_ms: int
) -> bool:
    """Whether a slot that was shown some minutes ago can still be given: the notice may have begun
    meanwhile."""
    length = rules.minutes * _MINUTE_MS
    on_the_grid = start_ms % length == 0 and now_ms < start_ms < now_ms + rules.days * _DAY_MS
    return (
        on_the_grid
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
