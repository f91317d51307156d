"""The store: one SQLite file or one schema of PostgreSQL, one writable connection, rows and next
offsets in one transaction.

A kill at any moment leaves what the last commit left, so nothing is lost and nothing doubled.
Readers see whole transactions. SQLite is the one that ``apsw`` brings: older builds can lose pages
when two connections write and checkpoint at once (sqlite.org/wal.html#walresetbug), which a single
writer also rules out. What differs between the databases is in
:mod:`services.insights.projection.dialect`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baton.contracts.public_record import PublicRecord
from services.insights.facts.change import Change, Forget, Put, Touched
from services.insights.facts.folds import DEAD_LETTERS, changes_of
from services.insights.facts.intake_folds import dead_letter
from services.insights.facts.intake_tables import PERSON
from services.insights.facts.level_tables import CLOCK
from services.insights.projection.deriving import credit_all, derive, put_work
from services.insights.projection.dialect import (
    StorePlace,
    dialect_of,
    others_wrote,
    scrub,
    store_errors,
    writer,
)
from services.insights.projection.kept_counts import Counts, recount
from services.insights.projection.kept_history import forgotten, mark_forgotten
from services.insights.projection.remembered_leads import RememberedLeads, retracted_of
from services.insights.projection.rows_of_many import put_rows
from services.insights.projection.store_sql import VERSION, ddl
from services.insights.projection.upgrading import UPGRADED, upgrade

_ANALYSED_EVERY = 400
_CLOCKED = CLOCK.names.index("lead_id")
_NEXT_REVISION = (
    "UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE name = 'revision'"
)
_MOVE_ON = """UPDATE position SET next_offset = ?, began_ms = COALESCE(began_ms, ?),
    last_ms = COALESCE(?, last_ms), records = records + ? WHERE topic = ? AND partition = ?"""


class StoreDiffers(RuntimeError):
    """The file was made by another version, or for another namespace; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a partition has been read: ``next_offset`` is the next to read, ``began_offset``
    where reading began."""

    topic: str
    partition: int
    next_offset: int
    began_offset: int = 0


class Store:
    """The writing side. Not thread-safe: one thread opens and uses it."""

    def __init__(self, place: StorePlace, namespace: str, zone: str = "UTC") -> None:
        self.place = place
        self._dialect = dialect_of(place)
        self._zone = zone
        self._namespace = namespace
        self._applied = 0
        self._unscrubbed = False
        self._known = RememberedLeads()
        self._db: Any = writer(place)
        with self._transaction():
            self._make()

    def close(self) -> None:
        """Leave the file; nothing is lost by not doing so."""
        self._db.close()

    def _make(self) -> None:
        made = self._db.execute(self._dialect.exists, ("meta",)).fetchall()
        if not made:
            for statement in ddl(self._dialect):
                self._db.execute(statement)
            self._db.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [
                    ("version", str(VERSION)),
                    ("namespace", self._namespace),
                    ("revision", "0"),
                    ("zone", self._zone),
                ],
            )
        found = dict(self._db.execute("SELECT name, value FROM meta"))
        if found["version"] in UPGRADED and found["namespace"] == self._namespace:
            upgrade(self._db, self._dialect, found["zone"])
            found["version"] = str(VERSION)
        if found["version"] != str(VERSION) or found["namespace"] != self._namespace:
            raise StoreDiffers(
                f"{self.place} is of version {found['version']} for namespace "
                f"{found['namespace']}, this is {VERSION} for {self._namespace}; "
                "build the board anew: baton board rebuild"
            )
        self._zone = found["zone"]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute(self._dialect.begin)
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._known.clear()
            with contextlib.suppress(*store_errors()):
                self._db.execute("ROLLBACK")
            raise

    def places(self) -> dict[tuple[str, int], Place]:
        """How far each partition has been read."""
        rows = self._db.execute("SELECT topic, partition, next_offset, began_offset FROM position")
        return {
            (topic, number): Place(
                topic=topic, partition=number, next_offset=following, began_offset=began
            )
            for topic, number, following, began in rows
        }

    def begin(self, places: Iterable[Place]) -> None:
        """Note where the reading of partitions begins; one that is known already stays."""
        with self._transaction():
            self._db.executemany(
                "INSERT INTO position VALUES (?, ?, ?, ?, NULL, NULL, 0) ON CONFLICT DO NOTHING",
                [
                    (place.topic, place.partition, place.next_offset, place.began_offset)
                    for place in places
                ],
            )

    def apply(
        self, batch: Iterable[PublicRecord], following: Mapping[tuple[str, int], int]
    ) -> None:
        """Take records and where to go on, all in one transaction."""
        with self._transaction():
            changes: list[Change] = []
            news: dict[tuple[str, int], list[int]] = {}
            for taken in batch:
                news.setdefault((taken.topic, taken.partition), []).append(taken.at_ms)
                changes += _changes(taken)
            self._take(changes)
            self._note_places(following, news)
            self._applied += 1
            if self._dialect.analyses and self._applied % _ANALYSED_EVERY == 0:
                self._db.execute("ANALYZE")
            self._db.execute(_NEXT_REVISION)
        if self._unscrubbed:
            self._unscrubbed = not scrub(self._db)

    def _take(self, changes: Sequence[Change]) -> None:
        """The rows, what is derived from them, and the counts."""
        touched = {change.lead_id for change in changes if isinstance(change, Touched | Forget)}
        self._known.follow(others_wrote(self._db))
        self._known.load(self._db, touched)
        puts = [change for change in changes if isinstance(change, Put)]
        retracted = retracted_of(self._db, puts)
        counts = Counts(self._db, self._zone, self._known, retracted)
        with counts.following(puts):
            self._forget({change.lead_id for change in changes if isinstance(change, Forget)})
            there = self._write(puts)
            self._known.take(self._db, puts, there, retracted)
            worked = derive(
                self._db, touched, zone=self._zone, known=self._known, credited=counts.credited
            )
            put_work(self._db, worked | _timed(puts))
        counts.write()
        self._known.trim()

    def _write(self, puts: Sequence[Put]) -> set[str]:
        """The rows, but no name of who is forgotten; returns the tables that had some already."""
        unnamed = forgotten(self._db, {one.row[0] for one in puts if one.table is PERSON})
        return put_rows(
            self._db,
            [one for one in puts if one.table is not PERSON or one.row[0] not in unnamed],
        )

    def _forget(self, leads: Iterable[str]) -> None:
        """Every name of them goes, and a late record brings none back."""
        for lead_id in sorted(leads):
            self._db.execute("DELETE FROM person WHERE lead_id = ?", (lead_id,))
            self._unscrubbed = True
            mark_forgotten(self._db, lead_id)
        self._known.forget(leads)

    def _note_places(
        self, following: Mapping[tuple[str, int], int], news: Mapping[tuple[str, int], list[int]]
    ) -> None:
        rows = []
        for (topic, number), offset in following.items():
            times = news.get((topic, number), [])
            first, last = min(times, default=None), max(times, default=None)
            rows.append((offset, first, last, len(times), topic, number))
        if rows:
            self._db.executemany(_MOVE_ON, rows)

    def set_zone(self, zone: str) -> None:
        """Days are those of ``zone`` from now on, and all credits and counts are made anew: which
        touches are of one day depends on it."""
        found = dict(self._db.execute("SELECT name, value FROM meta WHERE name = 'zone'"))
        self._zone = zone
        if found["zone"] != zone:
            with self._transaction():
                self._db.execute("UPDATE meta SET value = ? WHERE name = 'zone'", (zone,))
                credit_all(self._db, zone=zone)
                recount(self._db, zone)


def _timed(puts: Iterable[Put]) -> set[str]:
    """Leads of which a clock changed."""
    return {one.row[_CLOCKED] for one in puts if one.table is CLOCK}


def _changes(taken: PublicRecord) -> Iterator[Change]:
    if taken.topic == DEAD_LETTERS:
        yield dead_letter(taken, taken.value)
        return
    yield from changes_of(taken)
