"""The store's SQL, made from the tables. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.insights.facts.table import Table, columns
from services.insights.facts.tables import TABLES
from services.insights.projection.dialect import Dialect, create

VERSION: Final = 6
"""Raised when a table changes; ``upgrading`` brings stores of earlier versions up."""

_META: Final = Table(
    name="meta",
    says="what the store knows of itself",
    key=("name",),
    columns=columns("""
        name t name
        value t value
    """),
)
_POSITION: Final = Table(
    name="position",
    says="how far each partition has been read",
    key=("topic", "partition"),
    columns=columns("""
        topic t topic
        partition i partition
        next_offset i the next offset to read
        began_offset i where reading began
        began_ms m? when its first record was appended, ms
        last_ms m? when its latest record was appended, ms
        records i records taken
    """),
)


def ddl(dialect: Dialect) -> Iterator[str]:
    """Every statement that makes an empty store."""
    for table in (_META, _POSITION, *TABLES.values()):
        yield from create(table, dialect)


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
