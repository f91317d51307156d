"""What an audit says: findings, each naming its offender by topic, partition and offset; and what was counted on the way."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Invariant(StrEnum):
    """The promises that are checked; the value is the name in reports."""

    ACKNOWLEDGED = "acknowledged"
    ACCEPTED_ONCE = "accepted-once"
    READABLE = "every-record-can-be-read"
    UNIQUE = "unique-ids"
    REBUILT = "facts-follow-the-journal"
    STATE = "state-follows-the-journal"
    SUMS = "score-is-its-explanation"
    STAGES = "stages-connect"
    ROUTED_ONCE = "one-routing-a-qualification"
    ONE_HOLDER = "one-holder-at-a-time"
    CLOCKS = "clocks-end-once-and-never-early"
    OVERDUE = "clocks-end-at-all"
    TURNS = "turns-are-fair"
    CAPACITY = "capacity-is-kept"
    HELD = "no-lead-without-a-holder"


MEANING: dict[Invariant, str] = {
    Invariant.ACKNOWLEDGED: "what a sender was told is taken, is in the log: accepted, or a dead letter",
    Invariant.ACCEPTED_ONCE: "each event that came in is accepted exactly once, however often it came",
    Invariant.READABLE: "each record is what its topic's contract says",
    Invariant.UNIQUE: "no two facts have the same id",
    Invariant.REBUILT: "each fact is one that its task computes again from its journal, and none of those is missing",
    Invariant.STATE: "each changelog holds, byte for byte, what its task computes again from its journal",
    Invariant.SUMS: "the lines of an explanation add up to the number shown",
    Invariant.STAGES: "each move in a cycle begins at the stage where the one before it ended",
    Invariant.ROUTED_ONCE: "a hand-off is routed to one person, once",
    Invariant.ONE_HOLDER: "a lead is handed on only after the hand-off before was ended",
    Invariant.CLOCKS: "a clock ends at most once, and is not broken before its deadline",
    Invariant.OVERDUE: "a clock whose deadline is past has ended, or is broken",
    Invariant.TURNS: "the person chosen is the one whose turn it was",
    Invariant.CAPACITY: "nobody is handed more than their capacity, unless it was asked for by name",
    Invariant.HELD: "every lead that qualified has a person, a queue, a track with a return date, or an end with its reason",
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Where a record lies."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A broken promise. ``place`` is None where the offender is a record that is missing."""

    invariant: Invariant
    words: str
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.invariant}: {f'{self.place}: ' if self.place else ''}{self.words}"


@dataclass(slots=True)
class Report:
    """The outcome. At most ``LISTED`` findings of an invariant are kept; ``broken`` counts them all. ``unchecked``: what could not
    be checked, and why: an audit that left something out says so."""

    LISTED = 50

    findings: list[Finding] = field(default_factory=list)
    broken: Counter[Invariant] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    unchecked: list[str] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """One more."""
        self.broken[finding.invariant] += 1
        if self.broken[finding.invariant] <= self.LISTED:
            self.findings.append(finding)

    @property
    def sound(self) -> bool:
        """Whether nothing is broken."""
        return not self.broken
