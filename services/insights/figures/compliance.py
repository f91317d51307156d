"""Service-level compliance by due date: of the clocks that fell due in a period, those that were
met.

Met: ended with evidence at or before the deadline, withdrawn breaches included. Late, still open
past the deadline and abandoned are not met. Cancelled clocks stand outside, with their reasons;
those not due yet too. An unproven breach counts, and is shown apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.insights.figures.wilson_interval import Share


class Verdict(StrEnum):
    """What a clock counts as at a moment."""

    MET = "met"
    WITHDRAWN = "withdrawn"
    LATE = "late"
    OVERDUE = "overdue"
    ABANDONED = "abandoned"
    CANCELLED = "cancelled"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockNow:
    """A clock as it was published last. ``unproven``: its breach could not be proven yet."""

    state: str
    deadline_ms: int
    ended_at_ms: int | None = None
    reason: str | None = None
    unproven: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """The clocks of a period by verdict; ``reasons`` of the cancelled ones; ``unproven`` of the
    breaches."""

    counts: Mapping[Verdict, int]
    unproven: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def count(self, *verdicts: Verdict) -> int:
        """How many have one of these."""
        return sum(self.counts.get(verdict, 0) for verdict in verdicts)

    @property
    def met(self) -> int:
        """In time, breaches that were withdrawn included."""
        return self.count(Verdict.MET, Verdict.WITHDRAWN)

    @property
    def due(self) -> int:
        """What fell due."""
        return self.met + self.count(Verdict.LATE, Verdict.OVERDUE, Verdict.ABANDONED)

    @property
    def share(self) -> Share:
        """Met of due: the figure."""
        return Share(count=self.met, total=self.due)

    @property
    def share_of_proven(self) -> Share:
        """The same without the unproven breaches: beside the figure, not in its place."""
        return Share(count=self.met, total=self.due - self.unproven)


def verdict_of(clock: ClockNow, now_ms: int) -> Verdict:
    """What a clock counts as at ``now_ms``."""
    match clock.state:
        case "met":
            return Verdict.MET
        case "withdrawn":
            return Verdict.WITHDRAWN
        case "met_late":
            return Verdict.LATE
        case "abandoned":
            return Verdict.ABANDONED
        case "cancelled":
            ended = clock.ended_at_ms
            return (
                Verdict.CANCELLED
                if ended is None or ended <= clock.deadline_ms
                else Verdict.ABANDONED
            )
        case _:
            return (
                Verdict.OVERDUE
                if clock.state == "breached" or clock.deadline_ms < now_ms
                else Verdict.RUNNING
            )


def compliance(
    clocks: Iterable[ClockNow], *, from_ms: int, until_ms: int, now_ms: int
) -> Compliance:
    """Over the clocks whose deadline falls in ``[from_ms, until_ms)``, as known at ``now_ms``."""
    return compliance_of(
        ((clock, 1) for clock in clocks if from_ms <= clock.deadline_ms < until_ms), now_ms
    )


def compliance_of(counted: Iterable[tuple[ClockNow, int]], now_ms: int) -> Compliance:
    """Over clocks with how many there are of each."""
    counts: Counter[Verdict] = Counter()
    reasons: Counter[str] = Counter()
    unproven = 0
    for clock, number in counted:
        verdict = verdict_of(clock, now_ms)
        counts[verdict] += number
        if verdict is Verdict.CANCELLED:
            reasons[clock.reason or "not said"] += number
        if clock.unproven and verdict in (Verdict.LATE, Verdict.OVERDUE, Verdict.ABANDONED):
            unproven += number
    return Compliance(counts=dict(counts), unproven=unproven, reasons=dict(reasons))
