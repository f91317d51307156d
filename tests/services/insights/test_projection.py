"""The projection: rows and offsets together or not at all, the same whatever the order, and a
person that is forgotten stays so."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import apsw
import pytest

from baton.cluster import public_log
from baton.cluster.public_log import ReadingStopped, decode
from baton.contracts.codec import codec_for
from baton.contracts.custody import Holding, holder_of, updated
from baton.contracts.intake import Engagement, LeadEvent, LeadMerge, LeadPerson, Person
from baton.contracts.leads import LeadStaged
from baton.contracts.public_record import PublicRecord
from baton.contracts.topic_names import LEADS_ACCEPTED, ROUTER_HANDOFFS, SCORER_LEADS, SLA_LEADS
from baton.contracts.topics import TOPICS, Audience
from services.insights.facts.change import Put
from services.insights.facts.folds import DEAD_LETTERS, FOLDS, changes_of
from services.insights.facts.tables import TABLES
from services.insights.figures.attribution import Model
from services.insights.projection.board_stores import BoardFiles, BoardSchemas
from services.insights.projection.dialect import StorePlace, StoreTaken, reader, store_errors
from services.insights.projection.kafka import BoardLog
from services.insights.projection.postgres_connection import PostgresPlace, translated
from services.insights.projection.projection_store import Place, Store, StoreDiffers
from services.insights.projection.store_sql import upsert
from tests.services.insights.company import history, simulate
from tests.services.insights.company import taken as taken_of
from tests.services.insights.conftest import FreshPlace
from tests.services.insights.stores import ZONE, fill

Company = tuple[tuple[PublicRecord, ...], int]


def content(place: StorePlace) -> dict[str, Counter[tuple[object, ...]]]:
    db = reader(place)
    return {name: Counter(db.execute(f"SELECT * FROM {name}")) for name in TABLES}


def test_every_public_topic_is_read_or_named_as_not_read() -> None:
    public = {spec.name for spec in TOPICS.values() if spec.audience is Audience.PUBLIC}
    assert public - {*FOLDS, DEAD_LETTERS} == {"leads.inbox.v1", "leads.commands.v1"}


def test_the_simulated_company_fills_every_table_but_the_seldom_ones(store: StorePlace) -> None:
    found = content(store)
    assert {name for name, rows in found.items() if not rows} <= {
        "campaign_cost",
        "decision",
        "orphan",
        "dead_letter",
        "retraction",
        "conversion",
        "credit",
        "mention",
        "credits_by_span",
        "content_by_span",
        "mentions_by_span",
        "deals_by_mention",
    }


def test_any_order_of_arrival_and_every_record_twice_give_the_same_rows(
    company: Company, store: StorePlace, place: StorePlace
) -> None:
    records, _ = company
    shuffled = Random(7).sample([*records, *records], 2 * len(records))
    assert content(fill(place, shuffled, at_once=37)) == content(store)


def test_text_with_the_character_nul_is_taken_by_both_databases(place: StorePlace) -> None:
    touch = Engagement(act="form", campaign="a\x00b")
    event = LeadEvent(
        event_id="e1",
        lead_id="l1",
        source="web\x00site",
        kind="engagement",
        occurred_at_ms=1,
        received_at_ms=1,
        engagement=touch,
    )
    record = PublicRecord(
        topic=LEADS_ACCEPTED, partition=0, offset=0, id="f", key="l1", value=event, at_ms=1
    )
    db = reader(fill(place, [record]))
    assert db.execute("SELECT source, campaign FROM touch").fetchall() == [("website", "ab")]


def test_one_record_a_transaction_gives_the_same_rows_as_many(
    company: Company, fresh: FreshPlace
) -> None:
    records = company[0][:600]
    assert content(fill(fresh(), records, at_once=1)) == content(fill(fresh(), records))


def test_credits_add_up_to_what_was_won_by_every_model(store: StorePlace) -> None:
    db = reader(store)
    won = db.execute("SELECT coalesce(sum(amount_minor), 0) FROM conversion").fetchall()[0][0]
    moves = db.execute(
        "SELECT coalesce(sum(amount_minor), 0) FROM stage_move WHERE event = 'won'"
    ).fetchall()[0][0]
    assert won == moves
    for model, total in db.execute("SELECT model, sum(amount_minor) FROM credit GROUP BY model"):
        assert total == won, model


def test_a_transaction_that_fails_leaves_neither_rows_nor_offsets(
    company: Company, place: StorePlace
) -> None:
    records = company[0][:50]
    fill(place, records[:20])
    before, store = content(place), Store(place, "baton", ZONE)
    places = store.places()
    broken = [*records[20:40], replace(records[40], topic="leads.nobody.v1")]
    with pytest.raises(KeyError):
        store.apply(
            broken,
            {(record.topic, record.partition): record.offset + 1 for record in records[20:40]},
        )
    assert content(place) == before
    assert store.places() == places
    store.close()


_KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from services.insights.projection.projection_store import Place, Store
place, records = pickle.loads(Path(sys.argv[1]).read_bytes())
store = Store(place, "baton", "Europe/Berlin")
store.begin([Place(topic=r.topic, partition=r.partition, next_offset=0) for r in records])
places = store.places()
todo = [r for r in records if r.offset >= places[r.topic, r.partition].next_offset]
for number, start in enumerate(range(0, len(todo), 40)):
    batch = todo[start : start + 40]
    if number == 2:
        store._note_places = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # rows written, offsets not, nothing committed
    store.apply(batch, {(r.topic, r.partition): r.offset + 1 for r in batch})
print("whole")
"""


