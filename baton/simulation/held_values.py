"""State, and records that only Baton's own tasks read, kept as values; they become bytes only where
a state has not been touched for long.

A task that never restores needs no bytes of its state, and a log that keeps nothing none of its
records: encoding what will be read again a moment later would be half the work of a simulation. The
store keeps the latest values it was given; an older one is encoded, as the changelog would have it,
so memory is that of the leads and not of their Python objects. A value is the very one that was
stored: records and states are frozen.
"""

from __future__ import annotations

from typing import Any, Final

from baton.contracts.codec import codec_for
from baton.engine.store import MemoryStore

AS_VALUES: Final = 4_096
"""So many values a store keeps before the oldest become bytes."""

_Place = tuple[str | None, str, str]


class Held(bytes):
    """Stands for the bytes of a record or a state: its prefix, and behind it the value in place of
    the Avro."""

    value: Any
    codec: Any

    def written(self) -> bytes:
        """The bytes it stands for."""
        found: bytes = self.codec.encode(self.value, self[:-1])
        return found


def read(raw: bytes, record_type: type) -> Any:
    """The record that ``raw`` is, or stands for."""
    return raw.value if type(raw) is Held else codec_for(record_type).decode(raw)


class HeldCodec:
    """A codec of one type that puts off encoding."""

    __slots__ = ("_plain",)

    def __init__(self, record_type: type) -> None:
        self._plain: Any = codec_for(record_type)

    def encode(self, value: Any, prefix: bytes = b"") -> bytes:
        """As :meth:`baton.contracts.codec.Codec.encode`, without the work."""
        held = Held(prefix + b"\0")
        held.value, held.codec = value, self._plain
        return held

    def decode(self, data: bytes, at: int = 0) -> Any:
        """As :meth:`baton.contracts.codec.Codec.decode`."""
        return data.value if type(data) is Held else self._plain.decode(data, at)


class HeldStore(MemoryStore):
    """A store whose latest values are :class:`Held`, and whose older ones are bytes."""

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        super().__init__()
        self._latest: dict[_Place, Held] = {}

    def set_head(self, key: str, raw: bytes | None) -> None:
        super().set_head(key, raw)
        self._note((None, key, ""), raw)

    def set_entry(self, kind: str, key: str, item: str, raw: bytes | None) -> None:
        super().set_entry(kind, key, item, raw)
        self._note((kind, key, item), raw)

    def _note(self, place: _Place, raw: bytes | None) -> None:
        latest = self._latest
        latest.pop(place, None)
        if type(raw) is not Held:
            return
        latest[place] = raw
        if len(latest) > AS_VALUES:
            kind, key, item = oldest = next(iter(latest))
            written = latest.pop(oldest).written()
            if kind is None:
                super().set_head(key, written)
            else:
                super().set_entry(kind, key, item, written)
