"""The keys of a store on disk.

Heads and entries lie under the keys that the changelog gives them (:mod:`baton.engine.changelog`).
Beside them, derived from them and written with them::

    n + kind + / + length of the key (2) + key      how many entries of the kind the key has (8)
    t + due time (8, shifted to be unsigned) + key  a timer of a head
    v + length of the version (1) + version + key   the agreement that a head lives under
    g + key                                         the key may have a part in the gauge
    m                                               the bookmark

Text is UTF-8, whose order of bytes is the order of code points, so everything is read in the order
in which the memory store sorts.
"""

from __future__ import annotations

from struct import Struct

from baton.engine.store import Bookmark
from baton.engine.timers import Timer

_LENGTH, _NUMBER, _META = Struct(">H"), Struct(">Q"), Struct(">BQQQ")
_SHIFT = 1 << 63
_FORMAT = 1

META = b"m"
PAST = b"\xff"
"""After every key that goes on from a prefix: no UTF-8 has this byte."""


def count_key(kind: str, key: str) -> bytes:
    """Where the number of the key's entries of a kind lies."""
    owner = key.encode()
    return b"n%b/%b%b" % (kind.encode(), _LENGTH.pack(len(owner)), owner)


def timer_key(due_ms: int, key: str) -> bytes:
    """The key of a timer."""
    return b"t" + _NUMBER.pack(due_ms + _SHIFT) + key.encode()


def timer_in(raw: bytes) -> Timer:
    """The timer of which this is the key."""
    return _NUMBER.unpack_from(raw, 1)[0] - _SHIFT, raw[1 + _NUMBER.size :].decode()


def version_prefix(version: str) -> bytes:
    """What the keys begin with under which the heads of a version are listed."""
    name = version.encode()
    return b"v%b%b" % (bytes((len(name),)), name)


def version_in(raw: bytes) -> str:
    """The version in a key of the list of versions."""
    return raw[2 : 2 + raw[1]].decode()


def number_of(raw: bytes | None) -> int:
    """A count."""
    return 0 if raw is None else int(_NUMBER.unpack(raw)[0])


def packed(number: int) -> bytes | None:
    """A count as a value; none is no value."""
    return _NUMBER.pack(number) if number else None


def pack_meta(bookmark: Bookmark, keys: int, timers: int) -> bytes:
    """The bookmark with the number of heads and of timers."""
    return _META.pack(_FORMAT, bookmark.at, keys, timers) + bookmark.position


def unpack_meta(raw: bytes) -> tuple[Bookmark, int, int] | None:
    """What :func:`pack_meta` packed; None if another format wrote it."""
    if raw[:1] != bytes((_FORMAT,)):
        return None
    _, at, keys, timers = _META.unpack_from(raw)
    return Bookmark(at=at, position=raw[_META.size :]), keys, timers