def test_killed_before_every_commit_it_loses_nothing_and_doubles_nothing(
    fresh: FreshPlace, tmp_path: Path
) -> None:
    place, (records, _) = fresh(), history(leads=4, days=20)
    given = tmp_path / "given"
    given.write_bytes(pickle.dumps((place, records)))
    deaths = 0
    for _ in range(60):
        run = subprocess.run(
            [sys.executable, "-c", _KILLED, str(given)],
            capture_output=True,
            text=True,
            env=os.environ,
            check=False,
        )
        if "whole" in run.stdout:
            break
        assert run.returncode == -signal.SIGKILL, run.stderr
        deaths += 1
    assert deaths >= 2
    assert content(place) == content(fill(fresh(), records))


def person(lead: str, *, erased: bool = False, offset: int = 0) -> PublicRecord:
    reported = LeadPerson(
        lead_id=lead,
        event_id=f"e{offset}",
        occurred_at_ms=1,
        person=Person(email="ann@acme.example"),
        erased=erased,
    )
    return PublicRecord(
        topic="leads.persons.v1",
        partition=0,
        offset=offset,
        id=f"f{offset}",
        key=lead,
        value=reported,
        at_ms=offset,
    )


def names(place: StorePlace) -> list[str]:
    return [lead for (lead,) in reader(place).execute("SELECT lead_id FROM person")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_forgotten_person_is_gone_and_no_late_record_brings_the_name_back(
    place: StorePlace, order: tuple[int, int]
) -> None:
    records = [person("lead", offset=0), person("lead", erased=True, offset=1)]
    fill(place, [records[number] for number in order], at_once=1)
    assert names(place) == []
    assert reader(place).execute("SELECT erased FROM lead").fetchall() == [(1,)]


def test_a_tombstone_forgets_too(place: StorePlace) -> None:
    tombstone = replace(person("lead", offset=1), value=None)
    assert names(fill(place, [person("lead"), tombstone], at_once=1)) == []


def written(folder: Path, text: bytes) -> list[str]:
    """The files of the folder that have the text in them."""
    return [path.name for path in folder.iterdir() if text in path.read_bytes()]


def test_an_erased_name_is_in_no_file_of_the_open_store_nor_in_its_log_of_changes(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "board.sqlite", "baton", ZONE)
    store.apply([person("lead")], {})
    assert written(tmp_path, b"ann@acme")
    store.apply([replace(person("lead", offset=1), value=None)], {})
    assert written(tmp_path, b"ann@acme") == []
    store.close()


def test_while_a_page_is_being_read_the_log_is_overwritten_with_the_next_records(
    tmp_path: Path,
) -> None:
    path = tmp_path / "board.sqlite"
    store = Store(path, "baton", ZONE)
    store.apply([person("lead")], {})
    page = reader(path)
    page.execute("BEGIN")
    assert page.execute("SELECT count(*) FROM person").fetchall() == [(1,)]
    store.apply([replace(person("lead", offset=1), value=None)], {})
    page.close()
    store.apply([person("another", offset=2)], {})
    assert names(path) == ["another"]
    assert written(tmp_path, b"e0") == []
    store.close()


def test_no_address_or_name_stands_outside_the_table_of_persons(company: Company) -> None:
    addresses = {
        taken.value.person.email for taken in company[0] if isinstance(taken.value, LeadPerson)
    } - {None}
    assert addresses
    for taken in company[0]:
        if taken.topic != DEAD_LETTERS:
            for change in changes_of(taken):
                if isinstance(change, Put) and change.table.name != "person":
                    text = repr(change.row)
                    assert not [address for address in addresses if address in text], taken.topic


def log_between(monkeypatch: pytest.MonkeyPatch, low: int, high: int) -> BoardLog:
    """A log each of whose topics has one partition, with the records from ``low`` to ``high``."""
    listed = SimpleNamespace(error=None, partitions={0: None})
    client = SimpleNamespace(
        list_topics=lambda name, **_: SimpleNamespace(topics={name: listed}),
        get_watermark_offsets=lambda *_, **__: (low, high),
    )
    monkeypatch.setattr(public_log, "Consumer", lambda _: client)
    return BoardLog({}, "baton")


@pytest.mark.parametrize(
    ("known", "low", "high", "says"),
    [
        (
            10,
            11,
            20,
            r"offset 10.*past its retention; the oldest left is 11, 1 records are missing.*baton board rebuild",
        ),
        (21, 0, 20, r"read up to offset 21, but the log ends at 20"),
    ],
)
def test_where_the_log_lost_what_comes_next_it_stops_with_words(
    monkeypatch: pytest.MonkeyPatch, known: int, low: int, high: int, says: str
) -> None:
    log = log_between(monkeypatch, low, high)
    place = Place(topic="leads.acts.v1", partition=0, next_offset=known)
    with pytest.raises(ReadingStopped, match=says):
        log.places({("leads.acts.v1", 0): place})


@pytest.mark.parametrize(("known", "expected"), [(None, 5), (5, 5), (20, 20)])
def test_otherwise_it_goes_on_where_it_was_and_begins_at_the_oldest(
    monkeypatch: pytest.MonkeyPatch, known: int | None, expected: int
) -> None:
    key = ("leads.acts.v1", 0)
    place = Place(topic=key[0], partition=0, next_offset=known or 0, began_offset=2)
    places = log_between(monkeypatch, 5, 20).places({} if known is None else {key: place})
    (found,) = (at for at in places if (at.topic, at.partition) == key)
    assert (found.next_offset, found.began_offset) == (expected, 5 if known is None else 2)


def test_a_record_that_cannot_be_read_stops_it_and_says_where() -> None:
    with pytest.raises(ReadingStopped, match=r"leads.acts.v1\[2\]@17 cannot be read"):
        decode(
            "leads.acts.v1",
            b"\x00\x00\x00\x00\x01rubbish",
            ("leads.acts.v1", 2, 17),
            reader="insights",
        )


def test_a_file_of_another_namespace_is_refused(store: StorePlace) -> None:
    with pytest.raises(StoreDiffers, match="baton board rebuild"):
        Store(store, "elsewhere", ZONE)


def test_a_reader_cannot_write(store: StorePlace) -> None:
    with pytest.raises(Exception, match="read-?only"):
        reader(store).execute("DELETE FROM lead")


def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    files = BoardFiles(tmp_path / "board")
    files.prepare()
    assert files.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.postgres
def test_the_rebuilt_schema_takes_over_and_the_one_before_the_former_goes(
    postgres: str, tmp_path: Path
) -> None:
    stores = BoardSchemas(postgres, f"Take-Over {os.getpid()}", tmp_path)
    assert stores.current() is None
    stores.want_rebuild()
    assert stores.rebuild_wanted
    for number in (1, 2, 3):
        place = stores.following()
        assert place.number == number
        fill(place, [])
        stores.use(place)
        assert stores.current() == place
    stores.rebuild_made()
    assert not stores.rebuild_wanted
    assert BoardSchemas(postgres, f"Take-Over {os.getpid()}", tmp_path).current() == place
    assert stores.following().number == 4
    with pytest.raises(store_errors(), match="does not exist"):
        reader(replace(place, number=1)).execute("SELECT * FROM lead")
    assert reader(replace(place, number=2)).execute("SELECT * FROM lead").fetchall() == []


@pytest.mark.postgres
def test_of_two_boards_on_one_database_one_writes(postgres: str) -> None:
    place = PostgresPlace(postgres, f"two_{os.getpid()}", 1)
    first = Store(place, "baton", ZONE)
    with pytest.raises(StoreTaken):
        Store(replace(place, number=2), "baton", ZONE)
    first.close()
    Store(place, "baton", ZONE).close()


def test_a_statement_is_translated_in_what_differs_and_nothing_else() -> None:
    assert translated("SELECT a FROM t WHERE x = ?1 AND y LIKE '%;é;%'") == (
        "SELECT a FROM t WHERE x = %(p1)s AND y LIKE '%%;é;%%'"
    )
    assert translated("FROM a CROSS JOIN b ON +b.x = :from_ms") == (
        "FROM a JOIN b ON b.x = %(from_ms)s"
    )
    assert translated("VALUES (?, ?) ON CONFLICT DO NOTHING") == (
        "VALUES (%s, %s) ON CONFLICT DO NOTHING"
    )


def test_the_rebuilt_file_takes_over_and_the_former_one_goes(tmp_path: Path) -> None:
    files = BoardFiles(tmp_path)
    assert files.current() is None
    for expected in ("board-1.sqlite", "board-2.sqlite"):
        path = files.following()
        path.touch()
        files.use(path)
        assert files.current() == tmp_path / expected
    assert [entry.name for entry in tmp_path.glob("board-*")] == ["board-2.sqlite"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("running", 5, 0), ("met", 9, 0)], "met"),
        ([("met", 9, 0), ("running", 5, 0)], "met"),
        ([("running", 9, 1), ("met", 9, 2)], "met"),
        ([("met", 9, 2), ("running", 9, 1)], "met"),
    ],
)
def test_of_a_clock_the_latest_record_stays_whatever_the_order(
    rows: Sequence[tuple[str, int, int]], expected: str
) -> None:
    table = TABLES["clock"]
    db = apsw.Connection(":memory:")
    db.execute("CREATE TABLE clock (" + ", ".join(table.names) + ", PRIMARY KEY (clock_id))")
    for state, log_ms, log_offset in rows:
        known = {"clock_id": "c", "state": state, "log_ms": log_ms, "log_offset": log_offset}
        db.execute(upsert(table), tuple(known.get(name) for name in table.names))
    assert db.execute("SELECT state FROM clock").fetchall() == [(expected,)]


