"""The store: what was read, what is to be delivered and what is known of leads, in one SQLite file.

A batch of facts changes the view, adds deliveries and moves the positions in one transaction: a
process killed at any moment goes on where the file says. SQLite is the one that ``apsw`` brings.
Connections are not shared between threads; two may write, one waits for the other.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import apsw

from baton.contracts.intake import LeadPerson
from baton.contracts.public_record import PublicRecord
from services.delivery.planning import Planned, plan
from services.delivery.store.store_tables import ADDED, TABLES, VERSION
from services.delivery.store.view import fold
from services.delivery.targets.target_model import CONCIERGE, TargetsFile

FILE = "delivery.sqlite"
_BUSY_MS = 10_000
_AGAIN_MS = 20
_LOOK_MS = 2
_PRAGMAS = ("journal_mode=wal", "synchronous=full", "secure_delete=on", "foreign_keys=off")


def _set(db: apsw.Connection, pragma: str) -> None:
    """SQLite does not wait for the switch to its write-ahead log while others open the new file,
    whatever its busy timeout says."""
    for _ in range(_BUSY_MS // _AGAIN_MS):
        try:
            db.execute(f"PRAGMA {pragma}").fetchall()
        except apsw.BusyError:
            time.sleep(_AGAIN_MS / 1_000)
        else:
            return
    db.execute(f"PRAGMA {pragma}").fetchall()


def _look_again(looks: int) -> bool:
    """Waits for another writer. SQLite's own timeout looks again after up to a tenth of a second,
    however short the other's transaction was, and a buyer waits for a claim."""
    time.sleep(_LOOK_MS / 1_000)
    return looks < _BUSY_MS // _LOOK_MS


class StoreDiffers(RuntimeError):
    """The file was made by another version, or for another namespace; the text says what to do."""


class Store:
    """One writing connection. Not thread-safe: one thread opens and uses it."""

    def __init__(self, folder: Path, namespace: str) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self.path = folder / FILE
        self.db = apsw.Connection(str(self.path))
        self.db.set_busy_handler(_look_again)
        for pragma in _PRAGMAS:
            _set(self.db, pragma)
        with self.transaction():
            self._make(namespace)

    def close(self) -> None:
        """Leave the file; nothing is lost by not doing so."""
        self.db.close()

    def _make(self, namespace: str) -> None:
        if not self.db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchall():
            for statement in TABLES:
                self.db.execute(statement)
            self.db.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("version", str(VERSION)), ("namespace", namespace)],
            )
        for statement in ADDED:
            self.db.execute(statement)
        found = dict(self.db.execute("SELECT name, value FROM meta"))
        if (found["version"], found["namespace"]) != (str(VERSION), namespace):
            raise StoreDiffers(
                f"{self.path} is of version {found['version']} for namespace "
                f"{found['namespace']}, this is {VERSION} for {namespace}; set "
                "BATON_DELIVERY_FOLDER to another directory, or remove the file: what waits in it "
                "is then lost"
            )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and on the disk when it ends."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def register(self, targets: TargetsFile, now_ms: int) -> None:
        """Note targets that are new: a target receives what is appended from ``since`` on, from now
        on without it."""
        with self.transaction():
            for kind, name, target in targets.everything():
                since_ms = int(target.since.timestamp() * 1000) if target.since else now_ms
                self.db.execute(
                    "INSERT INTO target (name, kind, since_ms) VALUES (?, ?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET kind = excluded.kind",
                    (name, kind, since_ms),
                )
            if targets.concierge is not None:
                self.db.execute(
                    "INSERT INTO target (name, kind, since_ms) VALUES (?1, ?1, ?2) "
                    "ON CONFLICT DO NOTHING",
                    (CONCIERGE, now_ms),
                )

    def positions(self) -> dict[tuple[str, int], int]:
        """The next offset to read of each partition."""
        rows = self.db.execute("SELECT topic, partition, next_offset FROM position")
        return {(topic, number): following for topic, number, following in rows}

    def apply(
        self,
        batch: Iterable[PublicRecord],
        following: Mapping[tuple[str, int], int],
        targets: TargetsFile,
        now_ms: int,
    ) -> int:
        """Take facts and where to read on, all in one transaction; gives how many deliveries were
        added."""
        added, facts = 0, list(batch)
        with self.transaction():
            since = dict(self.db.execute("SELECT name, since_ms FROM target"))
            for fact in facts:
                fold(self.db, fact)
                for planned in plan(fact, targets):
                    if fact.at_ms >= since.get(planned.target, 0):
                        added += self._add(planned, now_ms)
            self.db.executemany(
                "INSERT INTO position VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
                "SET next_offset = excluded.next_offset",
                [(topic, number, offset) for (topic, number), offset in following.items()],
            )
        if any(isinstance(fact.value, LeadPerson) and fact.value.erased for fact in facts):
            # what was forgotten is not to stand in the log beside the file either
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return added

    def _add(self, planned: Planned, now_ms: int) -> int:
        if planned.personal and self._is_forgotten(planned.lead_id):
            return 0
        self.db.execute(
            """INSERT INTO delivery (id, target, kind, topic, fact_id, lead_id, order_key, payload,
               personal, state, created_ms, next_at_ms)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?) ON CONFLICT DO NOTHING""",
            (
                planned.id,
                planned.target,
                planned.kind,
                planned.topic,
                planned.fact_id,
                planned.lead_id,
                planned.order_key,
                planned.payload,
                planned.personal,
                now_ms,
                now_ms,
            ),
        )
        return self.db.changes()

    def _is_forgotten(self, lead_id: str | None) -> bool:
        query = "SELECT 1 FROM lead WHERE lead_id = ? AND forgotten"
        return bool(self.db.execute(query, (lead_id,)).fetchall())


def reader(path: Path) -> apsw.Connection:
    """A connection that can only read; raises apsw.CantOpenError where there is no store yet."""
    found = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    found.set_busy_timeout(_BUSY_MS)
    return found


def rows(db: apsw.Connection, query: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
    """The rows of a query by column name."""
    cursor = db.execute(query, values)
    found = []
    for row in cursor:
        names = [column[0] for column in cursor.get_description()]
        found.append(dict(zip(names, row, strict=True)))
    return found
