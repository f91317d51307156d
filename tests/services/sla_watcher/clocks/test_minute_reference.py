"""Deadlines of clocks against a count of minutes, one by one: open hours of any kind in 20 zones,
less the owner's absences, less the time for which the clock waits for the buyer."""

from __future__ import annotations

from datetime import date

from hypothesis import assume, given
from hypothesis import strategies as st

from baton.agreement.compiled.calendars import Calendar
from baton.agreement.quantities import MINUTE_MS
from services.sla_watcher.clocks.intervals import moment
from services.sla_watcher.clocks.state import ClockPause
from tests.agreement.test_calendar_reference import calendars, minutes
from tests.services.sla_watcher.sla_scene import law

Stretch = tuple[int, int]


def stretches(most: int) -> st.SearchStrategy[list[Stretch]]:
    """Stretches in minutes since the beginning; they may overlap."""
    one = st.tuples(st.integers(0, 6 * 1440), st.integers(1, 2 * 1440))
    return st.lists(one.map(lambda drawn: (drawn[0], drawn[0] + drawn[1])), max_size=most)


def inside(minute: int, among: list[Stretch]) -> bool:
    return any(begin <= minute < end for begin, end in among)


@law(40)
@given(
    drawn=calendars(),
    away=stretches(2),
    waits=stretches(3),
    start=st.integers(0, 3 * 1440),
    amount=st.integers(1, 600),
)
def test_a_deadline_is_the_end_of_the_minute_in_which_the_promised_time_is_used_up(
    drawn: tuple[Calendar, date], away: list[Stretch], waits: list[Stretch], start: int, amount: int
) -> None:
    calendar, first = drawn
    found = list(minutes(calendar, first))
    counted = [
        at_ms
        for minute, (at_ms, is_open) in enumerate(found)
        if minute >= start and is_open and not inside(minute, away) and not inside(minute, waits)
    ]
    assume(len(counted) >= amount)
    begin_ms = found[0][0]

    def as_ms(among: list[Stretch]) -> list[Stretch]:
        return [(begin_ms + one * MINUTE_MS, begin_ms + end * MINUTE_MS) for one, end in among]

    time = calendar.without(as_ms(away))
    pauses = [ClockPause(reason="buyer", from_ms=one, until_ms=end) for one, end in as_ms(waits)]
    start_ms = found[start][0]
    unpaused = time.add_business(start_ms, amount * MINUTE_MS)
    assert moment(time, start_ms, unpaused, pauses) == counted[amount - 1] + MINUTE_MS
