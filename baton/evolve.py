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
from functools import cache
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

_UNSET = object()
_MAX_EVOLVERS: Final = 1_024


def evolve(record: T, **changes: Any) -> T:
    """``dataclasses.replace``: ``record`` with other values for the fields named. Raises TypeError
    for one it does not have."""
    evolved: T = _EVOLVERS[type(record), *changes](record, *changes.values())
    return evolved


def maker(record_type: type[T]) -> Callable[..., T]:
    """``record_type`` as a function of its fields, by place or by name, with the same defaults,
    those that are made too."""
    values, defaults, scope = _given(record_type)
    return _compiled(record_type, (), values, defaults, scope)


def quick(record_type: type[T]) -> type[T]:
    """A class decorator: the constructor of the record does what :func:`maker` does."""
    described: Any = record_type
    values, defaults, scope = _given(described)
    twin = unfrozen(described)
    if twin is None:
        raise TypeError(f"{record_type.__name__} has no slots of its own, or inherits others")
    by_name = [field.name for field in fields(described) if field.kw_only]
    by_place = [name for name in values if name not in by_name]
    scope |= {"unfrozen_": twin, "of_": record_type, "as_": object.__setattr__}
    scope |= {f"default_{name}": value for name, value in defaults.items()}
    named = [f"{name}=default_{name}" if name in defaults else name for name in by_place]
    named += ["*"] if by_name else []
    named += [f"{name}=default_{name}" if name in defaults else name for name in by_name]
    lines = [
        f"def __init__(self_, {', '.join(named)}):",
        "    as_(self_, '__class__', unfrozen_)",
        *(f"    self_.{name} = {value}" for name, value in values.items()),
        "    self_.__class__ = of_",
    ]
    constructor = _function("__init__", lines, record_type, scope)
    type.__setattr__(record_type, "__init__", constructor)
    return record_type


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


class _Evolvers(dict[tuple[Any, ...], Callable[..., Any]]):
    """By record type and the fields that change: as many as the code has calls."""

    def __missing__(self, wanted: tuple[Any, ...]) -> Callable[..., Any]:
        if len(self) >= _MAX_EVOLVERS:
            self.clear()
        record_type, *changed = wanted
        self[wanted] = found = _evolver(record_type, changed)
        return found


_EVOLVERS: Final = _Evolvers()


def _evolver(record_type: Any, changed: list[str]) -> Callable[..., Any]:
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
    scope |= {"make_": object.__new__, name: record_type}
    if twin is not None:
        scope[f"{name}_unfrozen"] = twin
        return [
            f"{place} = make_({name}_unfrozen)",
            *(f"{place}.{field} = {value}" for field, value in values.items()),
            f"{place}.__class__ = {name}",
        ]
    scope |= {f"{name}_{field}": getattr(record_type, field).__set__ for field in values}
    return [
        f"{place} = make_({name})",
        *(f"{name}_{field}({place}, {value})" for field, value in values.items()),
    ]


def _given(record_type: Any) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
    """For a function of all fields: by field the expression of its value and its default, and what
    these use."""
    described = fields(record_type)
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
    return values, defaults | dict.fromkeys(fresh, _UNSET), scope


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
    lines = [f"def made({', '.join(named)}):", *lines, "    return new_"]
    return _function("made", lines, record_type, scope)


def _function(
    name: str, lines: list[str], record_type: Any, scope: dict[str, Any]
) -> Callable[..., Any]:
    # our own field names alone, as in dataclasses
    exec(compile("\n".join(lines), f"<make {record_type.__name__}>", "exec"), scope)
    function: Callable[..., Any] = scope[name]
    return function
