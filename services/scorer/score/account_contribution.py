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
from typing import Final, NamedTuple

from baton.agreement.compiled.decay import DecayMoment, FadingSum
from services.scorer.score.engagement_sum import whole
from services.scorer.score.group_totals import any_in, sums_of
from services.scorer.score.rule_table import ScoreTable

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


class Worth(NamedTuple):
    """What one lead's sums are worth at a moment: ``micro``, to the bit what its own score would be
    (:mod:`.engagement`), and of every group the half-life, the capped positive part and the
    negative one."""

    micro: int
    groups: list[tuple[int, float, float]]


class Moment(DecayMoment):
    """A moment at which many leads are weighed."""

    __slots__ = ()

    def worth(self, sums: bytes) -> Worth:
        """What a part's ``sums`` are worth."""
        gained = lost = 0.0
        groups: list[tuple[int, float, float]] = []
        for half_life_ms, cap, base, positive, negative in _GROUP.iter_unpack(sums):
            capped = fallen = 0.0
            if positive:
                value = self.left(positive, base, half_life_ms)
                capped = value if cap < 0 or value < cap else float(cap)
                gained += capped
            if negative:
                fallen = self.left(negative, base, half_life_ms)
                lost += fallen
            groups.append((half_life_ms, capped, fallen))
        return Worth(max(0, whole(gained + lost)), groups)


class Falling(FadingSum):
    """A sum of contributions as it is now, in micropoints, and a bound of how soon it can be lower.
    The negative part only shrinks, so it is counted as it is."""

    __slots__ = ()

    def add(self, lead: Worth) -> None:
        """Add what one lead is worth."""
        if not lead.micro:
            return  # clamped: it can only rise
        self.value += lead.micro
        decays = self.decays
        for half_life_ms, capped, fallen in lead.groups:
            if half_life_ms:
                decays[half_life_ms] = decays.get(half_life_ms, 0.0) + capped
            else:
                self.stays += capped
            self.stays += fallen
