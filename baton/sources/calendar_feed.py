"""Absences from a calendar feed (ICS, RFC 5545), and what has to be announced for them. Pure.

An event counts as an absence if it says so: out of office by the calendar's own mark, or one of the
words in its title. The title itself is not kept: it may say more of a person than their firm needs
to know. Repetitions finer than a day are refused, and a feed is bounded in size and events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import recurring_ical_events  # type: ignore[import-untyped]  # published without types
from icalendar import Calendar

from baton.contracts.reference_records import PeopleRecord
from baton.derived_ids import derived_id

REASON = "calendar"
WORDS = (
    "out of office",
    "ooo",
    "vacation",
    "holiday",
    "annual leave",
    "parental leave",
    "time off",
    "sick",
    "abwesend",
    "urlaub",
    "krank",
    "elternzeit",
)
MAX_FEED_BYTES = 2_000_000
MAX_EVENTS = 5_000
_TOO_FINE = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})


class CalendarWrong(ValueError):
    """A feed cannot be used; the text says why, and nothing of what it says."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A time away, half open, in milliseconds since 1970."""

    from_ms: int
    until_ms: int


def absences_in(
    feed: bytes,
    *,
    from_ms: int,
    until_ms: int,
    zone: tzinfo,
    words: Collection[str] = WORDS,
) -> tuple[Span, ...]:
    """The absences between two moments, spans that touch joined. ``zone``: where days are meant."""
    events = events_between(feed, from_ms, until_ms)
    return tuple(joined(span_of(event, zone) for event in events if _is_absence(event, words)))


def events_between(feed: bytes, from_ms: int, until_ms: int) -> list[Any]:
    """The events of a feed between two moments, repetitions written out; raises
    :class:`CalendarWrong`."""
    calendar = calendar_of(feed)
    try:
        events: list[Any] = recurring_ical_events.of(calendar).between(
            datetime.fromtimestamp(from_ms / 1000, UTC),
            datetime.fromtimestamp(until_ms / 1000, UTC),
        )
    except Exception as error:  # noqa: BLE001 - the library raises whatever a feed makes it
        raise _no_calendar(error) from None
    if len(events) > MAX_EVENTS:
        raise CalendarWrong(f"has more than {MAX_EVENTS} events in the time asked for")
    return events


def calendar_of(feed: bytes) -> Any:
    """The feed as icalendar has it, of bounded size and without repetitions finer than a day;
    raises :class:`CalendarWrong`."""
    if len(feed) > MAX_FEED_BYTES:
        raise CalendarWrong(f"has more than {MAX_FEED_BYTES} bytes")
    try:
        calendar: Any = Calendar.from_ical(feed)
        _check(calendar)
    except CalendarWrong:
        raise
    except Exception as error:  # noqa: BLE001 - the library raises whatever a feed makes it
        raise _no_calendar(error) from None
    return calendar


def _no_calendar(error: Exception) -> CalendarWrong:
    return CalendarWrong(f"is no calendar (iCalendar): {type(error).__name__}")


def to_announce(
    person: str, wanted: Collection[Span], known: Iterable[PeopleRecord], now_ms: int
) -> list[PeopleRecord]:
    """The records that make the announced absences of a person those of the calendar: new ones, and
    cancellations of those it does not have any more. What people announced themselves stays."""
    standing: dict[Span, PeopleRecord] = {}
    for record in known:
        if record.person == person and record.reason == REASON:
            span = Span(record.from_ms, record.until_ms)
            standing.pop(span, None) if record.cancelled else standing.setdefault(span, record)
    added = [_record(person, span, cancelled=False) for span in wanted if span not in standing]
    gone = [
        _record(person, span, cancelled=True)
        for span in sorted(standing)
        if span not in wanted and span.until_ms > now_ms
    ]
    return [*gone, *added]


def _check(calendar: Any) -> None:
    for event in calendar.walk("VEVENT"):
        rules = event.get("RRULE") or []
        for rule in rules if isinstance(rules, list) else [rules]:
            if _TOO_FINE & {str(value).upper() for value in rule.get("FREQ", [])}:
                raise CalendarWrong("has an event that repeats more often than daily")


def _is_absence(event: Any, words: Collection[str]) -> bool:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return False
    if str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() == "OOF":
        return True
    title = str(event.get("SUMMARY", "")).casefold()
    return any(word.casefold() in title for word in words)


def span_of(event: Any, zone: tzinfo) -> Span:
    """``zone``: where days and times without a zone are meant."""
    starts = event["DTSTART"].dt
    ends = event["DTEND"].dt if "DTEND" in event else starts + timedelta(days=1)
    return Span(moment_ms(starts, zone), moment_ms(ends, zone))


def moment_ms(moment: date | datetime, zone: tzinfo) -> int:
    """A day or moment of a feed in milliseconds since 1970."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), zone)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return int(moment.timestamp() * 1000)


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """In order; spans that touch are one."""
    open_span: Span | None = None
    for span in sorted(spans):
        if span.until_ms <= span.from_ms:
            continue
        if open_span is not None and span.from_ms <= open_span.until_ms:
            open_span = Span(open_span.from_ms, max(open_span.until_ms, span.until_ms))
            continue
        if open_span is not None:
            yield open_span
        open_span = span
    if open_span is not None:
        yield open_span


def _record(person: str, span: Span, *, cancelled: bool) -> PeopleRecord:
    word = "cancelled" if cancelled else "away"
    return PeopleRecord(
        record_id=derived_id("absence", person, span.from_ms, span.until_ms, word),
        person=person,
        from_ms=span.from_ms,
        until_ms=span.until_ms,
        reason=REASON,
        cancelled=cancelled,
    )
