"""What a screen reads is counted: it grows with the work that is open, and not with the leads that
there were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest

from baton.agreement.reference import AgreementBook
from baton.cluster.log import Record
from baton.contracts.codec import codec_for
from baton.contracts.public_record import PublicRecord
from baton.contracts.slas import SlaClock
from baton.contracts.topic_names import GOALS_PROGRESS, LEADS_ROUTED_SALES, LEADS_SLA_CLOCKS
from baton.contracts.topics import changelog_topic
from baton.screens import clocks
from baton.screens.clocks import ClockQuestion, clocks_of_board, clocks_of_log
from baton.screens.dry_run import dry_run
from baton.screens.goals import goals_of_log
from baton.screens.lead_acts import ANSWER_TOPICS, AnswerWatch
from baton.screens.live import Live, reference_now
from baton.screens.people import capacities
from baton.screens.pools import pool_state
from baton.simulation.memory_records import as_record
from tests.screens.company import HOUR_MS, MINUTE_MS, START_MS, Company, demo, line
from tests.services.insights.stores import fill

DAY_MS = 24 * HOUR_MS
OPEN = 2
"""Leads that somebody has at the end, in a company of any size."""


class CountedReader:
    """The log of a company as a cluster keeps it, changelogs compacted; counts what is read."""

    def __init__(self, company: Company) -> None:
        self._log = company.simulation.host.log
        self.read_from_topics: Counter[str] = Counter()
        self.partitions_read: set[tuple[str, int]] = set()
        self.bytes_read = 0

    def partitions(self, topic: str) -> int:
        return self._log.partitions_of(topic)

    def ends(self, topic: str) -> dict[int, tuple[int, int]]:
        numbers = range(self.partitions(topic))
        return {number: (0, len(self._log.records(topic, number))) for number in numbers}

    def read(
        self, places: Mapping[str, Sequence[int]], *, since_ms: int | None = None
    ) -> Iterator[Record]:
        """A topic that is not compacted is read from ``since_ms`` on, by the broker's index."""
        for topic, numbers in places.items():
            if since_ms is not None:
                yield from self._since(topic, numbers, since_ms)
                continue
            for number in numbers:
                latest = {stored.key: stored for stored in self._log.records(topic, number)}
                kept = [stored for stored in latest.values() if stored.value is not None]
                yield from map(self._counted, map(as_record, kept))
                self.partitions_read.add((topic, number))

    def read_from(self, starts: Mapping[tuple[str, int], int | None]) -> Iterator[Record]:
        for (topic, number), start in starts.items():
            self.partitions_read.add((topic, number))
            records = self._log.records(topic, number)[start or 0 :]
            yield from map(self._counted, map(as_record, records))

    def _since(self, topic: str, numbers: Sequence[int], since_ms: int) -> Iterator[Record]:
        for number in numbers:
            self.partitions_read.add((topic, number))
            kept = [
                stored
                for stored in self._log.records(topic, number)
                if stored.timestamp >= since_ms
            ]
            yield from map(self._counted, map(as_record, kept))

    def _counted(self, record: Record) -> Record:
        self.read_from_topics[record.topic] += 1
        self.bytes_read += len(record.key or b"") + len(record.value or b"")
        return record


def company_of(leads: int) -> Company:
    """So many ask, and all but the last two are disqualified."""
    asked = [demo(number, START_MS + number * 1_000) for number in range(leads)]
    company = Company().run(asked, START_MS + leads * 1_000 + MINUTE_MS)
    ended = sorted(company.values(LEADS_ROUTED_SALES), key=lambda routed: routed.routed_at_ms)
    acts = [
        line(
            company.now_ms + 1_000,
            id=f"end-{number}",
            kind="act",
            identifiers={"lead": routed.lead_id},
            act={"kind": "disqualified", "by": routed.owner, "reason": "not_icp"},
        )
        for number, routed in enumerate(ended[:-OPEN])
    ]
    return company.run(acts, company.now_ms + MINUTE_MS)


@pytest.fixture(scope="module")
def companies() -> tuple[Company, Company]:
    return company_of(6), company_of(36)


def counted(company: Company) -> tuple[Live, CountedReader]:
    reader = CountedReader(company)
    as_cluster: Any = reader
    return Live(as_cluster, company.reference, company.now_ms), reader


