"""Finds the rules that could fit a lead, without asking every rule: a thousand territories cost a
look into a few tables.

A rule that demands a word (or the beginning of one) of a profile field can only fit a lead that has
it. Where the field is known and says something else, the rule is false; where it is not known, the
rule cannot be true either, though it may be undecided. Pure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Demand(NamedTuple):
    """A profile field must be one of ``words``, or begin with one of them (``begins``); they are in
    the plain form that conditions compare."""

    profile_key: str
    words: frozenset[str]
    begins: bool = False


class Found(NamedTuple):
    """Numbers of rules, in order. A rule that is in both may be true by another of its words."""

    possible: Sequence[int]
    undecided: Sequence[int]


Place = tuple[str, int]
"""A profile field, and how many characters of it are looked up (0: all)."""


@dataclass(frozen=True, slots=True)
class RuleLookup:
    """Rules by number. ``always``: those that can be filed under no demand."""

    count: int
    always: tuple[int, ...]
    filed: Mapping[Place, Mapping[str, tuple[int, ...]]] = field(default_factory=dict)
    under: Mapping[Place, tuple[int, ...]] = field(default_factory=dict)

    def look_up(self, profile: Mapping[str, str]) -> "Found":
        """The rules that may be true, and those that a missing word leaves undecided."""
        possible = set(self.always)
        undecided: set[int] = set()
        for place, table in self.filed.items():
            key, length = place
            value = (profile.get(key) or "").strip().casefold()
            if not value:
                undecided.update(self.under[place])
            else:
                possible.update(table.get(value[:length] if length else value, ()))
        return Found(sorted(possible), sorted(undecided))


def lookup_of(demands: Sequence[Sequence[Demand]]) -> RuleLookup:
    """The lookup over rules of which each has these demands, all of which must be met; filed under
    the rarest of them."""
    rarity = Counter(place for rule in demands for demand in rule for place in _places(demand))
    always: list[int] = []
    filed: dict[Place, dict[str, list[int]]] = {}
    under: dict[Place, list[int]] = {}
    for number, rule in enumerate(demands):
        if not rule:
            always.append(number)
            continue
        rarest = min(rule, key=lambda demand: sum(rarity[place] for place in _places(demand)))
        for place, word in _places(rarest):
            filed.setdefault(place, {}).setdefault(word, []).append(number)
            if number not in under.setdefault(place, [])[-1:]:
                under[place].append(number)
    return RuleLookup(
        count=len(demands),
        always=tuple(always),
        filed={
            place: {word: tuple(numbers) for word, numbers in table.items()}
            for place, table in filed.items()
        },
        under={place: tuple(numbers) for place, numbers in under.items()},
    )


def _places(demand: Demand) -> list[tuple[Place, str]]:
    return [
        ((demand.profile_key, len(word) if demand.begins else 0), word)
        for word in sorted(demand.words)
    ]
