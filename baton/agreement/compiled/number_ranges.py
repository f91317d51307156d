"""A number that is known only as a range (``51-200``, ``250+``) against a condition: true or false
where every number of the range says so, else unknown. Pure."""

from collections.abc import Callable
from typing import Any, Final

from baton.agreement.model.condition import Op

RangeCheck = Callable[[float, float], "bool | None"]
"""Whether the condition holds of the numbers from the first to the second, both included; None: of
some."""

_NEGATED: Final = {Op.IS_NOT: Op.IS, Op.NOT_IN: Op.IN, Op.BELOW: Op.AT_LEAST, Op.AT_MOST: Op.ABOVE}


def range_check_of(op: Op, wanted: Any) -> RangeCheck:
    """The check of a comparison of numbers with ``wanted`` (for ``between`` its ends, for ``in``
    its numbers)."""
    if op in _NEGATED:
        positive = range_check_of(_NEGATED[op], wanted)
        return lambda low, high: None if (found := positive(low, high)) is None else not found
    match op:
        case Op.AT_LEAST:
            return lambda low, high: True if low >= wanted else None if high >= wanted else False
        case Op.ABOVE:
            return lambda low, high: True if low > wanted else None if high > wanted else False
        case Op.BETWEEN:
            first, last = wanted
            return lambda low, high: (
                True
                if first <= low and high <= last
                else None
                if low <= last and high >= first
                else False
            )
        case Op.IS | Op.IN:
            numbers = wanted if op is Op.IN else (wanted,)
            return lambda low, high: (
                low in numbers
                if low == high
                else None
                if any(low <= number <= high for number in numbers)
                else False
            )
    raise ValueError(f"{op} does not compare numbers")
