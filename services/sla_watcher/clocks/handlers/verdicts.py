"""What the verdicts of the receiving side mean for the clocks: accepted, rejected, qualified, the
end of a cycle.

A verdict answers for an acceptance that was never reported. What becomes of a rejected or recycled
lead follows from its reason (:mod:`services.sla_watcher.clocks.recycling`).
"""

from collections.abc import Mapping
from typing import Final

from baton.contracts.clock_kinds import Occasion
from baton.contracts.handoff import HandoffPhase, ProjectedHandoff
from baton.contracts.leads import LeadStaged, StageEvent
from baton.engine.reducer import Event
from baton.evolve import evolve
from services.sla_watcher.clocks.evidence import Evidence
from services.sla_watcher.clocks.handlers.handoffs import release_handoff, start_for_holder
from services.sla_watcher.clocks.occasions import apply_occasion, of_handoff
from services.sla_watcher.clocks.recycling import Leaving, leave_cycle
from services.sla_watcher.clocks.rejections import after_rejection
from services.sla_watcher.clocks.state import Holder
from services.sla_watcher.clocks.step import ClockStep
from services.sla_watcher.clocks.time_split import with_mark

REASONS_LEFT_OUT: Final[Mapping[str, str]] = {
    StageEvent.LOST: "lost_other",
    StageEvent.RECYCLED: "not_ready",
    StageEvent.DISQUALIFIED: "not_icp",
}
"""The reason of an end that was reported without one."""


def accepted(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
    """The receiving side took the lead."""
    apply_occasion(step, Occasion.ACCEPTED, evidence, meant=of_handoff(_meant(step, staged)))
    _taken_up(step, event, staged, begins=True)


def _taken_up(step: ClockStep, event: Event, staged: LeadStaged, *, begins: bool) -> None:
    """A person answers for the lead: it waits in no queue any more, and who had it before has lost
    it. ``begins``: their work on it does; a verdict is the end of it."""
    holder = _accepting(step, event, staged, _meant(step, staged))
    if holder is not None and not holder.accepted:
        claimed = holder is not step.head.holder
        step.head = evolve(step.head, holder=evolve(holder, accepted=True))
        if begins and claimed:
            start_for_holder(step, Occasion.CLAIMED, at_ms=event.at_ms)
        if begins:
            start_for_holder(step, Occasion.TAKEN_UP, at_ms=event.at_ms)
    release_handoff(step, at_ms=event.at_ms)


def _meant(step: ClockStep, staged: LeadStaged) -> str | None:
    """The hand-off a move speaks of; without a word, the one that stands."""
    return staged.handoff_id or (step.head.holder.handoff.handoff_id if step.head.holder else None)


def _accepting(
    step: ClockStep, event: Event, staged: LeadStaged, handoff_id: str | None
) -> Holder | None:
    """The hand-off that is accepted: the one that stands, or one out of a queue, which was offered
    to nobody."""
    holder, passing = step.head.holder, step.head.passing
    if holder is not None and holder.handoff.handoff_id == handoff_id:
        return holder
    if passing is None or handoff_id is None or staged.by is None:
        return None
    claimed = ProjectedHandoff(
        handoff_id=handoff_id,
        qualification_id=passing.qualification_id,
        attempt=0,
        phase=HandoffPhase.ACCEPTED,
        since_ms=event.at_ms,
        leg=passing.leg,
        owner=staged.by,
        pool=holder.pool if holder else None,
    )
    return Holder(handoff=claimed)


def rejected(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
    """The receiving side did not take it, or gives it back."""
    holder = step.head.holder
    handoff_id = _meant(step, staged)
    rejection = evolve(evidence, reason="rejected")
    apply_occasion(
        step, Occasion.REJECTED, rejection, meant=lambda clock: clock.handoff_id == handoff_id
    )
    step.head = evolve(
        step.head, holder=None, marks=with_mark(step.head.marks, "system", event.at_ms)
    )
    leaving = Leaving(
        reason=staged.reason or "rejected_by_sales",
        qualification_id=staged.qualification_id,
        handoff_id=handoff_id,
        by=staged.by,
        contract_end=staged.contract_end,
    )
    after_rejection(step, leaving, holder)


def verdict(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
    """A person's verdict: it answers for the acceptance too, where that was never said."""
    meant = of_handoff(_meant(step, staged))
    _taken_up(step, event, staged, begins=False)
    apply_occasion(step, Occasion.VERDICT, evidence, meant=meant)


def left(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
    """The cycle ended by a person's verdict; the lead comes back, or not, by the reason."""
    verdict(step, event, staged, evidence)
    apply_occasion(step, Occasion.LEFT, evidence)
    leave(step, staged, leaving_of(staged))


def leaving_of(staged: LeadStaged) -> Leaving:
    """Why the lead leaves its cycle, as the move has it."""
    return Leaving(
        reason=staged.reason or REASONS_LEFT_OUT.get(staged.event, staged.event),
        qualification_id=staged.qualification_id,
        handoff_id=staged.handoff_id,
        by=staged.by,
        contract_end=staged.contract_end,
        final=staged.event == StageEvent.DISQUALIFIED,
        free=staged.event == StageEvent.WITHDRAWN,
    )


def leave(step: ClockStep, staged: LeadStaged, leaving: Leaving) -> None:
    """Also of a lead that nothing was known of here: the cycle that ends is the one that the move
    names."""
    step.head = evolve(step.head, cycle=max(step.head.cycle, staged.cycle))
    leave_cycle(step, leaving)
