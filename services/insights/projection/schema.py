"""The store's SQL, made from the tables. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.insights.facts.table import Table
from services.insights.facts.tables import TABLES

VERSION: Final = 2
"""Raised when a table changes: the projection is then built anew beside the old one."""

_OWN: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE position (
        topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
        began_offset INTEGER NOT NULL, began_ms INTEGER, last_ms INTEGER, records INTEGER NOT NULL,
        PRIMARY KEY (topic, partition)) STRICT, WITHOUT ROWID""",
)


def ddl() -> Iterator[str]:
    """Every statement that makes an empty store."""
    yield from _OWN
    for table in TABLES.values():
        yield _create(table)
        for columns in table.indexes:
            yield (
                f"CREATE INDEX {table.name}_{'_'.join(columns)} ON {table.name} "
                f"({', '.join(columns)})"
            )


def _create(table: Table) -> str:
    columns = (
        f"{each.name} {each.type}{'' if each.nullable else ' NOT NULL'}" for each in table.columns
    )
    key = f"PRIMARY KEY ({', '.join(table.key)})"
    return f"CREATE TABLE {table.name} ({', '.join(columns)}, {key}) STRICT, WITHOUT ROWID"


def upsert(table: Table) -> str:
    """Add a row: what is there stays, but for a derived row, and for a later record of a ``latest``
    table."""
    names = ", ".join(table.names)
    insert = f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(table.names))})"
    if not (table.latest or table.derived):
        return f"{insert} ON CONFLICT DO NOTHING"
    assigned = ", ".join(
        f"{name} = excluded.{name}" for name in table.names if name not in table.key
    )
    conflict = f"{insert} ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {assigned}"
    if table.derived:
        return conflict
    return (
        f"{conflict} WHERE (excluded.log_ms, excluded.log_offset) > ({table.name}.log_ms, "
        f"{table.name}.log_offset)"
    )
