"""Reads and writes the rows of many leads with few statements: one for up to 256 ids, one for all
rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from services.insights.facts.change import Put
from services.insights.facts.table import Table
from services.insights.facts.tables import TABLES
from services.insights.projection.dialect import changed_by
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


def put_rows(db: Any, puts: Iterable[Put]) -> set[str]:
    """Add rows, those of one table together; of a table with ``latest`` only the latest of a key.
    Returns the tables that had some of them already, or got some twice."""
    by_table: dict[str, list[Row]] = {}
    for one in puts:
        by_table.setdefault(one.table.name, []).append(one.row)
    there: set[str] = set()
    for name, rows in by_table.items():
        table = TABLES[name]
        if table.latest:
            rows = _latest(table, rows)
        if changed_by(db, _UPSERTS[name], rows) != len(rows):
            there.add(name)
    return there


def replace_rows(
    db: Any, table: Table, column: str, ids: Iterable[str], puts: Iterable[Put]
) -> tuple[set[Row], set[Row]]:
    """Make the rows whose ``column`` is one of the ids these, and touch none that stays as it is.
    Returns the rows that went and those that came."""
    statement = f"SELECT {', '.join(table.names)} FROM {table.name} WHERE {column} IN ({{these}})"
    before = set(rows_of_some(db, statement, ids))
    wanted = {one.row for one in puts}
    gone, new = before - wanted, wanted - before
    write_difference(db, table, gone, new)
    return gone, new


def write_difference(db: Any, table: Table, gone: Iterable[Row], new: Iterable[Row]) -> None:
    """Rows of a derived table that went, and those that came. Of a row that changes in columns
    without an index only these are written: each index that is written is a page more."""
    former = {_key(table, row): row for row in gone}
    whole: list[Row] = []
    parts: list[Row] = []
    fixed, free = _fixed(table.name)
    for row in sorted(new, key=lambda row: _key(table, row)):
        known = former.pop(_key(table, row), None)
        if known is not None and fixed(known) == fixed(row):
            parts.append((*free(row), *_key(table, row)))
        else:
            whole.append(row)
    where = " AND ".join(f"{name} = ?" for name in table.key)
    if former:
        db.executemany(f"DELETE FROM {table.name} WHERE {where}", sorted(former))
    if parts:
        db.executemany(_updating(table.name), parts)
    if whole:
        db.executemany(_UPSERTS[table.name], whole)


@lru_cache(maxsize=64)
def _fixed(name: str) -> tuple[Callable[[Row], Row], Callable[[Row], Row]]:
    """The cells that stand in the key or in an index, and the others."""
    table = TABLES[name]
    indexed = {column for index in (table.key, *table.indexes) for column in index}
    free = [place for place, column in enumerate(table.names) if column not in indexed]
    fixed = [place for place, column in enumerate(table.names) if column in indexed]
    return _picker(fixed), _picker(free)


def _picker(places: Sequence[int]) -> Callable[[Row], Row]:
    """``itemgetter`` gives no tuple for one place, and takes no fewer."""
    picked: Callable[[Row], Row] = (
        itemgetter(*places)
        if len(places) > 1
        else lambda row: tuple([row[place] for place in places])
    )
    return picked


@lru_cache(maxsize=64)
def _updating(name: str) -> str:
    table = TABLES[name]
    assigned = ", ".join(f"{column} = ?" for column in _fixed(name)[1](table.names))
    where = " AND ".join(f"{column} = ?" for column in table.key)
    return f"UPDATE {name} SET {assigned} WHERE {where}"


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
    return _keys(table.name)(row)


@lru_cache(maxsize=64)
def _keys(name: str) -> Callable[[Row], Row]:
    table = TABLES[name]
    return _picker(_places(name, table.key))


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
