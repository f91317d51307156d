"""How many people a pool needs so that its leads are answered within a time.

The pool is played with other numbers of people: its own first, then copies of the last of them, or
fewer of its own. Enough is the smallest number with which the share is reached with every seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from baton.agreement.model.agreement import Agreement
from baton.simulation.staffing.outcome import Outcome, Spread, spread

_MOST: Final = 200
PlayAll = Callable[[Agreement], Sequence[Outcome]]
"""Plays a quarter under an agreement once a seed."""


class NoSuchPool(ValueError):
    """The agreement has no such pool; the text names those that it has."""


class NobodyToCopy(ValueError):
    """The pool has no members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A number of people, and the shares answered in time with them; None: no lead came."""

    people: int
    within: Spread | None
    busy: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Headcount:
    """``needed`` None: not even the largest number tried was enough, so it is not the number of
    people that keeps leads waiting."""

    pool: str
    within_ms: int
    share: float
    needed: int | None
    tried: tuple[Tried, ...]


def headcount(
    agreement: Agreement, pool: str, *, within_ms: int, share: float, play: PlayAll, most: int = 32
) -> Headcount:
    """Double the people until there are enough, then look between."""
    tried: dict[int, Tried] = {}

    def enough(number: int) -> bool:
        if number not in tried:
            tried[number] = _tried(with_people(agreement, pool, number), pool, within_ms, play)
        found = tried[number].within
        return found is None or found.low >= share

    low, high = 0, 1
    while not enough(high) and high < most:
        low, high = high, min(high * 2, most)
    if enough(high):
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
    return Headcount(
        pool=pool,
        within_ms=within_ms,
        share=share,
        needed=high if enough(high) else None,
        tried=tuple(tried[number] for number in sorted(tried)),
    )


def _tried(agreement: Agreement, pool: str, within_ms: int, play: PlayAll) -> Tried:
    outcomes = play(agreement)
    members = list(agreement.pools[pool].members)
    return Tried(
        people=len(members),
        within=spread(one.pools[pool].within(within_ms) for one in outcomes),
        busy=spread(
            sum(one.busy.get(person, 0.0) for person in members) / len(members) for one in outcomes
        ),
    )


def with_people(agreement: Agreement, pool: str, number: int) -> Agreement:
    """The agreement with so many members in the pool; books stay attached."""
    if pool not in agreement.pools:
        raise NoSuchPool(f'there is no pool "{pool}"; there are {", ".join(agreement.pools)}')
    queue = agreement.pools[pool]
    names = [name for name in queue.members if agreement.people[name].active]
    if not names or not 1 <= number <= _MOST:
        raise NobodyToCopy(
            f"{pool} has no active members to go by, or {number} is out of 1-{_MOST}"
        )
    members = {name: queue.members[name] for name in names[:number]}
    people = dict(agreement.people)
    for place in range(len(names), number):
        extra = f"{pool}-extra-{place + 1}"
        people[extra] = people[names[-1]].model_copy(update={"deputy": None})
        members[extra] = queue.members[names[-1]]
    pools = {**agreement.pools, pool: queue.model_copy(update={"members": members})}
    return agreement.model_copy(update={"people": people, "pools": pools})
