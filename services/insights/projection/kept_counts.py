"""Keeps the counts by span in step with the rows they count, in the transaction that writes these.

Before the rows of some leads are written, what these leads add to the counts is read; afterwards it
is read again, and the difference goes into the counts. So a late fact, an amendment, a merge, a
retraction or a deal that is corrected changes them as it changes the rows, and they are always what
:func:`recount` makes of all rows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from services.insights.facts.change import Change, Put
from services.insights.facts.flow_tables import (
    HANDOFF,
    QUALIFICATION,
    REACTIVATED,
    RECYCLED,
    STAGE_MOVE,
)
from services.insights.facts.intake_tables import MERGE, RETRACTION, TOUCH
from services.insights.facts.level_tables import ACTION, CLOCK, VIOLATION
from services.insights.facts.rollup_tables import ROLLUPS
from services.insights.facts.table import Table
from services.insights.facts.tables import TABLES
from services.insights.projection.dialect import streamed
from services.insights.rollups.every_counting import BY_LEAD, COUNTINGS
from services.insights.rollups.span_counting import Add, Counting, Key
from services.insights.rollups.touch_counts import CREDITS

_AT_ONCE: Final = (1, 8, 64, 256)
"""Leads of one query: few different statements, so that they stay prepared."""


class Counts:
    """The differences of one transaction. ``family``: the leads that end in the same lead."""

    def __init__(self, db: Any, zone: str, family: Callable[[str], Iterable[str]]) -> None:
        self._db, self._zone, self._family = db, zone, family
        self._sums: dict[tuple[str, Key], list[int]] = {}

    @contextlib.contextmanager
    def following(self, changes: Iterable[Change]) -> Iterator[None]:
        """Around the writing of the changes, and of what is derived from them."""
        dirty = self._dirty(changes)
        units = [(counting, self._units(counting, dirty)) for counting in BY_LEAD]
        for counting, leads in units:
            self._read(counting, leads, -1)
        yield
        for counting, leads in units:
            self._read(counting, leads, 1)

    @contextlib.contextmanager
    def following_credits(self, journeys: list[str]) -> Iterator[None]:
        """Around the writing of these journeys' credits."""
        self._read(CREDITS, journeys, -1)
        yield
        self._read(CREDITS, journeys, 1)

    def _dirty(self, changes: Iterable[Change]) -> dict[str, set[str]]:
        """The leads that a new row belongs to, or the row that it refers to, by table."""
        found: dict[str, set[str]] = {}
        named: dict[tuple[str, str], set[str]] = {}
        for change in changes:
            if isinstance(change, Put):
                name, row = change.table.name, change.row
                found.setdefault(name, set()).update(
                    row[place] for place in _LEADS[name] if row[place] is not None
                )
                for place, statement in _REFERENCES.get(name, ()):
                    if row[place] is not None:
                        named.setdefault((name, statement), set()).add(row[place])
        for (name, statement), ids in named.items():
            for some in _chunks(sorted(ids)):
                query = statement.format(these=_marks(len(some)))
                found[name].update(lead for (lead,) in self._db.execute(query, tuple(some)))
        return found

    def _units(self, counting: Counting, dirty: Mapping[str, set[str]]) -> list[str]:
        leads = set().union(*(dirty.get(source, ()) for source in counting.sources))
        if counting.family:
            leads = {family for lead in leads for family in self._family(lead)}
        return sorted(leads)

    def _read(self, counting: Counting, units: list[str], sign: int) -> None:
        for some in _chunks(units):
            rows = self._db.execute(counting.of_some(len(some)), tuple(some))
            for add in counting.adds(rows, self._zone):
                _add(self._sums, add, sign)

    def write(self) -> None:
        """The differences go into the counts."""
        write_sums(self._db, self._sums)
        self._sums = {}


def recount(db: Any, zone: str) -> None:
    """Make all counts anew from all rows."""
    for table in ROLLUPS:
        db.execute(f"DELETE FROM {table.name}")
    sums: dict[tuple[str, Key], list[int]] = {}
    for counting in COUNTINGS:
        for add in counting.adds(streamed(db, counting.of_all(), ()), zone):
            _add(sums, add, 1)
    write_sums(db, sums)


