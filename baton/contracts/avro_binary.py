"""Avro's binary encoding of our frozen dataclasses, compiled once per type.

Every record passes an encoder and a decoder at each hop, and fastavro, which goes over
dictionaries, takes about four times as long for the nested records here (``benchmarks/codec.py``
prints both). So the straight way is compiled: one Python function per record type that writes its
fields to bytes, and one that reads them. fastavro stays for what is rare: data of an older schema,
and tools. The tests hold the two against each other.

Source: Apache Avro 1.12 specification, "Binary Encoding". A decoder takes no more than it is given:
each item it reads costs a byte of input.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from baton.contracts.avro_numbers import (
    LONGS,
    MOMENT_BYTES,
    MOMENTS,
    SMALL,
    SOME,
    Malformed,
    read_long,
    read_varint,
)
from baton.contracts.avro_source import Source
from baton.evolve import filling

T = TypeVar("T")
SHARED: set[Any] = set()
"""The record types of :func:`written_once`."""


def encoder(record_type: Any, frame: bytes = b"") -> Callable[..., bytes]:
    """``(record, prefix) -> bytes``: the prefix if any, ``frame``, then the record. Raises
    AttributeError, TypeError or OverflowError for what is not such a record."""
    if record_type not in SHARED:
        return _compiled_encoder(record_type, frame)
    body, join = _body(record_type), b"".join

    def encode(record: Any, prefix: bytes = b"") -> bytes:
        return join((prefix, frame, body(record)))

    return encode


def written_once(record_type: type[T]) -> type[T]:
    """A class decorator: the record is published by itself and inside another record of the same
    step. The bytes of the one that was written last are kept for the other."""
    SHARED.add(record_type)
    return record_type


@cache
def _body(record_type: Any) -> Callable[[Any], bytes]:
    encode = _compiled_encoder(record_type, b"")
    last: list[tuple[Any, bytes]] = [(None, b"")]

    def body(record: Any) -> bytes:
        known, written = last[0]
        if known is not record:
            written = encode(record)
            last[0] = record, written
        return written

    return body


def _compiled_encoder(record_type: Any, frame: bytes) -> Callable[..., bytes]:
    source = Source({"long": LONGS, "small": SMALL, "some": SOME, "join": b"".join, "frame": frame})
    source.line("def encode(o, prefix=b''):")
    source.items("prefix", "frame")
    _write(source, "o", record_type, "    ")
    source.join_items("    ")
    compiled: Callable[..., bytes] = source.compiled("encode", record_type)
    return compiled


def decoder(record_type: type[T], *, whole: bool = True) -> Callable[[bytes, int], T]:
    """``(data, place of the first byte) -> record``; raises :class:`Malformed` or IndexError, and
    for text UnicodeDecodeError. Without ``whole`` there may be more behind it."""
    source = Source(
        {
            "varint": read_varint,
            "long": read_long,
            "moment": MOMENTS.get,
            "Malformed": Malformed,
        }
    )
    source.line("def decode(d, i):")
    result = _read(source, record_type, "    ")
    if whole:
        source.line("    if i != len(d): raise Malformed('too short or too long')")
    source.line(f"    return {result}")
    compiled: Callable[[bytes, int], T] = source.compiled("decode", record_type)
    return compiled


def _write(source: Source, place: str, hint: Any, indent: str) -> None:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in SHARED and place != "o":
        source.scope[f"{hint.__name__}_body"] = _body(hint)
        source.items(f"{hint.__name__}_body({place})")
    elif isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        for field in fields(hint):
            _write(source, f"{place}.{field.name}", hints[field.name], indent)
    elif origin in (types.UnionType, Union):
        _write_union(source, place, _some(arguments), indent)
    elif origin in (tuple, Mapping):
        _write_blocks(source, place, origin, arguments, indent)
    elif hint is bool:
        source.items(f"b'\\1' if {place} else b'\\0'")
    else:
        _write_plain(source, place, hint)


def _write_plain(source: Source, place: str, hint: Any) -> None:
    """Numbers and lengths of at most two bytes, nearly all of them, take no call."""
    value = source.name()
    hint = getattr(hint, "__supertype__", hint)
    if hint is int:
        source.items(f"small[{value}] if 0 <= ({value} := {place}) < 8192 else long[{value}]")
        return
    length, given = source.name(), place if hint is bytes else f"{place}.encode()"
    source.items(
        f"small[{length}] if ({length} := len({value} := {given})) < 8192 else long[{length}]",
        value,
    )


def _write_union(source: Source, place: str, some: Any, indent: str) -> None:
    value, some = source.name(), getattr(some, "__supertype__", some)
    if some is int:
        source.items(
            f"b'\\0' if ({value} := {place}) is None else some[{value}] if 0 <= {value} < 8192 "
            f"else b'\\2' + long[{value}]"
        )
    elif some is bytes or (isinstance(some, type) and issubclass(some, str)):
        length, given = source.name(), value if some is bytes else f"{value}.encode()"
        source.items(
            f"b'\\0' if ({value} := {place}) is None else some[{length}] "
            f"if ({length} := len({value} := {given})) < 8192 else b'\\2' + long[{length}]",
            f"{value} or b''",
        )
    else:
        source.write_items(indent)
        source.line(f"{indent}{value} = {place}")
        source.line(f"{indent}if {value} is None: a(b'\\0')")
        source.line(f"{indent}else:")
        source.items("b'\\2'")
        _write(source, value, some, indent + "    ")
        source.write_items(indent + "    ")


def _write_blocks(
    source: Source, place: str, origin: Any, arguments: tuple[Any, ...], indent: str
) -> None:
    many, element, inner = source.name(), source.name(), indent + "        "
    source.write_items(indent)
    source.line(f"{indent}{many} = {place}")
    source.line(f"{indent}if {many}:")
    source.line(f"{indent}    a(small[len({many})] if len({many}) < 8192 else long[len({many})])")
    if origin is tuple:
        source.line(f"{indent}    for {element} in {many}:")
        _write(source, element, arguments[0], inner)
    else:
        source.line(f"{indent}    for {element}k, {element} in {many}.items():")
        _write_plain(source, f"{element}k", str)
        _write(source, element, arguments[-1], inner)
    source.write_items(inner)
    source.items("b'\\0'")


def _some(arguments: tuple[Any, ...]) -> Any:
    return next(argument for argument in arguments if argument is not type(None))


def _read(source: Source, hint: Any, indent: str) -> str:
    """Write the lines that read one value, and give the expression that is it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return _read_record(source, hint, indent)
    if origin in (types.UnionType, Union):
        return _read_union(source, _some(arguments), indent)
    if origin in (tuple, Mapping):
        return _read_blocks(source, origin, arguments, indent)
    return _read_plain(source, getattr(hint, "__supertype__", hint), indent)


