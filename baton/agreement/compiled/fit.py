"""The compiled section ``fit``: how well a profile matches the ideal customer. Fit never decays.

Points are integers of a millionth. The criteria that look at the same fields of the profile are
decided together, and what a value comes to is remembered (bounded): fields of profiles have few
values, and 60 criteria then cost a handful of look-ups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

from baton.agreement.compiled.conditions import Condition
from baton.agreement.condition_context import ConditionContext, ProfileContext
from baton.contracts.leads import Criterion
from baton.evolve import quick

MAX_FIT_MICRO = 100_000_000
MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"

_MAX_REMEMBERED = 2_048
_MAX_REMEMBERED_LENGTH = 200

_Decided = tuple[int, tuple[Criterion, ...]]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class FitResult:
    """``points_micro`` is in 0..100 points; the points of ``criteria`` plus ``clamp_micro`` add up
    to it exactly."""

    points_micro: int
    criteria: tuple[Criterion, ...]
    clamp_micro: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRule:
    """One criterion, worth ``points_micro`` (may be negative) if ``condition`` is true. ``keys``:
    the profile fields it asks."""

    name: str
    points_micro: int
    condition: Condition
    keys: tuple[str, ...]

    @property
    def place(self) -> tuple[Any, ...]:
        """Where it stands among the others: by field, then most points first."""
        return self.keys, -self.points_micro, self.name


class _Part:
    """The criteria that ask the same fields."""

    __slots__ = ("_outcomes", "keys", "known", "single")

    def __init__(self, rules: Sequence[FitRule]) -> None:
        self.keys = rules[0].keys
        self.single = self.keys[0] if len(self.keys) == 1 else None
        self.known: dict[Any, _Decided] = {}
        self._outcomes = tuple((rule.condition, rule.points_micro, _three(rule)) for rule in rules)

    def decide(self, profile: Mapping[str, str], values: Any) -> _Decided:
        # the check lets fit ask the profile only
        context = cast(ConditionContext, ProfileContext(profile))
        total = 0
        criteria = []
        for condition, points, (met, not_met, unknown) in self._outcomes:
            outcome = condition(context)
            if outcome:
                total += points
            criteria.append(met if outcome else unknown if outcome is None else not_met)
        decided = total, tuple(criteria)
        if sum(len(profile.get(key, "")) for key in self.keys) <= _MAX_REMEMBERED_LENGTH:
            if len(self.known) >= _MAX_REMEMBERED:
                self.known.clear()
            self.known[values] = decided
        return decided


class Fit:
    """``rules`` by the fields they ask, then most points first: the order of the criteria in a
    result."""

    __slots__ = ("_parts", "rules")

    def __init__(self, rules: Sequence[FitRule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.place))
        self._parts = tuple(
            _Part(tuple(alike)) for _, alike in groupby(self.rules, key=lambda rule: rule.keys)
        )

    def evaluate(self, profile: Mapping[str, str]) -> FitResult:
        """The points, and every criterion: met, not met or unknown."""
        total = 0
        criteria: tuple[Criterion, ...] = ()
        get = profile.get
        for part in self._parts:
            values = get(part.single) if part.single is not None else tuple(map(get, part.keys))
            decided = part.known.get(values) or part.decide(profile, values)
            total += decided[0]
            criteria += decided[1]
        points = min(max(total, 0), MAX_FIT_MICRO)
        return FitResult(points_micro=points, criteria=criteria, clamp_micro=points - total)


def _three(rule: FitRule) -> tuple[Criterion, Criterion, Criterion]:
    """The criterion met, not met and unknown: made once."""
    return (
        Criterion(name=rule.name, outcome=MET, points_micro=rule.points_micro),
        Criterion(name=rule.name, outcome=NOT_MET, points_micro=0),
        Criterion(name=rule.name, outcome=UNKNOWN, points_micro=0),
    )
