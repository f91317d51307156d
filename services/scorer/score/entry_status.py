"""What each entry of the ledger counts under an agreement: the record that ``entry_counting``
derives and scores are folded from.

``marks`` has one record for each entry, in the ledger's order, 24 bytes, little-endian: event time
in ms (8), micropoints times ``2^(t_i/h)`` as a double (8) and an exponent of two (4, see
``Decay``), group (1), why it does not count (1), rule (2).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from services.scorer.score.ledger import Entry, entries

MARK: Final = struct.Struct("<QdiBBH")
MARK_SIZE: Final = MARK.size
_WHY: Final = 21


class Why(IntEnum):
    """Why an entry does not count; ``COUNTS`` if it does."""

    COUNTS = 0
    RETRACTED = 1
    BEFORE_CYCLE = 2
    SCANNER = 3
    DAILY_LIMIT = 4


def why_at(marks: bytes, index: int) -> Why:
    """Why the entry at ``index`` does not count, or that it does."""
    return Why(marks[index * MARK_SIZE + _WHY])


def marked_entries(
    ledger: bytes, marks: bytes
) -> Iterator[tuple[Entry, float, int, int, Why, int]]:
    """Each entry with its grown points, their exponent, group, reason and rule."""
    for entry, (_, grown_points, exponent, group, why, rule) in zip(
        entries(ledger), MARK.iter_unpack(marks), strict=True
    ):
        yield entry, grown_points, exponent, group, Why(why), rule


def taken_back(marks: bytes) -> int:
    """How many entries were retracted, or turned out to be a machine's."""
    reasons = marks[_WHY::MARK_SIZE]
    return reasons.count(Why.RETRACTED) + reasons.count(Why.SCANNER)


def beyond_limit(marks: bytes) -> int:
    """How many entries are beyond a daily limit."""
    return marks[_WHY::MARK_SIZE].count(Why.DAILY_LIMIT)