def merge_scene() -> list[PublicRecord]:
    """An anonymous lead with a touch and an account ends in a known one, which is won."""
    anonymous, known = "a" * 32, "b" * 32
    ad = Engagement(act="page_view", campaign="ad")
    seen = LeadEvent(
        event_id="t1",
        lead_id=anonymous,
        source="web",
        kind="engagement",
        occurred_at_ms=5,
        received_at_ms=5,
        engagement=ad,
    )
    reported = LeadEvent(
        event_id="p1",
        lead_id=anonymous,
        source="web",
        kind="profile",
        occurred_at_ms=6,
        received_at_ms=6,
        profile={"domain": "acme.example"},
    )
    merge = LeadMerge(
        merge_id="m1", loser=anonymous, survivor=known, cause_id="c", occurred_at_ms=7
    )
    move = LeadStaged(
        lead_id=known,
        cycle=1,
        from_stage="opportunity",
        to_stage="customer",
        event="won",
        actor="sales",
        cause_id="w",
        at_ms=9,
        occurred_at_ms=9,
        evidence_at_ms=9,
        agreement="v",
        amount_minor=1000,
        currency="EUR",
    )

    def taken(topic: str, offset: int, key: str, value: object) -> PublicRecord:
        return PublicRecord(
            topic=topic,
            partition=0,
            offset=offset,
            id=f"f{topic}{offset}",
            key=key,
            value=value,
            at_ms=10 + offset,
        )

    return [
        taken("leads.accepted.v1", 0, anonymous, seen),
        taken("leads.accepted.v1", 1, anonymous, reported),
        taken("leads.merges.v1", 0, anonymous, merge),
        taken("leads.stages.v1", 0, known, move),
    ]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_what_a_merged_lead_did_counts_for_the_one_it_ended_in_whatever_came_first(
    place: StorePlace, order: tuple[int, ...]
) -> None:
    records = merge_scene()
    db = reader(fill(place, [records[number] for number in order], at_once=1))
    credit = db.execute("SELECT DISTINCT journey, campaign, amount_minor FROM credit").fetchall()
    assert credit == [("acme.example", "ad", 1000)]
    assert db.execute("SELECT count(*) FROM credit").fetchall() == [(len(Model),)]
    leads = db.execute(
        "SELECT lead_id, survivor, account_id, first_seen_ms FROM lead ORDER BY 1"
    ).fetchall()
    assert leads == [("a" * 32, "b" * 32, "acme.example", 5), ("b" * 32, None, "acme.example", 5)]


