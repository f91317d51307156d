"""Bytes to records and back: Confluent's framing (0x00, 4-byte schema id, Avro) around frozen dataclasses.

A codec writes the newest schema of its record and reads every older one. The conversion between a dataclass and fastavro's
dictionaries is compiled once per type, since it is on the hot path. Nothing a codec raises repeats the data.
"""

from __future__ import annotations

import struct
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from io import BytesIO
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from baton.contracts.derive import avro_schema_of
from baton.contracts.schemas import SchemaFile, shelf

T = TypeVar("T")

_FRAME = struct.Struct(">bI")
_MAX_FRAMED_BYTES = 1 << 20
_PROVISIONAL_IDS = 1 << 24


class ContractError(ValueError):
    """Bytes that are not the record they should be. ``code`` is a stable word for metrics and dead letters."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Codec(Generic[T]):
    """Encodes and decodes one record type.

    ``ids`` maps a foreign registry's schema ids to the shelf's, where one is used (:mod:`baton.contracts.registry`).
    """

    def __init__(self, record_type: type[T], file: SchemaFile) -> None:
        self.record_type = record_type
        self.file = file
        self._schema = parse_schema(dict(file.schema))
        self._to_dict = _dict_writer(record_type)
        self._from_dict = _dict_reader(record_type)
        self.schema_id = _wire_ids().get(file.id, file.id)
        self._frame = _FRAME.pack(0, self.schema_id)
        self._older: dict[int, Any] = {}

    def encode(self, value: T) -> bytes:
        """The framed bytes of ``value``."""
        buffer = BytesIO()
        buffer.write(self._frame)
        schemaless_writer(buffer, self._schema, self._to_dict(value))
        return buffer.getvalue()

    def decode(self, data: bytes) -> T:
        """The record in ``data``, whichever version wrote it; raises :class:`ContractError`."""
        if data[:5] == self._frame:
            writer, reader = self._schema, None
        else:
            writer, reader = self._foreign(data), self._schema
        buffer = BytesIO(data)
        buffer.seek(5)
        try:
            found: Any = schemaless_reader(buffer, writer, reader)
            record: T = self._from_dict(found)
            return record
        except Exception as error:  # noqa: BLE001 - whatever a parser raises on foreign bytes is the same verdict
            raise ContractError("undecodable", f"not a {self.file.record}: {type(error).__name__}") from None

    def _foreign(self, data: bytes) -> Any:
        schema_id = framed_schema_id(data)
        if schema_id not in self._older:
            file = shelf().by_id(_shelf_id(schema_id))
            if file is None:
                raise ContractError("unknown_schema", f"schema id {schema_id} is not known here")
            if file.record != self.file.record:
                raise ContractError("wrong_schema", f"schema id {schema_id} is {file.record}, not {self.file.record}")
            self._older[schema_id] = parse_schema(dict(file.schema))
        return self._older[schema_id]


def framed_schema_id(data: bytes) -> int:
    """The schema id in Confluent's frame; raises :class:`ContractError` where there is no such frame."""
    if len(data) < _FRAME.size or data[0] != 0:
        raise ContractError("unframed", "the value does not begin with 0x00 and a schema id")
    if len(data) > _MAX_FRAMED_BYTES:
        raise ContractError("too_long", f"the value has {len(data)} bytes, the limit is {_MAX_FRAMED_BYTES}")
    schema_id: int = _FRAME.unpack_from(data)[1]
    return schema_id


@cache
def codec_for(record_type: type[T]) -> Codec[T]:
    """The codec of a record type; raises SchemaMissing if it has no schema file."""
    return Codec(record_type, shelf().newest(record_type.__name__))


def provisional(record_type: type[T]) -> type[T]:
    """Give a type that has no schema file a derived one for this process: for toy reducers in tests and benchmarks."""
    known = shelf().versions(record_type.__name__)
    if not known:
        taken = _PROVISIONAL_IDS + sum(1 for each in shelf() if each.id >= _PROVISIONAL_IDS)
        schema = avro_schema_of(record_type)
        shelf().add(SchemaFile(id=taken, record=record_type.__name__, version=1, path="provisional", schema=schema))
    return record_type


