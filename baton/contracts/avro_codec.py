"""The encoder and the decoder of a record type: machine code where the compiled wheel is installed
(``avro_compiled.pyx``), else the same in Python (:mod:`baton.contracts.avro_binary`).

Both write the same bytes, make the same records and refuse the same data; tests hold one against
the other.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from baton.contracts import avro_binary

try:
    from baton.contracts import avro_compiled
except ImportError:
    IS_COMPILED = False
else:
    IS_COMPILED = True
if TYPE_CHECKING:
    from baton.contracts.avro_compiled import Node

T = TypeVar("T")
_PLAIN: dict[Any, str] = {int: "int", bool: "bool", bytes: "bytes"}


def encoder(record_type: Any, frame: bytes = b"") -> Callable[..., bytes]:
    """As :func:`baton.contracts.avro_binary.encoder`."""
    if IS_COMPILED:
        return avro_compiled.encoder(node_of(record_type, avro_compiled.Node), frame)
    return avro_binary.encoder(record_type, frame)


def decoder(record_type: type[T]) -> Callable[[bytes, int], T]:
    """As :func:`baton.contracts.avro_binary.decoder`."""
    if IS_COMPILED:
        kind: Any = record_type  # a class is hashable, which mypy does not see
        return avro_compiled.decoder(node_of(kind, avro_compiled.Node))
    return avro_binary.decoder(record_type)


@cache
def node_of(hint: Any, make: "Callable[..., Node]") -> "Node":
    """How a value of the type ``hint`` is written, as ``make`` (:class:`avro_compiled.Node`)
    describes it; one node a type, so that a record of ``written_once`` is known again."""
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        parts = [(field.name, node_of(hints[field.name], make)) for field in fields(hint)]
        return make("record", hint, parts, written_once=hint in avro_binary.SHARED)
    if origin in (types.UnionType, Union):
        some = next(argument for argument in arguments if argument is not type(None))
        return make("union", element=node_of(some, make))
    if origin in (tuple, Mapping):
        kind = "array" if origin is tuple else "map"
        return make(kind, element=node_of(arguments[origin is Mapping], make))
    plain = getattr(hint, "__supertype__", hint)
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return make("enum", plain)
    return make(_PLAIN.get(plain, "text"))
