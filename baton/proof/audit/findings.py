"""What an audit says: findings, each naming its offender by topic, partition and offset; and what
was counted on the way."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from baton.evolve import quick


class Invariant(StrEnum):
    """The promises that are checked; the value is the name in reports."""

    ACKNOWLEDGED = "acknowledged"
    ACCEPTED_ONCE = "accepted-once"
    READABLE = "every-record-can-be-read"
    UNIQUE = "unique-ids"
    CAUSED = "no-fact-without-a-cause"
    REBUILT = "facts-follow-the-journal"
    STATE = "state-follows-the-journal"
    SUMS = "score-is-its-explanation"
    SCORES = "score-is-what-was-accepted"
    ANSWERED = "stages-are-what-was-accepted"
    STAGES = "stages-connect"
    ROUTED_ONCE = "one-routing-a-qualification"
    ONE_HOLDER = "one-holder-at-a-time"
    CLOCKS = "clocks-end-once-and-never-early"
    OVERDUE = "clocks-end-at-all"
    TURNS = "turns-are-fair"
    CAPACITY = "capacity-is-kept"
    HELD = "no-lead-without-a-holder"
    IDENTITY = "one-person-one-lead"
    ACCOUNTS = "accounts-have-those-who-are-there"
    CONSENT = "consent-at-each-hand-out"
    BROUGHT = "hand-offs-have-what-was-reported"
    EMPLOYED = "holders-are-in-the-agreement"
    PROMISED = "published-dates-are-right"
    RELEASED = "ended-hand-offs-are-given-back"
    OFFERS = "offers-are-limited"
    JUDGED = "acts-move-what-they-name"
    RETURNS = "return-dates-are-as-agreed"
    ERASED = "nothing-after-an-erasure"
    TALLIES = "goals-are-their-tallies"
    VERDICTS = "tallies-are-verdicts"
    LATENESS = "nothing-in-time-is-judged-late"
    LOADS = "loads-are-what-is-open"
    PRESENT = "nobody-absent-is-asked"
    REJECTERS = "rejecters-are-asked-last"
    OVERFLOW = "no-lead-overflows-back"
    PERSON_LIMITS = "limits-over-all-pools-are-kept"
    PARTED = "refusals-follow-who-leaves"


MEANING: dict[Invariant, str] = {
    Invariant.ACKNOWLEDGED: (
        "what was acknowledged to a sender is in the log: accepted, or a dead letter"
    ),
    Invariant.ACCEPTED_ONCE: (
        "each event that came in is accepted exactly once, however often it came"
    ),
    Invariant.READABLE: "each record is what its topic's contract says",
    Invariant.UNIQUE: "no two facts have the same id",
    Invariant.CAUSED: "each fact names its cause",
    Invariant.REBUILT: (
        "each fact is one that its task computes again from its journal, and none of those is "
        "missing"
    ),
    Invariant.STATE: (
        "each changelog holds, byte for byte, what its task computes again from its journal"
    ),
    Invariant.SUMS: "the lines of an explanation add up to the number shown",
    Invariant.SCORES: (
        "a score is the sum, by the agreement's words, of the acts that were accepted of the lead "
        "until then"
    ),
    Invariant.ANSWERED: (
        "each verdict of a person moves a stage or is refused, and no stage moves by a verdict "
        "that nobody gave"
    ),
    Invariant.STAGES: "each move in a cycle begins at the stage where the one before it ended",
    Invariant.ROUTED_ONCE: "a hand-off is routed to one person, once",
    Invariant.ONE_HOLDER: "a lead is handed on only after the hand-off before was ended",
    Invariant.CLOCKS: "a clock ends at most once, and is not broken before its deadline",
    Invariant.OVERDUE: "a clock whose deadline is past has ended, or is broken",
    Invariant.TURNS: (
        "the person chosen is the one whose turn it was; turns are counted right, and nobody is a "
        "lead from their share"
    ),
    Invariant.CAPACITY: (
        "nobody has more open than their capacity, by the record and by counting, unless it was "
        "asked for by name"
    ),
    Invariant.HELD: (
        "every lead that qualified has a person, a queue, a track with a return date, or an end "
        "with its reason"
    ),
}

MEANING |= {
    Invariant.IDENTITY: (
        "an identity that belonged to several leads: each but the last has ended in another, was "
        "erased, or was separated from it"
    ),
    Invariant.ACCOUNTS: (
        "an account has as many people as its parts come to, and none that was merged away or "
        "erased"
    ),
    Invariant.CONSENT: (
        "nobody is handed to a person who had refused it by then, unless they asked for it"
    ),
    Invariant.BROUGHT: (
        "a hand-off has the person and the profile that its event reported, and what had been "
        "reported "
        "before"
    ),
    Invariant.EMPLOYED: (
        "whoever is given a lead is in the agreement that decided, and in the pool whose turn it "
        "was"
    ),
    Invariant.PROMISED: (
        "a deadline that is read is the one that is kept; a next try and a next change lie ahead "
        "or have come"
    ),
    Invariant.RELEASED: "a lead whose qualification ended is in no queue and on nobody's load",
    Invariant.OFFERS: "nobody has more unanswered offers than their limit",
    Invariant.JUDGED: "a verdict moves the hand-off that it names, by whoever held it",
    Invariant.RETURNS: "a return date is what the reason says, and no lead is back before it",
    Invariant.ERASED: (
        "an erasure is carried out, nothing is said of the lead after it, and no person is left to "
        "read"
    ),
    Invariant.TALLIES: "a goal has what its distinct tallies come to, each reported once",
    Invariant.LATENESS: (
        "a routing or an answer that came by the deadline does not leave its clock broken"
    ),
    Invariant.LOADS: "nobody is taken to have more open work than they can have",
    Invariant.PRESENT: "nobody is given a lead by turn in an absence that was known",
    Invariant.REJECTERS: "who rejected a lead is given it again only where the record says so",
    Invariant.PARTED: (
        "whoever is separated from a lead takes along each refusal of consent that it had heard"
    ),
    Invariant.OVERFLOW: "a lead that left a pool for another does not come back that way",
    Invariant.PERSON_LIMITS: (
        "nobody is given a lead by turn beyond their limits over all pools, counted over all of "
        "them"
    ),
    Invariant.VERDICTS: (
        "what counts towards a goal is a move that the lead made, and each such move counts"
    ),
}


class Basis(StrEnum):
    """How a promise is checked. ``independent``: from the records alone, by a model of the audit's
    own, so that a bug in what decides is found. ``recomputed``: by the same code again, so that
    what a crash, a rebalance or a lost write did is found, and a wrong rule is not."""

    INDEPENDENT = "independent"
    RECOMPUTED = "recomputed"


def basis_of(invariant: Invariant) -> Basis:
    """How it is checked."""
    recomputed = invariant in (Invariant.REBUILT, Invariant.STATE)
    return Basis.RECOMPUTED if recomputed else Basis.INDEPENDENT


@quick
@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Where a record lies."""

    topic: str
    partition: int
    offset: int

    @classmethod
    def of(cls, where: tuple[str, int, int]) -> "Place":
        """From topic, partition and offset."""
        topic, partition, offset = where
        return cls(topic=topic, partition=partition, offset=offset)

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


