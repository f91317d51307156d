"""What Baton wrote to a CRM: noted before the write as pending, and after it as done.

A write whose outcome was lost stays pending, so that it is recognised as Baton's own; its echo is
too, whichever comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import apsw

from services.delivery.crm.deciding import OwnWrite, digest_of
from services.delivery.store.outbox_store import Store, rows

ECHO_MS: Final = 24 * 3_600_000


class Ledger:
    """The own writes of one target. Opens the store for each use, on any thread."""

    def __init__(self, target: str, folder: Path, namespace: str) -> None:
        self._target, self._folder, self._namespace = target, folder, namespace

    def of(self, db: apsw.Connection, lead_id: str) -> dict[str, OwnWrite]:
        """What was written for a lead, by property."""
        query = "SELECT property, digest, pending FROM own_write WHERE target = ? AND lead_id = ?"
        return {
            row["property"]: OwnWrite(digest=row["digest"], pending=row["pending"])
            for row in rows(db, query, (self._target, lead_id))
        }

    def note_pending(
        self, writes: Mapping[str, tuple[str | None, Mapping[str, str]]], now_ms: int
    ) -> None:
        """Before the write: by lead, the object's id if it is known, and the values."""
        self._write(
            "INSERT INTO own_write VALUES (?, ?, ?, ?, NULL, ?, ?) "
            "ON CONFLICT DO UPDATE SET pending = excluded.pending, "
            "object_id = coalesce(excluded.object_id, object_id), at_ms = excluded.at_ms",
            [
                (self._target, lead_id, name, object_id, digest_of(value), now_ms)
                for lead_id, (object_id, values) in writes.items()
                for name, value in values.items()
            ],
        )

    def note_done(self, writes: Mapping[str, tuple[str | None, Mapping[str, str]]]) -> None:
        """After the write has succeeded."""
        self._write(
            "UPDATE own_write SET digest = ?, pending = NULL, object_id = coalesce(?, object_id) "
            "WHERE target = ? AND lead_id = ? AND property = ?",
            [
                (digest_of(value), object_id, self._target, lead_id, name)
                for lead_id, (object_id, values) in writes.items()
                for name, value in values.items()
            ],
        )

    def _write(self, statement: str, values: list[tuple[Any, ...]]) -> None:
        store = Store(self._folder, self._namespace)
        try:
            with store.transaction():
                store.db.executemany(statement, values)
        finally:
            store.close()


def is_echo(
    db: apsw.Connection, target: str, object_id: str, written: tuple[str, str], now_ms: int
) -> bool | None:
    """Whether a change that the CRM reports (property and value) is Baton's own; None: Baton wrote
    nothing to that object."""
    name, value = written
    query = (
        "SELECT digest, pending, at_ms FROM own_write "
        "WHERE target = ? AND object_id = ? AND property = ?"
    )
    found = rows(db, query, (target, object_id, name))
    if not found:
        return None
    fresh = now_ms - found[0]["at_ms"] <= ECHO_MS
    return fresh and digest_of(value) in (found[0]["digest"], found[0]["pending"])


def lead_of_object(db: apsw.Connection, target: str, object_id: str) -> str | None:
    """The lead that Baton wrote to an object of the CRM."""
    query = "SELECT lead_id FROM own_write WHERE target = ? AND object_id = ? LIMIT 1"
    found = rows(db, query, (target, object_id))
    return str(found[0]["lead_id"]) if found else None
