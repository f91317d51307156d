"""What the models say of a description, as plain words: the path as the file has it, the reason,
the way out. A value is never repeated: it may be a secret that stands in the wrong place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

from baton.agreement.document import Document
from baton.agreement.problems import Problem, path_words
from baton.agreement.source.validation_errors import path_in

_KEY = "[key]"
_TYPES: Mapping[str, str] = {
    "string_type": "must be text: put it in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a list of names, each with its value (name: value)",
    "model_type": "must be a list of keys (key: value)",
    "model_attributes_type": "must be a list of keys (key: value)",
    "list_type": "must be a list: [one, two]",
    "too_short": "is empty: say at least one",
    "string_too_short": "is empty",
    "extra_forbidden": "is not a key here",
    "missing": "is missing",
}
_PATTERNS: Mapping[str, str] = {
    "secret_env": (
        "must be the name of an environment variable, in capital letters, digits and _, such as "
        "BATON_SECRET_FORM; the secret itself does not belong in the file"
    ),
    "public_url": "must be scheme and host without a path, such as https://leads.example.com",
    "path": "must begin with /hooks/, then letters, digits, /, _ and -, such as /hooks/form",
    "redirect": "must be an address, such as https://www.example.com/thanks",
}
_NAME = (
    "cannot be the name of a source: begin with a small letter; then small letters, digits, _ and "
    "-, at most 40 characters"
)


def problem_of(detail: ErrorDetails, document: Document) -> Problem:
    """One error of the models, with its place in the file."""
    location = detail["loc"]
    path, _ = path_in(location, document.data)
    if detail["type"] == "missing":
        path = (*path, str(location[-1]))
    place = document.place(path)
    message = f"{path_words(path) or 'the file'} {_reason(detail)}"
    return Problem(message=message, path=path, line=place.line if place else 0)


def _reason(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    match kind:
        case "literal_error":
            return f"must be one of {str(context['expected']).replace(' or ', ', ')}"
        case "string_pattern_mismatch":
            return _pattern(detail["loc"])
        case "too_long" | "string_too_long":
            return f"is too long: at most {context['max_length']}"
        case "greater_than_equal" | "less_than_equal":
            return f"must be at {_bound(context)}"
    return _TYPES.get(kind) or detail["msg"].removeprefix("Value error, ")


def _pattern(location: tuple[str | int, ...]) -> str:
    name = str(location[-1])
    if name == _KEY:
        return _NAME
    return _PATTERNS["secret_env" if name == "verify_env" else name]


def _bound(context: Mapping[str, Any]) -> str:
    return f"least {context['ge']}" if "ge" in context else f"most {context['le']}"
