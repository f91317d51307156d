"""What the board's writer remembers of leads is what the store has of them, whatever happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from baton.contracts.codec import ContractError, codec_for
from baton.contracts.intake import Engagement, LeadEvent, LeadMerge, LeadPerson, Person
from baton.contracts.leads import LeadScored, LeadStaged
from baton.contracts.public_record import PublicRecord
from baton.contracts.topic_names import (
    LEADS_ACCEPTED,
    LEADS_MERGES,
    LEADS_PERSONS,
    LEADS_SCORED,
    LEADS_STAGES,
)
from services.insights.facts.score_head import score_head
from services.insights.projection import remembered_leads
from services.insights.projection.dialect import StorePlace, reader, writer
from services.insights.projection.kafka import value_in
from services.insights.projection.projection_store import Store
from services.insights.projection.remembered_leads import RememberedLeads
from tests.services.insights.conftest import FreshPlace
from tests.services.insights.stores import ZONE
from tests.services.insights.test_counts import counted_anew, counts_in, meddled
from tests.services.insights.test_projection import content

Company = tuple[tuple[PublicRecord, ...], int]
ANN = "a" * 32
BEN = "b" * 32


def taken(topic: str, offset: int, value: Any, *, key: str = ANN) -> PublicRecord:
    return PublicRecord(
        topic=topic,
        partition=0,
        offset=offset,
        id=f"{topic}-{offset}",
        key=key,
        value=value,
        at_ms=1_000 + offset,
    )


def touch(offset: int, at_ms: int, lead: str = ANN, **more: Any) -> PublicRecord:
    event = LeadEvent(
        event_id=f"t{offset}",
        lead_id=lead,
        source="web",
        kind="engagement",
        occurred_at_ms=at_ms,
        received_at_ms=at_ms,
        engagement=Engagement(act="page_view", campaign="ad"),
        profile={"domain": f"firm{offset}.example"},
    )
    return taken(LEADS_ACCEPTED, offset, replace(event, **more), key=lead)


def erased(offset: int, lead: str = ANN) -> PublicRecord:
    gone = LeadPerson(
        lead_id=lead, event_id=f"g{offset}", occurred_at_ms=9, person=Person(), erased=True
    )
    return taken(LEADS_PERSONS, offset, gone, key=lead)


def named(offset: int, lead: str = ANN) -> PublicRecord:
    known = LeadPerson(
        lead_id=lead,
        event_id=f"n{offset}",
        occurred_at_ms=1,
        person=Person(email="ann@acme.example"),
    )
    return taken(LEADS_PERSONS, offset, known, key=lead)


def assert_known(store: Store) -> int:
    """Every family that is remembered is the one that is read; returns how many there are."""
    kept, anew = store._known, RememberedLeads()
    leads = list(kept._families)
    anew.load(store._db, leads)
    for lead in leads:
        mine, read = kept.of(lead), anew.of(lead)
        assert list(mine.histories) == list(read.histories)
        assert mine.root == read.root
        assert mine.histories == read.histories
        assert mine.written == read.written
    assert kept._weight == sum(family.weight for family in kept.families(leads))
    return len(leads)


@pytest.fixture
def opened(place: StorePlace) -> Iterator[Store]:
    store = Store(place, "baton", ZONE)
    yield store
    store.close()


def played(store: Store, records: Sequence[PublicRecord], at_once: int) -> None:
    for start in range(0, len(records), at_once):
        store.apply(records[start : start + at_once], {})


@pytest.mark.parametrize("seed", range(3))
def test_after_any_history_it_is_what_the_store_has(
    company: Company, opened: Store, seed: int
) -> None:
    random = Random(seed)
    records = meddled(company[0], random)
    moves = [record for record in records if isinstance(record.value, LeadStaged)]
    for number in range(3):
        move = random.choice(moves)
        end = replace(move.value, event="erased", to_stage="disqualified")
        gone = taken(LEADS_STAGES, 90_000 + number, end, key=move.key)
        records.insert(random.randrange(len(records)), gone)
    for start in range(0, len(records), 60):
        opened.apply(records[start : start + 60], {})
        if random.random() < 0.1:
            with pytest.raises(KeyError):
                opened.apply([*records[start + 60 : start + 90], taken("nobody", 0, 1)], {})
        if random.random() < 0.2:
            assert_known(opened)
    assert assert_known(opened) > 10


def test_one_that_forgets_after_every_transaction_writes_the_same_rows(
    company: Company, fresh: FreshPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = meddled(company[0], Random(8))
    places = [fresh() for _ in range(3)]
    for place, remembered in zip(places, (0, 40, 1 << 20), strict=True):
        monkeypatch.setattr(remembered_leads, "_REMEMBERED", remembered)
        store = Store(place, "baton", ZONE)
        played(store, records, 30)
        assert store._known._weight <= remembered
        store.close()
    assert content(places[0]) == content(places[1]) == content(places[2])


def test_what_a_failed_transaction_brought_is_not_remembered(opened: Store) -> None:
    played(opened, [touch(0, 50)], 1)
    with pytest.raises(KeyError):
        opened.apply([touch(1, 10), erased(2), taken("leads.nobody.v1", 3, 1)], {})
    assert assert_known(opened) == 0
    played(opened, [touch(4, 60)], 1)
    assert assert_known(opened) == 1
    rows = list(opened._db.execute("SELECT first_seen_ms, last_seen_ms, erased FROM lead"))
    assert rows == [(50, 60, 0)]


@pytest.mark.parametrize("at_once", [1, 9])
def test_nobody_who_was_erased_comes_back(opened: Store, at_once: int) -> None:
    played(opened, [touch(0, 50), named(1), erased(2), named(3), touch(4, 60)], at_once)
    assert_known(opened)
    assert list(opened._db.execute("SELECT erased FROM lead")) == [(1,)]
    assert list(opened._db.execute("SELECT * FROM person")) == []
    played(opened, [named(5), touch(6, 70)], at_once)
    assert_known(opened)
    assert list(opened._db.execute("SELECT erased, last_seen_ms FROM lead")) == [(1, 70)]
    assert list(opened._db.execute("SELECT * FROM person")) == []


@pytest.mark.parametrize("at_once", [1, 9])
def test_two_leads_that_become_one_are_known_as_one(opened: Store, at_once: int) -> None:
    merge = LeadMerge(merge_id="m", loser=BEN, survivor=ANN, cause_id="c", occurred_at_ms=1)
    records = [
        touch(0, 50),
        touch(1, 40, BEN),
        taken(LEADS_MERGES, 2, merge),
        touch(3, 60, BEN),
        touch(4, 55),
    ]
    played(opened, records, at_once)
    assert assert_known(opened) == 2
    rows = "SELECT lead_id, survivor, first_seen_ms, last_seen_ms, account_id FROM lead ORDER BY 1"
    assert list(opened._db.execute(rows)) == [
        (ANN, None, 40, 60, "firm3.example"),
        (BEN, ANN, 40, 60, "firm3.example"),
    ]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("at_once", [1, 9])
def test_what_was_taken_back_counts_nowhere_by_whatever_lead_it_came_and_when(
    place: StorePlace, at_once: int, first: bool
) -> None:
    back = touch(9, 1, BEN, engagement=None, profile={}, retracts="t1")
    records = [touch(0, 50), touch(1, 60), touch(2, 55, BEN), touch(3, 70)]
    records.insert(0 if first else 2, back)
    store = Store(place, "baton", ZONE)
    played(store, [*records, touch(4, 40)], at_once)
    assert assert_known(store)
    account = "SELECT account_id FROM lead WHERE lead_id = ?"
    assert list(store._db.execute(account, (ANN,))) == [("firm3.example",)]
    store.close()
    kept = counts_in(place)
    assert kept == counted_anew(place)


def test_a_row_that_was_there_already_stays_and_is_what_is_remembered(place: StorePlace) -> None:
    store = Store(place, "baton", ZONE)
    other = touch(0, 10, engagement=Engagement(act="form", campaign="fair"))
    played(store, [touch(0, 50), touch(1, 60), other, other], 3)
    assert assert_known(store) == 1
    assert list(store._db.execute("SELECT first_seen_ms FROM lead")) == [(50,)]
    store.close()
    kept = counts_in(place)
    assert kept == counted_anew(place)


def test_where_another_connection_wrote_the_file_it_is_read_again(tmp_path: Path) -> None:
    """In PostgreSQL the writer's lock keeps others out."""
    opened = Store(tmp_path / "board.sqlite", "baton", ZONE)
    played(opened, [touch(0, 50)], 1)
    other = writer(opened.place)
    other.execute("UPDATE touch SET occurred_at_ms = 20")
    other.close()
    played(opened, [touch(1, 60)], 1)
    assert_known(opened)
    assert list(opened._db.execute("SELECT first_seen_ms FROM lead")) == [(20,)]
    opened.close()


def test_the_beginning_of_a_score_is_that_of_the_whole_one(
    company: Company, place: StorePlace
) -> None:
    scores = [record for record in company[0] if isinstance(record.value, LeadScored)][:200]
    assert scores
    whole, codec = [], codec_for(LeadScored)
    heads = []
    for one in scores:
        raw = codec.encode(one.value)
        head = value_in(LEADS_SCORED, raw, (one.topic, 0, one.offset))
        assert type(head) is not LeadScored
        assert all(getattr(one.value, name) == getattr(head, name) for name in head.__slots__)
        whole.append(one)
        heads.append(replace(one, value=head, raw=raw))
    store = Store(place, "baton", ZONE)
    played(store, heads, 50)
    store.close()
    rows = reader(place).execute("SELECT fact_id, value FROM fact").fetchall()
    assert dict(rows) == {one.id: codec.encode(one.value) for one in whole}


@pytest.mark.parametrize("cut", [3, 7, 20])
def test_a_score_that_ends_in_its_beginning_is_refused(company: Company, cut: int) -> None:
    score = next(record.value for record in company[0] if isinstance(record.value, LeadScored))
    with pytest.raises(ContractError):
        score_head()(codec_for(LeadScored).encode(score)[:cut])
