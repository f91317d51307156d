"""The engagement score: the fold of the entries that count, at any moment from now on.

``engagement(t)`` = the sum over groups of ``min(cap, sum of positive p_i * 2^(-(t - t_i)/half_life))`` + the sum of the negative ones,
decayed likewise and outside the cap, over the entries inside the group's window; clamped at 0. All in integers (``decay``), so
the number is the same to the bit whatever the order of arrival.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.scorer.counting import MARK
from services.scorer.decay import FINE, FINE_BITS, worth
from services.scorer.table import GroupLine, ScoreTable

_HALF = FINE // 2


@dataclass(slots=True)
class GroupSum:
    """The entries of one group that count: sums of grown points, as multiples of ``2^base``."""

    number: int
    line: GroupLine
    base: int
    positive: int = 0
    negative: int = 0

    def positive_fine(self, at_ms: int) -> int:
        """The decayed positive points at ``at_ms``, before the cap."""
        return self._worth(self.positive, at_ms)

    def negative_fine(self, at_ms: int) -> int:
        """The decayed negative points at ``at_ms``; not above 0."""
        return self._worth(self.negative, at_ms)

    def capped_fine(self, at_ms: int) -> int:
        """The decayed positive points at ``at_ms``, capped."""
        value = self._worth(self.positive, at_ms)
        return value if self.line.cap_fine < 0 else min(value, self.line.cap_fine)

    def _worth(self, total: int, at_ms: int) -> int:
        if not total or not self.line.half_life_ms:
            return total
        return worth(total, self.base, at_ms, self.line.half_life_ms)


def base_of(line: GroupLine, now: int) -> int:
    """An exponent that no entry of the group that counts at ``now`` or later is below."""
    return max(0, now - line.keeps_ms) // line.half_life_ms if line.half_life_ms else 0


def sums(marks: bytes, table: ScoreTable, now: int) -> list[GroupSum]:
    """The sums of every group that has entries whose age at ``now`` is below what the group keeps."""
    groups = table.groups
    floors = [now - line.keeps_ms for line in groups]
    bases = [0] * len(groups)
    positive, negative = [0] * len(groups), [0] * len(groups)
    for at_ms, points, exponent, group, _, _ in MARK.iter_unpack(marks):
        if points and at_ms > floors[group]:
            if exponent and not bases[group]:
                bases[group] = base_of(groups[group], now)
            if points > 0:
                positive[group] += points << (exponent - bases[group])
            else:
                negative[group] += points << (exponent - bases[group])
    return [
        GroupSum(number, line, bases[number], positive[number], negative[number])
        for number, line in enumerate(groups)
        if positive[number] or negative[number]
    ]


def engagement_micro(groups: list[GroupSum], at_ms: int) -> int:
    """The score at ``at_ms`` of the entries in ``groups``, in millionths of a point, rounded half up."""
    total = 0
    for each in groups:
        if each.positive:
            total += each.capped_fine(at_ms)
        if each.negative:
            total += each.negative_fine(at_ms)
    return (total + _HALF) >> FINE_BITS if total > 0 else 0
