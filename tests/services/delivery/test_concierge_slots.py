"""Times from cached free/busy: what a calendar says, what is shown before anybody is named, and who
gets a time that two people want."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter as DayCount
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.agreement.canonical import load_canonical
from baton.agreement.compiled.calendars import Calendar, PersonalCalendar
from baton.agreement.compiled.open_intervals import merged_intervals
from baton.agreement.wall_time import instant_ms
from baton.intake.line_reading import read_line
from baton.sources.busy_times import busy_in
from baton.sources.calendar_feed import CalendarWrong
from services.delivery.concierge import feeds
from services.delivery.concierge.busy_cache import STALE_AFTER_MS, BusyCache
from services.delivery.concierge.feeds import FeedKeeper
from services.delivery.concierge.slots import free_slots, is_free, shown_of, slot_text
from services.delivery.store.outbox_store import Store, rows
from services.delivery.targets.people_model import SlotRules
from services.delivery.targets.target_reading import read_targets
from tests.services.delivery.facts import MINUTE, NOON, agreement, erased, routed
from tests.services.delivery.test_concierge import Counter

HOUR = 60 * MINUTE
RULES = SlotRules()
EVERYBODY = ("ae-greta", "ae-hugo", "sdr-anna", "sdr-ben", "sdr-cleo")
SALES_FORM = {"email": "ann.berg@acme.example", "country": "DE", "employees": "500", "role": "VP"}


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def calendar(*events: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN"]
    for number, event in enumerate(events):
        kind = "VFREEBUSY" if "FREEBUSY" in event else "VEVENT"
        uid = [] if "UID:" in event else [f"UID:{number}"]
        lines += [f"BEGIN:{kind}", *uid, "DTSTAMP:20260101T000000Z"]
        lines += [*event.split("|"), f"END:{kind}"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


@pytest.mark.parametrize(
    ("event", "spans"),
    [
        ("DTSTART:20260921T090000Z|DTEND:20260921T100000Z", ["09:00-10:00"]),
        ("DTSTART:20260921T090000Z|DURATION:PT15M", ["09:00-09:15"]),
        ("DTSTART;TZID=Europe/Berlin:20260921T090000|DURATION:PT1H", ["07:00-08:00"]),
        ("DTSTART:20260921T090000|DURATION:PT1H", ["07:00-08:00"]),  # floating: the person's zone
        ("DTSTART;VALUE=DATE:20260921", ["00:00-22:00"]),  # from the evening before
        ("DTSTART:20260921T090000Z|DURATION:PT1H|TRANSP:TRANSPARENT", []),
        ("DTSTART:20260921T090000Z|DURATION:PT1H|STATUS:CANCELLED", []),
        ("DTSTART:20260921T090000Z|DURATION:PT1H|STATUS:TENTATIVE", ["09:00-10:00"]),
        ("DTSTART:20260921T090000Z|DURATION:PT1H|X-MICROSOFT-CDO-BUSYSTATUS:FREE", []),
        ("DTSTART:20260921T090000Z|DURATION:PT1H|X-MICROSOFT-CDO-BUSYSTATUS:OOF", ["09:00-10:00"]),
        ("DTSTART:20260914T090000Z|DURATION:PT1H|RRULE:FREQ=WEEKLY", ["09:00-10:00"]),
        (
            "DTSTART:20260914T090000Z|DURATION:PT1H|RRULE:FREQ=WEEKLY|EXDATE:20260921T090000Z",
            [],
        ),
        (
            (
                "FREEBUSY:20260921T090000Z/PT1H,20260921T120000Z/20260921T123000Z"
                "|FREEBUSY;FBTYPE=FREE:20260921T140000Z/PT1H"
                "|FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260921T150000Z/PT1H"
            ),
            ["09:00-10:00", "12:00-12:30", "15:00-16:00"],
        ),
        ("DTSTART:20260921T090000Z", []),  # a mark without a length
    ],
)
def test_an_event_is_busy_unless_it_says_otherwise(event: str, spans: list[str]) -> None:
    from zoneinfo import ZoneInfo

    day = utc("2026-09-21")
    found = busy_in(
        calendar(event), from_ms=day, until_ms=day + 24 * HOUR, zone=ZoneInfo("Europe/Berlin")
    )

    def hour(at_ms: int) -> str:
        return datetime.fromtimestamp(max(at_ms, day) / 1000, UTC).strftime("%H:%M")

    assert [f"{hour(span.from_ms)}-{hour(span.until_ms)}" for span in found] == spans


WEEKLY = "DTSTART:20260914T090000Z|DURATION:PT1H|RRULE:FREQ=WEEKLY|UID:s"
CUSTOM = (
    "BEGIN:VTIMEZONE\r\nTZID:Customized Time Zone\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\n"
    "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0200\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


@pytest.mark.parametrize(
    ("events", "before", "spans"),
    [
        # Outlook names zones as Windows does
        (
            [
                "DTSTART;TZID=FLE Standard Time:20260921T100000|DURATION:PT1H",
                "DTSTART;TZID=GMT Standard Time:20260921T100000|DURATION:PT1H",
            ],
            "",
            ["07:00-08:00", "09:00-10:00"],
        ),
        (["DTSTART;TZID=Customized Time Zone:20260921T120000|DURATION:PT1H"], CUSTOM, ["10:00"]),
        (
            ["DTSTART:20260921T090000|DURATION:PT1H"],
            "X-WR-TIMEZONE:America/New_York\r\n",
            ["13:00"],
        ),
        # one of a series is called off, moved by somebody in another zone, or moved here
        (
            [
                WEEKLY,
                "UID:s|RECURRENCE-ID:20260921T090000Z|DTSTART:20260921T090000Z|STATUS:CANCELLED",
            ],
            "",
            [],
        ),
        (
            [
                WEEKLY,
                (
                    "UID:s|RECURRENCE-ID;TZID=Europe/Paris:20260921T110000"
                    "|DTSTART;TZID=Europe/Paris:20260921T140000|DURATION:PT1H"
                ),
            ],
            "",
            ["12:00-13:00"],
        ),
        (
            [
                WEEKLY.replace("20260914", "20260916"),
                "UID:s|RECURRENCE-ID:20260923T090000Z|DTSTART:20260921T150000Z|DURATION:PT1H",
            ],
            "",
            ["15:00-16:00"],
        ),
        (
            [
                (
                    'DTSTART;VALUE=DATE;TZID="Amsterdam, Berlin":20260921'
                    "|X-MICROSOFT-CDO-BUSYSTATUS:FREE"
                )
            ],
            "",
            [],
        ),
    ],
)
def test_feeds_as_calendars_write_them_are_read_as_their_owners_mean_them(
    events: list[str], before: str, spans: list[str]
) -> None:
    day = utc("2026-09-21")
    feed = calendar(*events).replace(b"PRODID:-//x//EN\r\n", b"PRODID:x\r\n" + before.encode())
    found = busy_in(feed, from_ms=day, until_ms=day + 24 * HOUR, zone=UTC)
    shown = [
        "-".join(slot_text(at_ms)[11:16] for at_ms in (span.from_ms, span.until_ms))
        for span in found
    ]
    assert [text[: len(wanted)] for text, wanted in zip(shown, spans, strict=True)] == spans


@pytest.mark.parametrize(
    "feed",
    [
        b"<html>sign in</html>",
        b"",
        calendar("DTSTART:20260921T090000Z|DURATION:PT1M|RRULE:FREQ=SECONDLY"),
        calendar("FREEBUSY:20260921T090000Z"),
        calendar("DTSTART:nonsense|DURATION:PT1H"),
    ],
)
def test_a_feed_that_cannot_be_read_as_a_whole_says_nobody_is_free(feed: bytes) -> None:
    with pytest.raises(CalendarWrong):
        busy_in(feed, from_ms=NOON, until_ms=NOON + HOUR, zone=UTC)


def test_times_lie_in_working_hours_after_the_notice_and_outside_what_is_busy() -> None:
    compiled = load_canonical(agreement()[2].value.text)
    always = compiled.calendar
    now = utc("2026-09-21T12:10:00")
    busy = ((utc("2026-09-21T14:40:00"), utc("2026-09-21T15:10:00")),)
    found = free_slots(always, busy, SlotRules(days=1), now)
    assert [slot_text(start)[11:16] for start in found[:3]] == ["15:30", "16:00", "16:30"]
    assert found[-1] < now + 24 * HOUR
    office = always.without([(utc("2026-09-21T16:00:00"), utc("2026-09-22T07:00:00"))])
    found = free_slots(office, busy, SlotRules(days=1), now)
    assert [slot_text(start)[11:16] for start in found[:2]] == ["15:30", "07:00"]


_HOURS = ((), ((540, 1020),), ((480, 720), (720, 1000)), ((1320, 1800),), ((0, 1440),))


@given(
    zone=st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    hours=st.sampled_from(_HOURS),
    minutes=st.sampled_from([15, 45, 60]),
    now=st.integers(1_790_000_000, 1_830_000_000).map(lambda seconds: seconds * 1_000),
    away=st.lists(st.tuples(st.integers(0, 240), st.integers(1, 60)), max_size=3),
    busy=st.lists(st.tuples(st.integers(0, 14_400), st.integers(1, 180)), max_size=8),
)
def test_free_are_the_slots_of_the_grid_that_are_open_from_end_to_end_and_not_busy(
    zone: str,
    hours: tuple[tuple[int, int], ...],
    minutes: int,
    now: int,
    away: list[tuple[int, int]],
    busy: list[tuple[int, int]],
) -> None:
    week = (hours,) * 5 + ((), ())
    always = Calendar(name="office", zone=ZoneInfo(zone), weekly=week)
    gone = merged_intervals((now + at * HOUR, now + (at + long) * HOUR) for at, long in away)
    taken = merged_intervals((now + at * MINUTE, now + (at + long) * MINUTE) for at, long in busy)
    mine = PersonalCalendar(base=always, away=gone)
    length, rules = minutes * MINUTE, SlotRules(minutes=minutes, days=10)
    first, last = now + rules.notice_minutes * MINUTE, now + 10 * 24 * HOUR
    on_the_grid = set()
    today = datetime.fromtimestamp(now / 1000, ZoneInfo(zone)).date()
    for day in (today + timedelta(days=number) for number in range(-1, 12)):
        for opens, closes in week[day.weekday()]:
            at = instant_ms(day, opens, ZoneInfo(zone))
            while at + length <= instant_ms(day, closes, ZoneInfo(zone), last=True):
                on_the_grid.add(at)
                at += length
    expected = sorted(
        start
        for start in on_the_grid
        if first <= start < last
        and mine.business_between(start, start + length) == length
        and all(stop <= start or start + length <= begin for begin, stop in taken)
    )
    found = free_slots(mine, taken, rules, now)
    assert found == expected
    assert all(is_free(mine, taken, rules, start, now) for start in found[:20])


@pytest.mark.parametrize(
    ("zone", "hours", "minutes", "first"),
    [
        ("Asia/Kolkata", [(540, 1080)], 60, "09:00 10:00 11:00"),
        ("Asia/Kathmandu", [(540, 1080)], 30, "09:00 09:30 10:00"),
        ("Europe/Berlin", [(570, 1080)], 60, "09:30 10:30 11:30"),
        ("Europe/Berlin", [(480, 1080)], 45, "08:00 08:45 09:30"),
        ("Europe/Berlin", [(540, 660), (750, 1050)], 60, "09:00 10:00 12:30 13:30"),
    ],
)
def test_the_first_slot_of_a_day_is_when_its_hours_begin(
    zone: str, hours: list[tuple[int, int]], minutes: int, first: str
) -> None:
    office = Calendar(name="office", zone=ZoneInfo(zone), weekly=(tuple(hours),) * 7)
    now = utc("2026-09-20T12:00:00")
    found = free_slots(office, (), SlotRules(minutes=minutes, days=3), now)
    local = [datetime.fromtimestamp(start / 1000, ZoneInfo(zone)) for start in found]
    monday = [at.strftime("%H:%M") for at in local if at.day == 21]
    assert monday[: len(first.split())] == first.split()


@pytest.mark.parametrize(("zone", "day"), [("America/New_York", 1), ("America/Detroit", 1)])
@pytest.mark.parametrize("notice_minutes", [0, 1_440, 2_880, 10_080])
def test_slots_keep_the_hours_of_the_clock_on_the_wall_when_it_is_put_back(
    zone: str, day: int, notice_minutes: int
) -> None:
    """Whether today, the notice's end or the slot lies before or after the change."""
    office = Calendar(name="office", zone=ZoneInfo(zone), weekly=(((540, 1140),),) * 7)
    now = utc(f"2026-10-{31 - day}T14:10:00")
    rules = SlotRules(minutes=60, days=14, notice_minutes=notice_minutes)
    found = free_slots(office, (), rules, now)
    local = [datetime.fromtimestamp(start / 1000, ZoneInfo(zone)) for start in found]
    of_day = DayCount(at.date() for at in local)
    whole = sorted(of_day)[1:-1]
    assert len(whole) >= 5
    for date in whole:
        assert [at.hour for at in local if at.date() == date] == list(range(9, 19))
    assert all(is_free(office, (), rules, start, now) for start in found)


