"""Keeps the counts by span in step with the rows they count, in the transaction that writes these.

Before the rows of some units are written, what is counted of these units is read; afterwards it is
read again, and the rows that differ go into the counts. So a late fact, an amendment, a merge, a
retraction or a deal that is corrected changes them as it changes the rows, and they are always what
:func:`recount` makes of all rows.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any, Final

from services.insights.facts.change import Put
from services.insights.facts.derived_tables import CREDIT
from services.insights.facts.intake_tables import TOUCH
from services.insights.facts.rollup_tables import ROLLUPS
from services.insights.facts.table import Table
from services.insights.facts.tables import TABLES
from services.insights.projection.dialect import streamed
from services.insights.projection.merged_families import families_of
from services.insights.projection.remembered_leads import RememberedLeads
from services.insights.projection.rows_of_many import rows_of_some
from services.insights.rollups.every_counting import BY_ROW, COUNTINGS
from services.insights.rollups.span_counting import Add, Counting, Key, Row, Source
from services.insights.rollups.touch_counts import CONTENT, CREDITS, FIRST_TOUCHES, TOUCHES

_OF_NEW_TOUCHES: Final = (TOUCHES, FIRST_TOUCHES)
_THERE: Final = "SELECT event_id FROM touch WHERE event_id IN ({these})"
_TOUCHED: Final = itemgetter(
    *[
        TOUCH.names.index(name)
        for name in (
            "lead_id",
            "occurred_at_ms",
            "campaign",
            "source",
            "received_at_ms",
            "clamped",
            "automatic",
        )
    ]
)
_CREDIT_COLUMNS: Final = tuple(
    CREDIT.names.index(name)
    for name in ("won_at_ms", "model", "currency", "campaign", "amount_minor")
)


class Counts:
    """The differences of one transaction. ``known``: has the leads that it touches, as they are
    before it; ``retracted``: events of its touches that were taken back, by now or with it."""

    def __init__(
        self, db: Any, zone: str, known: RememberedLeads, retracted: Container[str]
    ) -> None:
        self._db, self._zone = db, zone
        self._known, self._retracted = known, retracted
        self._sums: dict[tuple[str, Key], list[int]] = {}

    @contextlib.contextmanager
    def following(self, puts: Iterable[Put]) -> Iterator[None]:
        """Around the writing of the rows, and of what is derived from them."""
        new: dict[str, list[Row]] = {}
        for one in puts:
            new.setdefault(one.table.name, []).append(one.row)
        units = list(self._units(new))
        before = [self._rows(counting, ids) for counting, ids in units]
        self._touched(new.get(TOUCH.name, ()), units)
        yield
        for (counting, ids), rows in zip(units, before, strict=True):
            after = self._rows(counting, ids)
            self._add(counting, after - rows, 1)
            self._add(counting, rows - after, -1)

    def credited(self, gone: Iterable[Row], new: Iterable[Row]) -> None:
        """Rows of the table ``credit`` that went, and that came."""
        for rows, sign in ((gone, -1), (new, 1)):
            counted = Counter(tuple([row[place] for place in _CREDIT_COLUMNS]) for row in rows)
            self._add(CREDITS, counted, sign)

    def _units(self, new: Mapping[str, list[Row]]) -> Iterator[tuple[Counting, set[str]]]:
        """What the countings have to read anew."""
        found: dict[tuple[str, Source], set[str]] = {}
        families: dict[frozenset[str], set[str]] = {}
        for counting in BY_ROW:
            ids: set[str] = set()
            for name, sources in counting.sources.items():
                if name == TOUCH.name and counting in _OF_NEW_TOUCHES:
                    continue
                for source in sources if name in new else ():
                    if (name, source) not in found:
                        found[name, source] = self._found(name, source, new[name])
                    ids |= self._concerned(counting, name, found[name, source])
            if ids and counting.family:
                asked = frozenset(ids)
                if asked not in families:
                    kin = families_of(self._db, asked)
                    families[asked] = {lead for family in kin.values() for lead in family}
                ids = families[asked]
            if ids:
                yield counting, ids

    def _concerned(self, counting: Counting, name: str, ids: set[str]) -> set[str]:
        """Of leads with new touches only those count before a deal's end that have one."""
        if counting is not CONTENT or name != TOUCH.name:
            return ids
        return {lead for lead in ids if self._known.of(lead).has_ended_deals}

    def _touched(self, rows: Iterable[Row], units: Iterable[tuple[Counting, set[str]]]) -> None:
        """New touches were not counted before, so nothing is read of them, and of their leads it is
        known when each campaign touched them first; but not of ``units``, which are read anew."""
        read: dict[int, set[str]] = {id(counting): ids for counting, ids in units}
        again = read.get(id(TOUCHES), set()), read.get(id(FIRST_TOUCHES), set())
        fresh: dict[str, Row] = {}
        for row in rows:
            fresh.setdefault(row[0], row)
        for (event_id,) in rows_of_some(self._db, _THERE, fresh):
            del fresh[event_id]
        counted, firsts = Counter[Row](), dict[tuple[str, str], int]()
        for event_id, row in fresh.items():
            lead, at_ms, campaign, *others, automatic = _TOUCHED(row)
            counts = not automatic and event_id not in self._retracted
            if event_id not in again[0]:
                counted[(*others, at_ms, campaign, counts)] += 1
            if counts and lead not in again[1]:
                place = (lead, campaign or "")
                firsts[place] = min(at_ms, firsts.get(place, at_ms))
        self._add(TOUCHES, counted, 1)
        self._first_touched(firsts)

    def _first_touched(self, firsts: Mapping[tuple[str, str], int]) -> None:
        """``firsts``: by lead and campaign the first of the new touches that count."""
        came, went = Counter[Row](), Counter[Row]()
        for (lead, campaign), at_ms in firsts.items():
            former = self._known.of(lead).histories[lead].firsts.get(campaign)
            if former is None or at_ms < former:
                came[campaign, at_ms] += 1
                if former is not None:
                    went[campaign, former] += 1
        self._add(FIRST_TOUCHES, came, 1)
        self._add(FIRST_TOUCHES, went, -1)

    def _found(self, name: str, source: Source, rows: Iterable[Row]) -> set[str]:
        place = TABLES[name].names.index(source.column)
        named = {row[place] for row in rows if row[place] is not None}
        if source.referred is None:
            return named
        return {lead for (lead,) in rows_of_some(self._db, source.referred, named)}

    def _rows(self, counting: Counting, ids: set[str]) -> Counter[Row]:
        return Counter(rows_of_some(self._db, counting.of_some(), ids))

    def _add(self, counting: Counting, rows: Counter[Row], sign: int) -> None:
        for add in counting.adds(rows.elements(), self._zone):
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
