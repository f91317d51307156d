"""Calendars against a reference that asks of each minute, one by one, whether it is open: night
shifts, half days, closures, 20 zones."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baton.agreement.compiled.calendars import Calendar
from baton.agreement.compiled.sla_targets import target_of
from baton.agreement.holiday_days import holidays_of
from baton.agreement.model.calendars import Span
from baton.agreement.quantities import HOUR_MS, MINUTE_MS, parse_target
from baton.agreement.wall_time import instant_ms, local_date, local_datetime, zone_named

ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Athens",
    "Europe/Moscow",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Asia/Dubai",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Africa/Johannesburg",
)
NIGHT: Span = (22 * 60, 30 * 60)
DAYS: tuple[tuple[Span, ...], ...] = (
    (),
    ((540, 1020),),
    ((540, 720), (780, 1020)),
    ((540, 810),),
    (NIGHT,),
    ((480, 960), (1260, 1440 + 315)),
)
PLACES = ((), ("DE-BY",), ("US-NY",), ("GB-SCT", "DE-BE"))
STARTS = (
    date(2026, 3, 6),
    date(2026, 3, 27),
    date(2026, 10, 23),
    date(2026, 12, 23),
    date(2026, 12, 29),
    date(2026, 4, 2),
)
LENGTH = 9


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, date]:
    first = draw(st.sampled_from(STARTS))
    near = st.integers(0, LENGTH).map(lambda days: first + timedelta(days=days))
    return (
        Calendar(
            name="drawn",
            zone=zone_named(draw(st.sampled_from(ZONES))),
            weekly=tuple(draw(st.sampled_from(DAYS)) for _ in range(7)),
            holidays=holidays_of(draw(st.sampled_from(PLACES))),
            closed=frozenset(draw(st.sets(near, max_size=2))),
            extra=draw(st.dictionaries(near, st.sampled_from(DAYS), max_size=2)),
            by_calendar_day=draw(st.booleans()),
        ),
        first,
    )


def is_open_by_the_book(calendar: Calendar, at_ms: int) -> bool:
    """From the words of the language alone: which day's hours hold the minute, and whether that
    day, or this one, is off."""
    wall = local_datetime(at_ms, calendar.zone)
    today, minute = wall.date(), wall.hour * 60 + wall.minute
    for day, since in ((today, minute), (today - timedelta(days=1), minute + 1440)):
        own = calendar.extra.get(day)
        hours = calendar.weekly[day.weekday()] if own is None else own
        decisive = today if calendar.by_calendar_day else day
        off = own is None and (
            decisive in calendar.closed or decisive in calendar.holidays(decisive.year)
        )
        if not off and any(opens <= since < closes for opens, closes in hours):
            return True
    return False


def minutes(calendar: Calendar, first: date) -> Iterator[tuple[int, bool]]:
    begin = instant_ms(first, 0, calendar.zone)
    for number in range(LENGTH * 1440):
        at_ms = begin + number * MINUTE_MS
        yield at_ms, is_open_by_the_book(calendar, at_ms)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(drawn=calendars(), data=st.data())
def test_a_calendar_counts_the_minutes_that_are_open_one_by_one(
    drawn: tuple[Calendar, date], data: st.DataObject
) -> None:
    calendar, first = drawn
    found = list(minutes(calendar, first))
    wrong = [at_ms for at_ms, is_open in found if calendar.is_open(at_ms) != is_open]
    assert [local_datetime(at_ms, calendar.zone).isoformat() for at_ms in wrong[:3]] == []
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(found) - 1)] * 2)))
    counted = sum(is_open for _, is_open in found[start:end])
    assert calendar.business_between(found[start][0], found[end][0]) == counted * MINUTE_MS
    if counted:
        due = calendar.add_business(found[start][0], counted * MINUTE_MS)
        last = max(at_ms for at_ms, is_open in found[start:end] if is_open)
        assert due == last + MINUTE_MS


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=calendars(), hour=st.integers(0, 60))
def test_the_end_of_a_day_is_an_end_of_hours_and_no_earlier_day_ends_after_the_start(
    drawn: tuple[Calendar, date], hour: int
) -> None:
    calendar, first = drawn
    if not any(calendar.weekly):
        return
    start = instant_ms(first, 0, calendar.zone) + hour * HOUR_MS
    end = calendar.end_of_day(start)
    assert end > start
    assert not calendar.is_open(end) or calendar.is_open(end - 1)
    ends = [
        hours[1]
        for days in range(-2, 25)
        if (hours := calendar.hours_of(first + timedelta(days=days)))
    ]
    assert end in ends or end > ends[-1]


BERLIN = zone_named("Europe/Berlin")


def night(
    *, by_calendar_day: bool = False, days: range = range(7), places: tuple[str, ...] = ("DE-BY",)
) -> Calendar:
    return Calendar(
        name="night",
        zone=BERLIN,
        weekly=tuple((NIGHT,) if day in days else () for day in range(7)),
        holidays=holidays_of(places),
        by_calendar_day=by_calendar_day,
    )


def at(text: str) -> int:
    return int(
        datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC).timestamp() * 1000
    )


def local_time(at_ms: int) -> str:
    return local_datetime(at_ms, BERLIN).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("why", "calendar", "start", "target", "due"),
    [
        # 27 May 2027 is Corpus Christi, a holiday in Bavaria.
        (
            "the shift goes on into the holiday",
            night(),
            "2027-05-26 23:30",
            "1 business hour",
            "2027-05-27 00:30",
        ),
        (
            "no shift begins on it",
            night(),
            "2027-05-27 07:00",
            "1 business hour",
            "2027-05-28 23:00",
        ),
        (
            "by the day, it ends at midnight",
            night(by_calendar_day=True),
            "2027-05-26 23:30",
            "1 business hour",
            "2027-05-28 00:30",
        ),
        (
            "a Saturday's shift runs into Sunday",
            night(days=range(5, 6)),
            "2026-03-08 05:30",
            "1 business hour",
            "2026-03-14 22:30",
        ),
        (
            "the small hours belong to the day before",
            night(),
            "2026-03-03 02:00",
            "1 working day",
            "2026-03-04 02:00",
        ),
        ("the end of the shift", night(), "2026-03-03 02:00", "by end of day", "2026-03-03 06:00"),
        (
            "after it, of the next one",
            night(),
            "2026-03-03 07:00",
            "by end of day",
            "2026-03-04 06:00",
        ),
        (
            "the end of the next one",
            night(),
            "2026-03-03 02:00",
            "by end of next working day",
            "2026-03-04 06:00",
        ),
        (
            "over New Year",
            night(places=()),
            "2026-12-31 23:30",
            "1 business hour",
            "2027-01-01 00:30",
        ),
        (
            "an hour less in spring",
            night(),
            "2026-03-28 22:00",
            "7 business hours",
            "2026-03-29 06:00",
        ),
    ],
)
def test_a_shift_over_midnight(
    why: str, calendar: Calendar, start: str, target: str, due: str
) -> None:
    assert local_time(target_of(parse_target(target), calendar).deadline(at(start))) == due, why


@pytest.mark.parametrize(
    ("start", "target", "due"),
    [
        ("2026-03-02 10:00", "by end of day", "2026-03-02 17:00"),
        ("2026-03-02 17:00", "by end of day", "2026-03-03 17:00"),
        ("2026-03-07 10:00", "by end of day", "2026-03-09 17:00"),
        ("2026-03-06 10:00", "by end of next working day", "2026-03-09 17:00"),
    ],
)
def test_a_deadline_by_the_end_of_a_day(start: str, target: str, due: str) -> None:
    office = Calendar(name="office", zone=BERLIN, weekly=(((540, 1020),),) * 5 + ((), ()))
    assert local_time(target_of(parse_target(target), office).deadline(at(start))) == due
    away = office.without([(at("2026-03-02 09:00"), at("2026-03-04 12:00"))])
    assert local_date(away.end_of_day(at("2026-03-02 10:00")), BERLIN) == date(2026, 3, 4)