@pytest.mark.parametrize(
    ("start", "free"),
    [
        ("2026-09-21T15:30:00", True),
        ("2026-09-21T12:30:00", True),  # inside the notice: it was shown a moment ago
        ("2026-09-21T12:00:00", False),  # past
        ("2026-09-21T15:00:00", False),  # busy
        ("2026-09-21T15:40:00", False),  # none that was ever shown
        ("2026-10-21T15:30:00", False),  # beyond the horizon
    ],
)
def test_a_time_that_was_never_offered_is_not_given(start: str, free: bool) -> None:
    always = load_canonical(agreement()[2].value.text).calendar
    busy = ((utc("2026-09-21T14:40:00"), utc("2026-09-21T15:10:00")),)
    assert is_free(always, busy, RULES, utc(start), utc("2026-09-21T12:10:00")) is free


def test_a_few_times_of_a_day_are_shown_so_that_there_is_a_choice_of_days() -> None:
    starts = [utc("2026-09-21T08:00:00") + number * 30 * MINUTE for number in range(96)]
    found = [slot_text(start)[8:16] for start in shown_of(starts, RULES)]
    assert found == ["21T08:00", "21T08:30", "21T09:00", "22T00:00", "22T00:30", "22T01:00"]


# --- at the counter


def counter_with(tmp_path: Path, busy: dict[str, list[tuple[int, int]]], **more: Any) -> Counter:
    cache = BusyCache()
    for person, spans in busy.items():
        cache.put(person, spans, NOON)
    return Counter(tmp_path, cache=cache, **more)


