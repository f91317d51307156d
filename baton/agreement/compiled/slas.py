"""The compiled section ``slas``: which promise holds for a clock, what is done when it is broken.

Times are ``..._ms``; percentages are integers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from baton.agreement.compiled.calendars import AnyCalendar
from baton.agreement.compiled.sla_targets import Target
from baton.agreement.quantities import DIGEST_MS, LONGEST_WAIT_MS
from baton.agreement.source_kinds import default_grace_ms

AWAITING: Final = frozenset({"awaiting_reply", "waiting_for_buyer"})
"""Outcomes of a touch after which it is the buyer's turn, where the agreement names no others."""


class SlaSubject(NamedTuple):
    """What a promise is looked up by, besides its clock."""

    queue: str | None = None
    level: str | None = None
    segment: str | None = None
    stage: str | None = None
    source: str | None = None
    campaign: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderStep:
    """One step after a breach, in the agreement's order.

    ``kind``: notify, reassign, escalate, manager_queue or recycle. ``to``: ``owner``, ``manager``,
    or a person or pool by id. ``after``: how long after the breach (None: at once). ``at_most``:
    how often a lead may be reassigned. ``reason``: the recycling reason (``sla_expired``); a
    recycle step spares those who raised their hand. ``levels``, ``segments`` and ``hand_raised``:
    whom the step is for; empty and None: everybody.
    """

    kind: str
    to: str | None
    after: Target | None
    at_most: int
    reason: str | None
    levels: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    hand_raised: bool | None = None

    def is_for(self, *, level: str | None, segment: str | None, hand_raised: bool) -> bool:
        """Whether the step is taken for such a lead."""
        return (
            (not self.levels or level in self.levels)
            and (not self.segments or segment in self.segments)
            and self.hand_raised in (None, hand_raised)
        )

    def due_ms(self, breached_at_ms: int, calendar: AnyCalendar | None = None) -> int:
        """When the step is due, evidence grace not counted."""
        return self.after.deadline(breached_at_ms, calendar) if self.after else breached_at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRule:
    """When a clock waits for the buyer, and what ends it. Empty ``acts``: a touch, and any reply or
    touch; empty ``outcomes``: the usual words, and any. ``longest_ms``: after this it goes on by
    itself."""

    acts: frozenset[str] = frozenset()
    outcomes: frozenset[str] = AWAITING
    longest_ms: int = LONGEST_WAIT_MS
    resume_acts: frozenset[str] = frozenset()
    resume_outcomes: frozenset[str] = frozenset()

    def begins(self, act: str, outcome: str | None, *, is_touch: bool) -> bool:
        """Whether the act makes the clock wait. Acts that are no touches (a booked meeting) need no
        outcome."""
        if not self.acts:
            return is_touch and outcome in self.outcomes
        return act in self.acts and (outcome in self.outcomes or not is_touch)

    def ends(self, act: str, outcome: str | None, *, is_answer: bool) -> bool:
        """Whether the act makes it go on. ``is_answer``: a reply of the buyer, or another touch."""
        meant = act in self.resume_acts if self.resume_acts else is_answer
        return meant and (not self.resume_outcomes or outcome in self.resume_outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaRule:
    """One promise.

    ``side``: sales, marketing or sales_management. ``warnings``: percentages of the time at which a
    warning is due, ascending. ``own_calendar``: the agreement names the calendar
    (``target.calendar``); otherwise the owner's, the pool's or the house's is meant: see
    ``CompiledAgreement.calendar_for``. ``attempts``: human attempts that ``follow_up`` demands.
    ``apart_ms``: the least time between two that count. ``wait``: when it waits for the buyer;
    None: never. ``absence_counts``: the owner's absences do not stop it. ``evidence_grace_ms``: how
    long ladder actions wait for late evidence; the record of the breach does not wait.
    """

    name: str
    clock: str
    target: Target
    own_calendar: bool
    warnings: tuple[int, ...]
    ladder: tuple[LadderStep, ...]
    evidence_grace_ms: int
    side: str
    attempts: int = 1
    queue: str | None = None
    levels: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    stage: str | None = None
    apart_ms: int = 0
    wait: WaitRule | None = None
    absence_counts: bool = False

    def holds_for(self, subject: SlaSubject) -> bool:
        """Whether the rule is for such a lead; what the rule leaves open holds for all."""
        return (
            (self.queue is None or self.queue == subject.queue)
            and (not self.levels or subject.level in self.levels)
            and (not self.segments or subject.segment in self.segments)
            and (not self.sources or subject.source in self.sources)
            and (not self.campaigns or subject.campaign in self.campaigns)
            and (self.stage is None or self.stage == subject.stage)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaRules:
    """``rules`` in the agreement's order; the first that holds wins. ``digest_ms``: the time
    between two digests of a pool for the same person."""

    rules: tuple[SlaRule, ...]
    evidence_grace_ms: Mapping[str, int]
    digest_ms: int = DIGEST_MS

    def target(
        self,
        clock: str,
        *,
        queue: str | None = None,
        level: str | None = None,
        segment: str | None = None,
        stage: str | None = None,
        source: str | None = None,
        campaign: str | None = None,
    ) -> SlaRule | None:
        """The promise for ``clock``: route, accept, first_touch, qualify, follow_up, nurture_start,
        nurture, advance (with the ``stage`` that is left) or return. None: nothing was promised, so
        no clock runs."""
        subject = SlaSubject(queue, level, segment, stage, source, campaign)
        return next(
            (rule for rule in self.rules if rule.clock == clock and rule.holds_for(subject)), None
        )

    def grace_of(self, source: str) -> int:
        """How late evidence of ``source`` may come, by the agreement."""
        return self.evidence_grace_ms.get(source, 0)

    def counted_at(self, source: str, occurred_at_ms: int, received_at_ms: int) -> int:
        """The time by which an act that ``source`` reported is judged: never later than its
        receipt.

        A source that the agreement names is believed about the time of the act; one that it does
        not name so far as tools of its kind are known to report late.
        """
        acted_at_ms = min(occurred_at_ms, received_at_ms)
        if source in self.evidence_grace_ms:
            return acted_at_ms if self.evidence_grace_ms[source] > 0 else received_at_ms
        return max(acted_at_ms, received_at_ms - default_grace_ms(source))
