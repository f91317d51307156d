"""Compiled books: an account or a territory is found by a lookup, however many rows there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from baton.agreement.books import Book
from baton.agreement.compiled.routing import NamedAccount, RouteRule, SkillDemand
from baton.contracts.routing import RoutingStep

ACCOUNT, OWNER, NAME, NEEDS = "account", "owner", "name", "needs"
KINDS = ("sdr", "sales")
PLAIN = frozenset({ACCOUNT, OWNER, NAME, NEEDS, *KINDS})
"""Columns that are no fields of a profile."""
ANY_REST = "*"
"""Behind the beginning of a word that a cell asks for."""

Place = tuple[str, int]
"""A profile field, and how many characters of it are compared (0: all)."""
Shape = tuple[Place, ...]
"""What rows that ask the same fields are looked up by."""


class AccountBook(Mapping[str, NamedAccount]):
    """Named accounts by domain."""

    def __init__(self, book: Book | None = None) -> None:
        self._book = book
        self._rows = {row[0]: number for number, row in enumerate(book.rows)} if book else {}
        places = {column: place for place, column in enumerate(book.columns)} if book else {}
        self._owner = places.get(OWNER)
        self._pools = tuple((kind, places[kind]) for kind in KINDS if kind in places)

    def __getitem__(self, domain: str) -> NamedAccount:
        number = self._rows[domain]
        row = self._book.rows[number] if self._book else ()
        owner = row[self._owner] if self._owner is not None else ""
        pools = {kind: row[place] for kind, place in self._pools if row[place]}
        return NamedAccount(owner=owner or None, pools=pools)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


@dataclass(frozen=True, slots=True)
class TerritoryBook:
    """Rows of a territory book, by what they ask; of those that fit, the first one counts."""

    book: Book | None = None
    fields: tuple[str, ...] = ()
    shapes: Mapping[Shape, Mapping[tuple[str, ...], tuple[int, ...]]] = field(default_factory=dict)
    _parts: dict[tuple[str, Shape, tuple[int, ...]], Set[tuple[str, ...]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def find(self, profile: Mapping[str, str], leg: str) -> tuple[RouteRule, RoutingStep] | None:
        """The first row that fits and has a pool of the kind ``leg``, as a rule, and its step on
        the record."""
        if self.book is None:
            return None
        words = self._words_of(profile)
        best: int | None = None
        for shape, rows in self.shapes.items():
            key = _key(words, shape)
            for number in rows.get(key, ()) if all(key) else ():
                if best is not None and number >= best:
                    break
                if self._pools(number).get(leg):
                    best = number
                    break
        return None if best is None else self._rule(best)

    def undecided_by(self, profile: Mapping[str, str], leg: str) -> tuple[str, ...]:
        """The fields that are not known and could change the pool: asked by a row that fits as far
        as the profile is known."""
        words = self._words_of(profile)
        asked: dict[str, None] = {}
        for shape in self.shapes:
            missing = [name for name, _ in shape if name not in profile]
            known = tuple(at for at, (name, _) in enumerate(shape) if name in profile)
            if missing and _key(words, [shape[at] for at in known]) in self._part(
                leg, shape, known
            ):
                asked.update(dict.fromkeys(missing))
        return tuple(name for name in self.fields if name in asked)

    def _words_of(self, profile: Mapping[str, str]) -> dict[str, str]:
        return {name: (profile.get(name) or "").strip().casefold() for name in self.fields}

    def _part(self, leg: str, shape: Shape, known: tuple[int, ...]) -> Set[tuple[str, ...]]:
        """What the rows of a shape with a pool of the kind ask of the ``known`` ones of its fields;
        found once."""
        place = leg, shape, known
        if place not in self._parts:
            self._parts[place] = {
                tuple(key[at] for at in known)
                for key, numbers in self.shapes[shape].items()
                if any(self._pools(number).get(leg) for number in numbers)
            }
        return self._parts[place]

    def _cell(self, number: int, column: str) -> str:
        if self.book is None or column not in self.book.columns:
            return ""
        return self.book.rows[number][self.book.columns.index(column)]

    def _pools(self, number: int) -> dict[str, str]:
        return {kind: pool for kind in KINDS if (pool := self._cell(number, kind))}

    def _rule(self, number: int) -> tuple[RouteRule, RoutingStep]:
        name = self._cell(number, NAME) or f"row {number + 1}"
        needs = frozenset(_words(self._cell(number, NEEDS)))
        rule = RouteRule(
            name=name,
            condition=lambda context: True,
            pools=self._pools(number),
            needs=SkillDemand(named=needs),
            asks=self.fields,
        )
        return rule, RoutingStep(rule=f"territory book: {name}", outcome="chosen")


def _key(words: Mapping[str, str], shape: Sequence[Place]) -> tuple[str, ...]:
    return tuple(words[name][:length] if length else words[name] for name, length in shape)


def territory_book(book: Book | None) -> TerritoryBook:
    """The rows, filed by what they ask."""
    if book is None:
        return TerritoryBook()
    fields = tuple(column for column in book.columns if column not in PLAIN)
    places = [book.columns.index(column) for column in fields]
    shapes: dict[Shape, dict[tuple[str, ...], list[int]]] = {}
    for number, row in enumerate(book.rows):
        shape, key = shape_of(fields, [row[place] for place in places])
        shapes.setdefault(shape, {}).setdefault(key, []).append(number)
    return TerritoryBook(
        book,
        fields,
        {
            shape: {key: tuple(numbers) for key, numbers in rows.items()}
            for shape, rows in shapes.items()
        },
    )


def shape_of(fields: tuple[str, ...], cells: list[str]) -> tuple[Shape, tuple[str, ...]]:
    """What a row asks, and for which words: an empty cell asks nothing, one that ends in ``*`` for
    how the word begins."""
    shape: list[Place] = []
    key: list[str] = []
    for name, cell in zip(fields, cells, strict=True):
        word = cell.casefold()
        if word.endswith(ANY_REST):
            word = word.removesuffix(ANY_REST)
            shape.append((name, len(word)))
            key.append(word)
        elif word:
            shape.append((name, 0))
            key.append(word)
    return tuple(shape), tuple(key)


def _words(cell: str) -> Iterator[str]:
    return filter(None, (word.strip() for word in cell.split(";")))