def all_but(*starts: int) -> list[tuple[int, int]]:
    """Busy for a fortnight but for half hours."""
    edges = [NOON - HOUR]
    for start in sorted(starts):
        edges += [start, start + 30 * MINUTE]
    edges.append(NOON + 14 * 24 * HOUR)
    return list(zip(edges[::2], edges[1::2], strict=True))


FIRST = NOON - NOON % (30 * MINUTE) + 3 * HOUR
SECOND, THIRD = FIRST + HOUR, FIRST + 2 * HOUR


async def peeked(counter: Counter, **form: str) -> dict[str, Any]:
    answer = await counter.ask("/peek", fields=SALES_FORM | form)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def claimed(counter: Counter, slot: int | None, **form: str) -> dict[str, Any]:
    token = (await peeked(counter, **form))["token"]
    more = {"slot": slot_text(slot)} if slot is not None else {}
    answer = await counter.ask("/claim", fields=SALES_FORM | form, token=token, **more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_times_of_the_pool_are_shown_and_nobody_is_named(tmp_path: Path) -> None:
    counter = counter_with(tmp_path, {"ae-greta": all_but(FIRST), "ae-hugo": all_but(SECOND)})
    found = await peeked(counter)
    assert found["slots"] == [slot_text(FIRST), slot_text(SECOND)]
    assert not any(person in json.dumps(found) for person in EVERYBODY)


async def test_the_times_shown_are_the_same_for_who_is_known_and_for_a_stranger(
    tmp_path: Path,
) -> None:
    counter = counter_with(tmp_path, {"ae-greta": all_but(FIRST), "ae-hugo": all_but(SECOND)})
    counter.take(routed("lead-1", "ae-hugo"))
    forms = (
        {},
        {"email": "bob@acme.example"},
        {"email": "eve@elsewhere.example"},
        {"email": "eve@gmail.com"},
        {"relation": "competitor"},
    )
    answers = [await peeked(counter, **form) for form in forms]
    assert {tuple(answer["slots"]) for answer in answers} == {(slot_text(FIRST), slot_text(SECOND))}
    assert len({len(answer["token"]) for answer in answers}) == 1


async def test_who_is_free_then_gets_the_buyer_and_the_meeting_is_booked(tmp_path: Path) -> None:
    counter = counter_with(tmp_path, {"ae-greta": all_but(FIRST), "ae-hugo": all_but(SECOND)})
    found = await claimed(counter, SECOND)
    assert (found["person"], found["slot"]) == ("Hugo (sales)", slot_text(SECOND)[:-1] + "+00:00")
    counter.inbox.lines.clear()
    counter.take(routed("lead-1", "ae-hugo", at_ms=NOON + 1_000))
    assert await counter.keep() == ["as promised, and booked"]
    assert counter.inbox.lines[0]["act"]["meeting_at"] == found["slot"]


async def test_a_time_is_given_once(tmp_path: Path) -> None:
    busy = all_but(FIRST, SECOND)
    counter = counter_with(tmp_path, {"ae-greta": busy, "ae-hugo": busy})
    forms = [{"email": f"p{number}@other{number}.example"} for number in range(3)]
    tokens = [(await peeked(counter, **form))["token"] for form in forms]
    answers = []
    for form, token in zip(forms, tokens, strict=True):
        answer = await counter.ask(
            "/claim", fields=SALES_FORM | form, token=token, slot=slot_text(FIRST)
        )
        answers.append(answer.json())
    assert {answer["person"] for answer in answers[:2]} == {"Greta (sales)", "Hugo (sales)"}
    assert [bool(answer["slot"]) for answer in answers] == [True, True, False]
    assert answers[2]["slots"] == [slot_text(SECOND)], "the person's own free times instead"
    assert (await peeked(counter, email="x@new.example"))["slots"] == [slot_text(SECOND)]


async def test_of_many_who_want_one_time_at_once_one_gets_it(tmp_path: Path) -> None:
    counter = counter_with(tmp_path, {"ae-greta": all_but(FIRST)})
    forms = [{"email": f"p{number}@other{number}.example"} for number in range(8)]
    tokens = [(await peeked(counter, **form))["token"] for form in forms]
    answers = await asyncio.gather(
        *(
            counter.ask("/claim", fields=SALES_FORM | form, token=token, slot=slot_text(FIRST))
            for form, token in zip(forms, tokens, strict=True)
        )
    )
    assert [answer.status_code for answer in answers] == [200] * 8
    assert sum(bool(answer.json()["slot"]) for answer in answers) == 1


async def test_whoever_has_the_buyer_keeps_them_and_a_second_choice_is_booked_at_once(
    tmp_path: Path,
) -> None:
    """The lead is with its holder already, so no routing will come that would record the
    meeting."""
    counter = counter_with(
        tmp_path, {"ae-greta": all_but(FIRST), "ae-hugo": all_but(SECOND, THIRD)}
    )
    counter.take(routed("lead-1", "ae-hugo"))
    first = await claimed(counter, FIRST)
    assert (first["person"], first["slot"]) == ("Hugo (sales)", None)
    assert first["slots"] == [slot_text(SECOND), slot_text(THIRD)]
    second = await claimed(counter, THIRD)
    assert (second["person"], second["slot"][:19]) == ("Hugo (sales)", slot_text(THIRD)[:19])
    third = await claimed(counter, SECOND)
    assert third["slot"] == second["slot"], "one time a buyer"
    booked = [line for line in counter.inbox.lines if line["kind"] == "act"]
    assert {line["act"]["meeting_at"] for line in booked} == {second["slot"]}
    assert len({line["id"] for line in booked}) == 1
    text = json.dumps(booked[0]).replace("h-lead-1-1", "b" * 32).replace("lead-1", "a" * 32)
    read_line(text.encode())


async def test_whom_the_agreement_suppresses_gets_no_time(tmp_path: Path) -> None:
    counter = counter_with(tmp_path, {"ae-greta": all_but(FIRST), "ae-hugo": all_but(FIRST)})
    found = await claimed(counter, FIRST, relation="competitor")
    assert (found["person"], found["slot"], found["slots"]) == (None, None, [])


@pytest.mark.parametrize("slot", ["1999-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "2026-09-21"])
async def test_a_time_long_gone_or_far_away_is_refused(tmp_path: Path, slot: str) -> None:
    counter = Counter(tmp_path)
    token = (await counter.ask("/peek")).json()["token"]
    answer = await counter.ask("/claim", token=token, slot=slot)
    assert (answer.status_code, counter.promises()) == (422, [])


async def test_a_calendar_that_has_not_answered_for_an_hour_offers_nothing(tmp_path: Path) -> None:
    counter = counter_with(tmp_path, {"ae-greta": all_but(FIRST)})
    counter.now += STALE_AFTER_MS / 1000 + 1
    assert (await peeked(counter))["slots"] == []
    found = await claimed(counter, FIRST)
    assert (bool(found["person"]), found["slot"]) == (True, None), "the call is promised, no time"


async def test_who_is_forgotten_leaves_a_time_that_is_nobody_s(tmp_path: Path) -> None:
    counter = counter_with(tmp_path, {"ae-greta": all_but(FIRST)})
    await claimed(counter, FIRST)
    counter.take(routed("lead-1", "ae-greta"), erased())
    store = Store(tmp_path, "baton")
    assert rows(store.db, "SELECT buyer FROM booking") == [{"buyer": ""}]
    assert rows(store.db, "SELECT buyer FROM promise") == []
    store.close()
    assert (await peeked(counter, email="x@new.example"))["slots"] == []


def test_a_store_made_before_there_were_times_gets_their_table(tmp_path: Path) -> None:
    store = Store(tmp_path, "baton")
    store.db.execute("DROP TABLE booking")
    store.close()
    store = Store(tmp_path, "baton")
    assert rows(store.db, "SELECT * FROM booking") == []
    store.close()


# --- calendars are asked beside the answers


async def test_a_hanging_or_broken_calendar_costs_its_person_only_and_no_answer_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(feeds, "ANSWER_S", 1.0)
    monkeypatch.setattr(feeds, "_READING_S", 20.0)
    good = calendar("DTSTART:20260921T150000Z|DURATION:PT2H")
    (tmp_path / "anna.ics").write_bytes(good)

    async def answer(request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/hang":
                await asyncio.sleep(60)
            case "/html":
                return httpx.Response(200, text="<html>")
            case "/away":
                return httpx.Response(302, headers={"Location": "http://10.0.0.1/"})
            case "/large":
                return httpx.Response(200, content=b"x" * 3_000_000)
            case "/gone":
                return httpx.Response(410)
        return httpx.Response(200, content=good)

    secret = "https://calendars.example"
    paths = ("hang", "html", "away", "large", "gone", "good")
    places = {f"p-{path}": f"{secret}/{path}" for path in paths}
    places |= {"p-webcal": "webcal://calendars.example/good", "p-file": "anna.ics", "p-no": "no"}
    cache = BusyCache()
    keeper = FeedKeeper(
        places,
        tmp_path,
        cache,
        days=7,
        clock=lambda: utc("2026-09-21T12:00:00") / 1000,
        transport=httpx.MockTransport(answer),
    )
    with caplog.at_level(logging.DEBUG):
        failed = await keeper.refresh()
    known = cache.at(utc("2026-09-21T12:00:00"))
    span = (utc("2026-09-21T15:00:00"), utc("2026-09-21T17:00:00"))
    assert known == dict.fromkeys(("p-good", "p-webcal", "p-file"), (span,))
    assert failed.keys() == {"p-hang", "p-html", "p-away", "p-large", "p-gone", "p-no"}
    logged = " ".join(record.getMessage() for record in caplog.records if "feeds" in record.name)
    assert "calendars.example" not in logged
    assert "p-gone answers 410" in logged


async def test_an_unchanged_calendar_is_not_read_again_until_the_next_day(tmp_path: Path) -> None:
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("if-none-match"))
        if asked[-1] == '"1"':
            return httpx.Response(304)
        content = calendar("DTSTART:20260921T150000Z|DURATION:PT2H")
        return httpx.Response(200, content=content, headers={"ETag": '"1"'})

    now = [utc("2026-09-21T12:00:00") / 1000]
    cache = BusyCache()
    keeper = FeedKeeper(
        {"ae-greta": "https://calendars.example/greta"},
        tmp_path,
        cache,
        days=7,
        clock=lambda: now[0],
        transport=httpx.MockTransport(answer),
    )
    for after in (0, 1_800, 1_800, 24 * 3_600):
        now[0] += after
        assert await keeper.refresh() == {}
        assert len(cache.at(int(now[0] * 1000))["ae-greta"]) <= 1, "fresh by the answer 304"
    assert asked == [None, '"1"', '"1"', None]


def test_the_book_of_people_is_found_beside_the_targets(tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").write_text(
        "version: 1\nconcierge:\n  key: pk_0123456789abcdef\n  origins: [https://a.example]\n"
        "  signing_secret_env: BATON_C\n  people: people.yaml\n  slots: {minutes: 60}\n"
    )
    found = read_targets(tmp_path / "targets.yaml").concierge
    assert found is not None
    assert (found.people, found.slots.minutes) == (str(tmp_path / "people.yaml"), 60)


async def test_a_peek_reads_no_calendar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a peek opens a connection or starts a process."""
    import socket
    import subprocess

    counter = counter_with(tmp_path, dict.fromkeys(EVERYBODY, all_but(FIRST)))
    await peeked(counter)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a peek went out")

    monkeypatch.setattr(socket, "create_connection", never)
    monkeypatch.setattr(socket.socket, "connect", never)
    monkeypatch.setattr(subprocess, "Popen", never)
    assert (await peeked(counter, email="eve@new.example"))["slots"] == [slot_text(FIRST)]
