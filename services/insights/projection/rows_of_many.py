"""Reads and writes the rows of many leads with few statements: one for up to 256 ids, one for all
rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from services.insights.facts.change import Put
from services.insights.facts.table import Table
from services.insights.facts.tables import TABLES
from services.insights.projection.store_sql import upsert

Row = tuple[Any, ...]

_AT_ONCE: Final = (1, 8, 64, 256)
"""Ids of one statement: few different statements, so that they stay prepared."""
_UPSERTS: Final = {name: upsert(table) for name, table in TABLES.items() if not table.sums}


def rows_of_some(db: Any, statement: str, ids: Iterable[str]) -> Iterator[Row]:
    """The rows that ``statement`` finds for the ids: ``column IN ({these})``, or ``VALUES
    {those}``, in which an id may stand more than once."""
    for some in _chunks(sorted(set(ids))):
        yield from db.execute(_for(statement, len(some)), tuple(some))


def put_rows(db: Any, puts: Iterable[Put]) -> None:
    """Add rows, those of one table together; of a table with ``latest`` only the latest of a
    key."""
    by_table: dict[str, list[Row]] = {}
    for one in puts:
        by_table.setdefault(one.table.name, []).append(one.row)
    for name, rows in by_table.items():
        table = TABLES[name]
        db.executemany(_UPSERTS[name], _latest(table, rows) if table.latest else rows)


def replace_rows(
    db: Any, table: Table, column: str, ids: Iterable[str], puts: Iterable[Put]
) -> tuple[set[Row], set[Row]]:
    """Make the rows whose ``column`` is one of the ids these, and touch none that stays as it is.
    Returns the rows that went and those that came."""
    statement = f"SELECT {', '.join(table.names)} FROM {table.name} WHERE {column} IN ({{these}})"
    before = set(rows_of_some(db, statement, ids))
    wanted = {one.row for one in puts}
    gone, new = before - wanted, wanted - before
    stay = {_key(table, row) for row in new}
    keys = [key for row in gone if (key := _key(table, row)) not in stay]
    if keys:
        where = " AND ".join(f"{name} = ?" for name in table.key)
        db.executemany(f"DELETE FROM {table.name} WHERE {where}", sorted(keys))
    if new:
        db.executemany(_UPSERTS[table.name], sorted(new, key=lambda row: _key(table, row)))
    return gone, new


@lru_cache(maxsize=1024)
def _for(statement: str, number: int) -> str:
    marks = [f"?{place}" for place in range(1, number + 1)]
    return statement.replace("{these}", ", ".join(marks)).replace(
        "{those}", ", ".join(f"({mark})" for mark in marks)
    )


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    """The last one is filled up by repeating: an id counts once in a query."""
    while ids:
        size = next((size for size in _AT_ONCE if size >= len(ids)), _AT_ONCE[-1])
        some, ids = ids[:size], ids[size:]
        yield some + some[-1:] * (size - len(some))


def _key(table: Table, row: Row) -> Row:
    return tuple([row[place] for place in _places(table.name, table.key)])


def _latest(table: Table, rows: list[Row]) -> list[Row]:
    at = _places(table.name, ("log_ms", "log_offset"))
    found: dict[Row, Row] = {}
    for row in rows:
        key = _key(table, row)
        known = found.get(key)
        if known is None or [row[n] for n in at] > [known[n] for n in at]:
            found[key] = row
    return list(found.values())


@lru_cache(maxsize=256)
def _places(name: str, columns: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(TABLES[name].names.index(column) for column in columns)
