"""A list, read: its table, which column is what, and the event lines of its rows as they are asked
for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from baton.importing.cells import date_order_in
from baton.importing.columns import ColumnMap, column_map, is_header
from baton.importing.list_tables import FileTerms, Table, read_table
from baton.importing.rows import Understood, understood
from baton.importing.sending import Note, Numbered, Trouble, numbered
from baton.importing.terms import ImportTerms, RowWrong

_DATES = ("occurred_at", "consent_at:", "optout_at:")


@dataclass(slots=True, kw_only=True)
class PeopleList:
    """One file. ``remarks`` say what was found out about it."""

    table: Table
    columns: ColumnMap
    terms: ImportTerms

    @property
    def remarks(self) -> list[str]:
        return self.table.remarks

    def rows(self) -> Iterator[tuple[int, Understood] | Trouble]:
        """Each row as understood, with the line it begins in, or what is wrong with it."""
        for row in self.table.rows:
            if isinstance(row, Trouble):
                yield row
                continue
            number, cells = row
            try:
                yield number, understood(cells, self.columns, self.terms)
            except RowWrong as error:
                yield Trouble(number=number, problem=error.problem)

    def lines(self) -> Iterator[Numbered | Trouble]:
        """Event lines, notes and troubles in the order of the file."""
        for row in self.rows():
            if isinstance(row, Trouble):
                yield row
                continue
            number, found = row
            yield from (Note(number=number, problem=problem) for problem in found.notes)
            yield from (numbered(number, line) for line in found.lines)


def open_list(
    content: BinaryIO,
    terms: ImportTerms,
    *,
    file: FileTerms,
    wishes: Mapping[str, str],
    guess: bool = True,
) -> PeopleList:
    """The list in ``content``; raises :class:`~baton.importing.list_tables.FileWrong` or
    :class:`~baton.importing.columns.MapWrong`."""
    table = read_table(content, file, lambda cells: is_header(cells, wishes))
    samples = [row for _, row in table.peeked]
    columns = column_map(table.header, wishes, guess=guess, samples=samples)
    if columns.export:
        table.remarks.append(f"known as an export: {columns.export}")
    if terms.dates is None:
        terms = replace(terms, dates=date_order_in(_dates(samples, columns)))
    return PeopleList(table=table, columns=columns, terms=terms)


def _dates(samples: Sequence[Sequence[str]], columns: ColumnMap) -> Iterator[str]:
    places = [
        place for place, field in enumerate(columns.fields) if field and field.startswith(_DATES)
    ]
    return (row[place] for row in samples for place in places if place < len(row))