def test_pools_and_people_read_the_work_that_is_open(companies: tuple[Company, Company]) -> None:
    read = []
    for company in companies:
        live, reader = counted(company)
        states = live.states("assignment")
        state = pool_state(states.view("sales"), company.reference, now_ms=company.now_ms)
        assert sum(member.offered for member in state.members) == OPEN
        people = company.reference.agreement.people
        held = capacities([state], sorted(people), people)
        assert sum(found.offered for found in held) == OPEN
        (topic,) = reader.read_from_topics
        records = reader.read_from_topics[topic]
        read.append((records, reader.bytes_read // 200))
    assert read[0] == read[1], "as much for six leads as for thirty-six"

    live, reader = counted(companies[1])
    live.states("assignment", ["sales"])
    assert len(reader.partitions_read) == 1


def test_a_dry_run_reads_one_partition_of_the_accounts_and_one_of_each_pool_on_the_way(
    companies: tuple[Company, Company],
) -> None:
    read = []
    for company in companies:
        live, reader = counted(company)
        at = company.now_ms + 5_000
        found = dry_run([demo(999, at - 4_000)], company.reference, live, now_ms=at)
        assert found.stops
        topics = Counter(topic for topic, _ in reader.partitions_read)
        assert set(topics.values()) == {1}
        assert len(topics) == 2, "accounts, and the pool"
        read.append(reader.read_from_topics[changelog_topic("assignment")])
    assert read[0] == read[1]


def test_people_and_deadlines_read_the_agreement_and_the_absences_alone(
    companies: tuple[Company, Company],
) -> None:
    read = []
    for company in companies:
        reader = CountedReader(company)
        as_cluster: Any = reader
        found = reference_now(as_cluster, now_ms=company.now_ms)
        assert found.version == company.reference.version
        assert set(reader.read_from_topics) <= set(AgreementBook.topics)
        read.append((dict(reader.read_from_topics), reader.bytes_read))
    assert read[0] == read[1]


def test_an_act_reads_nothing_that_was_there_before_it(companies: tuple[Company, Company]) -> None:
    company = companies[1]
    _, reader = counted(company)
    routed = company.values(LEADS_ROUTED_SALES)[0]
    as_cluster: Any = reader
    watch = AnswerWatch(as_cluster, routed.lead_id)
    assert list(watch.news()) == []
    assert Counter(topic for topic, _ in reader.partitions_read if topic in ANSWER_TOPICS) == (
        Counter(ANSWER_TOPICS)
    )
    assert reader.bytes_read == 0


def test_clocks_of_the_board_are_found_by_an_index_however_many_have_ended(
    companies: tuple[Company, Company], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fill(tmp_path / "board.sqlite", list(_clock_records(companies[0])))
    steps = [0]

    def counting(place: Any) -> Any:
        connection = apsw.Connection(str(place), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_progress_handler(lambda: bool(steps.append(1)), 1)
        return connection

    monkeypatch.setattr(clocks, "reader", counting)
    spent = []
    for question in (ClockQuestion(), ClockQuestion(pool="sales"), ClockQuestion(person="ae-hugo")):
        steps.clear()
        before = clocks_of_board(path, question, now_ms=companies[0].now_ms)
        first = len(steps)
        spent.append((question, before.total, first))
    _copies_that_have_ended(path, 2_000)
    for question, total, first in spent:
        steps.clear()
        found = clocks_of_board(path, question, now_ms=companies[0].now_ms)
        assert found.total == total
        assert len(steps) <= 2 * first + 200, "instructions of the database"


def test_clocks_of_the_log_read_one_record_a_lead_of_one_changelog() -> None:
    """Where there is no board. It is a stream of which only what is open is kept, and it ends."""
    company = company_of(36)
    _, reader = counted(company)
    as_cluster: Any = reader
    found = clocks_of_log(as_cluster, ClockQuestion(person="ae-hugo"), now_ms=company.now_ms)
    assert 0 < found.total <= 2 * OPEN
    (topic,) = reader.read_from_topics
    assert topic == changelog_topic("clocks")
    keys = {key for key, _ in company.changelog("clocks")}
    assert reader.read_from_topics[topic] <= len(keys)


def test_goals_of_the_log_read_the_last_days_and_no_lead() -> None:
    """A company that goes on for ten days without anything new is asked about its last day."""
    read = []
    for company in map(company_of, (6, 36)):
        company.run([], company.now_ms + 10 * DAY_MS)
        live, reader = counted(company)
        found = goals_of_log(live)
        assert {row.goal for row in found} == set(company.reference.agreement.goals)
        assert set(reader.read_from_topics) == {GOALS_PROGRESS}
        read.append(reader.read_from_topics[GOALS_PROGRESS])
    assert read[0] == read[1], "as much for six leads as for thirty-six"


def _clock_records(company: Company) -> Iterator[PublicRecord]:
    for record in company.records([LEADS_SLA_CLOCKS]):
        yield PublicRecord(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            id=record.header("ce_id") or "",
            key=(record.key or b"").decode(),
            value=codec_for(SlaClock).decode(record.value),
            at_ms=record.at_ms,
        )


def _copies_that_have_ended(path: Path, number: int) -> None:
    connection = apsw.Connection(str(path))
    names = [row[1] for row in connection.execute("PRAGMA table_info(clock)")]
    made = {"clock_id": "clock_id || '-' || n", "state": "'met'"}
    columns = ", ".join(made.get(name, name) for name in names)
    connection.execute(
        f"WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {number}) "
        f"INSERT INTO clock SELECT {columns} FROM clock, t"
    )
    connection.close()
