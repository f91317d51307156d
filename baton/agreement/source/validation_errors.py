"""Turns what the models say about a value into words with a place: unknown keys with the key that
was meant, wrong types, missing parts. All of them at once.
"""

import types
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from baton.agreement.document import Document
from baton.agreement.model.agreement import Agreement
from baton.agreement.problems import Path, Problem, did_you_mean, path_words

_KEY = "[key]"
_FORMS = ("all", "any", "not")
"""Keys that stand instead of a test's field and op."""
_TYPES: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a list of names, each with its value (name: value)",
    "model_type": "a list of keys (key: value)",
    "tuple_type": "a list: [one, two]",
    "list_type": "a list: [one, two]",
}


def shape_problems(error: ValidationError, document: Document) -> list[Problem]:
    """Every error of the models, in the order of the file, each once."""
    details = error.errors(include_url=False)
    unknown = {
        path_in(detail["loc"], document.data)[0]
        for detail in details
        if detail["type"] == "extra_forbidden"
    }
    found = [
        _problem_of(detail, document, unknown)
        for detail in details
        if not _only_follows(detail, details)
    ]
    return sorted(
        {problem for problem in found if problem is not None},
        key=lambda problem: (problem.line, problem.column, problem.message),
    )


def _only_follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """A list that counts as too short only because its items are wrong."""
    loc = detail["loc"]
    return detail["type"] == "too_short" and any(
        error_details["loc"][: len(loc)] == loc and error_details is not detail
        for error_details in details
    )


def _problem_of(detail: ErrorDetails, document: Document, unknown: set[Path]) -> Problem | None:
    path, rest = path_in(detail["loc"], document.data)
    kind = detail["type"]
    if kind == "missing":
        wanted = str(detail["loc"][-1])
        if any(
            key[:-1] == path and meant_key(key, document.data) in (wanted, *_FORMS)
            for key in unknown
            if key
        ):
            return None
        message = f"{_named(path)} lacks {wanted}"
    elif kind == "extra_forbidden":
        known = sorted(_keys_at(path[:-1], document.data))
        message = (
            f'unknown key "{path[-1]}" in {_named(path[:-1])}{did_you_mean(str(path[-1]), known)}'
        )
        if detail["input"] is None:
            message += (
                " (a comma inside braces begins a new key: put text that has one into quotes)"
            )
    elif _KEY in rest:
        message = (
            f'"{path[-1]}" cannot be a name: use letters, digits, dot, dash and underscore, at '
            "most 64"
        )
        if kind == "agreement":
            message = detail["msg"]
    else:
        message = f"{_named(path)}: {_words_of(detail)}"
    place = document.place(path)
    return Problem(
        message=message,
        path=path,
        line=place.line if place else 0,
        column=place.column if place else 0,
    )


def _words_of(detail: ErrorDetails) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    shown = _shown(given)
    if kind in ("agreement", "value_error"):
        return detail["msg"].removeprefix("Value error, ")
    if kind in ("literal_error", "enum"):
        choices = [
            part.strip(" '")
            for part in str(context.get("expected", "")).replace(" or ", ", ").split(",")
        ]
        close = _close(given, choices)
        return (
            f"{shown} cannot stand here{close}"
            if close
            else f"{shown} is not one of {', '.join(choices)}"
        )
    if kind in _TYPES:
        if kind == "bool_type" and isinstance(given, str):
            return f"{shown} is text: write true or false"
        if kind == "string_type" and isinstance(given, int | float) and not isinstance(given, bool):
            return f'{shown} is a number where text is meant: write "{given}" in quotes'
        return f"{shown} stands where {_TYPES[kind]} is expected"
    if kind == "string_pattern_mismatch":
        return f"{shown} cannot stand here: {_pattern_words(str(context.get('pattern', '')))}"
    if kind in ("too_short", "string_too_short"):
        return "is empty"
    if kind == "string_too_long":
        return f"is longer than {context.get('max_length')} characters"
    if kind in ("greater_than_equal", "less_than_equal", "greater_than", "less_than"):
        bound = next(iter(context.values()), "")
        return (
            f"{shown} is too "
            f"{'small: at least' if kind.startswith('greater') else 'large: at most'} {bound}"
        )
    return detail["msg"]


def _pattern_words(pattern: str) -> str:
    if "_.-" in pattern:
        return "names have letters, digits, dot, dash and underscore, at most 64"
    if "{3}" in pattern:
        return "currencies are written as three letters, such as EUR"
    if "[A-Z]{2}" in pattern:
        return "places are written as DE, DE-BE or US-NY"
    return f"it must look like {pattern}"


def _close(given: Any, choices: list[str]) -> str:
    hint = did_you_mean(given, choices) if isinstance(given, str) else ""
    return hint if hint.startswith("; did") else ""


def _shown(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case None:
            return "nothing"
        case str():
            return f'"{value[:60]}"'
        case dict() | list() | tuple():
            return "a list" if not isinstance(value, dict) else "a list of keys"
    return str(value)[:60]


def _named(path: Path) -> str:
    return path_words(path) if path else "the agreement"


def path_in(loc: tuple[int | str, ...], data: Any) -> tuple[Path, tuple[str, ...]]:
    """The part of ``loc`` that is in the file (models add tags of their own), and what is left."""
    path: list[str | int] = []
    rest: list[str] = []
    for step in loc:
        if _has(data, step) and rest[-1:] != [_KEY]:
            data = data[step]
            path.append(step)
        else:
            rest.append(str(step))
    return tuple(path), tuple(rest)


def _has(data: Any, step: str | int) -> bool:
    return (isinstance(data, dict) and step in data) or (
        isinstance(data, list) and isinstance(step, int) and step < len(data)
    )


def meant_key(path: Path, data: Any) -> str:
    """The known key that the unknown one at ``path`` was meant to be; empty: there is none like
    it."""
    hint = did_you_mean(str(path[-1]), _keys_at(path[:-1], data))
    return hint.split('"')[1] if hint.startswith("; did") else ""


def _keys_at(path: Path, data: Any) -> set[str]:
    """The keys that the model at ``path`` knows."""
    models: list[Any] = [Agreement]
    for step in path:
        data = data[step] if _has(data, step) else None
        models = [inner for model in models for inner in _inside(model, step)]
    keys: set[str] = set()
    for model in models:
        if isinstance(model, type) and issubclass(model, BaseModel):
            keys |= {model_field.alias or name for name, model_field in model.model_fields.items()}
    return keys


def _inside(annotation: Any, step: str | int) -> Iterator[Any]:
    """The types of what is at ``step`` inside a value of type ``annotation``."""
    for plain in _plain(annotation):
        origin = get_origin(plain)
        if origin is dict:
            yield from _plain(get_args(plain)[1])
        elif origin is tuple:
            yield from _plain(get_args(plain)[0])
        elif isinstance(plain, type) and issubclass(plain, BaseModel):
            for name, field in plain.model_fields.items():
                if step == (field.alias or name):
                    yield from _plain(field.annotation)


def _plain(annotation: Any) -> Iterator[Any]:
    """The types behind ``Annotated``, unions and optional ones."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _plain(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for arg in get_args(annotation):
            yield from _plain(arg)
    elif (
        origin is Literal
        or (isinstance(annotation, type) and issubclass(annotation, Enum))
        or isinstance(annotation, Tag)
    ):
        return
    elif annotation is not type(None):
        yield annotation
