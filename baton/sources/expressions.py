"""JMESPath with total functions: what cannot be computed is null, and nothing raises. Pure.

A function that is given what it does not take (a null, a text for a number) gives null instead of
an error, so that a field whose parts are missing is missing. Names and numbers of arguments are
checked when an expression is compiled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError, JMESPathTypeError

from baton.derived_ids import derived_id
from baton.intake.identifiers import salesforce_id
from baton.number_text import number_text
from baton.sources.amounts_and_days import day_of, minor_amount

_NOT_WORD = re.compile(r"[^a-z0-9]+")
_MAX_CHARACTERS = 2_000
_MAX_SPREAD = 2_500
_READS_ON = ("subexpression",)
_TEXT: Mapping[str, Any] = {"types": ["string"]}
_NUMBER: Mapping[str, Any] = {"types": ["number"]}
_TEXT_OR_NUMBER: Mapping[str, Any] = {"types": ["string", "number"]}
_OBJECT: Mapping[str, Any] = {"types": ["object"]}
_SCALAR: Mapping[str, Any] = {"types": ["string", "number", "boolean"]}

_Method = TypeVar("_Method", bound=Callable[..., Any])


def _takes(*arguments: Mapping[str, Any]) -> Callable[[_Method], _Method]:
    """Says what a function's arguments are, as JMESPath's own do."""
    decorator: Callable[[_Method], _Method] = functions.signature(*arguments)
    return decorator


class TotalFunctions(functions.Functions):  # type: ignore[misc]  # published without types
    """JMESPath's own functions and a few more, none of which raises. ``people``: whom ``person()``
    finds."""

    def __init__(self, people: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.people = people or {}

    def call_function(self, function_name: str, resolved_args: list[Any]) -> Any:
        """The function's value, or None."""
        try:
            return super().call_function(function_name, resolved_args)
        except (JMESPathTypeError, ArithmeticError, ValueError, RecursionError):
            return None

    @_takes(_SCALAR)
    def _func_text(self, value: Any) -> str:
        """A text, number or truth value as text; not "null", and no structure."""
        if isinstance(value, bool):
            return str(value).lower()
        return value if isinstance(value, str) else number_text(value)

    @_takes(_TEXT)
    def _func_lower(self, text: str) -> str:
        """In lower case."""
        return text.lower()

    @_takes(_TEXT)
    def _func_trim(self, text: str) -> str | None:
        """Without blanks around it; null where nothing is left."""
        return text.strip() or None

    @_takes(_TEXT)
    def _func_word(self, text: str) -> str | None:
        """A word of an agreement: ``Demo Requested!`` is ``demo_requested``; null where no letter
        or digit is left."""
        return _NOT_WORD.sub("_", text.lower()).strip("_")[:64] or None

    @_takes(_TEXT, _TEXT)
    def _func_before(self, text: str, mark: str) -> str | None:
        """What stands before the first ``mark``; null without one."""
        head, found, _ = text.partition(mark)
        return head if found else None

    @_takes(_TEXT, _TEXT)
    def _func_after(self, text: str, mark: str) -> str | None:
        """What stands after the first ``mark``; null without one."""
        _, found, tail = text.partition(mark)
        return tail if found else None

    @_takes(_SCALAR, _OBJECT)
    def _func_lookup(self, value: Any, table: Mapping[str, Any]) -> Any:
        """The table's entry for a value; null without one."""
        return table.get(self._func_text(value))

    @_takes({"types": [], "variadic": True})
    def _func_digest(self, *values: Any) -> str:
        """A text that is the same for the same values only: an id for what has none."""
        return derived_id("digest", json.dumps(values, sort_keys=True, default=str))

    @_takes(_NUMBER, _NUMBER)
    def _func_div(self, dividend: float, divisor: float) -> float:
        """A quotient; null for a division by zero."""
        return dividend / divisor

    @_takes(_TEXT)
    def _func_utc(self, text: str) -> str | None:
        """A moment without a zone as one of UTC: ``2026-03-02 10:00:00`` gets its T and Z."""
        found = _NAIVE.fullmatch(text.strip())
        return f"{found[1]}T{found[2]}Z" if found else text.strip() or None

    @_takes(_TEXT)
    def _func_salesforce_id(self, text: str) -> str:
        """The id with its 18 characters; null for what is none."""
        return salesforce_id(text.strip())

    @_takes(_TEXT)
    def _func_person(self, text: str) -> str | None:
        """The person of the agreement with this id elsewhere (``hubspot:12``, an address); null for
        nobody of the book."""
        return self.people.get(text.strip().casefold())

    @_takes(_TEXT_OR_NUMBER, _TEXT)
    def _func_minor(self, amount: str | float, currency: str) -> int | None:
        """An amount in minor units of its currency: ``48000.50`` of EUR is 4800050; null for what
        is no number."""
        return minor_amount(amount, currency)

    @_takes(_TEXT_OR_NUMBER, _TEXT)
    def _func_day(self, moment: str | float, zone: str) -> str | None:
        """The day of a moment in a zone (``Europe/Berlin``): of milliseconds, also as text, or of
        ISO 8601; a day stays as it is."""
        return day_of(moment, zone)

    @_takes(_OBJECT, _TEXT, {"types": []})
    def _func_spread(self, record: Mapping[str, Any], name: str, values: Any) -> list[Any]:
        """The record once for each of several values, which stands under ``name``; as it is where
        there are none."""
        if not isinstance(values, list) or not values:
            return [record]
        return [{**record, name: value} for value in values[:_MAX_SPREAD]]

    @_takes(_NUMBER)
    def _func_from_seconds(self, seconds: float) -> int:
        """Seconds since 1970 as the milliseconds that an event line takes."""
        return int(seconds * 1_000)


