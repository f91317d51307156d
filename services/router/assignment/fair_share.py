"""Whose turn it is: weighted fair share by the quota method, in exact fractions.

Each person has the turns they got (``x``) and a target (``t``): the share of the leads so far that was theirs to have. A lead adds
``w / (weights of the sharers)`` to the target of each sharer. Sharers are the people eligible for that lead (``level``: whoever could
not have it is owed nothing for it) or all members (``accrue``: what was missed is made up for). The turn goes to the smallest
``(x + 1 - t) / w`` among the eligible who are below their target, or among all eligible if nobody is.

As long as who is eligible stays the same, ``t = w * N / W``, so this is the quota method of Balinski and Young ("The quota method of
apportionment", 1975): ``(x + 1) / w`` is smallest among those with ``w * N > W * x``. It keeps everybody less than one lead from the
ideal share at every moment. Ties go to the one who has waited longest, then to a hash that the caller makes of the lead.

It promises exact arithmetic and no preference for a place in the list. It knows nothing of hours, capacity or leads.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

Weights = Mapping[str, int]
"""People and their weights; all positive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a person stands: ``turns`` had, ``target`` due, ``last`` the ordinal of their latest turn (0: never had one)."""

    turns: int = 0
    target: Fraction = Fraction(0)
    last: int = 0


Book = Mapping[str, Standing]
"""The standing of each person; whoever is not in it has had nothing and is owed nothing."""

NEW = Standing()


def shares(sharers: Weights) -> dict[str, Fraction]:
    """What one lead adds to each sharer's target; it sums to one."""
    total = sum(sharers.values())
    return {person: Fraction(weight, total) for person, weight in sharers.items()}


def urgency(standing: Standing, share: Fraction, weight: int) -> Fraction:
    """``(x + 1 - t) / w`` with this lead's share in ``t``: the smaller, the more it is their turn."""
    return (standing.turns + 1 - standing.target - share) / weight


def next_person(book: Book, eligible: Weights, share: Mapping[str, Fraction], tie: Callable[[str], str]) -> str:
    """Who of ``eligible`` (not empty) gets the lead. ``tie`` is a stable hash of a person for this very lead."""

    def below_target(person: str) -> bool:
        standing = book.get(person, NEW)
        return standing.target + share.get(person, Fraction(0)) > standing.turns

    def order(person: str) -> tuple[Fraction, int, str]:
        standing = book.get(person, NEW)
        weight = eligible[person]
        return urgency(standing, share.get(person, Fraction(0)), weight), standing.last, tie(person)

    due = [person for person in eligible if below_target(person)]
    return min(due or eligible, key=order)


def taken(book: Book, person: str, share: Mapping[str, Fraction], ordinal: int) -> dict[str, Standing]:
    """The book after ``person`` had the turn; ``ordinal`` counts the decisions of the pool."""
    after = dict(book)
    for sharer, part in share.items():
        standing = after.get(sharer, NEW)
        after[sharer] = Standing(turns=standing.turns, target=standing.target + part, last=standing.last)
    standing = after.get(person, NEW)
    after[person] = Standing(turns=standing.turns + 1, target=standing.target, last=ordinal)
    return after


def given_back(book: Book, person: str, share: Mapping[str, Fraction], *, ordinal: int, before: int) -> dict[str, Standing]:
    """The book as if the turn ``ordinal`` had never been: for what is nobody's fault. ``before`` is the turn that was the person's
    latest then; if they had another one since, that one stays their latest."""
    after = dict(book)
    for sharer, part in share.items():
        standing = after.get(sharer, NEW)
        after[sharer] = replace(standing, target=standing.target - part)
    standing = after.get(person, NEW)
    last = before if standing.last == ordinal else standing.last
    after[person] = replace(standing, turns=standing.turns - 1, last=last)
    return after
