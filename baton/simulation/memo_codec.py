"""Codecs that remember the records they made last, for a log that is read in the process that
writes it.

A record is decoded by each of its readers and a state at each step that touches it; in a
simulation the value is still at hand. ``decode`` gives the very value that was encoded: records are
frozen, and a test holds every value of a run against what decoding its bytes gives. Memory is
bounded by the number remembered.
"""

from collections.abc import Callable
from typing import Any, Final

from baton.contracts.codec import codec_for

REMEMBERED: Final = 2_048
"""Values a codec remembers; most are read again within a few steps."""


class MemoCodec:
    """A codec of one record type, with its latest values by their bytes."""

    __slots__ = ("_decode", "_encode", "_known")

    def __init__(self, record_type: type) -> None:
        plain = codec_for(record_type)
        self._encode, self._decode = plain.encode, plain.decode
        self._known: dict[bytes, Any] = {}

    def encode(self, value: Any, prefix: bytes = b"") -> bytes:
        """As :meth:`baton.contracts.codec.Codec.encode`."""
        raw = self._encode(value, prefix)
        self._remember(raw, value)
        return raw

    def decode(self, data: bytes, at: int = 0) -> Any:
        """As :meth:`baton.contracts.codec.Codec.decode`; ``data`` is known with its prefix."""
        found = self._known.get(data)
        if found is None:
            found = self._decode(data, at)
            self._remember(data, found)
        return found

    def _remember(self, raw: bytes, value: Any) -> None:
        known = self._known
        known[raw] = value
        if len(known) > REMEMBERED:
            del known[next(iter(known))]


def memo_codecs() -> Callable[[type], MemoCodec]:
    """Codecs by type, for one simulation."""
    made: dict[type, MemoCodec] = {}

    def codec(record_type: type) -> MemoCodec:
        found = made.get(record_type)
        if found is None:
            found = made[record_type] = MemoCodec(record_type)
        return found

    return codec
