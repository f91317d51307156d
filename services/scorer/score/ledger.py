"""The dated ledger: what a lead did, one fixed record an act, in the order of event time and then
id.

The bytes are a function of the set of acts alone: whatever arrived first, twice or late, the same
acts give the same bytes. It is the truth that a score is folded from; what each entry counts under
an agreement is derived (``entry_counting``).

Layout of an entry, 50 bytes, big-endian, so that bytes compare as (time, id): event time in ms (8),
event id (16), act (4), link group (4), stage of the content (1), flags (1), four topics (16). Words
are stored as 32 bits of their BLAKE2b digest, 0 for none. Retractions are kept apart, 24 bytes
each, sorted: id of the entry (16), event time of the retraction (8).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from baton.contracts.intake import Engagement

RECORD: Final = struct.Struct(">Q16sIIBBIIII")
SIZE: Final = RECORD.size
ORDER: Final = struct.Struct(">Q16s")
ORDER_SIZE: Final = ORDER.size
_RETRACTION: Final = struct.Struct(">16sQ")
MAX_TOPICS: Final = 4
BACKFILL: Final = 1
STAGES: Final = ("", "awareness", "consideration", "decision")
_OTHER_STAGE: Final = 255
KEEPS_RETRACTIONS_MS: Final = 400 * 86_400_000
MAX_RETRACTIONS: Final = 1024


class Entry(NamedTuple):
    """One act, unpacked."""

    at_ms: int
    id: bytes
    act: int
    link: int
    stage: int
    flags: int
    topics: tuple[int, ...]

    @property
    def event_id(self) -> str:
        return self.id.hex()


def id_bytes(event_id: str) -> bytes:
    """The 16 bytes of a derived id; any other text is hashed to as many."""
    if len(event_id) == 32:
        try:
            return bytes.fromhex(event_id)
        except ValueError:
            pass
    return blake2b(event_id.encode(), digest_size=16).digest()


@lru_cache(maxsize=65_536)
def word_code(word: str) -> int:
    """32 bits for a word of the taxonomy, never 0."""
    return int.from_bytes(blake2b(word.encode(), digest_size=4).digest(), "big") or 1


def stage_code(stage: str | None) -> int:
    """The number of a content stage; 255 for a word that is none."""
    if not stage:
        return 0
    return STAGES.index(stage) if stage in STAGES else _OTHER_STAGE


def packed(event_id: str, at_ms: int, engagement: Engagement, *, backfill: bool = False) -> bytes:
    """The entry of an act. Of more than four topics the first four in alphabetical order are
    kept."""
    topics = (
        [word_code(topic) for topic in sorted(set(engagement.topics))[:MAX_TOPICS]]
        if engagement.topics
        else []
    )
    one, two, three, four = (*topics, 0, 0, 0, 0)[:MAX_TOPICS]
    link = word_code(engagement.link_group) if engagement.link_group else 0
    stage, flags = stage_code(engagement.content_stage), BACKFILL if backfill else 0
    return RECORD.pack(
        at_ms,
        id_bytes(event_id),
        word_code(engagement.act),
        link,
        stage,
        flags,
        one,
        two,
        three,
        four,
    )


def entries(ledger: bytes) -> list[Entry]:
    """All entries, oldest first."""
    return [
        Entry(at_ms, event, act, link, stage, flags, tuple(filter(None, topics)))
        for at_ms, event, act, link, stage, flags, *topics in RECORD.iter_unpack(ledger)
    ]


def find(ledger: bytes, event_id: bytes) -> int:
    """The index of the entry with this id, -1 if there is none."""
    at = ledger.find(event_id)
    while at >= 0:
        index, offset = divmod(at, SIZE)
        if offset == 8:
            return index
        at = ledger.find(event_id, at + 1)
    return -1


def place(ledger: bytes, record: bytes) -> int:
    """The index at which ``record`` belongs."""
    low, high = 0, len(ledger) // SIZE
    order = record[:ORDER_SIZE]
    if high and ledger[-SIZE : ORDER_SIZE - SIZE] < order:
        return high
    while low < high:
        middle = (low + high) // 2
        if ledger[middle * SIZE : middle * SIZE + ORDER_SIZE] < order:
            low = middle + 1
        else:
            high = middle
    return low


def with_entry(ledger: bytes, record: bytes, index: int) -> bytes:
    """``ledger`` with ``record`` at ``index``."""
    return ledger[: index * SIZE] + record + ledger[index * SIZE :]


def without_entry(ledger: bytes, index: int) -> bytes:
    """``ledger`` without the entry at ``index``."""
    return ledger[: index * SIZE] + ledger[(index + 1) * SIZE :]


def retracted_ids(retracted: bytes) -> frozenset[bytes]:
    """The ids of the entries that were retracted, known or still to come."""
    return (
        frozenset(event for event, _ in _RETRACTION.iter_unpack(retracted))
        if retracted
        else frozenset()
    )


def retractions(retracted: bytes) -> list[tuple[bytes, int]]:
    """Every retraction: id of the entry, time of the retraction."""
    return list(_RETRACTION.iter_unpack(retracted))


def with_retractions(retracted: bytes, more: Iterable[tuple[bytes, int]], ledger: bytes) -> bytes:
    """``retracted`` with more; the latest time counts of one that comes twice. All whose entries
    are in the ``ledger`` are kept as long as these, and of the others, which are still to come or
    gone, the newest 1,024."""
    known = dict(_RETRACTION.iter_unpack(retracted))
    for event, at_ms in more:
        known[event] = max(at_ms, known.get(event, 0))
    there = _ids(ledger)
    others = sorted(
        (packed for packed in known.items() if packed[0] not in there),
        key=lambda packed: (packed[1], packed[0]),
    )
    kept = [packed for packed in known.items() if packed[0] in there] + others[-MAX_RETRACTIONS:]
    return b"".join(_RETRACTION.pack(*packed) for packed in sorted(kept))


def retractions_after(retracted: bytes, now: int, ledger: bytes) -> bytes:
    """``retracted`` without what is so old that its entry will not come any more, and is not in the
    ``ledger``."""
    oldest = now - KEEPS_RETRACTIONS_MS
    if all(at_ms > oldest for _, at_ms in _RETRACTION.iter_unpack(retracted)):
        return retracted
    there = _ids(ledger)
    return b"".join(
        _RETRACTION.pack(*packed)
        for packed in _RETRACTION.iter_unpack(retracted)
        if packed[1] > oldest or packed[0] in there
    )


def _ids(ledger: bytes) -> frozenset[bytes]:
    return frozenset(ledger[at + 8 : at + ORDER_SIZE] for at in range(0, len(ledger), SIZE))
