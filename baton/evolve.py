"""Frozen records with slots, made several times as fast as by their own ``__init__``: for what
every event passes.

A frozen dataclass sets each field by ``object.__setattr__`` and checks nothing. The functions here
write from slot to slot; each is made once for a record type, as the dataclass's own was. Records
with ``__post_init__`` are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from functools import lru_cache
from typing import Any, TypeVar

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


@lru_cache(maxsize=1024)
def _evolver(record_type: Any, changed: tuple[str, ...]) -> Callable[..., Any]:
    names = _names(record_type)
    unknown = [name for name in changed if name not in names]
    if unknown:
        raise TypeError(f"{record_type.__name__} has no field {unknown[0]}")
    values = {name: name if name in changed else f"old_.{name}" for name in names}
    return _compiled(record_type, ("old_", *changed), values, {}, {})


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
    scope: dict[str, Any] = {**more} | {
        f"set_{name}": vars(record_type)[name].__set__ for name in values
    }
    scope |= {f"default_{name}": value for name, value in defaults.items()}
    scope |= {"make_": object.__new__, "of_": record_type}
    named = [
        f"{name}=default_{name}" if name in defaults else name
        for name in (tuple(parameters) or values)
    ]
    lines = [f"    set_{name}(new_, {value})" for name, value in values.items()]
    text = "\n".join(
        [f"def made({', '.join(named)}):", "    new_ = make_(of_)", *lines, "    return new_"]
    )
    # our own field names alone, as in dataclasses
    exec(compile(text, f"<make {record_type.__name__}>", "exec"), scope)
    function: Callable[..., Any] = scope["made"]
    return function
