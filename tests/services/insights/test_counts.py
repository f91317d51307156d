"""Counts by day and month are what all rows come to, whatever came, in whatever order and in how
many transactions; and the pages' figures are those of the definitions, row by row."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.contracts.intake import Act, Engagement, LeadAct, LeadEvent, LeadMerge
from baton.contracts.leads import LeadStaged
from baton.contracts.public_record import PublicRecord
from baton.contracts.topic_names import LEADS_ACCEPTED, LEADS_ACTS, LEADS_MERGES, LEADS_STAGES
from services.insights.facts.rollup_tables import ROLLUPS
from services.insights.projection.dialect import StorePlace, reader, writer
from services.insights.projection.kept_counts import recount
from services.insights.projection.projection_store import Place, Store
from services.insights.rollups.durations import DAY_MS, HOUR_MS, MINUTE_MS, rounded_up
from services.insights.rollups.spans import spans_between, spans_of
from tests.services.insights.stores import ZONE, fill

Company = tuple[tuple[PublicRecord, ...], int]
Rows = dict[str, Counter[tuple[Any, ...]]]


def counts_in(place: StorePlace) -> Rows:
    db = reader(place)
    found = {table.name: Counter(db.execute(f"SELECT * FROM {table.name}")) for table in ROLLUPS}
    db.close()
    return found


def rows_of(place: StorePlace, names: set[str]) -> Rows:
    db = reader(place)
    found = {name: Counter(db.execute(f"SELECT * FROM {name}")) for name in names}
    db.close()
    return found


def counted_anew(place: StorePlace, zone: str = ZONE) -> Rows:
    db = writer(place)
    db.execute("BEGIN")
    recount(db, zone)
    db.execute("COMMIT")
    db.close()
    return counts_in(place)


def meddled(records: tuple[PublicRecord, ...], random: Random) -> list[PublicRecord]:
    """A third of the records in any order, some of them twice, with merges, retractions (by
    whatever lead they came) and moves of hand-offs under another lead than the hand-off's."""
    leads = sorted(
        {record.value.lead_id for record in records if isinstance(record.value, LeadEvent)}
    )
    touches = [record for record in records if isinstance(record.value, LeadEvent)]
    more = []
    for number in range(4):
        loser, survivor = random.sample(leads, 2)
        at_ms = random.choice(records).at_ms
        merge = LeadMerge(
            merge_id=f"m{number}",
            loser=loser,
            survivor=survivor,
            cause_id=f"c{number}",
            occurred_at_ms=at_ms,
        )
        more.append(_record(LEADS_MERGES, number, loser, merge, at_ms))
        gone = random.choice(touches)
        taken_back = replace(
            gone.value,
            event_id=f"r{number}",
            lead_id=random.choice(leads),
            engagement=None,
            retracts=gone.value.event_id,
        )
        more.append(_record(LEADS_ACCEPTED, 10_000 + number, gone.key, taken_back, gone.at_ms))
        moved = random.choice(
            [record for record in records if isinstance(record.value, LeadStaged)]
        )
        elsewhere = replace(moved.value, lead_id=survivor)
        more.append(_record(LEADS_STAGES, 20_000 + number, survivor, elsewhere, moved.at_ms))
        more += _deal_with_objections(number, random.choice(touches).value, moved.value, random)
    some = random.sample(records, len(records) // 3)
    return random.sample([*some, *more, *random.sample(records, 40)], len(some) + len(more) + 40)


def _deal_with_objections(
    number: int, touch: LeadEvent, move: LeadStaged, random: Random
) -> list[PublicRecord]:
    """A lead's deal that ended, acts before and after it that named things, one of them twice, and
    what it had seen."""
    lead, at_ms = touch.lead_id, touch.occurred_at_ms + 40 * DAY_MS
    end = replace(
        move,
        lead_id=lead,
        event=random.choice(("won", "lost")),
        from_stage="opportunity",
        to_stage="customer",
        opportunity_id=f"d{number}",
        amount_minor=10_000 + number,
        currency="EUR",
        occurred_at_ms=at_ms,
    )
    content = Engagement(act="download", content_title=f"Guide {number % 2}", campaign="fair")
    seen = replace(
        touch,
        event_id=f"s{number}",
        kind="engagement",
        engagement=content,
        occurred_at_ms=at_ms - DAY_MS,
    )
    found = [
        _record(LEADS_STAGES, 30_000 + number, lead, end, at_ms),
        _record(LEADS_ACCEPTED, 30_000 + number, lead, seen, at_ms),
    ]
    for place, days in enumerate((-30, -1, -1, 3)):
        spoken = Act(
            kind="call",
            by="ae-greta",
            objections=("price", f"o{place}"),
            competitor="rival" if place else None,
            content_sent="guide",
        )
        done = LeadAct(
            event_id=f"a{number}-{place}",
            lead_id=lead,
            source="crm",
            occurred_at_ms=at_ms + days * DAY_MS,
            received_at_ms=at_ms,
            act=spoken,
        )
        found.append(_record(LEADS_ACTS, 10 * number + place, lead, done, at_ms))
    return found


def _record(topic: str, offset: int, key: str, value: Any, at_ms: int) -> PublicRecord:
    return PublicRecord(
        topic=topic,
        partition=9,
        offset=offset,
        id=f"{topic}-{offset}",
        key=key,
        value=value,
        at_ms=at_ms,
    )


def test_no_count_of_the_company_is_empty_but_those_of_deals(store: StorePlace) -> None:
    empty = {name for name, rows in counts_in(store).items() if not rows}
    assert empty <= {"credits_by_span", "content_by_span", "deals_by_mention", "mentions_by_span"}


@pytest.mark.parametrize("version", ["3", "4", "5"])
def test_a_store_of_an_earlier_version_is_brought_up_from_its_own_rows(
    company: Company, place: StorePlace, version: str
) -> None:
    fill(place, company[0])
    made = {*(table.name for table in ROLLUPS), "work", "mention", "open_clock", "rest"}
    if version == "4":
        made = {"open_clock", "rest", "mentions_by_span", "deals_by_mention", "refusals_by_span"}
        made.add("deals_by_span")
    if version == "5":
        made = {"waits_by_span"}
    before = rows_of(place, made)
    db = writer(place)
    for name in made:
        db.execute(f"DROP TABLE {name}")
    db.execute("UPDATE meta SET value = ? WHERE name = 'version'", (version,))
    db.close()
    Store(place, "baton").close()
    assert rows_of(place, made) == before
    assert before.get("open_clock") or before["waits_by_span"]


def test_a_store_that_is_opened_again_keeps_its_time_zone(
    company: Company, place: StorePlace
) -> None:
    records = company[0]
    fill(place, records[:900])
    store = Store(place, "baton")  # as the worker opens it, which knows no zone before it reads
    rest = records[900:]
    store.begin([Place(topic=r.topic, partition=r.partition, next_offset=0) for r in rest])
    store.apply(rest, {(r.topic, r.partition): r.offset + 1 for r in rest})
    store.close()
    kept = counts_in(place)
    assert kept == counted_anew(place)
    assert kept != counted_anew(place, "Pacific/Auckland"), "the zone made no difference"


@given(st.integers(0, 400 * DAY_MS))
def test_a_duration_is_rounded_up_by_less_than_a_grain_and_only_once(ms: int) -> None:
    grain = next(
        (
            grain
            for longest, grain in (
                (HOUR_MS, MINUTE_MS),
                (4 * HOUR_MS, 5 * MINUTE_MS),
                (DAY_MS, 15 * MINUTE_MS),
                (10 * DAY_MS, HOUR_MS),
            )
            if ms <= longest
        ),
        DAY_MS,
    )
    assert 0 <= rounded_up(ms) - ms < grain
    assert rounded_up(rounded_up(ms)) == rounded_up(ms)


@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.integers(0, 800))
def test_the_spans_of_a_period_have_each_of_its_days_once(begins: date, days: int) -> None:
    ends = begins + timedelta(days=days)
    found: list[str] = []
    for span in spans_between(begins, ends):
        first = date.fromisoformat(span if len(span) == 10 else f"{span}-01")
        if len(span) == 10:
            found.append(span)
            continue
        day = first
        while day.month == first.month:
            found.append(day.isoformat())
            day += timedelta(days=1)
    assert found == [(begins + timedelta(days=number)).isoformat() for number in range(days)]


