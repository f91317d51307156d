"""From bytes to an event line, at bounded cost, with every complaint naming its field and none
repeating a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jiter import from_json
from pydantic import ValidationError

from baton.intake.fields import FORMS
from baton.intake.lines import MAX_EVENT_BYTES, EventLine

MAX_CONTAINERS = 128
_MAX_PROBLEMS = 20
# A text that does not end goes to the end: were it no match, each quote in it would be tried, and
# each try go to the end.
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_SAFE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,47}\Z")

_WORDS = {
    "extra_forbidden": "is not a field of an event",
    "missing": "is missing",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be an integer",
    "list_type": "must be one text or a list of texts",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field (a path like ``engagement.act``; empty for the whole)."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else self.reason


class LineRefused(ValueError):
    """An event that cannot be taken. ``code`` is a stable word; the text has every problem and no
    value of the event."""

    def __init__(self, code: str, problems: Iterable[Problem]) -> None:
        self.code = code
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))

    @classmethod
    def of(cls, code: str, reason: str, field: str = "") -> LineRefused:
        """A refusal with one problem."""
        return cls(code, (Problem(field, reason),))


def read_json(
    raw: bytes, *, max_bytes: int = MAX_EVENT_BYTES, max_containers: int = MAX_CONTAINERS
) -> Any:
    """The JSON value in ``raw``; raises :class:`LineRefused` for what is too long, too deep, or no
    JSON.

    NaN is none, and a key that comes twice is refused: readers of JSON differ in which of the two
    holds.
    """
    if len(raw) > max_bytes:
        raise LineRefused.of("too_long", f"has {len(raw)} bytes, the limit is {max_bytes}")
    # Objects and lists are counted before they are made. Braces inside texts do not count, but are
    # rarely many.
    if _containers(raw) > max_containers and _containers(_STRINGS.sub(b"", raw)) > max_containers:
        raise LineRefused.of("too_nested", f"has more than {max_containers} objects and lists")
    try:
        return from_json(
            raw.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False, catch_duplicate_keys=True
        )
    except ValueError as error:
        place = re.search(r"at line \d+ column \d+\Z", str(error))
        if str(error).startswith("Detected duplicate key"):
            raise LineRefused.of(
                "duplicate_key", f"has a key twice ({place[0] if place else 'somewhere'})"
            ) from None
        raise LineRefused.of(
            "malformed", f"is not JSON in UTF-8 ({place[0] if place else 'it ends too early'})"
        ) from None


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in ``raw``."""
    value = read_json(raw)
    if not isinstance(value, dict):
        raise LineRefused.of("wrong_type", "must be a JSON object")
    return value


def read_line(value: bytes | Mapping[str, Any]) -> EventLine:
    """The event line in a JSON text or an object; raises :class:`LineRefused`."""
    content = read_object(value) if isinstance(value, bytes) else value
    try:
        return EventLine.model_validate(content)
    except ValidationError as error:
        raise LineRefused("invalid", problems_of(error)) from None


def problems_of(error: ValidationError) -> tuple[Problem, ...]:
    """The problems of a validation, the first ones, without any value."""
    found = error.errors(include_url=False, include_context=True, include_input=False)
    return tuple(_problem(detail) for detail in found[:_MAX_PROBLEMS])


def _problem(error: Any) -> Problem:
    context = error.get("ctx") or {}
    path = [
        str(part) if isinstance(part, int) or _SAFE_NAME.match(part) else "(unnamed)"
        for part in error["loc"]
    ]
    if error["type"] == "baton_field":
        path.append(str(context["field"]))
    if (pattern := context.get("pattern")) is not None:
        return Problem(".".join(path), f"must be {FORMS.get(pattern, f'of the form {pattern}')}")
    return Problem(".".join(path), _WORDS.get(error["type"]) or _lower_first(str(error["msg"])))


def _lower_first(text: str) -> str:
    for start in (
        "String should",
        "Input should",
        "Value should",
        "List should",
        "Dictionary should",
        "Value error,",
    ):
        if text.startswith(start):
            return (
                "must" + text.removeprefix(start)
                if start.endswith("should")
                else text.removeprefix(start).strip()
            )
    return text


def _containers(raw: bytes) -> int:
    return raw.count(b"[") + raw.count(b"{")
