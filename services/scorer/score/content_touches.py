"""What a lead read and where it came from: the newest pieces of content, and the earliest campaign
touches.

Both are a function of the set of touches alone: of all that were ever reported, the newest
``RECENT`` and the earliest ``ORIGINS``, by event time and then id. They are read when a person is
to know the story; every other event hands them on, packed.

Layout: how many there are (1), then the pieces, ``recent`` newest first and ``origins`` oldest
first. A piece is event time (8), id (16), length of the text (2), UTF-8 text (act, title, content
id, stage, campaign, source, topics), length again (2): so that one is added at the front and
dropped at the end without looking at the others.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from baton.contracts.intake import LeadEvent
from services.scorer.score.ledger import id_bytes

RECENT: Final = 16
ORIGINS: Final = 4
_HEAD: Final = struct.Struct(">Q16sH")
_TAIL: Final = 2
_FRAME: Final = _HEAD.size + _TAIL
_ORDER: Final = 24
_FIELD, _ITEM = "\x1f", "\x1e"
_MAX_TEXT: Final = 300
_MAX_TOPICS: Final = 16
_NO_SEPARATORS: Final = {ord(pair): " " for pair in (_FIELD, _ITEM)}


class ContentBook(NamedTuple):
    """Both, packed."""

    recent: bytes = b""
    origins: bytes = b""


class Piece(NamedTuple):
    """One touch, unpacked."""

    at_ms: int
    id: bytes
    act: str
    title: str
    content_id: str
    stage: str
    campaign: str
    source: str
    topics: tuple[str, ...]


def touched(book: ContentBook, event: LeadEvent, at_ms: int) -> ContentBook:
    """``book`` with the engagement of ``event``; the same object where nothing changes."""
    engagement = event.engagement
    assert engagement is not None
    if not (engagement.content_title or engagement.topics or engagement.campaign):
        return book
    piece = _packed(event, at_ms)
    recent = _with_recent(book.recent, piece)
    origins = _with_origin(book.origins, piece) if engagement.campaign else book.origins
    return (
        book
        if recent is book.recent and origins is book.origins
        else ContentBook(recent=recent, origins=origins)
    )


def together(ours: ContentBook, theirs: ContentBook) -> ContentBook:
    """The book of both."""
    return ContentBook(
        recent=_newest({*_split(ours.recent), *_split(theirs.recent)}),
        origins=_earliest({*_split(ours.origins), *_split(theirs.origins)}),
    )


def pieces(packed: bytes) -> list[Piece]:
    """The touches, oldest first."""
    return [_unpacked(item) for item in sorted(_split(packed))]


def _packed(event: LeadEvent, at_ms: int) -> bytes:
    said = event.engagement
    assert said is not None
    topics = _ITEM.join(said.topics[:_MAX_TOPICS])
    plain = (
        said.act,
        said.content_title,
        said.content_id,
        said.content_stage,
        said.campaign,
        event.source,
    )
    text = _FIELD.join([item[:_MAX_TEXT] if item else "" for item in plain]) + _FIELD + topics
    if text.count(_FIELD) != len(plain) or text.count(_ITEM) >= _MAX_TOPICS:
        text = (
            _FIELD.join([_clean(item or "") for item in plain])
            + _FIELD
            + _ITEM.join(map(_clean, said.topics[:_MAX_TOPICS]))
        )
    data = text.encode()
    length = len(data).to_bytes(2, "big")
    return b"".join((at_ms.to_bytes(8, "big"), id_bytes(event.event_id), length, data, length))


def _clean(text: str) -> str:
    return text[:_MAX_TEXT].translate(_NO_SEPARATORS)


def _unpacked(piece: bytes) -> Piece:
    at_ms, event, _ = _HEAD.unpack_from(piece)
    act, title, content_id, stage, campaign, source, topics = (
        piece[_HEAD.size : -_TAIL].decode().split(_FIELD)
    )
    return Piece(
        at_ms,
        event,
        act,
        title,
        content_id,
        stage,
        campaign,
        source,
        tuple(filter(None, topics.split(_ITEM))),
    )


def _split(packed: bytes) -> list[bytes]:
    found, at = [], 1
    while at < len(packed):
        end = at + _FRAME + int.from_bytes(packed[at + _ORDER : at + _ORDER + 2], "big")
        found.append(packed[at:end])
        at = end
    return found


def _last(packed: bytes) -> int:
    """Where the last piece begins."""
    return len(packed) - _FRAME - int.from_bytes(packed[-_TAIL:], "big")


def _with_recent(packed: bytes, piece: bytes) -> bytes:
    if not packed:
        return b"\x01" + piece
    if piece[:_ORDER] > packed[1 : 1 + _ORDER] and piece[8:_ORDER] not in packed:
        number = packed[0]
        if number < RECENT:
            return bytes((number + 1,)) + piece + packed[1:]
        return packed[:1] + piece + packed[1 : _last(packed)]
    changed = _newest({*_split(packed), piece})
    return packed if changed == packed else changed


def _with_origin(packed: bytes, piece: bytes) -> bytes:
    if packed and packed[0] == ORIGINS:
        last = _last(packed)
        if piece[:_ORDER] > packed[last : last + _ORDER]:
            return packed
    changed = _earliest({*_split(packed), piece})
    return packed if changed == packed else changed


def _newest(found: Iterable[bytes]) -> bytes:
    return _joined(sorted(_by_id(found), reverse=True)[:RECENT])


def _earliest(found: Iterable[bytes]) -> bytes:
    return _joined(sorted(_by_id(found))[:ORIGINS])


def _joined(ordered: list[bytes]) -> bytes:
    return bytes((len(ordered),)) + b"".join(ordered) if ordered else b""


def _by_id(found: Iterable[bytes]) -> Iterable[bytes]:
    """Of one id the earliest stays."""
    known: dict[bytes, bytes] = {}
    for touch in found:
        known[touch[8:_ORDER]] = min(touch, known.get(touch[8:_ORDER], touch))
    return known.values()