def test_a_moment_counts_for_the_day_of_the_zone() -> None:
    late_ms = 1_795_995_000_000  # 2026-11-29T23:30Z
    assert spans_of(late_ms, "UTC") == ("2026-11-29", "2026-11")
    assert spans_of(late_ms, "Europe/Berlin") == ("2026-11-30", "2026-11")
    assert spans_of(late_ms, "Asia/Kathmandu") == ("2026-11-30", "2026-11")


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)]
)
def test_a_day_has_the_hours_that_it_has_when_clocks_change(day: str, hours: int) -> None:
    begins_ms = int(datetime.fromisoformat(f"{day}T00:00Z").timestamp() * 1000) - 2 * HOUR_MS
    quarters = range(begins_ms, begins_ms + 30 * HOUR_MS, HOUR_MS // 4)
    mine = [at_ms for at_ms in quarters if spans_of(at_ms, "Europe/Berlin")[0] == day]
    assert len(mine) == 4 * hours


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_what_all_rows_come_to_after_any_history(
    company: Company, place: StorePlace, seed: int
) -> None:
    records = meddled(company[0], Random(seed))
    fill(place, records, at_once=(5, 60, 400, 20)[seed])
    kept = counts_in(place)
    assert kept == counted_anew(place)
    assert sum(len(rows) for rows in kept.values()) > 200
    assert all(kept.values()), "a count that no row was in"