def _read_record(source: Source, hint: Any, indent: str) -> str:
    """Fields go straight into the slots: a frozen dataclass's own ``__init__`` takes several times
    as long and checks nothing."""
    name, value, hints = hint.__name__, source.name(), get_type_hints(hint)
    parts = [(field.name, _read(source, hints[field.name], indent)) for field in fields(hint)]
    source.scope[name] = hint
    if not hasattr(hint, "__slots__") or hasattr(hint, "__post_init__"):
        source.line(
            f"{indent}{value} = {name}({', '.join(f'{field}={found}' for field, found in parts)})"
        )
        return value
    for line in filling(hint, value, dict(parts), source.scope):
        source.line(f"{indent}{line}")
    return value


def _read_union(source: Source, some: Any, indent: str) -> str:
    value, branch = source.name(), source.name()
    source.line(f"{indent}{branch} = d[i]; i += 1")
    source.line(f"{indent}if {branch} == 0: {value} = None")
    source.line(f"{indent}elif {branch} == 2:")
    found = _read(source, some, indent + "    ")
    source.line(f"{indent}    {value} = {found}")
    source.line(f"{indent}else: raise Malformed('no such branch')")
    return value


def _read_blocks(source: Source, origin: Any, arguments: tuple[Any, ...], indent: str) -> str:
    value, count = source.name(), source.name()
    source.line(f"{indent}{value} = {'[]' if origin is tuple else '{}'}")
    source.line(f"{indent}while d[i]:")
    source.line(f"{indent}    {count} = d[i]")
    source.line(f"{indent}    if {count} < 128: i += 1")
    source.line(f"{indent}    else: {count}, i = varint(d, i)")
    # a negative count is followed by the block's size
    source.line(f"{indent}    if {count} & 1: _, i = varint(d, i)")
    source.line(f"{indent}    for _ in range(({count} >> 1) + ({count} & 1)):")
    inner = indent + "        "
    if origin is tuple:
        source.line(f"{inner}{value}.append({_read(source, arguments[0], inner)})")
    else:
        key = _read(source, str, inner)
        source.line(f"{inner}{value}[{key}] = {_read(source, arguments[1], inner)}")
    source.line(f"{indent}i += 1")
    if origin is tuple:
        source.line(f"{indent}{value} = tuple({value})")
    return value


def _read_plain(source: Source, hint: Any, indent: str) -> str:
    value = source.name()
    if hint is bool:
        source.line(f"{indent}{value} = d[i] == 1")
        source.line(f"{indent}if d[i] > 1: raise Malformed('no truth value')")
        source.line(f"{indent}i += 1")
        return value
    number = source.name()
    source.line(f"{indent}{number} = d[i]")
    if hint is int:
        source.line(f"{indent}if {number} < 128: {value} = {number} >> 1 ^ -({number} & 1); i += 1")
        source.line(f"{indent}elif ({value} := moment(d[i:i + {MOMENT_BYTES}])) is not None:")
        source.line(f"{indent}    i += {MOMENT_BYTES}")
        source.line(f"{indent}else: {value}, i = long(d, i)")
        return value
    source.line(f"{indent}if {number} < 128: i += 1")
    source.line(f"{indent}elif d[i + 1] < 128: {number} = {number} & 127 | d[i + 1] << 7; i += 2")
    source.line(f"{indent}else: {number}, i = varint(d, i)")
    source.line(f"{indent}if {number} & 1: raise Malformed('a negative length')")
    taken = f"d[i:(i := i + ({number} >> 1))]"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        source.scope[hint.__name__] = hint
        source.line(f"{indent}{value} = {hint.__name__}({taken}.decode())")
    else:
        source.line(f"{indent}{value} = {taken}" + ("" if hint is bytes else ".decode()"))
    return value
