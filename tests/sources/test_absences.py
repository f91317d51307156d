"""Absences from calendar feeds."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from baton.contracts.reference_records import PeopleRecord
from baton.sources.calendar_feed import CalendarWrong, Span, absences_in, to_announce

BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str, zone: ZoneInfo = BERLIN) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


FROM, UNTIL = ms("2026-03-01T00:00"), ms("2026-06-01T00:00")
FEED = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20260309
DTEND;VALUE=DATE:20260312
SUMMARY:Urlaub
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20260312
SUMMARY:Vacation again
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTAMP:20260101T000000Z
DTSTART:20260320T120000Z
DTEND:20260320T140000Z
SUMMARY:Dentist
X-MICROSOFT-CDO-BUSYSTATUS:OOF
END:VEVENT
BEGIN:VEVENT
UID:4
DTSTAMP:20260101T000000Z
DTSTART:20260321T090000Z
DTEND:20260321T100000Z
SUMMARY:Team meeting
END:VEVENT
BEGIN:VEVENT
UID:5
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20260327T130000
DTEND;TZID=Europe/Berlin:20260327T170000
RRULE:FREQ=WEEKLY;COUNT=2
SUMMARY:OOO
END:VEVENT
BEGIN:VEVENT
UID:6
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20260420
SUMMARY:Vacation that was called off
STATUS:CANCELLED
END:VEVENT
END:VCALENDAR
"""


def test_days_are_those_of_the_persons_zone_and_repetitions_follow_its_clock() -> None:
    assert absences_in(FEED, from_ms=FROM, until_ms=UNTIL, zone=BERLIN) == (
        Span(ms("2026-03-09T00:00"), ms("2026-03-13T00:00")),
        Span(ms("2026-03-20T13:00"), ms("2026-03-20T15:00")),
        Span(ms("2026-03-27T13:00"), ms("2026-03-27T17:00")),
        Span(ms("2026-04-03T13:00"), ms("2026-04-03T17:00")),  # summer time by now
    )


def test_new_ones_are_announced_and_those_that_are_gone_taken_back_once() -> None:
    first, second = Span(1_000, 2_000), Span(3_000, 4_000)
    announced = to_announce("ana", [first, second], [], now_ms=500)
    assert [(absence_record.from_ms, absence_record.cancelled) for absence_record in announced] == [
        (1_000, False),
        (3_000, False),
    ]
    assert to_announce("ana", [first, second], announced, now_ms=500) == []
    by_hand = PeopleRecord(record_id="x", person="ana", from_ms=5_000, until_ms=6_000)
    moved = to_announce("ana", [first], [*announced, by_hand], now_ms=500)
    assert [(absence_record.from_ms, absence_record.cancelled) for absence_record in moved] == [
        (3_000, True)
    ]
    assert to_announce("ana", [first], [*announced, by_hand, *moved], now_ms=500) == []
    assert to_announce("ana", [], announced, now_ms=2_500) == moved, "what is over is left alone"
    assert {absence_record.reason for absence_record in [*announced, *moved]} == {"calendar"}


BAD = {
    "no calendar": (b"<html>Sign in</html>", "is no calendar"),
    "an event each second": (
        FEED.replace(b"FREQ=WEEKLY;COUNT=2", b"FREQ=SECONDLY"),
        "repeats more often than daily",
    ),
    "more than a feed has": (b"X" * 2_000_001, "has more than 2000000 bytes"),
}


@pytest.mark.parametrize(("feed", "reason"), BAD.values(), ids=BAD)
def test_a_feed_that_cannot_be_used_is_refused_with_the_reason(feed: bytes, reason: str) -> None:
    with pytest.raises(CalendarWrong, match=reason):
        absences_in(feed, from_ms=FROM, until_ms=UNTIL, zone=BERLIN)


def test_a_day_of_the_feed_does_not_depend_on_where_the_program_runs() -> None:
    utc = absences_in(FEED, from_ms=FROM, until_ms=UNTIL, zone=UTC)
    assert (
        utc[0].from_ms - absences_in(FEED, from_ms=FROM, until_ms=UNTIL, zone=BERLIN)[0].from_ms
        == 3_600_000
    )
