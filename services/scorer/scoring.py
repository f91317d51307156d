"""The engagement score: the fold of the entries that count, at any moment from now on.

``engagement(t)`` = the sum over groups of ``min(cap, sum of positive p_i * 2^(-(t - t_i)/half_life))`` + the sum of the negative ones,
decayed likewise and outside the cap, over the entries inside the group's window; clamped at 0, rounded to a millionth. Sums are
taken in the ledger's order and in arithmetic that is the same everywhere (``decay``), so the number is the same to the bit whatever
the order of arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ldexp

from services.scorer.counting import MARK
from services.scorer.decay import worth
from services.scorer.table import GroupLine, ScoreTable


@dataclass(slots=True)
class GroupSum:
    """The entries of one group that count: sums of grown micropoints, in units of ``2^base``."""

    number: int
    line: GroupLine
    base: int
    positive: float
    negative: float

    def gained(self, at_ms: int) -> float:
        """The decayed positive micropoints at ``at_ms``, before the cap."""
        half_life = self.line.half_life_ms
        return worth(self.positive, self.base, at_ms, half_life) if half_life else self.positive

    def lost(self, at_ms: int) -> float:
        """The decayed negative micropoints at ``at_ms``; not above 0."""
        half_life = self.line.half_life_ms
        return worth(self.negative, self.base, at_ms, half_life) if half_life else self.negative

    def capped(self, at_ms: int) -> float:
        """The decayed positive micropoints at ``at_ms``, capped."""
        value, cap = self.gained(at_ms), self.line.cap_micro
        return value if cap < 0 or value < cap else float(cap)


def sums(marks: bytes, table: ScoreTable, now: int) -> list[GroupSum]:
    """The sums of every group that has entries whose age at ``now`` is below what the group keeps."""
    groups, bases = table.groups, table.bases(now)
    floors = [now - line.keeps_ms for line in groups]
    positive, negative = [0.0] * len(groups), [0.0] * len(groups)
    for at_ms, points, exponent, group, _, _ in MARK.iter_unpack(marks):
        if at_ms > floors[group]:
            if points > 0.0:
                positive[group] += ldexp(points, exponent - bases[group])
            elif points:
                negative[group] += ldexp(points, exponent - bases[group])
    return [
        GroupSum(number, line, bases[number], positive[number], negative[number])
        for number, line in enumerate(groups)
        if positive[number] or negative[number]
    ]


def total_of(groups: list[GroupSum], at_ms: int) -> float:
    """The score at ``at_ms`` of the entries in ``groups``, in micropoints, before clamp and rounding."""
    gained = lost = 0.0
    for each in groups:
        if each.positive:
            gained += each.capped(at_ms)
        if each.negative:
            lost += each.lost(at_ms)
    return gained + lost


def whole(total: float) -> int:
    """Micropoints rounded half up."""
    return int(total + 0.5) if total >= 0.0 else -int(0.5 - total)


def engagement_micro(groups: list[GroupSum], at_ms: int) -> int:
    """The score at ``at_ms`` of the entries in ``groups``, in millionths of a point."""
    return max(0, whole(total_of(groups, at_ms)))