Add = Callable[[Finding], None]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A decoded record of a lead and where it lies."""

    at_ms: int
    place: Place
    value: Any


@dataclass(slots=True)
class Report:
    """The outcome. At most ``LISTED`` findings of an invariant are kept; ``broken`` counts them
    all. ``sums``: what the facts of the leads come to. ``unchecked``: what could not be checked,
    and why: an audit that left something out says so."""

    LISTED = 50

    findings: list[Finding] = field(default_factory=list)
    broken: Counter[Invariant] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    unchecked: list[str] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """One more."""
        self.broken[finding.invariant] += 1
        if self.broken[finding.invariant] <= self.LISTED:
            self.findings.append(finding)

    def merge(self, part: "Report") -> None:
        """What another part of the audit came to; what both could not check is said once."""
        for finding in part.findings:
            if self.broken[finding.invariant] < self.LISTED:
                self.findings.append(finding)
            self.broken[finding.invariant] += 1
        listed = Counter(finding.invariant for finding in part.findings)
        self.broken.update(part.broken - listed)
        self.checked.update(part.checked)
        self.sums.update(part.sums)
        self.unchecked += [words for words in part.unchecked if words not in self.unchecked]

    @property
    def sound(self) -> bool:
        """Whether nothing is broken."""
        return not self.broken
