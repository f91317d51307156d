"""What one lead contributes to its account, so that the account knows what it is worth at any
later moment.

A part carries the lead's sums, group by group, with the half-life and the cap they decay and are
capped by: scaled by powers of two, they give at any time the same bits as the lead's own score
does, as long as nothing happens to it and no entry leaves its window. Where either does, the lead
publishes its part anew.

Layout, little-endian, for every group that has any: half-life in ms (8; 0: none), cap in
micropoints (8; -1: none), exponent of two (4), positive sum (8), negative sum (8).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

from baton.agreement.compiled.decay import Decay, decay_of, faster
from services.scorer.score.engagement import whole
from services.scorer.score.group_totals import NEVER, GroupSum, any_in, sums_of
from services.scorer.score.rule_table import GroupLine, ScoreTable

SHOWN_STEP_MICRO: Final = 10_000_000
"""Engagement is published anew when it passes a multiple of this, not at every page view."""

_GROUP: Final = struct.Struct("<qqidd")
MICRO: Final = 1_000_000
ENGAGED_MICRO: Final = MICRO
"""Who is worth less than one point has cooled, and is not among the engaged people of the
account."""


def packed(totals: bytes, table: ScoreTable) -> bytes:
    """The sums of a lead as its part carries them: what the lead keeps of each group
    (:mod:`.group_totals`), behind half-life and cap."""
    return b"".join(
        [
            terms + sums
            for terms, sums in zip(table.terms, sums_of(totals), strict=True)
            if any_in(sums)
        ]
    )


def unpacked(sums: bytes) -> list[GroupSum]:
    """The sums of a part."""
    return [
        GroupSum(
            number, GroupLine("", decay_of(half_life), NEVER, cap, 0), base, positive, negative
        )
        for number, (half_life, cap, base, positive, negative) in enumerate(
            _GROUP.iter_unpack(sums)
        )
    ]


def worth_micro(groups: Iterable[GroupSum], at_ms: int) -> int:
    """What a lead with these sums is worth at ``at_ms``: to the bit what its own score would be
    (:mod:`.engagement`)."""
    gained = lost = 0.0
    for group in groups:
        if group.positive:
            gained += group.capped(at_ms)
        if group.negative:
            lost += group.lost(at_ms)
    return max(0, whole(gained + lost))


class Falling:
    """A sum of contributions as it is now, and a bound of how soon it can be lower.

    ``value`` is exact, in micropoints. Of the positive part ``decays`` falls by ``fastest`` at the
    soonest, and ``stays`` does not fall by itself; the negative part only
    shrinks, so it is counted as it is.
    """

    def __init__(self) -> None:
        self.value = 0
        self.decays = 0.0
        self.stays = 0.0
        self.fastest = Decay()

    def add(self, groups: list[GroupSum], now: int) -> int:
        """Add one lead's sums; what it is worth now."""
        worth = worth_micro(groups, now)
        self.value += worth
        if not worth:
            return 0  # clamped: it can only rise
        for group in groups:
            capped = group.capped(now) if group.positive else 0.0
            if group.line.decay.half_life_ms:
                self.decays += capped
                self.fastest = faster(self.fastest, group.line.decay)
            else:
                self.stays += capped
            self.stays += group.lost(now) if group.negative else 0.0
        return worth

    def holds_for_ms(self, threshold_micro: int) -> int | None:
        """For so long the value is surely not below ``threshold_micro`` if nothing happens; None:
        by itself it never is."""
        return self.fastest.holds_for_ms(self.decays, threshold_micro - self.stays)
