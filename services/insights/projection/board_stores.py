"""Where the board's stores are, and which of them is the one in use, so that a rebuilt one takes
over at once.

In SQLite a store is a file, and the file ``current`` names the one in use. In PostgreSQL it is a
schema, and a table of the database names it. A rebuild is made in a store of its own, which is
named when it has caught up. A reader that has the former one open keeps it.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from services.insights.projection.dialect import StorePlace
from services.insights.projection.postgres_connection import PostgresConnection, PostgresPlace

_CURRENT = "current"
_WANTED = "rebuild"


class BoardStores(Protocol):
    """The stores of one namespace. ``folder``: where this machine keeps the links into the
    board."""

    @property
    def folder(self) -> Path: ...

    def prepare(self) -> None:
        """Make what is needed before the first store."""

    def current(self) -> StorePlace | None:
        """The store in use; None: there is none yet."""

    def following(self) -> StorePlace:
        """A store that does not exist yet."""

    def use(self, place: StorePlace) -> None:
        """From now on ``place`` is the store in use."""

    @property
    def rebuild_wanted(self) -> bool:
        """Whether somebody asked for a rebuild that has not been made."""

    def want_rebuild(self) -> None:
        """Ask for a rebuild; the worker sees it within seconds."""

    def rebuild_made(self) -> None:
        """It is done."""


@dataclass(frozen=True, slots=True)
class BoardFiles:
    """The files of one namespace."""

    folder: Path

    def prepare(self) -> None:
        """Make the folder, for its owner alone: the files have names in them."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)

    def current(self) -> Path | None:
        try:
            name = (self.folder / _CURRENT).read_text().strip()
        except FileNotFoundError:
            return None
        path = self.folder / name
        return path if name and path.exists() else None

    def following(self) -> Path:
        taken = [
            int(path.stem.removeprefix("board-")) for path in self.folder.glob("board-*.sqlite")
        ]
        return self.folder / f"board-{max(taken, default=0) + 1}.sqlite"

    def use(self, place: StorePlace) -> None:
        """The files before it are removed."""
        assert isinstance(place, Path)
        part = self.folder / f"{_CURRENT}.new"
        part.write_text(place.name)
        part.replace(self.folder / _CURRENT)
        for other in self.folder.glob("board-*.sqlite"):
            if other != place:
                for ending in ("", "-wal", "-shm"):
                    other.with_name(other.name + ending).unlink(missing_ok=True)

    @property
    def rebuild_wanted(self) -> bool:
        return (self.folder / _WANTED).exists()

    def want_rebuild(self) -> None:
        self.prepare()
        (self.folder / _WANTED).touch()

    def rebuild_made(self) -> None:
        (self.folder / _WANTED).unlink(missing_ok=True)


_REMEMBERED_S: Final = 1.0
CONTROL: Final = "baton_board"
_MAKE_CONTROL: Final = (
    f"CREATE SCHEMA IF NOT EXISTS {CONTROL}",
    f"""CREATE TABLE IF NOT EXISTS {CONTROL}.store (namespace TEXT PRIMARY KEY,
        number BIGINT NOT NULL, rebuild_wanted BIGINT NOT NULL)""",
)


class BoardSchemas:
    """The schemas of one namespace in a PostgreSQL, ``baton_board_<namespace>_<number>``. Every
    board of the namespace names the same database; one of them writes."""

    def __init__(self, url: str, namespace: str, folder: Path) -> None:
        self._url, self.namespace, self._folder = url, namespace, folder
        self._base = f"{CONTROL}_{re.sub(r'[^a-z0-9]', '_', namespace.lower())}"
        self._remembered: tuple[float, PostgresPlace | None] = (float("-inf"), None)

    @property
    def folder(self) -> Path:
        return self._folder

    @contextlib.contextmanager
    def control(self) -> Iterator[Any]:
        """A connection to what is of all stores."""
        db = PostgresConnection(PostgresPlace(self._url, self._base, 0))
        try:
            yield db
        finally:
            db.close()

    def prepare(self) -> None:
        BoardFiles(self._folder).prepare()
        with self.control() as db:
            for statement in _MAKE_CONTROL:
                db.execute(statement)

    def _row(self, db: Any) -> tuple[int, bool]:
        made = "SELECT 1 FROM pg_tables WHERE schemaname = ? AND tablename = 'store'"
        if not db.execute(made, (CONTROL,)).fetchall():
            return 0, False
        rows = db.execute(
            f"SELECT number, rebuild_wanted FROM {CONTROL}.store WHERE namespace = ?",
            (self.namespace,),
        ).fetchall()
        return (rows[0][0], bool(rows[0][1])) if rows else (0, False)

    def _set(self, number: int, wanted: bool) -> None:
        with self.control() as db:
            db.execute(
                f"INSERT INTO {CONTROL}.store VALUES (?, ?, ?) ON CONFLICT (namespace) "
                "DO UPDATE SET number = excluded.number, rebuild_wanted = excluded.rebuild_wanted",
                (self.namespace, number, int(wanted)),
            )

    def current(self) -> PostgresPlace | None:
        looked, found = self._remembered
        if time.monotonic() - looked > _REMEMBERED_S:
            with self.control() as db:
                number, _ = self._row(db)
            found = PostgresPlace(self._url, self._base, number) if number else None
            self._remembered = (time.monotonic(), found)
        return found

    def _numbers(self, db: Any) -> list[int]:
        names = db.execute("SELECT nspname FROM pg_namespace").fetchall()
        own = re.compile(rf"{self._base}_(\d+)")
        return [int(found[1]) for (name,) in names if (found := own.fullmatch(name))]

    def following(self) -> PostgresPlace:
        with self.control() as db:
            number = max(self._numbers(db), default=0) + 1
        return PostgresPlace(self._url, self._base, number)

    def use(self, place: StorePlace) -> None:
        """The schemas before the former one are removed: readers may still look at that one."""
        assert isinstance(place, PostgresPlace)
        with self.control() as db:
            former, wanted = self._row(db)
        self._set(place.number, wanted)
        self._remembered = (float("-inf"), None)
        with self.control() as db:
            for number in self._numbers(db):
                if number not in (place.number, former):
                    db.execute(f"DROP SCHEMA {self._base}_{number} CASCADE")

    @property
    def rebuild_wanted(self) -> bool:
        with self.control() as db:
            return self._row(db)[1]

    def want_rebuild(self) -> None:
        self.prepare()
        with self.control() as db:
            number, _ = self._row(db)
        self._set(number, True)

    def rebuild_made(self) -> None:
        with self.control() as db:
            number, _ = self._row(db)
        self._set(number, False)
