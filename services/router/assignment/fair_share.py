"""Whose turn it is: weighted fair share by the quota method, in exact fractions.

Each person has the turns they got (``x``) and a target (``t``): the share of the leads so far that
was theirs to have. A lead adds ``w / (weights of the sharers)`` to the target of each sharer.
Sharers are the people eligible for that lead (``level``: whoever could not have it is owed nothing
for it) or all members (``accrue``: what was missed is made up for). The turn goes to the smallest
``(x + 1 - t) / w`` among the eligible who are below their target, or among all eligible if nobody
is.

As long as who is eligible stays the same, ``t = w * N / W``, so this is the quota method of
Balinski and Young ("The quota method of apportionment", 1975): ``(x + 1) / w`` is smallest among
those with ``w * N > W * x``. It keeps everybody less than one lead from the ideal share at every
moment. Ties go to the one who has waited longest, then to a hash that the caller makes of the lead.

It promises exact arithmetic and no preference for a place in the list. It knows nothing of hours,
capacity or leads. Targets are kept as whole numbers over one denominator (``unit``), so a decision
in a pool of a thousand is a thousand small multiplications.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import compress, repeat
from math import gcd, lcm
from operator import mul
from typing import Final, NamedTuple

Weights = Mapping[str, int]
"""People and their weights; all positive."""

HASHED_TIES: Final = 60
"""Among so many equals each has a hash of their own; among more, one hash of the lead names the
place."""


class Standing(NamedTuple):
    """Where a person stands: ``turns`` had, ``target`` due, ``last`` the ordinal of their latest
    turn (0: never had one)."""

    turns: int = 0
    target: Fraction = Fraction(0)
    last: int = 0


NEW = Standing()


@dataclass(frozen=True, slots=True)
class Book:
    """The standing of each person. Whoever is not in it has had nothing and is owed nothing.

    ``due`` are the targets, in parts of which ``unit`` make one lead.
    """

    unit: int = 1
    turns: Mapping[str, int] = field(default_factory=dict)
    due: Mapping[str, int] = field(default_factory=dict)
    last: Mapping[str, int] = field(default_factory=dict)

    @property
    def people(self) -> list[str]:
        """Who is in it, by name."""
        # As they were read they are sorted already, which makes it fast.
        return sorted({**self.due, **self.turns, **self.last})

    def standing(self, person: str) -> Standing:
        """Where the person stands, in exact fractions."""
        return Standing(
            self.turns.get(person, 0),
            Fraction(self.due.get(person, 0), self.unit),
            self.last.get(person, 0),
        )


@dataclass(frozen=True, slots=True)
class Share:
    """What one lead adds to the targets: ``weight / total`` to each sharer's; it sums to one."""

    weights: Weights = field(default_factory=dict)
    total: int = 0

    def __bool__(self) -> bool:
        return self.total > 0

    def of(self, person: str) -> Fraction:
        """What it adds to the target of ``person``."""
        weight = self.weights.get(person)
        return Fraction(weight, self.total) if weight else Fraction(0)


def shares(sharers: Weights) -> Share:
    """One lead, shared by ``sharers``."""
    return Share(sharers, sum(sharers.values()))


def urgency_and_target(book: Book, share: Share, person: str, weight: int) -> tuple[str, str]:
    """``(x + 1 - t) / w`` (the smaller, the more it is their turn; empty without a weight) and
    ``t``, with this lead's share in it: exact fractions, ``n/d``."""
    unit = lcm(book.unit, share.total or 1)
    due = book.due.get(person, 0) * (unit // book.unit)
    due += share.weights.get(person, 0) * (unit // (share.total or 1))
    above = (book.turns.get(person, 0) + 1) * unit - due
    return fraction_text(above, unit * weight) if weight > 0 else "", fraction_text(due, unit)


def fraction_text(numerator: int, denominator: int) -> str:
    """``n/d`` in lowest terms, as it is stored."""
    common = gcd(numerator, denominator)
    return f"{numerator // common}/{denominator // common}"


def next_person(book: Book, eligible: Weights, share: Share, tie: Callable[[str], str]) -> str:
    """Who of ``eligible`` (not empty) gets the lead. ``tie`` is a stable hash of a person for this
    very lead."""
    unit = lcm(book.unit, share.total or 1)
    by_unit, by_share = unit // book.unit, unit // (share.total or 1)
    by_weight = lcm(*set(eligible.values()))
    factors = {weight: by_weight // weight for weight in set(eligible.values())}
    # In parts of a lead: how far the person would be above the target with this one. Above a whole
    # lead they are not due yet. Column by column, since a large pool is read with each lead.
    above = [
        (turns + 1) * unit - due * by_unit - parts * by_share
        for turns, due, parts in zip(
            _column(book.turns, eligible),
            _column(book.due, eligible),
            _column(share.weights, eligible),
            strict=True,
        )
    ]
    people = list(eligible)
    weighed = list(map(mul, above, map(factors.__getitem__, eligible.values())))
    if min(above) < unit:
        due = [parts < unit for parts in above]
        people, weighed = list(compress(people, due)), list(compress(weighed, due))
    best = min(weighed)
    found = [person for person, key in zip(people, weighed, strict=True) if key == best]
    waited = list(_column(book.last, found))
    longest = min(waited)
    return _by_hash(
        [person for person, last in zip(found, waited, strict=True) if last == longest], tie
    )


def _column(numbers: Mapping[str, int], people: Iterable[str]) -> Iterator[int]:
    """The number of each of ``people``; 0 where nothing is known."""
    return map(numbers.get, people, repeat(0))


def _by_hash(equals: list[str], tie: Callable[[str], str]) -> str:
    if len(equals) <= HASHED_TIES:
        return equals[0] if len(equals) == 1 else min(equals, key=tie)
    return sorted(equals)[int(tie(""), 16) % len(equals)]


def taken(book: Book, person: str, share: Share, ordinal: int) -> Book:
    """The book after ``person`` had the turn; ``ordinal`` counts the decisions of the pool."""
    unit, due = _added(book, share, 1)
    turns = {**book.turns, person: book.turns.get(person, 0) + 1}
    return Book(unit, turns, due, {**book.last, person: ordinal})


def given_back(book: Book, person: str, share: Share, *, ordinal: int, before: int) -> Book:
    """The book as if the turn ``ordinal`` had never been: for what is nobody's fault. ``before`` is
    the turn that was the person's latest then; if they had another one since, that one stays their
    latest."""
    unit, due = _added(book, share, -1)
    last = book.last.get(person, 0)
    turns = {**book.turns, person: book.turns.get(person, 0) - 1}
    return Book(unit, turns, due, {**book.last, person: before if last == ordinal else last})


def _added(book: Book, share: Share, sign: int) -> tuple[int, dict[str, int]]:
    unit = lcm(book.unit, share.total or 1)
    by_unit, by_share = unit // book.unit, sign * (unit // (share.total or 1))
    due = (
        dict(book.due)
        if by_unit == 1
        else {person: parts * by_unit for person, parts in book.due.items()}
    )
    weights = share.weights
    added = [
        parts + weight * by_share
        for parts, weight in zip(_column(due, weights), weights.values(), strict=True)
    ]
    due.update(zip(weights, added, strict=True))
    return unit, due


def latest(books: Iterable[Book]) -> dict[str, int]:
    """When each person had their latest turn, over several books."""
    found: dict[str, int] = {}
    for book in books:
        if not found:
            found = {person: last for person, last in book.last.items() if last}
            continue
        for person, last in book.last.items():
            if last > found.get(person, 0):
                found[person] = last
    return found