def write_sums(db: Any, sums: Mapping[tuple[str, Key], list[int]]) -> None:
    """Add to the counts, and leave no zeros."""
    by_table: dict[str, list[tuple[Any, ...]]] = {}
    for (name, key), values in sorted(sums.items()):
        if any(values):
            by_table.setdefault(name, []).append((*key, *values))
    for name, rows in by_table.items():
        db.executemany(_ADD[name], rows)
        width = len(_TABLES[name].key)
        lessened = [row[:width] for row in rows if any(value < 0 for value in row[width:])]
        if lessened:
            db.executemany(_SWEEP[name], lessened)


def _marks(number: int) -> str:
    return ", ".join(f"?{place}" for place in range(1, number + 1))


def _chunks(units: list[str]) -> Iterator[list[str]]:
    """The last one is filled up by repeating: an id counts once in a query."""
    while units:
        size = next((size for size in _AT_ONCE if size >= len(units)), _AT_ONCE[-1])
        some, units = units[:size], units[size:]
        yield some + some[-1:] * (size - len(some))


def _add(sums: dict[tuple[str, Key], list[int]], add: Add, sign: int) -> None:
    table = add.table
    place = (table.name, add.key)
    known = sums.get(place)
    if known is None:
        known = sums[place] = [0] * len(add.values)
    highest = _HIGHEST[table.name]
    for number, value in enumerate(add.values):
        if number in highest:
            known[number] = max(known[number], value) if sign > 0 else known[number]
        else:
            known[number] += sign * value


def _adding(table: Table) -> str:
    sums = table.names[len(table.key) :]
    kept = ", ".join(
        f"{name} = CASE WHEN excluded.{name} > {table.name}.{name} THEN excluded.{name} "
        f"ELSE {table.name}.{name} END"
        if name in table.highest
        else f"{name} = {table.name}.{name} + excluded.{name}"
        for name in sums
    )
    marks = ", ".join("?" * len(table.names))
    return (
        f"INSERT INTO {table.name} ({', '.join(table.names)}) VALUES ({marks}) "
        f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {kept}"
    )


def _sweeping(table: Table) -> str:
    sums = [name for name in table.names[len(table.key) :] if name not in table.highest]
    where = [f"{name} = ?" for name in table.key] + [f"{name} = 0" for name in sums]
    return f"DELETE FROM {table.name} WHERE {' AND '.join(where)}"


_TABLES: Final = {table.name: table for table in ROLLUPS}
_ADD: Final = {table.name: _adding(table) for table in ROLLUPS}
_SWEEP: Final = {table.name: _sweeping(table) for table in ROLLUPS}
_HIGHEST: Final = {
    table.name: frozenset(
        number for number, name in enumerate(table.names[len(table.key) :]) if name in table.highest
    )
    for table in ROLLUPS
}
_LEADS: Final = {
    name: tuple(
        number
        for number, column in enumerate(table.names)
        if column in ("lead_id", *MERGE.key, "survivor")
    )
    for name, table in TABLES.items()
}
"""Where a table's rows name leads."""
_REFERRED: Final = (
    (STAGE_MOVE, "qualification_id", QUALIFICATION, "qualification_id"),
    (STAGE_MOVE, "handoff_id", HANDOFF, "handoff_id"),
    (HANDOFF, "qualification_id", QUALIFICATION, "qualification_id"),
    (ACTION, "handoff_id", HANDOFF, "handoff_id"),
    (VIOLATION, "clock_id", CLOCK, "clock_id"),
    (REACTIVATED, "recycle_id", RECYCLED, "recycle_id"),
    (RETRACTION, "event_id", TOUCH, "event_id"),
    (TOUCH, "event_id", QUALIFICATION, "cause_id"),
)
"""Rows of which table change how a row of which other table counts, by a column of each: that row
may be of another lead, which was merged meanwhile."""
_REFERENCES: Final = {
    table.name: [
        (mine.names.index(column), f"SELECT lead_id FROM {other.name} WHERE {key} IN ({{these}})")
        for mine, column, other, key in _REFERRED
        if mine is table
    ]
    for table in {mine.name: mine for mine, *_ in _REFERRED}.values()
}
