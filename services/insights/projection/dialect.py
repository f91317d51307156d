"""SQLite and PostgreSQL under one connection: everything that differs between them.

Statements are written once, for SQLite, in the part of SQL that both have; a PostgreSQL connection
translates parameters, and drops what only SQLite's planner reads. Both give the same values: whole
numbers are ``int``, records are ``bytes``, text is ordered by its code points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from services.insights.facts.table import Table
from services.insights.projection.postgres_connection import PostgresConnection, PostgresPlace

_BUSY_MS: Final = 10_000
_MAPPED_BYTES: Final = 1 << 30
_CACHE_KB: Final = 32_768
_PREPARED: Final = 512
_PRAGMAS: Final = (
    "journal_mode=wal",
    "synchronous=normal",  # without power the last transactions go whole, and are read again
    "secure_delete=on",
    "wal_autocheckpoint=8000",
    "cache_size=-65536",
    "analysis_limit=1000",
)


class StoreTaken(RuntimeError):
    """Another process writes the stores of this namespace."""


StorePlace = Path | PostgresPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the DDL and the transactions of one database are written. ``types``: by the type of the
    column; ``ending``: after the columns of a table; ``analyses``: asks for statistics."""

    types: Mapping[str, str]
    ending: str
    begin: str
    exists: str
    analyses: bool


SQLITE: Final = Dialect(
    types={"TEXT": "TEXT", "INTEGER": "INTEGER", "BLOB": "BLOB"},
    ending=" STRICT, WITHOUT ROWID",
    begin="BEGIN IMMEDIATE",
    exists="SELECT 1 FROM sqlite_schema WHERE name = ?",
    analyses=True,
)
POSTGRES: Final = Dialect(
    types={"TEXT": 'TEXT COLLATE "C"', "INTEGER": "BIGINT", "BLOB": "BYTEA"},
    ending="",
    begin="BEGIN",
    exists="SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?",
    analyses=False,
)


def dialect_of(place: StorePlace) -> Dialect:
    """The dialect that the store at ``place`` speaks."""
    return SQLITE if isinstance(place, Path) else POSTGRES


def writer(place: StorePlace) -> Any:
    """The writable connection; there is one at most. Raises StoreTaken in PostgreSQL, where another
    process has it: there several boards may share a database."""
    if isinstance(place, PostgresPlace):
        return _postgres_writer(place)
    db = apsw.Connection(str(place), statementcachesize=_PREPARED)
    db.set_busy_timeout(_BUSY_MS)
    for pragma in _PRAGMAS:
        db.execute(f"PRAGMA {pragma}").fetchall()
    return db


def reader(place: StorePlace) -> Any:
    """A connection that can only read; raises apsw.CantOpenError where there is no file yet."""
    if isinstance(place, PostgresPlace):
        db = PostgresConnection(place)
        db.execute("SET default_transaction_read_only = on")
        db.execute("SET default_transaction_isolation = 'repeatable read'")
        return db
    found = apsw.Connection(str(place), flags=apsw.SQLITE_OPEN_READONLY)
    found.set_busy_timeout(_BUSY_MS)
    for pragma in ("query_only=on", f"mmap_size={_MAPPED_BYTES}", f"cache_size={-_CACHE_KB}"):
        found.execute(f"PRAGMA {pragma}").fetchall()
    return found


def streamed(db: Any, statement: str, values: Sequence[Any]) -> Iterable[tuple[Any, ...]]:
    """The rows of a large result, without holding all of them."""
    if isinstance(db, PostgresConnection):
        return db.stream(statement, values)
    rows: Iterable[tuple[Any, ...]] = db.execute(statement, values)
    return rows


def changed_by(db: Any, statement: str, rows: Sequence[Sequence[Any]]) -> int:
    """Run the statement for each of the rows; how many rows of its table it wrote."""
    if isinstance(db, PostgresConnection):
        return db.executemany(statement, rows)
    before = db.total_changes()
    db.executemany(statement, rows)
    return int(db.total_changes() - before)


def others_wrote(db: Any) -> int:
    """A number that is another one once another connection has written. In PostgreSQL the lock of
    the writer sees to it that none does."""
    if isinstance(db, PostgresConnection):
        return 0
    found: int = db.execute("PRAGMA data_version").fetchall()[0][0]
    return found


def copy_of(place: StorePlace, target: Path) -> None:
    """A whole copy of the store as it is at one moment, in one file; raises NotCopied for one in
    PostgreSQL."""
    if isinstance(place, Path):
        db = apsw.Connection(str(place), flags=apsw.SQLITE_OPEN_READONLY)
        db.set_busy_timeout(_BUSY_MS)
        db.execute("VACUUM INTO ?", (str(target),)).fetchall()
        db.close()
        return
    raise NotCopied(
        "this board is in PostgreSQL: copy it with pg_dump --schema "
        f"{place.schema}, as the rest of that database"
    )


class NotCopied(RuntimeError):
    """The board does not make this copy itself; the text says what does."""


def scrub(db: Any) -> bool:
    """Overwrite what was deleted, in SQLite's log of changes too; False: a reader still needs it,
    so try again later. PostgreSQL's own vacuum does it there."""
    if isinstance(db, PostgresConnection):
        db.execute("VACUUM person")
        return True
    db.set_busy_timeout(0)
    try:
        busy = next(iter(db.execute("PRAGMA wal_checkpoint(TRUNCATE)")))[0]
    finally:
        db.set_busy_timeout(_BUSY_MS)
    return not busy


def create(table: Table, dialect: Dialect) -> Iterator[str]:
    """The statements that make a table and its indexes."""
    columns = ", ".join(
        f"{column.name} {dialect.types[column.type]}{'' if column.nullable else ' NOT NULL'}"
        for column in table.columns
    )
    key = f"PRIMARY KEY ({', '.join(table.key)})"
    yield f"CREATE TABLE {table.name} ({columns}, {key}){dialect.ending}"
    for names in table.indexes:
        index = f"{table.name}_{'_'.join(names)}"
        yield f"CREATE INDEX {index} ON {table.name} ({', '.join(names)})"


def store_errors() -> tuple[type[Exception], ...]:
    """What a read of the store raises where it cannot be made."""
    try:
        import psycopg
    except ModuleNotFoundError:
        return (apsw.Error,)
    return (apsw.Error, psycopg.Error)


def _postgres_writer(place: PostgresPlace) -> PostgresConnection:
    """One for all stores of a namespace, by a lock that ends with the connection."""
    db = PostgresConnection(place, writes=True)
    locked = db.execute("SELECT pg_try_advisory_lock(hashtextextended(?, 0))", (place.board,))
    if not locked.fetchall()[0][0]:
        db.close()
        raise StoreTaken("another board writes the store; this one shows it")
    db.execute(f"CREATE SCHEMA IF NOT EXISTS {place.schema}")
    return db
