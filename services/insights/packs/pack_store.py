"""Where frozen packs are kept, and whom they were mailed to: in the board's folder, or, for boards
that share a PostgreSQL, there, so that whichever of them writes next sends nothing twice. Written
once, never changed; a rebuild of the board leaves them as they are."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from services.insights.packs.figures import Pack, pack_of
from services.insights.projection.board_stores import CONTROL, BoardSchemas, BoardStores

_WEEK: Final = re.compile(r"\d{4}-W\d{2}")


class Packs(Protocol):
    """The packs of one namespace."""

    def weeks(self) -> list[str]:
        """The weeks that have a pack, the latest first."""

    def get(self, week: str) -> Pack | None:
        """The frozen pack of a week; None: there is none, or this is no week."""

    def freeze(self, pack: Pack) -> Pack:
        """Keep a pack; gives the one that is kept, which is the first of its week."""

    def note_mail(self, week: str, recipient: str) -> bool:
        """Note that the pack is about to be sent; False: that was noted before."""

    def retract_mail(self, week: str, recipient: str) -> None:
        """It was not sent for sure."""


def packs_of(stores: BoardStores) -> Packs:
    """The packs that belong to the stores."""
    files = PackFiles(stores.folder)
    return PackTables(stores, files) if isinstance(stores, BoardSchemas) else files


def _digest(week: str, recipient: str) -> str:
    return hashlib.sha256(f"{week} {recipient.lower()}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PackFiles:
    """A file for each week. ``folder``: the board's own."""

    folder: Path

    def _path(self, week: str) -> Path:
        return self.folder / "packs" / f"{week}.json"

    def weeks(self) -> list[str]:
        found = (self.folder / "packs").glob("*.json")
        return sorted((path.stem for path in found if _WEEK.fullmatch(path.stem)), reverse=True)

    def get(self, week: str) -> Pack | None:
        if not _WEEK.fullmatch(week):
            return None
        try:
            return pack_of(json.loads(self._path(week).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def freeze(self, pack: Pack) -> Pack:
        path = self._path(pack.week)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(".new")
        with part.open("w", encoding="utf-8") as file:
            json.dump(pack.as_json(), file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())  # before it has its name: a pack is whole or not there
        part.chmod(0o600)
        try:
            path.hardlink_to(part)  # fails where there is one already, whoever made it
        except FileExistsError:
            pass
        finally:
            part.unlink()
        found = self.get(pack.week)
        assert found is not None
        return found

    def _mail(self, week: str, recipient: str) -> Path:
        return self.folder / "packs" / "sent" / _digest(week, recipient)

    def note_mail(self, week: str, recipient: str) -> bool:
        path = self._mail(week, recipient)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            path.touch(exist_ok=False, mode=0o600)
        except FileExistsError:
            return False
        return True

    def retract_mail(self, week: str, recipient: str) -> None:
        self._mail(week, recipient).unlink(missing_ok=True)

    def has_mail(self, week: str, recipient: str) -> bool:
        """Whether it was noted that the pack is about to be sent."""
        return self._mail(week, recipient).exists()


_MAKE: Final = (
    f"CREATE SCHEMA IF NOT EXISTS {CONTROL}",
    f"""CREATE TABLE IF NOT EXISTS {CONTROL}.pack (namespace TEXT, week TEXT,
        value TEXT NOT NULL, PRIMARY KEY (namespace, week))""",
    f"""CREATE TABLE IF NOT EXISTS {CONTROL}.pack_mail (namespace TEXT, digest TEXT,
        PRIMARY KEY (namespace, digest))""",
)


@dataclass(frozen=True, slots=True)
class PackTables:
    """Rows beside the stores. ``files``: what this machine's board kept before there were tables;
    it counts."""

    stores: BoardSchemas
    files: PackFiles

    def weeks(self) -> list[str]:
        with self.stores.control() as db:
            rows = (
                db.execute(
                    f"SELECT week FROM {CONTROL}.pack WHERE namespace = ?", (self.stores.namespace,)
                ).fetchall()
                if self._is_made(db)
                else []
            )
        return sorted({week for (week,) in rows} | set(self.files.weeks()), reverse=True)

    def _is_made(self, db: Any) -> bool:
        made = "SELECT 1 FROM pg_tables WHERE schemaname = ? AND tablename = 'pack_mail'"
        return bool(db.execute(made, (CONTROL,)).fetchall())

    def _make(self, db: Any) -> None:
        if not self._is_made(db):
            for statement in _MAKE:
                db.execute(statement)

    def get(self, week: str) -> Pack | None:
        with self.stores.control() as db:
            rows = (
                db.execute(
                    f"SELECT value FROM {CONTROL}.pack WHERE namespace = ? AND week = ?",
                    (self.stores.namespace, week),
                ).fetchall()
                if self._is_made(db)
                else []
            )
        return pack_of(json.loads(rows[0][0])) if rows else self.files.get(week)

    def freeze(self, pack: Pack) -> Pack:
        kept = self.files.get(pack.week) or pack
        value = json.dumps(kept.as_json(), ensure_ascii=False)
        with self.stores.control() as db:
            self._make(db)
            db.execute(
                f"INSERT INTO {CONTROL}.pack VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (self.stores.namespace, pack.week, value),
            )
        found = self.get(pack.week)
        assert found is not None
        return found

    def note_mail(self, week: str, recipient: str) -> bool:
        if self.files.has_mail(week, recipient):
            return False
        with self.stores.control() as db:
            self._make(db)
            noted = db.execute(
                f"INSERT INTO {CONTROL}.pack_mail VALUES (?, ?) ON CONFLICT DO NOTHING "
                "RETURNING digest",
                (self.stores.namespace, _digest(week, recipient)),
            )
            return bool(noted.fetchall())

    def retract_mail(self, week: str, recipient: str) -> None:
        with self.stores.control() as db:
            db.execute(
                f"DELETE FROM {CONTROL}.pack_mail WHERE namespace = ? AND digest = ?",
                (self.stores.namespace, _digest(week, recipient)),
            )
