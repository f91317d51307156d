"""The Avro schema that a frozen dataclass mirrors: for the drift check, and to draft the file of a
new record.

``str`` is string, ``int`` long, ``bool`` boolean, ``bytes`` bytes, ``X | None`` a union with null
first, ``tuple[X, ...]`` array, ``Mapping[str, X]`` map, a ``StrEnum`` string (so that a word can be
added without breaking readers), a dataclass record. A Python default is an Avro default. Recursive
records are refused: hostile input could nest them without end.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

_PRIMITIVES: dict[type, str] = {str: "string", int: "long", bool: "boolean", bytes: "bytes"}


def avro_schema_of(record_type: type) -> dict[str, Any]:
    """The schema of ``record_type`` in namespace ``baton``; raises TypeError for a type that has no
    mapping."""
    schema: dict[str, Any] = _record(record_type, seen=set(), path=())
    return schema


def _record(record_type: Any, *, seen: set[str], path: tuple[str, ...]) -> Any:
    name = record_type.__name__
    if name in path:
        raise TypeError(f"{name} contains itself: {' -> '.join((*path, name))}")
    if name in seen:
        return f"baton.{name}"
    hints = get_type_hints(record_type)
    described = [
        _field(field, hints[field.name], seen=seen, path=(*path, name))
        for field in fields(record_type)
    ]
    seen.add(name)
    return {
        "type": "record",
        "namespace": "baton",
        "name": name,
        "doc": _first_line(record_type),
        "fields": described,
    }


def _field(
    field: "Field[Any]", hint: Any, *, seen: set[str], path: tuple[str, ...]
) -> dict[str, Any]:
    described: dict[str, Any] = {"name": field.name, "type": _avro_type(hint, seen=seen, path=path)}
    if field.default is not MISSING:
        described["default"] = (
            field.default.value if isinstance(field.default, StrEnum) else _plain(field.default)
        )
    elif field.default_factory is not MISSING:
        described["default"] = _plain(field.default_factory())
    return described


def _avro_type(hint: Any, *, seen: set[str], path: tuple[str, ...]) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _PRIMITIVES:
        return _PRIMITIVES[hint]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return "string"
    if is_dataclass(hint) and isinstance(hint, type):
        return _record(hint, seen=seen, path=path)
    if origin in (types.UnionType, Union) and len(arguments) == 2 and type(None) in arguments:
        (some,) = (argument for argument in arguments if argument is not type(None))
        return ["null", _avro_type(some, seen=seen, path=path)]
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return {"type": "array", "items": _avro_type(arguments[0], seen=seen, path=path)}
    if origin is Mapping and arguments[0] is str:
        return {"type": "map", "values": _avro_type(arguments[1], seen=seen, path=path)}
    supertype = getattr(hint, "__supertype__", None)
    if supertype is not None:
        return _avro_type(supertype, seen=seen, path=path)
    raise TypeError(f"{' -> '.join(path)}: {hint!r} has no Avro type")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, tuple | Mapping) and not value:
        return [] if isinstance(value, tuple) else {}
    if value is None or isinstance(value, str | int | bool):
        return value
    raise TypeError(f"a default of type {type(value).__name__} has no Avro form")


def _first_line(record_type: type) -> str:
    return (record_type.__doc__ or "").strip().split("\n")[0]
