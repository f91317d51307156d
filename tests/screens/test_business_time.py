"""Deadlines with their arithmetic: the stretches add up to the deadline, and the days that do not
count are named."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.agreement.canonical import compiled_of
from baton.agreement.source.read import read_agreement
from baton.cli.deadline import hours_of
from baton.screens.business_time import between, deadline_of, open_words, target_from
from baton.screens.moments import local_moment_ms

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "agreements"
AGREEMENT = compiled_of(read_agreement(EXAMPLES / "software.yaml"))
BERLIN = AGREEMENT.calendars["berlin"]
ZONE = ZoneInfo("Europe/Berlin")
HOUR_MS = 3_600_000


def at(text: str) -> int:
    return local_moment_ms(text, ZONE)


def test_a_deadline_over_christmas_lists_its_stretches_and_names_the_days_off() -> None:
    found = deadline_of(BERLIN, at("2026-12-23T15:00"), target_from("12h", BERLIN))
    spans = [(s.from_ms, s.until_ms) for s in found.stretches]
    assert spans == [
        (at("2026-12-23T15:00"), at("2026-12-23T18:00")),
        (at("2026-12-28T09:00"), at("2026-12-28T12:30")),
        (at("2026-12-28T13:30"), at("2026-12-28T18:00")),
        (at("2026-12-29T09:00"), at("2026-12-29T10:00")),
    ]
    assert [(off.day, off.reason) for off in found.days_off] == [
        ("2026-12-24", "closed"),
        ("2026-12-25", "Christmas Day"),
        ("2026-12-26", "Second Day of Christmas"),
        ("2026-12-27", "weekend"),
    ]
    assert (found.until_ms, found.open_ms) == (at("2026-12-29T10:00"), 12 * HOUR_MS)
    assert found.target == "12 business hours"


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(at("2026-01-01T00:00"), at("2027-06-30T00:00")),
    minutes=st.integers(1, 60 * 80).filter(lambda count: count % 1440),  # whole days are refused
    calendar=st.sampled_from(sorted(AGREEMENT.calendars)),
)
def test_stretches_are_disjoint_and_add_up_to_the_target(
    start: int, minutes: int, calendar: str
) -> None:
    hours = AGREEMENT.calendars[calendar]
    found = deadline_of(hours, start, target_from(f"{minutes} minutes", hours))
    assert not found.cut
    assert sum(s.until_ms - s.from_ms for s in found.stretches) == minutes * 60_000
    assert found.stretches[-1].until_ms == found.until_ms
    ends = [start, *(s.until_ms for s in found.stretches)]
    assert all(end <= s.from_ms for end, s in zip(ends, found.stretches, strict=False))
    assert all(hours.is_open(s.from_ms) for s in found.stretches)


def test_an_absence_does_not_count_and_is_said() -> None:
    away = BERLIN.without([(at("2026-11-30T00:00"), at("2026-12-01T00:00"))])
    found = between(away, at("2026-11-27T15:00"), at("2026-12-01T10:00"))
    assert found.open_ms == 2 * HOUR_MS, "an hour on Friday, one on Tuesday"
    assert ("2026-11-30", "away") in [(off.day, off.reason) for off in found.days_off]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("4 business hours", "4 business hours"),
        ("2 working days", "2 working days"),
        ("30 minutes elapsed", "30 minutes elapsed"),
        ("by end of day", "by end of day"),
        ("90m", "1 business hour 30 minutes"),
    ],
)
def test_every_form_of_a_target_is_taken(text: str, words: str) -> None:
    assert target_from(text, BERLIN).words == words


def test_days_without_saying_which_are_refused_with_the_way_out() -> None:
    with pytest.raises(ValueError, match="2 working days"):
        target_from("2d", BERLIN)


def test_a_moment_without_an_offset_is_the_calendars_own_time() -> None:
    moment = datetime(2026, 7, 1, 9, tzinfo=ZONE)
    assert local_moment_ms("2026-07-01T09:00", ZONE) == moment.timestamp() * 1000
    assert local_moment_ms("2026-07-01T07:00+00:00", ZONE) == moment.timestamp() * 1000
    with pytest.raises(ValueError, match="is no moment"):
        local_moment_ms("tomorrow", ZONE)


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (24 * HOUR_MS, "24 hours"),
        (HOUR_MS, "1 hour"),
        (27 * HOUR_MS + 30 * 60_000, "27 hours 30 minutes"),
        (45 * 60_000, "45 minutes"),
    ],
)
def test_three_days_of_eight_hours_are_24_hours_of_open_time_and_not_a_day(
    ms: int, words: str
) -> None:
    assert open_words(ms) == words


def test_a_person_and_a_calendar_at_once_are_refused_since_one_of_them_would_be_left_out() -> None:
    with pytest.raises(typer.BadParameter, match="give one of the two"):
        hours_of(EXAMPLES / "software.yaml", "berlin", "ae-greta")