_NAIVE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)")


def options_with(people: Mapping[str, str]) -> Any:
    """How expressions are evaluated where these people are known."""
    return jmespath.Options(custom_functions=TotalFunctions(people))


_OPTIONS = options_with({})


class ExpressionWrong(ValueError):
    """An expression that cannot be used; the text says why and what there is."""


class Expression:
    """A compiled expression."""

    __slots__ = ("_parsed", "text")

    def __init__(self, text: str) -> None:
        if len(text) > _MAX_CHARACTERS:
            raise ExpressionWrong(f"has more than {_MAX_CHARACTERS} characters")
        self.text = text
        try:
            self._parsed = jmespath.compile(text)
        except JMESPathError as error:
            raise ExpressionWrong(f"is no JMESPath: {str(error).splitlines()[0]}") from None
        for node in _nodes(self._parsed.parsed):
            if node["type"] == "function_expression":
                _check_call(node["value"], len(node["children"]))
            elif node["type"] in _READS_ON and node["children"][0]["type"] == "not_expression":
                raise ExpressionWrong("!a.b is read as (!a).b, which is never true: say !(a.b)")

    def value(self, record: Any, options: Any = _OPTIONS) -> Any:
        """What it gives for a record; None where it cannot be computed."""
        try:
            return self._parsed.search(record, options=options)
        except (JMESPathError, ArithmeticError, ValueError, TypeError, RecursionError):
            return None


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _nodes(child)


def _check_call(name: str, given: int) -> None:
    spec = TotalFunctions.FUNCTION_TABLE.get(name)
    if spec is None:
        there = ", ".join(sorted(TotalFunctions.FUNCTION_TABLE))
        raise ExpressionWrong(f"there is no function {name}(); there are {there}")
    wanted = len(spec["signature"])
    variadic = bool(spec["signature"]) and spec["signature"][-1].get("variadic", False)
    if given < wanted or (given > wanted and not variadic):
        raise ExpressionWrong(f"{name}() takes {wanted} argument{'s' * (wanted != 1)}, not {given}")
