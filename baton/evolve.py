"""Frozen records with slots, made several times as fast as by their own ``__init__``: for what
every event passes.

A frozen dataclass sets each field by ``object.__setattr__`` and checks nothing. The functions here
fill an object of a class that has the same slots and is not frozen (:func:`unfrozen`), where a
field is a plain assignment, and then make it one of the record's class. Each is made once for a
record type, as the dataclass's own was. Records with ``__post_init__`` are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_UNSET = object()


def evolve(record: T, **changes: Any) -> T:
    """``dataclasses.replace``: ``record`` with other values for the fields named. Raises TypeError
    for one it does not have."""
    record_type: Any = type(record)
    evolved: T = _evolver(record_type, tuple(changes))(record, *changes.values())
    return evolved


def maker(record_type: type[T]) -> Callable[..., T]:
    """``record_type`` as a function of its fields, by place or by name, with the same defaults,
    those that are made too."""
    described = fields(record_type)  # type: ignore[arg-type]  # a dataclass
    defaults = {field.name: field.default for field in described if field.default is not MISSING}
    fresh = {
        field.name: field.default_factory
        for field in described
        if field.default_factory is not MISSING
    }
    values = {
        name: f"fresh_{name}() if {name} is unset_ else {name}" if name in fresh else name
        for name in _names(record_type)
    }
    scope = {"unset_": _UNSET, **{f"fresh_{name}": make for name, make in fresh.items()}}
    return _compiled(record_type, (), values, defaults | dict.fromkeys(fresh, _UNSET), scope)


@cache
def unfrozen(record_type: Any) -> Any:
    """A class with the slots of ``record_type`` whose objects can be changed, and can become
    records by ``__class__``. None for a record that has no slots of its own, or inherits more than
    ``Generic``."""
    own = vars(record_type).get("__slots__")
    if own is None or not set(record_type.__bases__) <= {object, Generic}:
        return None
    generic = {name: value for name, value in vars(record_type).items() if name == "__orig_bases__"}
    twin = type(record_type.__name__, record_type.__bases__, {"__slots__": own, **generic})
    object.__setattr__(object.__new__(twin), "__class__", record_type)  # raises if not alike
    return twin


@lru_cache(maxsize=1024)
def _evolver(record_type: Any, changed: tuple[str, ...]) -> Callable[..., Any]:
    names = _names(record_type)
    unknown = [name for name in changed if name not in names]
    if unknown:
        raise TypeError(f"{record_type.__name__} has no field {unknown[0]}")
    values = {name: name if name in changed else f"old_.{name}" for name in names}
    return _compiled(record_type, ("old_", *changed), values, {}, {})


def filling(
    record_type: Any, place: str, values: Mapping[str, str], scope: dict[str, Any]
) -> list[str]:
    """Lines of Python that make ``place`` a record of ``values``, expressions by field; what they
    use is put into ``scope``."""
    name, twin = record_type.__name__, unfrozen(record_type)
    scope |= {"new": object.__new__, name: record_type}
    if twin is not None:
        scope[f"{name}_unfrozen"] = twin
        return [
            f"{place} = new({name}_unfrozen)",
            *(f"{place}.{field} = {value}" for field, value in values.items()),
            f"{place}.__class__ = {name}",
        ]
    scope |= {f"{name}_{field}": getattr(record_type, field).__set__ for field in values}
    return [
        f"{place} = new({name})",
        *(f"{name}_{field}({place}, {value})" for field, value in values.items()),
    ]


def _names(record_type: Any) -> list[str]:
    if hasattr(record_type, "__post_init__") or not hasattr(record_type, "__slots__"):
        raise TypeError(f"{record_type.__name__} has no slots, or a __post_init__")
    return [field.name for field in fields(record_type)]


def _compiled(
    record_type: Any,
    parameters: Iterable[str],
    values: Mapping[str, str],
    defaults: Mapping[str, Any],
    more: Mapping[str, Any],
) -> Callable[..., Any]:
    """A function of ``parameters`` (none named: all fields) that makes a record of ``values``,
    expressions by field."""
    scope: dict[str, Any] = {**more}
    scope |= {f"default_{name}": value for name, value in defaults.items()}
    named = [
        f"{name}=default_{name}" if name in defaults else name
        for name in (tuple(parameters) or values)
    ]
    lines = [f"    {line}" for line in filling(record_type, "new_", values, scope)]
    text = "\n".join([f"def made({', '.join(named)}):", *lines, "    return new_"])
    # our own field names alone, as in dataclasses
    exec(compile(text, f"<make {record_type.__name__}>", "exec"), scope)
    function: Callable[..., Any] = scope["made"]
    return function
