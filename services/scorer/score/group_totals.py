"""The sums of each group's entries, kept beside the marks so that a step need not fold them.

A fold from the marks and one entry added to the former totals give the same bits: entries are added
in the ledger's order, the newest last, and :mod:`baton.agreement.compiled.decay` scales sums
exactly. Two numbers are enough for a group because its entries fade alike, however old they are.
They hold from the moment they were made until the first entry leaves its window.

Layout, little-endian: when that is (8), when the ledger is to be pruned (8); then for every group
of the agreement in order: exponent of two that the sums are multiples of (4), positive sum (8),
negative sum (8).
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from baton.agreement.compiled.decay import rebased, worth
from services.scorer.score.entry_status import MARK
from services.scorer.score.rule_table import GroupLine, ScoreTable

_MOMENTS: Final = struct.Struct("<QQ")
_SUMS: Final = struct.Struct("<idd")
_BASE: Final = 4
_NOTHING: Final = bytes(_SUMS.size - _BASE)
NEVER: Final = 1 << 62


class GroupSum(NamedTuple):
    """The entries of one group that count: sums of grown micropoints, in units of ``2^base``."""

    number: int
    line: GroupLine
    base: int
    positive: float
    negative: float

    def gained(self, at_ms: int) -> float:
        """The decayed positive micropoints at ``at_ms``, before the cap."""
        return self.line.decay.at(self.positive, self.base, at_ms)

    def lost(self, at_ms: int) -> float:
        """The decayed negative micropoints at ``at_ms``; not above 0."""
        return self.line.decay.at(self.negative, self.base, at_ms)

    def capped(self, at_ms: int) -> float:
        """The decayed positive micropoints at ``at_ms``, capped."""
        value, cap = self.gained(at_ms), self.line.cap_micro
        return value if cap < 0 or value < cap else float(cap)


def folded(marks: bytes, table: ScoreTable, now: int, *, prune_at_ms: int) -> bytes:
    """The totals over the entries that are inside their window at ``now``."""
    number = len(table.groups)
    floors = [now - line.keeps_ms for line in table.groups]
    bases, positive, negative = [0] * number, [0.0] * number, [0.0] * number
    leaves_at = NEVER
    for at_ms, points, exponent, group, _, _ in MARK.iter_unpack(marks):
        if points and at_ms > floors[group]:
            leaves_at = min(leaves_at, at_ms + table.groups[group].keeps_ms)
            if exponent != bases[group]:
                positive[group], negative[group] = rebased(
                    positive[group], negative[group], bases[group], exponent
                )
                bases[group] = exponent
            if points > 0.0:
                positive[group] += points
            else:
                negative[group] += points
    sums = [_SUMS.pack(*sums_of_one) for sums_of_one in zip(bases, positive, negative, strict=True)]
    return _MOMENTS.pack(leaves_at, prune_at_ms) + b"".join(sums)


def appended(totals: bytes, mark: bytes, table: ScoreTable, *, prune_at_ms: int) -> bytes:
    """``totals`` with one more entry, later than all others; they must hold now."""
    leaves_at, pruned_at = _MOMENTS.unpack_from(totals)
    at_ms, points, exponent, group, _, _ = MARK.unpack(mark)
    if not points:
        return _MOMENTS.pack(leaves_at, min(pruned_at, prune_at_ms)) + totals[_MOMENTS.size :]
    place = _MOMENTS.size + group * _SUMS.size
    base, positive, negative = _SUMS.unpack_from(totals, place)
    if exponent != base:
        positive, negative = rebased(positive, negative, base, exponent)
    if points > 0.0:
        positive += points
    else:
        negative += points
    moments = _MOMENTS.pack(
        min(leaves_at, at_ms + table.groups[group].keeps_ms), min(pruned_at, prune_at_ms)
    )
    return (
        moments
        + totals[_MOMENTS.size : place]
        + _SUMS.pack(exponent, positive, negative)
        + totals[place + _SUMS.size :]
    )


def holds(totals: bytes, now: int) -> bool:
    """Whether no entry has left its window since the totals were made."""
    return bool(totals) and now < int.from_bytes(totals[:8], "little")


def leaves_at(totals: bytes) -> int:
    """When the first entry leaves its window."""
    return int.from_bytes(totals[:8], "little") if totals else NEVER


def sums_of(totals: bytes) -> list[bytes]:
    """The packed sums of each group."""
    return [totals[at : at + _SUMS.size] for at in range(_MOMENTS.size, len(totals), _SUMS.size)]


def any_in(sums: bytes) -> bool:
    """Whether a group has any entries that count."""
    return sums[_BASE:] != _NOTHING


def sums_differ(totals: bytes, others: bytes) -> bool:
    """Whether the sums are not the same, whatever holds of the moments."""
    return totals[_MOMENTS.size :] != others[_MOMENTS.size :]


def prune_at(totals: bytes) -> int:
    """When the ledger is to be pruned."""
    return int.from_bytes(totals[8:16], "little") if totals else NEVER


def value_at(totals: bytes, table: ScoreTable, at_ms: int) -> float:
    """The score at ``at_ms`` in micropoints, before clamp and rounding, of ``totals`` that hold
    then."""
    gained = lost = 0.0
    sums = _SUMS.iter_unpack(memoryview(totals)[_MOMENTS.size :])
    for (base, positive, negative), line, divisor in zip(
        sums, table.groups, table.divisors(at_ms), strict=True
    ):
        if positive:
            value = worth(positive, base, divisor)
            gained += (
                value if line.cap_micro < 0 or value < line.cap_micro else float(line.cap_micro)
            )
        if negative:
            lost += worth(negative, base, divisor)
    return gained + lost


def group_sums(totals: bytes, table: ScoreTable) -> list[GroupSum]:
    """The sums of every group that has any."""
    found = []
    for number, (base, positive, negative) in enumerate(_SUMS.iter_unpack(totals[_MOMENTS.size :])):
        if positive or negative:
            found.append(GroupSum(number, table.groups[number], base, positive, negative))
    return found
