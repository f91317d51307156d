"""The compiled section ``slas``: which promise holds for a clock, what is done when it is broken.

Times are ``..._ms``; percentages are integers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from baton.agreement.compiled.calendars import AnyCalendar
from baton.agreement.compiled.sla_targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderStep:
    """One step after a breach, in the agreement's order.

    ``kind``: notify, reassign, escalate, manager_queue or recycle. ``to``: ``owner``, ``manager``, or a person or pool by id.
    ``after``: how long after the breach (None: at once). ``at_most``: how often a lead may be reassigned. ``reason``: the
    recycling reason (``sla_expired``); a recycle step spares those who raised their hand.
    """

    kind: str
    to: str | None
    after: Target | None
    at_most: int
    reason: str | None

    def due_ms(self, breached_at_ms: int, calendar: AnyCalendar | None = None) -> int:
        """When the step is due, evidence grace not counted."""
        return self.after.deadline(breached_at_ms, calendar) if self.after else breached_at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaRule:
    """One promise.

    ``side``: sales, marketing or sales_management. ``warnings``: percentages of the time at which a warning is due, ascending.
    ``own_calendar``: the agreement names the calendar (``target.calendar``); otherwise the owner's, the pool's or the house's
    is meant: see ``CompiledAgreement.calendar_for``. ``attempts``: human attempts that ``follow_up`` demands.
    ``evidence_grace_ms``: how long ladder actions wait for late evidence; the record of the breach does not wait.
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
    stage: str | None = None

    def holds_for(self, *, queue: str | None, level: str | None, segment: str | None, stage: str | None) -> bool:
        """Whether the rule is for such a lead; what the rule leaves open holds for all."""
        return (
            (self.queue is None or self.queue == queue)
            and (not self.levels or level in self.levels)
            and (not self.segments or segment in self.segments)
            and (self.stage is None or self.stage == stage)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaRules:
    """``rules`` in the agreement's order; the first that holds wins."""

    rules: tuple[SlaRule, ...]
    evidence_grace_ms: Mapping[str, int]

    def target(
        self,
        clock: str,
        *,
        queue: str | None = None,
        level: str | None = None,
        segment: str | None = None,
        stage: str | None = None,
    ) -> SlaRule | None:
        """The promise for ``clock``: route, accept, first_touch, qualify, follow_up, nurture_start, nurture, advance (with the
        ``stage`` that is left) or return. None: nothing was promised, so no clock runs."""
        for rule in self.rules:
            if rule.clock == clock and rule.holds_for(queue=queue, level=level, segment=segment, stage=stage):
                return rule
        return None

    def grace_of(self, source: str) -> int:
        """How late evidence of ``source`` may come."""
        return self.evidence_grace_ms.get(source, 0)
