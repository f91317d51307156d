"""Whose turn it is: the laws of the quota method, and the cases that others get wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from baton.derived_ids import derived_id
from services.router.assignment.turn_order import (
    HASHED_TIES,
    NEW,
    Book,
    given_back,
    next_person,
    shares,
    taken,
)

PEOPLE = [f"p{number}" for number in range(8)]
weights_of_people = st.dictionaries(
    st.sampled_from(PEOPLE), st.integers(1, 40), min_size=1, max_size=8
)


def hash_of(lead: int, person: str) -> str:
    return derived_id("tie", lead, person)


def deal(
    book: Book, eligible: Mapping[str, int], lead: int, sharers: Mapping[str, int] | None = None
) -> tuple[str, Book]:
    """One lead: who got it, and the book after it."""
    share = shares(sharers or eligible)
    person = next_person(book, eligible, share, lambda entry: hash_of(lead, entry))
    return person, taken(book, person, share, lead + 1)


def deal_all(weights: Mapping[str, int], leads: int) -> list[str]:
    book = Book()
    got = []
    for lead in range(leads):
        person, book = deal(book, weights, lead)
        got.append(person)
    return got


def by_the_textbook(weights: Mapping[str, int], leads: int) -> list[str]:
    """Balinski and Young's quota method on turns alone, as the domain states it for people who are
    always there."""
    turns: Counter[str] = Counter()
    last: dict[str, int] = {}
    total, got = sum(weights.values()), []
    for lead in range(leads):
        number = sum(turns.values()) + 1
        below = [weight for weight in weights if weights[weight] * number > total * turns[weight]]
        person = min(
            below or weights,
            key=lambda weight: (
                Fraction(turns[weight] + 1, weights[weight]),
                last.get(weight, 0),
                hash_of(lead, weight),
            ),
        )
        turns[person] += 1
        last[person] = lead + 1
        got.append(person)
    return got


@given(weights_of_people, st.integers(1, 150))
def test_everybody_is_less_than_one_lead_from_the_ideal_share_at_every_moment(
    weights: dict[str, int], leads: int
) -> None:
    turns: Counter[str] = Counter()
    total = sum(weights.values())
    for number, person in enumerate(deal_all(weights, leads), start=1):
        turns[person] += 1
        for entry, weight in weights.items():
            assert abs(turns[entry] - Fraction(weight * number, total)) < 1


@given(weights_of_people, st.integers(1, 100))
def test_targets_give_the_quota_method_while_who_is_eligible_stays_the_same(
    weights: dict[str, int], leads: int
) -> None:
    assert deal_all(weights, leads) == by_the_textbook(weights, leads)


@given(weights_of_people, st.randoms(use_true_random=False), st.integers(1, 60))
def test_the_order_of_members_does_not_matter(
    weights: dict[str, int], random: object, leads: int
) -> None:
    names = list(weights)
    random.shuffle(names)  # type: ignore[attr-defined]
    assert deal_all({name: weights[name] for name in names}, leads) == deal_all(weights, leads)


@given(weights_of_people)
def test_nobody_starves(weights: dict[str, int]) -> None:
    total = sum(weights.values())
    got = deal_all(weights, total)
    assert Counter(got) == weights


presences = st.lists(st.sets(st.sampled_from(PEOPLE), min_size=1), min_size=1, max_size=80)


@given(weights_of_people, presences)
def test_turns_and_targets_add_up_to_the_leads_whoever_comes_and_goes(
    weights: dict[str, int], days: list[set[str]]
) -> None:
    book = Book()
    dealt = 0
    for lead, present in enumerate(days):
        eligible = {name: weights[name] for name in sorted(present) if name in weights}
        if not eligible:
            continue
        person, book = deal(book, eligible, lead)
        dealt += 1
        assert person in eligible
        assert sum(book.standing(name).turns for name in book.people) == dealt
        assert sum(book.standing(name).target for name in book.people) == dealt


@given(weights_of_people, presences)
def test_nobody_gets_a_whole_lead_more_than_is_due_while_somebody_else_is_owed_one(
    weights: dict[str, int], days: list[set[str]]
) -> None:
    book = Book()
    for lead, present in enumerate(days):
        eligible = {name: weights[name] for name in sorted(present) if name in weights}
        if not eligible:
            continue
        share = shares(eligible)
        due = [
            entry
            for entry in eligible
            if book.standing(entry).target + share.of(entry) > book.standing(entry).turns
        ]
        person, book = deal(book, eligible, lead)
        if due:
            assert person in due
            assert book.standing(person).turns - book.standing(person).target < 1


@given(weights_of_people, presences, st.integers(0, 79))
def test_a_turn_that_is_given_back_leaves_no_trace(
    weights: dict[str, int], days: list[set[str]], at: int
) -> None:
    book = Book()
    for lead, present in enumerate(days):
        eligible = {name: weights[name] for name in sorted(present) if name in weights}
        if not eligible:
            continue
        person, after = deal(book, eligible, lead)
        if lead == at:
            before = book.standing(person).last
            restored = given_back(after, person, shares(eligible), ordinal=lead + 1, before=before)
            assert all(
                restored.standing(name) == book.standing(name)
                for name in {*restored.people, *book.people}
            )
        book = after


def totals(got: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(got).items()))


def test_ties_do_not_always_favour_the_same_person() -> None:
    first = [
        next_person(
            Book(),
            {"a": 1, "b": 1, "c": 1},
            shares({"a": 1, "b": 1, "c": 1}),
            lambda p, n=n: hash_of(n, p),
        )
        for n in range(60)
    ]
    assert all(12 <= count <= 28 for count in totals(first).values())


def test_ties_among_very_many_do_not_favour_anybody_either() -> None:
    many = {f"p{number:03d}": 1 for number in range(HASHED_TIES + 1)}
    first = [
        next_person(Book(), many, shares(many), lambda p, n=n: hash_of(n, p))
        for n in range(10 * len(many))
    ]
    assert len(set(first)) == len(many)
    assert max(totals(first).values()) < 30


def test_who_is_not_in_the_book_had_nothing_and_is_owed_nothing() -> None:
    assert Book().standing("anybody") == NEW


def test_of_two_equals_the_one_who_has_waited_longest_is_next() -> None:
    book = Book(1, turns={"a": 1, "b": 1}, due={"a": 1, "b": 1}, last={"a": 7, "b": 3})
    share = shares({"a": 1, "b": 1})
    assert (
        next_person(book, {"a": 1, "b": 1}, share, lambda person: "0" if person == "a" else "1")
        == "b"
    )


def test_a_bulk_import_does_not_go_to_one_rep() -> None:
    assert totals(deal_all({"a": 1, "b": 1, "c": 2}, 1000)) == {"a": 250, "b": 250, "c": 500}


def test_a_share_below_one_lead_a_day_is_not_rounded_to_none() -> None:
    # Ten leads a day over four days, and a share of one in forty.
    got = deal_all({"full": 39, "tenth_of_a_day": 1}, 40)
    assert totals(got) == {"full": 39, "tenth_of_a_day": 1}


def test_the_largest_shortfall_rule_would_be_further_off() -> None:
    """The plain rule gives to whoever is most below their share; with these weights it ends more
    than one lead from the ideal."""
    weights = {
        f"p{number}": weight for number, weight in enumerate([20, 20, 5, 50, 50, 1, 1, 1, 1])
    }
    total = sum(weights.values())

    def worst(got: Sequence[str]) -> Fraction:
        turns: Counter[str] = Counter()
        found = Fraction(0)
        for number, person in enumerate(got, start=1):
            turns[person] += 1
            found = max(
                found,
                *(
                    abs(turns[weight] - Fraction(weights[weight] * number, total))
                    for weight in weights
                ),
            )
        return found

    def shortfall(leads: int) -> list[str]:
        turns: Counter[str] = Counter()
        got = []
        for number in range(1, leads + 1):
            person = max(
                weights,
                key=lambda weight: (
                    Fraction(weights[weight] * number, total) - turns[weight],
                    weight,
                ),
            )
            turns[person] += 1
            got.append(person)
        return got

    assert worst(deal_all(weights, 2 * total)) < 1 <= worst(shortfall(2 * total))


def test_a_newcomer_is_owed_nothing_for_the_time_before() -> None:
    book = Book()
    for lead in range(100):
        _, book = deal(book, {"a": 1, "b": 1}, lead)
    got = []
    for lead in range(100, 130):
        person, book = deal(book, {"a": 1, "b": 1, "new": 1}, lead)
        got.append(person)
    assert totals(got) == {"a": 10, "b": 10, "new": 10}


def test_who_was_away_makes_up_for_it_where_the_pool_accrues() -> None:
    everybody = {"a": 1, "b": 1}
    levelled = Book()
    accrued = Book()
    for lead in range(10):
        _, levelled = deal(levelled, {"a": 1}, lead)
        _, accrued = deal(accrued, {"a": 1}, lead, sharers=everybody)
    later: dict[str, list[str]] = {"level": [], "accrue": []}
    for lead in range(10, 20):
        person, levelled = deal(levelled, everybody, lead)
        later["level"].append(person)
        person, accrued = deal(accrued, everybody, lead)
        later["accrue"].append(person)
    assert {mode: totals(got) for mode, got in later.items()} == {
        "level": {"a": 5, "b": 5},
        "accrue": {"b": 10},
    }


@settings(max_examples=30)
@given(weights_of_people, presences)
def test_the_same_leads_in_the_same_order_give_the_same_people(
    weights: dict[str, int], days: list[set[str]]
) -> None:
    def run() -> list[str]:
        book = Book()
        got = []
        for lead, present in enumerate(days):
            eligible = {name: weights[name] for name in present if name in weights}
            if eligible:
                person, book = deal(book, eligible, lead)
                got.append(person)
        return got

    assert run() == run()
