"""What a lead read and where it came from: the newest pieces of content, and the earliest campaign touches.

Both are a function of the set of touches alone: of all that were ever told, the newest ``RECENT`` and the earliest ``ORIGINS``, by
event time and then id. They are read when a person is to be told the story, so they are kept packed and apart from the ledger.
A piece is event time (8), id (16), length (2) and UTF-8 text: act, title, content id, stage, campaign, source, topics.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from baton.contracts.intake import LeadEvent
from services.scorer.ledger import id_bytes
from services.scorer.state_lead import ContentBook

RECENT: Final = 16
ORIGINS: Final = 4
_HEAD: Final = struct.Struct(">Q16sH")
_FIELD, _ITEM = "\x1f", "\x1e"
_MAX_TEXT: Final = 300
_NO_SEPARATORS: Final = {ord(each): " " for each in (_FIELD, _ITEM)}


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
    says_something = engagement.content_title or engagement.topics or engagement.campaign
    if not says_something:
        return book
    piece = _packed(event, at_ms)
    recent = _with(book.recent, piece, RECENT, newest=True)
    origins = _with(book.origins, piece, ORIGINS, newest=False) if engagement.campaign else book.origins
    return book if (recent, origins) == (book.recent, book.origins) else ContentBook(recent=recent, origins=origins)


def together(ours: ContentBook, theirs: ContentBook) -> ContentBook:
    """The book of both."""
    return ContentBook(
        recent=_bounded({*_split(ours.recent), *_split(theirs.recent)}, RECENT, newest=True),
        origins=_bounded({*_split(ours.origins), *_split(theirs.origins)}, ORIGINS, newest=False),
    )


def pieces(packed: bytes) -> list[Piece]:
    """The touches, oldest first."""
    return [_unpacked(each) for each in _split(packed)]


def _packed(event: LeadEvent, at_ms: int) -> bytes:
    engagement = event.engagement
    assert engagement is not None
    plain = (
        engagement.act,
        engagement.content_title or "",
        engagement.content_id or "",
        engagement.content_stage or "",
        engagement.campaign or "",
        event.source,
    )
    topics = _ITEM.join(_clean(each) for each in engagement.topics[:16])
    text = _FIELD.join((*(_clean(each) for each in plain), topics)).encode()
    return _HEAD.pack(at_ms, id_bytes(event.event_id), len(text)) + text


def _clean(text: str) -> str:
    return text[:_MAX_TEXT].translate(_NO_SEPARATORS)


def _unpacked(piece: bytes) -> Piece:
    at_ms, event, _ = _HEAD.unpack_from(piece)
    act, title, content_id, stage, campaign, source, topics = piece[_HEAD.size :].decode().split(_FIELD)
    return Piece(at_ms, event, act, title, content_id, stage, campaign, source, tuple(filter(None, topics.split(_ITEM))))


def _split(packed: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(packed):
        end = at + _HEAD.size + int.from_bytes(packed[at + 24 : at + 26], "big")
        found.append(packed[at:end])
        at = end
    return found


def _with(packed: bytes, piece: bytes, most: int, *, newest: bool) -> bytes:
    """``packed`` with one more; of one id the earliest stays."""
    known = _split(packed)
    same = next((each for each in known if each[8:24] == piece[8:24]), None)
    if same is not None and same <= piece:
        return packed
    if known and same is None and len(known) == most and (piece < known[0] if newest else piece > known[-1]):
        return packed
    return _bounded((*(each for each in known if each is not same), piece), most, newest=newest)


def _bounded(found: Iterable[bytes], most: int, *, newest: bool) -> bytes:
    by_id: dict[bytes, bytes] = {}
    for each in found:
        by_id[each[8:24]] = min(each, by_id.get(each[8:24], each))
    ordered = sorted(by_id.values())
    return b"".join(ordered[-most:] if newest else ordered[:most])