def decode_any(data: bytes) -> tuple[str, Mapping[str, Any]]:
    """Record name and plain dictionary of any framed value of this project; raises :class:`ContractError`."""
    schema_id = framed_schema_id(data)
    file = shelf().by_id(_shelf_id(schema_id))
    if file is None:
        raise ContractError("unknown_schema", f"schema id {schema_id} is not known here")
    try:
        found: Any = schemaless_reader(BytesIO(data[5:]), _parsed(file.id), None)
    except Exception as error:  # noqa: BLE001 - see Codec.decode
        raise ContractError("undecodable", f"not a {file.record}: {type(error).__name__}") from None
    return file.record, found


@cache
def _parsed(shelf_id: int) -> Any:
    file = shelf().by_id(shelf_id)
    assert file is not None
    return parse_schema(dict(file.schema))


_registry_ids: dict[int, int] = {}


def use_registry_ids(ids: Mapping[int, int]) -> None:
    """From now on write a registry's schema ids: ``ids`` maps ours to theirs. To be called before any codec is made."""
    if codec_for.cache_info().currsize:
        raise RuntimeError("schema ids of a registry must be set before the first codec is made")
    _registry_ids.clear()
    _registry_ids.update(ids)


def _wire_ids() -> Mapping[int, int]:
    return _registry_ids


def _shelf_id(wire_id: int) -> int:
    if not _registry_ids:
        return wire_id
    return next((ours for ours, theirs in _registry_ids.items() if theirs == wire_id), -1)


def _dict_writer(record_type: Any) -> Callable[[Any], dict[str, Any]]:
    """``lambda o: {"a": o.a, "b": [f(x) for x in o.b]}``, compiled as dataclasses does its ``__init__``."""
    scope: dict[str, Any] = {}
    hints = get_type_hints(record_type)
    parts = [f"{each.name!r}: {_write(f'o.{each.name}', hints[each.name], scope)}" for each in fields(record_type)]
    compiled: Callable[[Any], dict[str, Any]] = _compiled("o", "{" + ", ".join(parts) + "}", scope)
    return compiled


def _dict_reader(record_type: Any) -> Callable[[Mapping[str, Any]], Any]:
    scope: dict[str, Any] = {"record_type": record_type}
    hints = get_type_hints(record_type)
    parts = [f"{each.name}={_read(f'd[{each.name!r}]', hints[each.name], scope)}" for each in fields(record_type)]
    compiled: Callable[[Mapping[str, Any]], Any] = _compiled("d", f"record_type({', '.join(parts)})", scope)
    return compiled


def _compiled(argument: str, body: str, scope: dict[str, Any]) -> Any:
    return eval(f"lambda {argument}: {body}", scope)  # noqa: S307 - the text is made of our own field names


def _write(place: str, hint: Any, scope: dict[str, Any]) -> str:
    return _convert(place, hint, scope, record=_dict_writer, sequence="[{} for {} in {}]", enum="{}")


def _read(place: str, hint: Any, scope: dict[str, Any]) -> str:
    return _convert(place, hint, scope, record=_dict_reader, sequence="tuple([{} for {} in {}])", enum="{}({})")


def _convert(place: str, hint: Any, scope: dict[str, Any], *, record: Any, sequence: str, enum: str) -> str:
    """The expression that converts what stands at ``place``; plain values are handed on as they are."""
    origin, arguments = get_origin(hint), get_args(hint)

    def inner(at: str, of: Any) -> str:
        return _convert(at, of, scope, record=record, sequence=sequence, enum=enum)

    if isinstance(hint, type) and is_dataclass(hint):
        name = f"convert_{hint.__name__}"
        scope.setdefault(name, record(hint))
        return f"{name}({place})"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        scope[hint.__name__] = hint
        return enum.format(hint.__name__, place) if enum != "{}" else f"{place}.value"
    if origin in (types.UnionType, Union):
        (some,) = (each for each in arguments if each is not type(None))
        converted = inner(place, some)
        return place if converted == place else f"(None if {place} is None else {converted})"
    if origin is tuple:
        variable = f"x{len(scope)}_{place.count('x')}"
        converted = inner(variable, arguments[0])
        if converted == variable:
            return f"tuple({place})" if sequence.startswith("tuple") else place
        return sequence.format(converted, variable, place)
    if origin is Mapping:
        variable = f"x{len(scope)}_{place.count('x')}"
        converted = inner(variable, arguments[1])
        return place if converted == variable else f"{{k: {converted} for k, {variable} in {place}.items()}}"
    return place
