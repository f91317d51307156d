"""A ledger counts what all sharers have in common once: it must say what counting everybody apart
says, to the last part of a lead, whatever comes, goes, is given back or is stored in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from baton.derived_ids import derived_id
from baton.evolve import evolve
from services.router.assignment.open_loads import Load, loads_of, loads_table
from services.router.assignment.remembered import KEPT, Remembered
from services.router.assignment.turn_ledger import (
    book_of,
    latest_of,
    latest_table,
    ledger_of,
    read_book,
)
from services.router.assignment.turn_order import (
    Book,
    given_back,
    next_person,
    shares,
    taken,
)

PEOPLE = [f"p{number}" for number in range(9)]


@dataclass
class Apart:
    """The same ledger, everybody counted apart in fractions."""

    turns: dict[str, int] = field(default_factory=dict)
    targets: dict[str, Fraction] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)

    def add(self, weights: Mapping[str, int], sign: int) -> None:
        total = sum(weights.values())
        for person, weight in weights.items():
            self.targets[person] = self.targets.get(person, Fraction(0)) + sign * Fraction(
                weight, total
            )

    def next(self, eligible: Mapping[str, int], sharers: Mapping[str, int], lead: int) -> str:
        total = sum(sharers.values())
        target = {
            person: self.targets.get(person, Fraction(0)) + Fraction(sharers.get(person, 0), total)
            for person in eligible
        }
        below = [person for person in eligible if target[person] > self.turns.get(person, 0)]
        return min(
            below or eligible,
            key=lambda person: (
                (self.turns.get(person, 0) + 1 - target[person]) / eligible[person],
                self.last.get(person, 0),
                derived_id("tie", lead, person),
            ),
        )


leads = st.lists(
    st.tuples(
        st.sets(st.sampled_from(PEOPLE), min_size=1),  # who is eligible
        st.booleans(),  # whether all share it
        st.sampled_from(PEOPLE),  # whose weight
        st.integers(1, 4),  # becomes what
        st.integers(0, 3),  # give back the turn before so many leads, 0: none
    ),
    min_size=1,
    max_size=60,
)


@given(leads)
def test_a_ledger_says_what_counting_everybody_apart_says(
    steps: list[tuple[set[str], bool, str, int, int]],
) -> None:
    book, apart = Book(), Apart()
    weights = {person: 1 + number % 3 for number, person in enumerate(PEOPLE)}
    had: list[tuple[str, dict[str, int], int, int]] = []
    for lead, (present, all_share, person, weight, back) in enumerate(steps, start=1):
        weights = {**weights, person: weight}
        eligible = {name: weights[name] for name in PEOPLE if name in present}
        sharers = weights if all_share else eligible
        share = shares(sharers)
        got = next_person(book, eligible, share, lambda name, n=lead: derived_id("tie", n, name))
        assert got == apart.next(eligible, sharers, lead)
        had.append((got, dict(sharers), lead, book.last.get(got, 0)))
        book = taken(book, got, share, lead)
        apart.add(sharers, 1)
        apart.turns[got] = apart.turns.get(got, 0) + 1
        apart.last[got] = lead
        if 0 < back <= len(had):
            whom, shared, ordinal, before = had.pop(-back)
            book = given_back(book, whom, shares(shared), ordinal=ordinal, before=before)
            apart.add(shared, -1)
            apart.turns[whom] -= 1
            if apart.last[whom] == ordinal:
                apart.last[whom] = before
        ledger = ledger_of("warm", "2026-11", book)
        # From its text alone, as after a start, and from what is remembered of it.
        read = read_book((ledger.unit, ledger.grown, ledger.rows))
        for name in PEOPLE:
            standing = book.standing(name)
            assert standing == (
                apart.turns.get(name, 0),
                apart.targets.get(name, Fraction(0)),
                apart.last.get(name, 0),
            )
            assert read.standing(name)[:2] == standing[:2]
            assert book_of(ledger).standing(name)[:2] == standing[:2]
        book = evolve(read if lead % 2 else book_of(ledger), last=book.last)
        assert ledger_of("warm", "2026-11", book) == ledger


@given(
    st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.integers(0, 3), st.sampled_from(["", "2026-11-02"])),
        max_size=30,
    )
)
def test_loads_are_stored_row_by_row_as_they_would_be_all_at_once(
    changes: list[tuple[str, int, str]],
) -> None:
    table, loads = "", dict[str, Load]()
    for person, offered, day in changes:
        if offered:
            loads[person] = Load(person=person, offered=offered, accepted=1, day=day)
        else:
            loads.pop(person, None)
        table = loads_table(table, loads, {person})
        assert loads_of(table) == loads
        assert loads_table("", loads, set(loads)) == table


def test_who_had_a_turn_when_is_stored_row_by_row() -> None:
    one = latest_table("", {"zoe": 1}, frozenset({"zoe"}))
    two = latest_table(one, {"zoe": 1, "ann": 2}, frozenset({"ann"}))
    assert two == "ann 2 zoe 1"
    assert latest_of(two) == {"zoe": 1, "ann": 2}
    assert latest_table(two, {"zoe": 1, "ann": 0}, frozenset({"ann"})) == "zoe 1"


def test_no_more_is_remembered_than_what_was_used_last() -> None:
    read: list[int] = []

    def unpack(number: int) -> int:
        read.append(number)
        return number

    remembered = Remembered(unpack)
    for number in range(KEPT + 1):
        remembered.of(number)
    remembered.of(KEPT)
    remembered.of(0)
    assert read == [*range(KEPT + 1), 0]
