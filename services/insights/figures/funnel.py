"""Conversion from one stage to another, by cohort; acceptance, win rate and velocity.

A cohort is those that reached the first stage in a period; the share is of those who reached the
second by now. A snapshot divides the entries of one period, may exceed 100 %, and is shown under
that name only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.insights.figures.wilson_interval import Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One lead of a cohort: when it entered, when it reached the next stage (None: not yet), and
    whether it never will (the cycle ended first)."""

    entered_at_ms: int
    reached_at_ms: int | None = None
    gave_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """``ripe``: older than nine of ten take, so that ``so_far`` is the answer; else it lies between
    ``so_far`` and ``at_most``."""

    entered: int
    reached: int
    resolved: int
    ripe: bool

    @property
    def so_far(self) -> Share:
        """Of all that entered, those that have reached it."""
        return Share(count=self.reached, total=self.entered)

    @property
    def of_resolved(self) -> Share:
        """Of those that are decided either way."""
        return Share(count=self.reached, total=self.resolved)

    @property
    def at_most(self) -> Share:
        """What it comes to if all that are open reach it."""
        return Share(count=self.reached + self.entered - self.resolved, total=self.entered)


def cohort(
    passages: Iterable[Passage], *, from_ms: int, until_ms: int, now_ms: int, p90_ms: int | None
) -> Cohort:
    """Those who entered in ``[from_ms, until_ms)``, as known at ``now_ms``. ``p90_ms``: how long
    nine of ten take; None: not known."""
    mine = [
        passage
        for passage in passages
        if from_ms <= passage.entered_at_ms < until_ms and passage.entered_at_ms <= now_ms
    ]
    reached = sum(
        1
        for passage in mine
        if passage.reached_at_ms is not None and passage.reached_at_ms <= now_ms
    )
    resolved = reached + sum(
        1
        for passage in mine
        if passage.gave_up and (passage.reached_at_ms is None or passage.reached_at_ms > now_ms)
    )
    ripe = p90_ms is not None and until_ms + p90_ms <= now_ms
    return Cohort(
        entered=len(mine), reached=reached, resolved=resolved, ripe=ripe or resolved == len(mine)
    )


def snapshot(entries: int, next_entries: int) -> float | None:
    """Entries into the next stage in a period for each entry into the first in the same period; may
    exceed 1."""
    return next_entries / entries if entries else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Leads by what became of the hand-over. ``expired``: nobody answered and the cycle ended;
    ``waiting`` stands beside, and is not in the rate."""

    accepted: int
    rejected: int
    expired: int
    waiting: int = 0

    @property
    def rate(self) -> Share:
        """Accepted of those that are answered or expired."""
        return Share(count=self.accepted, total=self.accepted + self.rejected + self.expired)


def acceptance_together(parts: Iterable[Acceptance]) -> Acceptance:
    """The sums of the parts."""
    found = list(parts)
    return Acceptance(
        accepted=sum(part.accepted for part in found),
        rejected=sum(part.rejected for part in found),
        expired=sum(part.expired for part in found),
        waiting=sum(part.waiting for part in found),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRate:
    """``narrow`` is of won and lost; ``broad`` also counts those that went back to nurture or were
    disqualified after the opportunity."""

    won: int
    lost: int
    derailed: int = 0

    @property
    def narrow(self) -> Share:
        """Won of won and lost."""
        return Share(count=self.won, total=self.won + self.lost)

    @property
    def broad(self) -> Share:
        """Won of all that ended."""
        return Share(count=self.won, total=self.won + self.lost + self.derailed)


def velocity(
    *, opportunities: int, win_rate: float, average_minor: float, cycle_days: float
) -> float | None:
    """Minor units a day: opportunities x win rate x average value / days. All four of the same
    cohort. None without a duration."""
    return opportunities * win_rate * average_minor / cycle_days if cycle_days > 0 else None
