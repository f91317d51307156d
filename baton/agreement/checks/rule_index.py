"""Which earlier rules may take everybody that a later one would take, without comparing each with
each.

A condition takes another one in only if each of its own tests is met by it. So a rule is filed
under one of its tests, the rarest, and is compared only with rules that have a test which could
meet that one. Whatever cannot be filed is compared with all. It leaves nothing out that
:func:`~baton.agreement.checks.condition_logic.takes_all_of` would find.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from baton.agreement.checks.condition_logic import Interval, Words, passes
from baton.agreement.condition_fields import Field
from baton.agreement.model.condition import All, Any_, ConditionModel, Not, Test

Keys = tuple[Hashable, ...]


@dataclass(slots=True)
class RuleIndex:
    """Conditions by number, in the order in which they were added."""

    fields: Mapping[str, Field]
    rarity: Counter[Hashable] = field(default_factory=Counter)
    _filed: dict[Hashable, list[int]] = field(default_factory=dict)
    _unfiled: list[int] = field(default_factory=list)

    @classmethod
    def over(cls, conditions: Iterable[ConditionModel], fields: Mapping[str, Field]) -> "RuleIndex":
        """An empty index that knows which tests are common among ``conditions``."""
        index = cls(fields)
        for condition in conditions:
            for test in _tests(condition):
                index.rarity.update(index._asked_by(test) or ())
        return index

    def add(self, number: int, condition: ConditionModel) -> None:
        """File a condition; numbers are added in ascending order."""
        for part in condition.any if isinstance(condition, Any_) else (condition,):
            options = [
                keys for test in _conjuncts(part) if (keys := self._asked_by(test)) is not None
            ]
            if not options:
                self._unfiled.append(number)
                continue
            for key in min(options, key=lambda keys: sum(self.rarity[key] for key in keys)):
                self._filed.setdefault(key, []).append(number)

    def candidates(self, narrow: ConditionModel, numbers: Sequence[int]) -> Sequence[int]:
        """Those of ``numbers`` (all that were added) that may take everybody ``narrow`` is true
        for, in order."""
        tests = _conjuncts(narrow)
        if len(tests) != _parts(narrow):
            return numbers
        found = set(self._unfiled)
        for test in tests:
            for key in self._offered_by(test):
                found.update(self._filed.get(key, ()))
        return sorted(found)

    def _asked_by(self, test: Test) -> Keys | None:
        """What another condition must offer one of, so that it can meet ``test``; None: it may do
        so with anything."""
        allowed = passes(test, self.fields)
        if isinstance(allowed, Words):
            if allowed.inverted:
                return None
            return tuple(("word", test.field, test.within, value) for value in allowed.values)
        if isinstance(allowed, Interval):
            return (("range", test.field, test.within),)
        return (_same(test),)

    def _offered_by(self, test: Test) -> Iterator[Hashable]:
        yield _same(test)
        allowed = passes(test, self.fields)
        if isinstance(allowed, Interval):
            yield ("range", test.field, test.within)
        elif isinstance(allowed, Words) and not allowed.inverted:
            # Whoever lets all of the words through lets any one of them through.
            yield ("word", test.field, test.within, min(allowed.values, key=str))


def _same(test: Test) -> Hashable:
    return ("same", test.field, test.op, test.value, test.within)


def _conjuncts(condition: ConditionModel) -> tuple[Test, ...]:
    """The plain tests that must all be met."""
    match condition:
        case Test():
            return (condition,)
        case All():
            return tuple(test for part in condition.all for test in _conjuncts(part))
    return ()


def _parts(condition: ConditionModel) -> int:
    return sum(_parts(part) for part in condition.all) if isinstance(condition, All) else 1


def _tests(condition: ConditionModel) -> Iterator[Test]:
    match condition:
        case Test():
            yield condition
        case All():
            for part in condition.all:
                yield from _tests(part)
        case Any_():
            for part in condition.any:
                yield from _tests(part)
        case Not():
            return
