"""Codecs that are made when they are first used: a host that hands values on encodes few types, and
making a codec compiles two functions."""

from __future__ import annotations

from typing import Any

from baton.contracts.codec import codec_for


class LateCodec:
    """:func:`baton.contracts.codec.codec_for` of a record type, asked for by the first call."""

    __slots__ = ("_record_type",)

    def __init__(self, record_type: type) -> None:
        self._record_type = record_type

    def encode(self, value: Any, prefix: bytes = b"") -> bytes:
        """As :meth:`baton.contracts.codec.Codec.encode`."""
        return codec_for(self._record_type).encode(value, prefix)

    def decode(self, data: bytes, at: int = 0) -> Any:
        """As :meth:`baton.contracts.codec.Codec.decode`."""
        return codec_for(self._record_type).decode(data, at)
