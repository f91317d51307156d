"""Bytes to records and back: Confluent's framing (0x00, 4-byte schema id, Avro) around frozen
dataclasses.

A codec writes the newest schema of its record and reads every older one. Nothing a codec raises
repeats the data.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from typing import Any, Generic, Protocol, TypeVar

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from baton.contracts import avro_binary
from baton.contracts.avro_codec import decoder, encoder
from baton.contracts.avro_schema import avro_schema_of
from baton.contracts.schemas import SchemaFile, shelf

T = TypeVar("T")
H = TypeVar("H")
T_contra = TypeVar("T_contra", contravariant=True)

_FRAME = struct.Struct(">bI")
_MAX_FRAMED_BYTES = 1 << 20
_PROVISIONAL_IDS = 1 << 24


class ContractError(ValueError):
    """Bytes that are not the record they should be. ``code`` is a stable word for metrics and dead
    letters."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Drift(TypeError):
    """A dataclass and its schema file say different things."""


class Encode(Protocol[T_contra]):
    """``encode(value, prefix)``."""

    def __call__(self, value: T_contra, prefix: bytes = ..., /) -> bytes: ...


class Codec(Generic[T]):
    """Encodes and decodes one record type; refuses (:class:`Drift`) a type that does not mirror its
    schema.

    ``encode``: the framed bytes of a record, behind a prefix if one is given.
    """

    def __init__(self, record_type: type[T], file: SchemaFile) -> None:
        mirrored = avro_schema_of(record_type)
        if mirrored["fields"] != file.schema["fields"]:
            raise Drift(f"{record_type.__name__} and {file.path} differ; see how with: make check")
        self.record_type = record_type
        self.file = file
        self.schema_id = _wire_ids().get(file.id, file.id)
        self._schema = parse_schema(dict(file.schema))
        self._frame = _FRAME.pack(0, self.schema_id)
        self.encode: Encode[T] = encoder(record_type, self._frame)
        self._decode = decoder(record_type)
        self._older: dict[int, Any] = {}

    def decode(self, data: bytes, at: int = 0) -> T:
        """The record in ``data`` from ``at`` on, whichever version wrote it; raises
        :class:`ContractError`."""
        try:
            return (
                self._decode(data, at + 5)
                if data.startswith(self._frame, at)
                else self._decode_older(data[at:])
            )
        except ContractError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a parser raises on foreign bytes is the same verdict
            raise ContractError(
                "undecodable", f"not a {self.file.record}: {type(error).__name__}"
            ) from None

    def head(self, head_type: type[H]) -> Callable[[bytes], H | T]:
        """Decodes the first fields alone, for who needs no more: ``head_type`` has them, a whole
        record comes of an older version. What is behind them is not looked at."""
        wanted = avro_schema_of(head_type)["fields"]
        if wanted != self.file.schema["fields"][: len(wanted)]:
            raise Drift(f"{head_type.__name__} is no beginning of {self.file.path}")
        read, frame = avro_binary.decoder(head_type, whole=False), self._frame

        def decode(data: bytes) -> H | T:
            if not data.startswith(frame):
                return self.decode(data)
            try:
                return read(data, len(frame))
            except Exception as error:  # noqa: BLE001 - see decode
                raise ContractError(
                    "undecodable", f"not a {self.file.record}: {type(error).__name__}"
                ) from None

        return decode

    def _decode_older(self, data: bytes) -> T:
        """By Avro's resolution to the newest schema, and through its bytes: rare, so it may be
        slow."""
        found = schemaless_reader(BytesIO(data[5:]), self._foreign(data), self._schema)
        buffer = BytesIO()
        schemaless_writer(buffer, self._schema, found)
        return self._decode(buffer.getvalue(), 0)

    def _foreign(self, data: bytes) -> Any:
        schema_id = framed_schema_id(data)
        if schema_id not in self._older:
            file = shelf().by_id(_shelf_id(schema_id))
            if file is None:
                raise ContractError("unknown_schema", f"schema id {schema_id} is not known here")
            if file.record != self.file.record:
                raise ContractError(
                    "wrong_schema",
                    f"schema id {schema_id} is {file.record}, not {self.file.record}",
                )
            self._older[schema_id] = parse_schema(dict(file.schema))
        return self._older[schema_id]


def framed_schema_id(data: bytes) -> int:
    """The schema id in Confluent's frame; raises :class:`ContractError` where there is no such
    frame."""
    if len(data) < _FRAME.size or data[0] != 0:
        raise ContractError("unframed", "the value does not begin with 0x00 and a schema id")
    if len(data) > _MAX_FRAMED_BYTES:
        raise ContractError(
            "too_long", f"the value has {len(data)} bytes, the limit is {_MAX_FRAMED_BYTES}"
        )
    schema_id: int = _FRAME.unpack_from(data)[1]
    return schema_id


@cache
def codec_for(record_type: type[T]) -> Codec[T]:
    """The codec of a record type; raises SchemaMissing if it has no schema file."""
    return Codec(record_type, shelf().newest(record_type.__name__))


def provisional(record_type: type[T]) -> type[T]:
    """Give a type that has no schema file a derived one for this process: for toy reducers in tests
    and benchmarks. Its id comes of its name, so that processes understand each other whatever else
    each has loaded."""
    known = shelf().versions(record_type.__name__)
    if not known:
        taken = _PROVISIONAL_IDS | zlib.crc32(record_type.__name__.encode()) % _PROVISIONAL_IDS
        schema = avro_schema_of(record_type)
        shelf().add(
            SchemaFile(
                id=taken, record=record_type.__name__, version=1, path="provisional", schema=schema
            )
        )
    return record_type


def decode_any(data: bytes) -> tuple[str, Mapping[str, Any]]:
    """Record name and plain dictionary of any framed value of this project; raises
    :class:`ContractError`."""
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
    """From now on write a registry's schema ids: ``ids`` maps ours to theirs. To be called before
    any codec is made."""
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
