"""Business time: the cases that others get wrong, and laws that hold on the days the clocks
change."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from baton.agreement.compiled.calendars import Calendar, NeverOpenError, PersonalCalendar
from baton.agreement.compiled.sla_targets import Target, target_of
from baton.agreement.holiday_days import holidays_of
from baton.agreement.quantities import DAY_MS, HOUR_MS, MINUTE_MS, parse_target
from baton.agreement.wall_time import instant_ms, local_datetime, zone_named

BERLIN = zone_named("Europe/Berlin")
NINE_TO_FIVE = ((540, 1020),)
NOTHING: tuple[tuple[int, int], ...] = ()


def calendar(
    *spans: tuple[int, int],
    zone: str = "Europe/Berlin",
    weekend: bool = False,
    places: tuple[str, ...] = (),
    **more: object,
) -> Calendar:
    hours = spans or NINE_TO_FIVE
    days_off = (hours, hours) if weekend else (NOTHING, NOTHING)
    return Calendar(
        name="test",
        zone=zone_named(zone),
        weekly=(hours,) * 5 + days_off,
        holidays=holidays_of(places),
        **more,  # type: ignore[arg-type]
    )


def at(text: str, zone: str = "Europe/Berlin") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone_named(zone)).timestamp() * 1000)


def local_time(ms: int, zone: str = "Europe/Berlin") -> str:
    return local_datetime(ms, zone_named(zone)).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")


LUNCH = ((540, 720), (780, 1020))


@pytest.mark.parametrize(
    ("why", "hours", "start", "target", "deadline"),
    [
        ("inside the day", calendar(), "2026-03-02 10:00", "1 business hour", "2026-03-02 11:00"),
        (
            "a Saturday lead is due on Monday at ten",
            calendar(),
            "2026-03-07 15:00",
            "1 business hour",
            "2026-03-09 10:00",
        ),
        (
            "the closing moment is in time",
            calendar(),
            "2026-03-02 16:00",
            "1 business hour",
            "2026-03-02 17:00",
        ),
        (
            "what is left goes on tomorrow",
            calendar(),
            "2026-03-02 16:30",
            "1 business hour",
            "2026-03-03 09:30",
        ),
        ("before opening", calendar(), "2026-03-02 06:00", "1 business hour", "2026-03-02 10:00"),
        (
            "at midnight nobody is reminded",
            calendar(),
            "2026-03-02 00:00",
            "1 business minute",
            "2026-03-02 09:01",
        ),
        ("Friday evening", calendar(), "2026-03-06 17:00", "2 business hours", "2026-03-09 11:00"),
        (
            "the lunch break does not count",
            calendar(*LUNCH),
            "2026-03-02 11:30",
            "1 business hour",
            "2026-03-02 13:30",
        ),
        (
            "due at lunch",
            calendar(*LUNCH),
            "2026-03-02 11:00",
            "1 business hour",
            "2026-03-02 12:00",
        ),
        (
            "inside lunch",
            calendar(*LUNCH),
            "2026-03-02 12:20",
            "1 business hour",
            "2026-03-02 14:00",
        ),
        (
            "a week of hours",
            calendar(),
            "2026-03-02 10:00",
            "40 business hours",
            "2026-03-09 10:00",
        ),
        (
            "Easter",
            calendar(places=("DE-BE",)),
            "2026-04-02 16:30",
            "1 business hour",
            "2026-04-07 09:30",
        ),
        (
            "another country works on Easter Monday",
            calendar(places=("US-NY",)),
            "2026-04-03 16:30",
            "1 business hour",
            "2026-04-06 09:30",
        ),
        (
            "a day off",
            calendar(closed=frozenset({date(2026, 3, 3)})),
            "2026-03-02 16:30",
            "1 business hour",
            "2026-03-04 09:30",
        ),
        (
            "over New Year",
            calendar(places=("DE",)),
            "2026-12-31 16:30",
            "1 business hour",
            "2027-01-04 09:30",
        ),
        (
            "an open Saturday wins",
            calendar(extra={date(2026, 3, 7): ((600, 720),)}),
            "2026-03-06 17:00",
            "3 business hours",
            "2026-03-09 10:00",
        ),
        ("two working days", calendar(), "2026-03-02 15:00", "2 working days", "2026-03-04 15:00"),
        (
            "two working days over the week-end",
            calendar(),
            "2026-03-06 15:00",
            "2 working days",
            "2026-03-10 15:00",
        ),
        (
            "working days from a Saturday",
            calendar(),
            "2026-03-07 11:00",
            "1 working day",
            "2026-03-09 11:00",
        ),
        (
            "working days over a holiday",
            calendar(places=("DE",)),
            "2026-04-02 15:00",
            "1 working day",
            "2026-04-07 15:00",
        ),
        (
            "working days keep the time when clocks change",
            calendar(),
            "2026-03-27 15:00",
            "1 working day",
            "2026-03-30 15:00",
        ),
        (
            "elapsed time takes no notice",
            calendar(),
            "2026-03-07 15:00",
            "2 hours elapsed",
            "2026-03-07 17:00",
        ),
        (
            "elapsed days are of 24 hours",
            calendar(),
            "2026-03-28 15:00",
            "1 day elapsed",
            "2026-03-29 16:00",
        ),
        ("seconds", calendar(), "2026-03-02 10:00", "4 seconds elapsed", "2026-03-02 10:00:04"),
    ],
)
def test_a_deadline(why: str, hours: Calendar, start: str, target: str, deadline: str) -> None:
    assert local_time(target_of(parse_target(target), hours).deadline(at(start))) == deadline, why


def test_a_night_shift_loses_an_hour_in_spring_and_gains_one_in_autumn() -> None:
    night = calendar((0, 480), weekend=True)
    assert night.business_between(at("2026-03-29 00:00"), at("2026-03-30 00:00")) == 7 * HOUR_MS
    assert night.business_between(at("2026-10-25 00:00"), at("2026-10-26 00:00")) == 9 * HOUR_MS
    assert local_time(night.add_business(at("2026-03-29 01:00"), 2 * HOUR_MS)) == "2026-03-29 04:00"
    assert local_time(night.add_business(at("2026-10-25 01:00"), 2 * HOUR_MS)) == "2026-10-25 02:00"


def test_hours_that_are_skipped_in_spring_do_not_exist() -> None:
    gap = calendar((120, 180), weekend=True)
    day = at("2026-03-29 00:00")
    assert gap.business_between(day, day + DAY_MS) == 0
    half = calendar((90, 150), weekend=True)
    assert half.business_between(day, day + DAY_MS) == 30 * MINUTE_MS


def test_a_zone_that_left_out_a_day_had_no_hours_on_it() -> None:
    samoa = calendar(zone="Pacific/Apia")
    before, after = at("2011-12-29 00:00", "Pacific/Apia"), at("2011-12-31 00:00", "Pacific/Apia")
    assert samoa.business_between(before, after) == 8 * HOUR_MS


def test_an_absence_does_not_count() -> None:
    away = calendar().without(
        [
            (at("2026-03-02 12:00"), at("2026-03-04 12:00")),
            (at("2026-03-03 00:00"), at("2026-03-05 00:00")),
        ]
    )
    assert local_time(away.add_business(at("2026-03-02 11:00"), 2 * HOUR_MS)) == "2026-03-05 10:00"
    assert local_time(away.add_working_days(at("2026-03-02 11:00"), 1)) == "2026-03-05 11:00"
    assert (away.is_open(at("2026-03-03 10:00")), away.is_open(at("2026-03-05 10:00"))) == (
        False,
        True,
    )
    assert local_time(away.next_open(at("2026-03-02 12:00"))) == "2026-03-05 09:00"
    assert away.business_between(at("2026-03-02 00:00"), at("2026-03-06 00:00")) == 11 * HOUR_MS


def test_open_and_closed_meet_without_overlap() -> None:
    hours = calendar(*LUNCH)
    asked = ["08:59:59", "09:00", "11:59:59", "12:00", "13:00", "16:59:59", "17:00"]
    assert [hours.is_open(at(f"2026-03-02 {question}")) for question in asked] == [
        False,
        True,
        True,
        False,
        True,
        True,
        False,
    ]
    assert local_time(hours.next_open(at("2026-03-02 12:00"))) == "2026-03-02 13:00"


def test_a_calendar_that_is_never_open_says_so_instead_of_searching_for_ever() -> None:
    never = Calendar(name="never", zone=BERLIN, weekly=(NOTHING,) * 7)
    with pytest.raises(NeverOpenError, match="never"):
        never.add_business(at("2026-03-02 10:00"), 1)
    with pytest.raises(NeverOpenError, match="never"):
        never.add_working_days(at("2026-03-02 10:00"), 1)


def test_warnings_come_at_fractions_of_the_open_time() -> None:
    target = target_of(parse_target("4 business hours"), calendar())
    start = at("2026-03-02 15:00")
    assert [local_time(target.at_percent(start, percent)) for percent in (25, 50, 75)] == [
        "2026-03-02 16:00",
        "2026-03-02 17:00",
        "2026-03-03 10:00",
    ]
    assert (
        local_time(target_of(parse_target("2 hours elapsed"), calendar()).at_percent(start, 50))
        == "2026-03-02 16:00"
    )
    assert (
        local_time(target_of(parse_target("2 working days"), calendar()).at_percent(start, 50))
        == "2026-03-03 15:00"
    )


def test_unknown_holidays_are_refused() -> None:
    with pytest.raises(ValueError, match="DE-XX"):
        holidays_of(("DE-XX",))


SPANS = st.lists(st.integers(0, 96), min_size=2, max_size=8, unique=True).map(
    lambda cuts: tuple(
        (one * 15, two * 15)
        for one, two in zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False)
    )
)
ZONES = st.sampled_from(
    [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "UTC",
        "Pacific/Auckland",
    ]
)
WEEKS = st.lists(SPANS, min_size=7, max_size=7).filter(any)
YEARS = (
    int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000),
    int(datetime(2028, 1, 1, tzinfo=UTC).timestamp() * 1000),
)
MOMENTS = st.integers(*YEARS)
# Half of the moments lie around a change of clocks, where mistakes live.
NEAR_CHANGES = st.sampled_from(
    ["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04"]
).flatmap(
    lambda day: st.integers(-2 * DAY_MS, 2 * DAY_MS).map(
        lambda more: at(f"{day} 00:00", "UTC") + more
    )
)
AMOUNTS = st.one_of(st.integers(1, 3 * HOUR_MS), st.integers(1, 400 * HOUR_MS))
ABSENCES = st.lists(
    st.tuples(st.one_of(MOMENTS, NEAR_CHANGES), st.integers(1, 20 * DAY_MS)).map(
        lambda span: (span[0], span[0] + span[1])
    ),
    max_size=4,
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar | PersonalCalendar:
    made = Calendar(name="law", zone=zone_named(draw(ZONES)), weekly=tuple(draw(WEEKS)))
    absences = draw(ABSENCES)
    return made.without(absences) if absences else made


@settings(deadline=None, max_examples=40)
@given(calendars(), st.one_of(MOMENTS, NEAR_CHANGES), AMOUNTS)
def test_what_was_added_is_what_lies_between(
    hours: Calendar | PersonalCalendar, start: int, amount: int
) -> None:
    due = hours.add_business(start, amount)
    assert hours.business_between(start, due) == amount
    assert hours.business_between(start, due - 1) == amount - 1, "it is the earliest such moment"


@settings(deadline=None, max_examples=40)
@given(
    calendars(),
    st.one_of(MOMENTS, NEAR_CHANGES),
    st.integers(0, 5 * DAY_MS),
    AMOUNTS,
    st.integers(0, 40 * HOUR_MS),
)
def test_later_starts_and_larger_amounts_are_never_due_earlier(
    hours: Calendar | PersonalCalendar, start: int, later: int, amount: int, more: int
) -> None:
    assert hours.add_business(start, amount) <= hours.add_business(start + later, amount)
    assert hours.add_business(start, amount) <= hours.add_business(start, amount + more)


@settings(deadline=None, max_examples=40)
@given(calendars(), st.one_of(MOMENTS, NEAR_CHANGES), AMOUNTS, AMOUNTS)
def test_a_deadline_can_be_reached_in_two_steps(
    hours: Calendar | PersonalCalendar, start: int, one: int, two: int
) -> None:
    assert hours.add_business(hours.add_business(start, one), two) == hours.add_business(
        start, one + two
    )


@settings(deadline=None, max_examples=40)
@given(calendars(), st.lists(st.one_of(MOMENTS, NEAR_CHANGES), min_size=3, max_size=3).map(sorted))
def test_time_between_adds_up(hours: Calendar | PersonalCalendar, moments: list[int]) -> None:
    one, two, three = moments
    assert hours.business_between(one, two) + hours.business_between(
        two, three
    ) == hours.business_between(one, three)


@settings(deadline=None, max_examples=30)
@given(calendars(), st.one_of(MOMENTS, NEAR_CHANGES))
def test_the_next_opening_is_open_and_nothing_before_it_is(
    hours: Calendar | PersonalCalendar, moment: int
) -> None:
    opening = hours.next_open(moment)
    assert opening >= moment
    assert hours.is_open(opening)
    assert hours.business_between(moment, opening) == 0


@settings(deadline=None, max_examples=40)
@given(calendars(), st.one_of(MOMENTS, NEAR_CHANGES), st.integers(1, 30))
def test_working_days_are_counted_one_by_one(
    hours: Calendar | PersonalCalendar, start: int, days: int
) -> None:
    step_by_step = start
    wall = local_datetime(start, hours.zone)
    # a wall time inside a change of clocks moves; it is not the same time any more
    assume(wall.hour >= 4)
    for _ in range(days):
        step_by_step = hours.add_working_days(step_by_step, 1)
    assert step_by_step == hours.add_working_days(start, days)


@settings(deadline=None, max_examples=30)
@given(ZONES, st.one_of(MOMENTS, NEAR_CHANGES))
def test_wall_time_and_moment_agree(zone_name: str, moment: int) -> None:
    zone = zone_named(zone_name)
    wall = local_datetime(moment, zone)
    minute = wall.hour * 60 + wall.minute
    rest = wall.second * 1000 + wall.microsecond // 1000
    assert moment - rest in (
        instant_ms(wall.date(), minute, zone),
        instant_ms(wall.date(), minute, zone, last=True),
    )


def test_a_target_uses_the_calendar_it_is_handed() -> None:
    target: Target = target_of(parse_target("1 business hour"), calendar())
    assert (
        local_time(target.deadline(at("2026-03-07 15:00"), calendar(weekend=True)))
        == "2026-03-07 16:00"
    )


def test_days_off_are_no_working_days() -> None:
    hours = calendar(places=("DE",))
    first = date(2026, 12, 21)
    assert [hours.is_working_day(first + timedelta(days=number)) for number in range(7)] == [
        True
    ] * 4 + [False] * 3
    assert hours.working_days_between(first, date(2027, 1, 4)) == 8
