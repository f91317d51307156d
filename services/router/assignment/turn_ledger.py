"""The turns of a pool as they are stored, level by level: text that is read and written in a moment
for a thousand people."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from math import lcm

from services.router.assignment.fair_share import Book
from services.router.assignment.remembered import Remembered, numbers_of, packed_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """A person's standing in a ledger of an older version; ``target`` is an exact fraction,
    ``n/d``."""

    person: str
    turns: int
    target: str
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The turns of one level in one period of the pool.

    ``people`` are names with blanks between them; ``turns``, ``due`` (targets, in parts of which
    ``unit`` make a lead) and ``last`` have a number for each, in the same order: a pool of a
    thousand is read and written in a moment.
    """

    level: str
    period: str
    standings: tuple[Turns, ...] = ()
    unit: str = ""
    people: str = ""
    turns: str = ""
    due: str = ""
    last: str = ""


_Columns = tuple[str, str, str, str, str]


def book_of(ledger: Ledger) -> Book:
    """The ledger as arithmetic reads it."""
    if ledger.standings:
        return _book_of_standings(ledger.standings)
    return _remembered.of(_columns(ledger))


def ledger_of(level: str, period: str, book: Book) -> Ledger:
    """The book as it is stored, in the order of names."""
    people = book.people
    ledger = Ledger(
        level=level,
        period=period,
        unit=str(book.unit),
        people=" ".join(people),
        turns=_packed(people, book.turns),
        due=_packed(people, book.due),
        last=_packed(people, book.last),
    )
    _remembered.keep(_columns(ledger), book)
    return ledger


def _columns(ledger: Ledger) -> _Columns:
    return ledger.unit, ledger.people, ledger.turns, ledger.due, ledger.last


def _unpacked(columns: _Columns) -> Book:
    unit, names, turns, due, last = columns
    people = names.split()
    return Book(
        int(unit or "1"), _numbers(people, turns), _numbers(people, due), _numbers(people, last)
    )


_remembered: Remembered[_Columns, Book] = Remembered(_unpacked)


def _book_of_standings(standings: tuple[Turns, ...]) -> Book:
    """As an older version stored it."""
    targets = {turns.person: Fraction(turns.target) for turns in standings}
    unit = lcm(*(target.denominator for target in targets.values()))
    return Book(
        unit,
        {turns.person: turns.turns for turns in standings},
        {person: int(target * unit) for person, target in targets.items()},
        {turns.person: turns.last for turns in standings},
    )


def _packed(people: list[str], numbers: Mapping[str, int]) -> str:
    return packed_of(list(map(numbers.get, people, repeat(0))))


def _numbers(people: list[str], packed: str) -> dict[str, int]:
    return dict(zip(people, numbers_of(packed), strict=True))
