"""Conditions as written: ``all``, ``any``, ``not``, or a test ``{field, op, value}``; counts may
say ``within``."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag

from baton.agreement.condition_fields import Kind
from baton.agreement.model.base import Duration, Section, problem
from baton.agreement.quantities import DAY_MS, micro_of, parse_duration_ms
from baton.agreement.text_ranges import bounds_of


class Op(StrEnum):
    """Comparisons, named as one says them."""

    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    ABOVE = "above"
    BELOW = "below"
    BETWEEN = "between"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    MATCHES = "matches"
    BEFORE = "before"
    AFTER = "after"
    FROM = "from"
    UNTIL = "until"
    WITHIN_NEXT = "within_next"
    WITHIN_LAST = "within_last"
    HAS = "has"
    HAS_ANY = "has_any"
    HAS_ALL = "has_all"
    HAS_NONE = "has_none"
    KNOWN = "known"
    UNKNOWN = "unknown"


_ALWAYS = frozenset({Op.KNOWN, Op.UNKNOWN})
_EQUAL = frozenset({Op.IS, Op.IS_NOT, Op.IN, Op.NOT_IN})
_SIZE = frozenset({Op.AT_LEAST, Op.AT_MOST, Op.ABOVE, Op.BELOW, Op.BETWEEN})

OPS_OF: dict[Kind, frozenset[Op]] = {
    Kind.TEXT: _ALWAYS
    | _EQUAL
    | {Op.CONTAINS, Op.STARTS_WITH, Op.ENDS_WITH, Op.MATCHES, Op.BETWEEN},
    Kind.NUMBER: _ALWAYS | _EQUAL | _SIZE,
    Kind.POINTS: _ALWAYS | _SIZE,
    Kind.COUNT: _SIZE | {Op.IS, Op.IS_NOT},
    Kind.CHOICE: _ALWAYS | _EQUAL,
    Kind.FLAG: frozenset({Op.IS}),
    Kind.DATE: _ALWAYS
    | {Op.IS, Op.BEFORE, Op.AFTER, Op.FROM, Op.UNTIL, Op.BETWEEN, Op.WITHIN_NEXT, Op.WITHIN_LAST},
    Kind.SET: _ALWAYS | {Op.HAS, Op.HAS_ANY, Op.HAS_ALL, Op.HAS_NONE},
}
"""Which comparisons make sense for which kind of field."""

_MANY = frozenset({Op.IN, Op.NOT_IN, Op.HAS_ANY, Op.HAS_ALL, Op.HAS_NONE})


def _scalar(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list | tuple):
        return tuple(_scalar(item) for item in value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise problem("a value is a word, a number, true or false, or a list of these")


class Test(Section):
    """A test of one field."""

    __test__ = False

    field: str
    """What is looked at, such as ``profile.country`` or ``behaviour.act.demo_request``."""
    op: Op
    """The comparison."""
    value: Annotated[
        str | int | float | bool | tuple[str | int | float | bool, ...] | None,
        BeforeValidator(_scalar),
    ] = None
    """What it is compared with; a list for ``in``, ``not_in`` and the ``has_...`` ones, two values
    for ``between``."""
    within: Duration | None = None
    """For counts of behaviour: only acts of the last so many days."""

    def days(self) -> int:
        """The days of ``within_next`` and ``within_last``."""
        if not isinstance(self.value, str):
            raise ValueError(f'{self.op.value} needs a duration such as "90 days"')
        ms = parse_duration_ms(self.value)
        if ms % DAY_MS:
            raise ValueError(f"{self.op.value} counts whole days")
        return ms // DAY_MS

    def typed_value(self, kind: Kind) -> Any:
        """The value as the field's kind compares it. Raises ``ValueError`` in words."""
        if self.op in _MANY:
            if not isinstance(self.value, tuple) or not self.value:
                raise ValueError(f"{self.op.value} needs a list of values")
            return frozenset(_typed(item, kind) for item in self.value)
        if self.op is Op.BETWEEN:
            if not isinstance(self.value, tuple) or len(self.value) != 2:
                raise ValueError("between needs two values: [lowest, highest]")
            low, high = (_typed(bound, kind) for bound in self.value)
            if kind is Kind.TEXT:
                return bounds_of(low, high)
            if low > high:
                raise ValueError(
                    f"between {self.value[0]} and {self.value[1]} nothing can lie: the first must "
                    "be the smaller"
                )
            return low, high
        if isinstance(self.value, tuple):
            raise ValueError(f"{self.op.value} needs one value, not a list; use in for several")
        if self.value is None:
            raise ValueError(f"{self.op.value} needs a value")
        if self.op is Op.MATCHES:
            return _word(self.value)
        return _typed(self.value, kind)


def _typed(value: Any, kind: Kind) -> Any:
    return _TYPERS[kind](value)


def _text(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip().casefold()
    raise ValueError(f'{value} is not text: put it into quotes, "{value}"')


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f'{value} is not a word: put it into quotes, "{value}"')


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f'"{value}" is not a number')


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f'"{value}" is not a count: write a whole number')


def _points(value: Any) -> int:
    return micro_of(Decimal(str(_number(value))))


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f'"{value}" is neither true nor false')


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f'"{value}" is not a day: write it as 2026-12-31') from error


_TYPERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.SET: _text,
    Kind.CHOICE: _word,
    Kind.NUMBER: _number,
    Kind.COUNT: _whole,
    Kind.POINTS: _points,
    Kind.FLAG: _flag,
    Kind.DATE: _date,
}


class All(Section):
    """Every part must hold."""

    all: tuple["ConditionModel", ...] = Field(min_length=1)


class Any_(Section):
    """One part must hold."""

    any: tuple["ConditionModel", ...] = Field(min_length=1)


class Not(Section):
    """The part must not hold."""

    not_: "ConditionModel" = Field(alias="not")


def _form(value: Any) -> str | None:
    match value:
        case All() | Any_() | Not() | Test():
            return type(value).__name__.lower().rstrip("_")
        case dict():
            found = [operator for operator in ("all", "any", "not") if operator in value]
            return found[0] if found else "test"
    return None


ConditionModel = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[Any_, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Test, Tag("test")],
    Discriminator(
        _form,
        custom_error_type="agreement",
        custom_error_message=(
            "a condition is {all: [...]}, {any: [...]}, {not: ...} or {field: ..., op: ..., value: "
            "...}"
        ),
    ),
]

All.model_rebuild()
Any_.model_rebuild()
Not.model_rebuild()


def tests_of(
    condition: ConditionModel, path: tuple[str | int, ...]
) -> Iterator[tuple[Test, tuple[str | int, ...]]]:
    """Every test inside a condition, with its place."""
    match condition:
        case Test():
            yield condition, path
        case All():
            for number, part in enumerate(condition.all):
                yield from tests_of(part, (*path, "all", number))
        case Any_():
            for number, part in enumerate(condition.any):
                yield from tests_of(part, (*path, "any", number))
        case Not():
            yield from tests_of(condition.not_, (*path, "not"))


def tests_in(condition: ConditionModel) -> Iterator[Test]:
    """Every test inside a condition."""
    return (test for test, _ in tests_of(condition, ()))
