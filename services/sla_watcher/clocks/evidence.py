"""What counts as evidence of a person's act, and from when it counts.

Touch clocks stop on a call, a mail or a meeting of the holder; not on a status, and not on what a
machine sent. Evidence counts from when it reached Baton; a source that is known to report late (by
the agreement, or by its kind) is believed about the time of the act itself, or a rep would be late
because a CRM was.
"""

from dataclasses import dataclass
from typing import Final

from baton.agreement.compiled.slas import SlaRules
from baton.contracts.intake import ActKind, LeadAct
from baton.contracts.leads import CLOCK_SKEW_MS, LeadStaged
from services.sla_watcher.clocks.state import Holder

TOUCHES: Final = frozenset({ActKind.CALL, ActKind.MAIL, ActKind.MEETING})
ANSWERS: Final = TOUCHES | {ActKind.MEETING_BOOKED}
"""What takes a lead up: an attempt to reach the buyer, or a date that was made with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A person's act as a clock sees it: ``at_ms`` is compared with the deadline, ``acted_at_ms``
    with the start."""

    evidence_id: str
    at_ms: int
    acted_at_ms: int
    by: str | None = None
    handoff_id: str | None = None
    inferred: bool = False
    reason: str | None = None

    def answers(self, handoff_id: str | None, owner: str | None, started_at_ms: int) -> bool:
        """Whether it can stop a clock of this hand-off: done by its owner, meant for it, and not
        older than it.

        A few minutes before the start still count: clocks of tools differ. What is older is
        history, not an answer.
        """
        meant = self.handoff_id is None or self.handoff_id == handoff_id
        return (
            meant
            and self.by is not None
            and self.by == owner
            and self.acted_at_ms >= started_at_ms - CLOCK_SKEW_MS
        )

    def answers_holder(self, holder: Holder) -> bool:
        """The same for the hand-off that stands."""
        handoff = holder.handoff
        return self.answers(handoff.handoff_id, handoff.owner, handoff.since_ms)


def is_touch(act: LeadAct) -> bool:
    """Whether it is a person's attempt to reach the buyer."""
    return act.act.kind in TOUCHES and not act.act.automatic


def is_answer(act: LeadAct) -> bool:
    """Whether it takes up a lead. A date that the buyer made by a booking page is one, though no
    person wrote it."""
    return act.act.kind in ANSWERS and not (act.act.automatic and act.act.kind in TOUCHES)


def from_act(act: LeadAct, slas: SlaRules) -> Evidence:
    """A touch as evidence."""
    return Evidence(
        evidence_id=act.event_id,
        at_ms=slas.counted_at(act.source, act.occurred_at_ms, act.received_at_ms),
        acted_at_ms=act.occurred_at_ms,
        by=act.act.by,
        handoff_id=act.act.handoff_id,
    )


def from_stage(stage: LeadStaged, slas: SlaRules) -> Evidence:
    """A disposition that the scorer let through, as evidence."""
    return Evidence(
        evidence_id=stage.cause_id,
        at_ms=slas.counted_at(stage.source or "", stage.occurred_at_ms, stage.evidence_at_ms),
        acted_at_ms=stage.occurred_at_ms,
        by=stage.by,
        handoff_id=stage.handoff_id,
    )