def test_a_retracted_touch_never_was(place: StorePlace) -> None:
    records = merge_scene()
    back = LeadEvent(
        event_id="r1",
        lead_id="a" * 32,
        source="web",
        kind="retraction",
        occurred_at_ms=8,
        received_at_ms=8,
        retracts="t1",
    )
    taken = replace(records[0], offset=2, id="r", value=back)
    fill(place, [*records, taken], at_once=1)
    assert reader(place).execute("SELECT DISTINCT campaign FROM credit").fetchall() == [("(none)",)]


def test_who_holds_a_lead_by_public_facts_is_who_holds_it_by_the_private_streams(
    place: StorePlace,
) -> None:
    simulation, _ = simulate(leads=20, days=45, seed=4)
    holdings: dict[str, Holding] = {}
    public: list[PublicRecord] = []
    for stored in simulation.host.log.history:
        if stored.topic in (SCORER_LEADS, ROUTER_HANDOFFS, SLA_LEADS) and stored.value is not None:
            kind: Any = TOPICS[stored.topic].record
            record = codec_for(kind).decode(stored.value)
            holdings[record.lead_id] = updated(holdings.get(record.lead_id, Holding()), record)
        elif stored.topic in FOLDS:
            public.append(taken_of(stored))
    db = reader(fill(place, public))
    rows = db.execute(
        "SELECT lead_id, holder_kind, holder FROM lead WHERE survivor IS NULL AND holder_kind <> "
        "'marketing'"
    ).fetchall()
    expected = [
        (lead, holder_of(holdings[lead]).kind.value, holder_of(holdings[lead]).who)
        for lead, *_ in rows
    ]
    assert rows == expected
    assert {kind for _, kind, _ in rows} >= {"person", "end", "nurture"}
