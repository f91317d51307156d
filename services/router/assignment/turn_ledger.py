"""The turns of a pool as they are stored, level by level: a text of which a lead changes one row,
in a pool of ten or of a thousand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from baton.evolve import evolve
from services.router.assignment.remembered import (
    Remembered,
    Rows,
    fields_of,
    rows_after,
    table_of,
)
from services.router.assignment.turn_order import Book, with_ahead

_FIELDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The turns of one level in one period of the pool.

    ``rows`` have a person's name, turns, what is due beside ``grown``, and the weight with which
    they run (0: they do not), with blanks between them; ``unit`` parts make a lead.
    """

    level: str
    period: str
    unit: str = ""
    grown: str = ""
    rows: str = ""


def book_of(ledger: Ledger) -> Book:
    """The ledger as arithmetic reads it. When everybody had their latest turn stands elsewhere."""
    return _remembered.of((ledger.unit, ledger.grown, ledger.rows))


def kept_book(ledgers: Iterable[Ledger], level: str, period: str) -> Book:
    """The book of the level in the period; a new period starts afresh."""
    for ledger in ledgers:
        if (ledger.level, ledger.period) == (level, period):
            return book_of(ledger)
    return Book()


def ledger_of(level: str, period: str, book: Book) -> Ledger:
    """The book as it is stored, in the order of names."""
    rows = rows_after(book.rows, book.unsaved, lambda person: _row(book, person))
    text = str(book.unit), str(book.grown), table_of(rows)
    _remembered.keep(text, evolve(book, rows=rows, unsaved=frozenset(), last={}))
    unit, grown, table = text
    return Ledger(level=level, period=period, unit=unit, grown=grown, rows=table)


def _row(book: Book, person: str) -> str | None:
    numbers = book.turns.get(person, 0), book.due.get(person, 0), book.running.get(person, 0)
    return " ".join((person, *map(str, numbers))) if any(numbers) else None


def read_book(text: tuple[str, str, str]) -> Book:
    """The book that ``unit``, ``grown`` and ``rows`` of a ledger say."""
    unit, grown, table = text
    rows: dict[str, str] = {}
    turns: dict[str, int] = {}
    due: dict[str, int] = {}
    running: dict[str, int] = {}
    for fields in fields_of(table, _FIELDS):
        person = fields[0]
        rows[person] = " ".join(fields)
        turns[person], due[person], weight = map(int, fields[1:])
        if weight:
            running[person] = weight
    book = Book(int(unit or "1"), turns, due, {}, int(grown or "0"), running, rows=rows)
    return with_ahead(book, running)


_remembered: Remembered[tuple[str, str, str], Book] = Remembered(read_book)


class _Latest(NamedTuple):
    ordinals: Mapping[str, int]
    rows: Rows


def latest_of(table: str) -> Mapping[str, int]:
    """When each person had their latest turn, over all levels; not to be changed."""
    return _latest.of(table).ordinals


def latest_table(before: str, ordinals: Mapping[str, int], changed: frozenset[str]) -> str:
    """That as it is stored: ``before``, and since then the turns of ``changed``."""
    if not changed:
        return before
    known = ordinals.get
    rows = rows_after(
        _latest.of(before).rows,
        changed,
        lambda person: f"{person} {known(person)}" if known(person) else None,
    )
    table = table_of(rows)
    _latest.keep(table, _Latest(dict(ordinals), rows))
    return table


def _unpacked_latest(table: str) -> _Latest:
    found = list(fields_of(table, 2))
    return _Latest(
        {person: int(ordinal) for person, ordinal in found},
        {fields[0]: " ".join(fields) for fields in found},
    )


_latest: Remembered[str, _Latest] = Remembered(_unpacked_latest)
