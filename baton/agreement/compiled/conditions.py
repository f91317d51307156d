"""Conditions, compiled: ``all`` / ``any`` / ``not`` and tests of one field, as closures over the
facts.

Three-valued: a test of something unknown is None, and None is never taken for true. ``all`` is
false as soon as one part is false, ``any`` true as soon as one is true, whatever else is unknown;
``not unknown`` is unknown. Text is compared without regard to case and surrounding blanks.
``at_least`` and ``below`` of points that decay are judged at the tenth that people read. Regular
expressions run in linear time (RE2), on the first 1,000 characters.
"""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from baton.agreement.compiled.levels import READ_MICRO
from baton.agreement.compiled.number_ranges import RangeCheck, range_check_of
from baton.agreement.compiled.patterns import matcher_of
from baton.agreement.condition_context import ConditionContext
from baton.agreement.condition_fields import Field, Getter, Kind, counter_of
from baton.agreement.model.condition import All, Any_, ConditionModel, Not, Op, Test
from baton.agreement.text_ranges import lies_between
from baton.agreement.wall_time import day_in, local_date
from baton.number_text import number_in, range_in

_PLAIN_DIGITS = 15
_DECAYING = frozenset({"score.engagement", "account.engagement"})

Condition = Callable[[ConditionContext], "bool | None"]
"""A compiled condition: True, False, or None where what it asks is not known."""

Reader = Callable[[Any], Any]
Check = Callable[[Any], bool]


def compile_condition(
    model: ConditionModel, catalogue: Mapping[str, Field], zone: ZoneInfo
) -> Condition:
    """The condition as one closure. ``zone`` is where "today" is, for dates relative to it. Raises
    ``KeyError`` for a field that is not in the catalogue and ``ValueError`` for a value that does
    not fit: ``baton agreement check`` reports both first."""
    match model:
        case All():
            return _all(tuple(compile_condition(arrival, catalogue, zone) for arrival in model.all))
        case Any_():
            return _any(tuple(compile_condition(inner, catalogue, zone) for inner in model.any))
        case Not():
            return _not(compile_condition(model.not_, catalogue, zone))
        case Test():
            return _test(model, catalogue[model.field], zone)


def always(context: ConditionContext) -> bool:
    """The condition of a rule that has none."""
    return True


def _all(parts: tuple[Condition, ...]) -> Condition:
    def decide(context: ConditionContext) -> bool | None:
        outcome: bool | None = True
        for part in parts:
            found = part(context)
            if found is False:
                return False
            if found is None:
                outcome = None
        return outcome

    return decide


def _any(parts: tuple[Condition, ...]) -> Condition:
    def decide(context: ConditionContext) -> bool | None:
        outcome: bool | None = False
        for part in parts:
            found = part(context)
            if found:
                return True
            if found is None:
                outcome = None
        return outcome

    return decide


def _not(part: Condition) -> Condition:
    def decide(context: ConditionContext) -> bool | None:
        found = part(context)
        return None if found is None else not found

    return decide


def _test(model: Test, field: Field, zone: ZoneInfo) -> Condition:
    get = counter_of(field, model.within) if field.kind is Kind.COUNT else field.getter
    if model.op in (Op.KNOWN, Op.UNKNOWN):
        return _is_known(get, wanted=model.op is Op.KNOWN)
    if model.op in (Op.WITHIN_NEXT, Op.WITHIN_LAST):
        return _near_today(get, model, zone)
    read = _day_reader(zone) if field.kind is Kind.DATE else _READERS[field.kind]
    check = _check_of(model, field)
    if field.profile_key is not None and read is _read_text:
        return _profile_words(field.profile_key, model) or _profile_text(field.profile_key, check)
    if read is None:
        return _direct(get, check)
    if field.kind is Kind.NUMBER:
        return _number(get, check, range_check_of(model.op, model.typed_value(field.kind)))
    return _converted(get, read, check)


def _is_known(get: Getter, *, wanted: bool) -> Condition:
    def decide(context: ConditionContext) -> bool:
        value = get(context)
        return (value is not None and value != "") is wanted

    return decide


def _direct(get: Getter, check: Check) -> Condition:
    def decide(context: ConditionContext) -> bool | None:
        value = get(context)
        return None if value is None else check(value)

    return decide


def _converted(get: Getter, read: Reader, check: Check) -> Condition:
    def decide(context: ConditionContext) -> bool | None:
        value = get(context)
        if value is None:
            return None
        value = read(value)
        return None if value is None else check(value)

    return decide


