"""The records of a changelog topic: their keys, and the layout of a head.

Keys (bytes): ``p`` the position; ``h`` + key a head; ``e`` + kind + ``/`` + length of the key (2
bytes) + key + item an entry. A head's value is a fixed prefix, so that a restore finds the timer
without decoding, and then the framed Avro::

    format (1 byte, 1) | wake_at (8, ms; the least integer: none) | revision (8)
        | length of version (1) | version | Avro or nothing

Integers are big-endian. ``revision`` is a fingerprint of what last changed the key, ``version`` is
the agreement that the key has adopted. Without Avro after it the key has entries but no head.
Entries and the position are framed Avro alone. :func:`explain` parses all three, for people and for
the audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct
from sys import intern

_PREFIX = Struct(">BqQB")
_LENGTH = Struct(">H")
_FORMAT = 1
_NO_TIMER = -(1 << 63)

POSITION_KEY = b"p"
HEAD, ENTRY = b"h"[0], b"e"[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangelogRecord:
    """One changelog record, taken apart. ``part``: ``position``, ``head`` or ``entry``; ``value``:
    framed Avro or None."""

    part: str
    key: str = ""
    kind: str = ""
    item: str = ""
    wake_at: int | None = None
    revision: int = 0
    version: str = ""
    value: bytes | None = None


def head_key(key: str) -> bytes:
    """The changelog key of a head."""
    return b"h" + key.encode()


def entry_key(kind: str, key: str, item: str) -> bytes:
    """The changelog key of an entry."""
    owner = key.encode()
    return b"e%b/%b%b%b" % (kind.encode(), _LENGTH.pack(len(owner)), owner, item.encode())


def split_entry_key(changelog_key: bytes) -> tuple[str, str, str]:
    """Kind, key and item of an entry."""
    end = changelog_key.index(b"/")
    start = end + 1 + _LENGTH.size
    owner_end = start + _LENGTH.unpack_from(changelog_key, end + 1)[0]
    return (
        changelog_key[1:end].decode(),
        changelog_key[start:owner_end].decode(),
        changelog_key[owner_end:].decode(),
    )


def pack_head(wake_at: int | None, revision: int, version: bytes, value: bytes = b"") -> bytes:
    """A head's changelog value; ``value`` is framed Avro, empty for a key that has only entries."""
    return (
        _PREFIX.pack(_FORMAT, _NO_TIMER if wake_at is None else wake_at, revision, len(version))
        + version
        + value
    )


def unpack_head(raw: bytes) -> tuple[int | None, int, str, int]:
    """``(wake_at, revision, version, where the Avro begins)`` of a head's value."""
    form, wake_at, revision, length = _PREFIX.unpack_from(raw)
    if form != _FORMAT:
        raise ValueError(f"a head of format {form}; this program reads format {_FORMAT}")
    start = _PREFIX.size + length
    return (
        (None if wake_at == _NO_TIMER else wake_at),
        revision,
        intern(raw[_PREFIX.size : start].decode()),
        start,
    )


def fingerprint(cause: str) -> int:
    """64 bits of the id of a cause."""
    return int.from_bytes(blake2b(cause.encode(), digest_size=8).digest(), "big")


def timer_of(raw: bytes) -> int | None:
    """The wake-up time in a head's value, and nothing else of it."""
    wake_at: int = _PREFIX.unpack_from(raw)[1]
    return None if wake_at == _NO_TIMER else wake_at


def version_of(raw: bytes) -> str:
    """The agreement version in a head's value, and nothing else of it."""
    return raw[_PREFIX.size : _PREFIX.size + raw[_PREFIX.size - 1]].decode()


def explain(key: bytes, value: bytes | None) -> ChangelogRecord:
    """Take any changelog record apart."""
    if key == POSITION_KEY:
        return ChangelogRecord(part="position", value=value)
    if key[0] == ENTRY:
        kind, owner, item = split_entry_key(key)
        return ChangelogRecord(part="entry", kind=kind, key=owner, item=item, value=value)
    if value is None:
        return ChangelogRecord(part="head", key=key[1:].decode())
    wake_at, revision, version, start = unpack_head(value)
    return ChangelogRecord(
        part="head",
        key=key[1:].decode(),
        wake_at=wake_at,
        revision=revision,
        version=version,
        value=value[start:] or None,
    )
