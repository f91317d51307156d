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
capacity or leads. Targets are whole numbers over one denominator (``unit``). What all sharers
have in common is counted once for all of them, so a lead touches the one who gets it and those who
came or went since the lead before, in a pool of ten or of a thousand.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import repeat
from math import gcd, lcm
from typing import Final, NamedTuple

from baton.evolve import evolve

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

    All numbers are in parts of which ``unit`` make one lead. The targets of the ``running`` people
    (with their weights) grow with each lead by what they weigh: that is counted once, in ``grown``,
    for all of them, so a lead changes nothing of a person but the turn of the one who gets it.
    ``due`` is a target without that. ``ahead`` is found from these: turns less ``due`` of the
    running people, by their weight. ``rows`` is how people are stored, but for those ``unsaved``
    since.
    """

    unit: int = 1
    turns: Mapping[str, int] = field(default_factory=dict)
    due: Mapping[str, int] = field(default_factory=dict)
    last: Mapping[str, int] = field(default_factory=dict)
    grown: int = 0
    running: Mapping[str, int] = field(default_factory=dict)
    ahead: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    rows: Mapping[str, str] = field(default_factory=dict)
    unsaved: frozenset[str] = frozenset()

    @property
    def people(self) -> list[str]:
        """Who is in it, by name."""
        return sorted({**self.due, **self.turns, **self.running, **self.last})

    def target(self, person: str) -> int:
        """What is due to the person so far, in parts of a lead."""
        return self.due.get(person, 0) + self.running.get(person, 0) * self.grown

    def standing(self, person: str) -> Standing:
        """Where the person stands, in exact fractions."""
        return Standing(
            self.turns.get(person, 0),
            Fraction(self.target(person), self.unit),
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
    target = book.target(person) * (unit // book.unit)
    target += share.weights.get(person, 0) * (unit // (share.total or 1))
    above = (book.turns.get(person, 0) + 1) * unit - target
    return fraction_text(above, unit * weight) if weight > 0 else "", fraction_text(target, unit)


def fraction_text(numerator: int, denominator: int) -> str:
    """``n/d`` in lowest terms, as it is stored."""
    common = gcd(numerator, denominator)
    return f"{numerator // common}/{denominator // common}"


def next_person(book: Book, eligible: Weights, share: Share, tie: Callable[[str], str]) -> str:
    """Who of ``eligible`` (not empty) gets the lead. ``tie`` is a stable hash of a person for this
    very lead."""
    book = shared_by(book, share)
    part = book.unit // (share.total or 1)
    if book.running == share.weights == eligible:
        found = _least_of_running(book, book.grown + part)
    else:
        found = _least_of(book, eligible, share, part)
    last = list(map(book.last.get, found, repeat(0)))
    longest = min(last)
    return _by_hash(
        [person for person, ordinal in zip(found, last, strict=True) if ordinal == longest], tie
    )


class _Least(NamedTuple):
    """The lowest of some people of one weight: how far above the target they would be, in parts."""

    above: int
    weight: int


def _urgent(lowest: Iterable[_Least], unit: int) -> Callable[[_Least], bool]:
    """Whether somebody as far above their target as that, of that weight, comes first: of those
    below their target (less than a lead above it with this one) if there are any, else of all."""
    known = list(lowest)
    below = [least for least in known if least.above < unit]
    by_weight = lcm(*{weight for _, weight in known})
    best = min(above * (by_weight // weight) for above, weight in below or known)
    return lambda least: (
        (not below or least.above < unit) and least.above * (by_weight // least.weight) == best
    )


def _least_of_running(book: Book, grown: int) -> list[str]:
    """Of those who all share the lead: only the lowest of each weight can be first."""
    lowest = {weight: min(people.values()) for weight, people in book.ahead.items() if people}
    by_weight = {
        weight: _Least(ahead + book.unit - weight * grown, weight)
        for weight, ahead in lowest.items()
    }
    first = _urgent(by_weight.values(), book.unit)
    return [
        person
        for weight, least in by_weight.items()
        if first(least)
        for person, ahead in book.ahead[weight].items()
        if ahead == lowest[weight]
    ]


def _least_of(book: Book, eligible: Weights, share: Share, part: int) -> list[str]:
    """Of any people, person by person."""
    turns, parts = book.turns.get, share.weights.get
    everybody = {
        person: _Least(
            (turns(person, 0) + 1) * book.unit - book.target(person) - parts(person, 0) * part,
            weight,
        )
        for person, weight in eligible.items()
    }
    first = _urgent(everybody.values(), book.unit)
    return [person for person, least in everybody.items() if first(least)]


def _by_hash(equals: list[str], tie: Callable[[str], str]) -> str:
    if len(equals) <= HASHED_TIES:
        return equals[0] if len(equals) == 1 else min(equals, key=tie)
    return sorted(equals)[int(tie(""), 16) % len(equals)]


def taken(book: Book, person: str, share: Share, ordinal: int) -> Book:
    """The book after ``person`` had the turn; ``ordinal`` counts the decisions of the pool."""
    return _with_turn(_accrued(book, share, 1), person, 1, last=ordinal)


def given_back(book: Book, person: str, share: Share, *, ordinal: int, before: int) -> Book:
    """The book as if the turn ``ordinal`` had never been: for what is nobody's fault. ``before`` is
    the turn that was the person's latest then; if they had another one since, that one stays their
    latest."""
    last = book.last.get(person, 0)
    return _with_turn(
        _accrued(book, share, -1), person, -1, last=before if last == ordinal else last
    )


def _with_turn(book: Book, person: str, amount: int, *, last: int) -> Book:
    turns = {**book.turns, person: book.turns.get(person, 0) + amount}
    ahead = _moved(book.ahead, {person: amount * book.unit}, book.running)
    unsaved = book.unsaved | {person}
    return evolve(book, turns=turns, ahead=ahead, last={**book.last, person: last}, unsaved=unsaved)


def _accrued(book: Book, share: Share, sign: int) -> Book:
    """With the lead's share in the targets, or without it again."""
    if not share:
        return book
    book = shared_by(book, share)
    part = sign * (book.unit // share.total)
    if book.running == share.weights:
        return evolve(book, grown=book.grown + part)
    added = {person: weight * part for person, weight in share.weights.items()}
    due = {**book.due, **{p: book.due.get(p, 0) + parts for p, parts in added.items()}}
    less = {person: -parts for person, parts in added.items()}
    unsaved = book.unsaved | added.keys()
    return evolve(book, due=due, ahead=_moved(book.ahead, less, book.running), unsaved=unsaved)


def shared_by(book: Book, share: Share) -> Book:
    """The same standings, in parts of which the share is a whole number, and with its sharers
    running; where those are few and others than before, the others go on running."""
    if not share:
        return book
    book = _in_parts(book, lcm(book.unit, share.total))
    if book.running == share.weights:
        return book
    changed = {person for person, _ in book.running.items() ^ share.weights.items()}
    if len(changed) > len(share.weights) and book.running:
        return book
    due = {
        person: book.target(person) - share.weights.get(person, 0) * book.grown
        for person in changed
    }
    # A copy: who is eligible changes while the pool is looked at.
    running, unsaved = dict(share.weights), book.unsaved | changed
    return with_ahead(
        evolve(book, due={**book.due, **due}, running=running, unsaved=unsaved), changed
    )


def _in_parts(book: Book, unit: int) -> Book:
    """The same standings in more and smaller parts."""
    by = unit // book.unit
    if by == 1:
        return book
    due = {person: parts * by for person, parts in book.due.items()}
    ahead = {
        weight: {person: parts * by for person, parts in people.items()}
        for weight, people in book.ahead.items()
    }
    unsaved = book.unsaved | due.keys()
    return evolve(book, unit=unit, due=due, grown=book.grown * by, ahead=ahead, unsaved=unsaved)


def with_ahead(book: Book, changed: Iterable[str]) -> Book:
    """With ``ahead`` found anew for those who began to run, stopped, or weigh other than before."""
    anew = set(changed)
    ahead: dict[int, dict[str, int]] = {
        weight: {person: parts for person, parts in people.items() if person not in anew}
        for weight, people in book.ahead.items()
    }
    for person in anew & book.running.keys():
        parts = book.turns.get(person, 0) * book.unit - book.due.get(person, 0)
        ahead.setdefault(book.running[person], {})[person] = parts
    return evolve(book, ahead=ahead)


def _moved(
    ahead: Mapping[int, Mapping[str, int]], by: Mapping[str, int], running: Weights
) -> dict[int, Mapping[str, int]]:
    moved = dict(ahead)
    for weight in {running[person] for person in by.keys() & running.keys()}:
        people = dict(moved[weight])
        people.update({p: people[p] + by[p] for p in by.keys() & people.keys()})
        moved[weight] = people
    return moved