def _number(get: Getter, check: Check, range_check: RangeCheck) -> Condition:
    def decide(context: ConditionContext) -> bool | None:
        value = get(context)
        if value is None:
            return None
        number = _read_number(value)
        if number is not None:
            return check(number)
        ends = range_in(value)
        return None if ends is None else range_check(*ends)

    return decide


def _profile_words(key: str, model: Test) -> Condition | None:
    """The commonest tests, text of the profile against words, as one closure each: the hot path of
    fit."""
    if model.op not in (Op.IS, Op.IN, Op.IS_NOT, Op.NOT_IN):
        return None
    single = model.op in (Op.IS, Op.IS_NOT)
    wanted = frozenset({model.typed_value(Kind.TEXT)}) if single else model.typed_value(Kind.TEXT)
    met = model.op in (Op.IS, Op.IN)

    def decide(context: ConditionContext) -> bool | None:
        value = context.profile.get(key)
        if value is None:
            return None
        value = value.strip().casefold()
        return (value in wanted) is met if value else None

    return decide


def _profile_text(key: str, check: Check) -> Condition:
    def decide(context: ConditionContext) -> bool | None:
        value = context.profile.get(key)
        if value is None:
            return None
        value = value.strip().casefold()
        return check(value) if value else None

    return decide


def _near_today(get: Getter, model: Test, zone: ZoneInfo) -> Condition:
    days = model.days()
    ahead = model.op is Op.WITHIN_NEXT

    def decide(context: ConditionContext) -> bool | None:
        day = day_in(get(context) or "", zone)
        if day is None:
            return None
        distance = day.toordinal() - local_date(context.now_ms, zone).toordinal()
        return 0 <= distance <= days if ahead else -days <= distance <= 0

    return decide


def _read_text(value: str) -> str | None:
    return value.strip().casefold() or None


def _read_number(value: Any) -> float | None:
    if not isinstance(value, str):
        return float(value)
    if value.isdigit() and value.isascii() and len(value) <= _PLAIN_DIGITS:
        return float(value)  # what comes nearly always
    # What has two readings, such as 1.200, is not known.
    number = number_in(value)
    return None if number is None else float(number)


def _day_reader(zone: ZoneInfo) -> Reader:
    return lambda value: day_in(value, zone)


def _read_set(value: str) -> frozenset[str] | None:
    return frozenset(filter(None, (part.strip().casefold() for part in value.split(";")))) or None


_READERS: Mapping[Kind, Reader | None] = {
    Kind.TEXT: _read_text,
    Kind.NUMBER: _read_number,
    Kind.SET: _read_set,
    Kind.CHOICE: None,
    Kind.FLAG: None,
    Kind.POINTS: None,
    Kind.COUNT: None,
}


def _check_of(model: Test, field: Field) -> Check:
    wanted = model.typed_value(field.kind)
    if field.name in _DECAYING and model.op in (Op.AT_LEAST, Op.BELOW):
        wanted -= READ_MICRO  # asked as people read them, like the thresholds of levels
    match model.op:
        case Op.IS:
            return lambda value: bool(value == wanted)
        case Op.IS_NOT:
            return lambda value: bool(value != wanted)
        case Op.IN:
            return lambda value: value in wanted
        case Op.NOT_IN:
            return lambda value: value not in wanted
        case Op.AT_LEAST | Op.FROM:
            return lambda value: bool(value >= wanted)
        case Op.AT_MOST | Op.UNTIL:
            return lambda value: bool(value <= wanted)
        case Op.ABOVE | Op.AFTER:
            return lambda value: bool(value > wanted)
        case Op.BELOW | Op.BEFORE:
            return lambda value: bool(value < wanted)
        case Op.BETWEEN:
            return lies_between(*wanted) if field.kind is Kind.TEXT else _between(*wanted)
        case Op.CONTAINS:
            return lambda value: wanted in value
        case Op.STARTS_WITH:
            return lambda value: bool(value.startswith(wanted))
        case Op.ENDS_WITH:
            return lambda value: bool(value.endswith(wanted))
        case Op.MATCHES:
            return matcher_of(wanted)
        case _:
            return _of_sets(model.op, wanted)


def _between(low: Any, high: Any) -> Check:
    return lambda value: bool(low <= value <= high)


def _of_sets(op: Op, wanted: Any) -> Check:
    match op:
        case Op.HAS:
            return lambda value: wanted in value
        case Op.HAS_ANY:
            return lambda value: not wanted.isdisjoint(value)
        case Op.HAS_ALL:
            return lambda value: bool(wanted <= value)
        case Op.HAS_NONE:
            return lambda value: bool(wanted.isdisjoint(value))
    raise ValueError(f"{op} has no comparison")
