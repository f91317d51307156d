"""What can be said about conditions without facts: one takes everything another takes, two overlap,
none can be true.

Sound, not complete: where it says so it is so; where it says nothing there may still be something.
Tests of one field are turned into the values they let through: a set of words, or an interval of
numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baton.agreement.condition_fields import Field, Kind
from baton.agreement.model.condition import All, Any_, ConditionModel, Not, Op, Test


@dataclass(frozen=True, slots=True)
class Words:
    """One of ``values``, or anything but them (``inverted``)."""

    values: frozenset[Any]
    inverted: bool = False

    def within(self, other: "Words") -> bool:
        """Whether everything this lets through passes ``other``."""
        if not self.inverted:
            return (
                self.values.isdisjoint(other.values)
                if other.inverted
                else self.values <= other.values
            )
        return other.inverted and other.values <= self.values

    def apart(self, other: "Words") -> bool:
        """Whether nothing passes both."""
        if self.inverted and other.inverted:
            return False
        if self.inverted:
            return other.values <= self.values
        return (
            self.values <= other.values if other.inverted else self.values.isdisjoint(other.values)
        )

    def common(self, other: "Words") -> frozenset[Any]:
        """The words that pass both, as far as they can be listed."""
        if self.inverted or other.inverted:
            return frozenset()
        return self.values & other.values


@dataclass(frozen=True, slots=True)
class Interval:
    """Numbers or days from ``low`` to ``high``; None is without end. ``low_open``: without ``low``
    itself."""

    low: Any = None
    high: Any = None
    low_open: bool = False
    high_open: bool = False

    def within(self, other: "Interval") -> bool:
        """Whether everything this lets through passes ``other``."""
        low = other.low is None or (
            self.low is not None
            and (
                self.low > other.low
                or (self.low == other.low and (self.low_open or not other.low_open))
            )
        )
        high = other.high is None or (
            self.high is not None
            and (
                self.high < other.high
                or (self.high == other.high and (self.high_open or not other.high_open))
            )
        )
        return low and high

    def apart(self, other: "Interval") -> bool:
        """Whether nothing passes both."""
        return _before(self, other) or _before(other, self)


Passes = Words | Interval
_BOUNDS: Mapping[Kind, Passes] = {Kind.COUNT: Interval(low=0), Kind.POINTS: Interval(low=0)}


def takes_all_of(wide: ConditionModel, narrow: ConditionModel, fields: Mapping[str, Field]) -> bool:
    """Whether whoever ``narrow`` is true for, ``wide`` is true for too."""
    if wide == narrow:
        return True
    match wide:
        case All():
            return all(takes_all_of(part, narrow, fields) for part in wide.all)
        case Any_() if any(takes_all_of(part, narrow, fields) for part in wide.any):
            return True
    match narrow:
        case Any_():
            return all(takes_all_of(wide, part, fields) for part in narrow.any)
        case All():
            return any(takes_all_of(wide, part, fields) for part in narrow.all)
    if isinstance(wide, Test) and isinstance(narrow, Test) and _alike(wide, narrow):
        outer, inner = passes(wide, fields), passes(narrow, fields)
        if isinstance(outer, Words) and isinstance(inner, Words):
            return inner.within(outer)
        if isinstance(outer, Interval) and isinstance(inner, Interval):
            return inner.within(outer)
    return False


def contradiction(condition: ConditionModel, fields: Mapping[str, Field]) -> str | None:
    """Why ``condition`` can never be true, as far as can be seen; else None."""
    match condition:
        case Test() if _apart(passes(condition, fields), _BOUNDS.get(fields[condition.field].kind)):
            return f"{condition.field} is never below 0"
        case All():
            for part in condition.all:
                if found := contradiction(part, fields):
                    return found
            tests = [part for part in condition.all if isinstance(part, Test)]
            for number, one in enumerate(tests):
                for other in tests[number + 1 :]:
                    if _alike(one, other) and _apart(passes(one, fields), passes(other, fields)):
                        return f"{test_words(one)} and {test_words(other)} exclude each other"
        case Any_():
            found_in = [contradiction(part, fields) for part in condition.any]
            if all(found_in):
                return found_in[0]
        case Not():
            return None
    return None


def one_by_one(condition: ConditionModel) -> tuple[ConditionModel, ...]:
    """``condition`` as several that together let the same through: a test of listed words, word by
    word."""
    if isinstance(condition, Test) and isinstance(condition.value, tuple) and condition.op is Op.IN:
        return tuple(
            condition.model_copy(update={"op": Op.IS, "value": choice})
            for choice in condition.value
        )
    if isinstance(condition, Any_):
        return tuple(
            condition_model for part in condition.any for condition_model in one_by_one(part)
        )
    return (condition,)


def common_words(
    one: ConditionModel, other: ConditionModel, fields: Mapping[str, Field]
) -> tuple[str, ...]:
    """Values of one field that both conditions name (``("NO",)``), where both are plain tests of
    it."""
    if isinstance(one, Test) and isinstance(other, Test) and _alike(one, other):
        first, second = passes(one, fields), passes(other, fields)
        if isinstance(first, Words) and isinstance(second, Words):
            folded = {str(shared) for shared in first.common(second)}
            written = one.value if isinstance(one.value, tuple) else (one.value,)
            return tuple(
                str(choice)
                for choice in written
                if str(choice) in folded or str(choice).casefold() in folded
            )
    return ()


def common_range(one: ConditionModel, other: ConditionModel, fields: Mapping[str, Field]) -> str:
    """Both tests in words, where they are plain ones of one number and overlap, but neither lies
    within the other."""
    if isinstance(one, Test) and isinstance(other, Test) and _alike(one, other):
        first, second = passes(one, fields), passes(other, fields)
        if isinstance(first, Interval) and isinstance(second, Interval):
            nested = first.within(second) or second.within(first)
            return (
                "" if nested or first.apart(second) else f"{test_words(other)}, {test_words(one)}"
            )
    return ""


def passes(test: Test, fields: Mapping[str, Field]) -> Passes | None:
    """The values that make ``test`` true, None where that is not said so simply."""
    field = fields[test.field]
    value: Any = (
        None
        if test.op in (Op.KNOWN, Op.UNKNOWN, Op.WITHIN_NEXT, Op.WITHIN_LAST)
        else test.typed_value(field.kind)
    )
    numeric = field.kind in (Kind.NUMBER, Kind.COUNT, Kind.POINTS, Kind.DATE)
    match test.op:
        case Op.IS:
            return Interval(value, value) if numeric else Words(frozenset({value}))
        case Op.IN if not numeric:
            return Words(value)
        case Op.IS_NOT if not numeric:
            return Words(frozenset({value}), inverted=True)
        case Op.NOT_IN if not numeric:
            return Words(value, inverted=True)
        case Op.AT_LEAST | Op.FROM:
            return Interval(low=value)
        case Op.AT_MOST | Op.UNTIL:
            return Interval(high=value)
        case Op.ABOVE | Op.AFTER:
            return Interval(low=value, low_open=True)
        case Op.BELOW | Op.BEFORE:
            return Interval(high=value, high_open=True)
        case Op.BETWEEN if numeric:
            return Interval(*value)
    return None


def test_words(test: Test) -> str:
    """A test as one says it."""
    value = (
        test.value
        if not isinstance(test.value, tuple)
        else "[" + ", ".join(str(choice) for choice in test.value) + "]"
    )
    shown = "" if value is None else f" {str(value).lower() if isinstance(value, bool) else value}"
    return f"{test.field} {test.op.value.replace('_', ' ')}{shown}"


def _alike(one: Test, other: Test) -> bool:
    return one.field == other.field and one.within == other.within


def _apart(one: Passes | None, other: Passes | None) -> bool:
    if isinstance(one, Words) and isinstance(other, Words):
        return one.apart(other)
    if isinstance(one, Interval) and isinstance(other, Interval):
        return one.apart(other)
    return False


def _before(one: Interval, other: Interval) -> bool:
    if one.high is None or other.low is None:
        return False
    return bool(
        one.high < other.low or (one.high == other.low and (one.high_open or other.low_open))
    )
