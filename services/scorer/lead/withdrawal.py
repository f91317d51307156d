"""When an MQL that nobody accepted ceases to be one: its level fell, or its cause was retracted,
the hand it raised or the act that opened its gates. A raised hand does not cool, nor does work that
was accepted before a merge.
"""

from __future__ import annotations

from typing import Final

from baton.agreement.compiled.levels import RANK
from baton.contracts.leads import Level, Stage, StageEvent
from baton.evolve import evolve
from services.scorer.lead.backlog_entry import leave_backlog
from services.scorer.lead.cycle_state import CycleState, Qualification, WithdrawnHandoff
from services.scorer.lead.lead_context import LedgerBehaviour, context_of
from services.scorer.lead.level import Rating
from services.scorer.lead.qualification import why_not
from services.scorer.lead.raised_hands import not_retracted
from services.scorer.lead.stage_moves import by_system, place
from services.scorer.lead.state import COLD
from services.scorer.lead.step import LeadStep
from services.scorer.score.entry_status import taken_back

COOLED: Final = "cooled"
RETRACTED: Final = "retracted"
WITHDRAWALS: Final = frozenset({COOLED, RETRACTED})


def reconsider_qualification(
    step: LeadStep, *, cause: str, reason: str, rating: Rating | None = None
) -> None:
    """Withdraw an MQL that nobody accepted and that is one no longer. ``reason`` says what happened
    to it; ``rating``: an event did."""
    if step.head.level == COLD:
        leave_backlog(step, cause=cause)
    cycle_state = step.cycle_state
    work = cycle_state.work
    raised_by = _lower_retracted_hands(step, work)
    if step.head.stage != Stage.MQL.value or raised_by or work.kept:
        return
    if step.head.level != COLD and not (
        rating is not None and _gates_shut(step, rating, cycle_state)
    ):
        return
    if cycle_state.hand_raised or step.head.level != COLD:
        reason = RETRACTED
    place(step, StageEvent.WITHDRAWN, by_system(step, cause, reason=reason), Stage.INQUIRY)
    step.update_cycle(
        qualification=None, handoff=None, withdrawn=_withdrawn_handoff(cycle_state, step.now)
    )


def _lower_retracted_hands(step: LeadStep, work: Qualification) -> tuple[str, ...]:
    """The hands that still count; without any, the work is as urgent as the score says, and what
    somebody has accepted at least warm."""
    if not work.raised_by:
        return ()
    raised_by = not_retracted(step, work.raised_by)
    if raised_by == work.raised_by:
        return raised_by
    level = work.level
    if not raised_by:
        least = Level.COLD if step.head.stage == Stage.MQL.value else Level.WARM
        level = max(step.head.level, least.value, key=RANK.__getitem__)
    step.update_work(raised_by=raised_by, level=level)
    return raised_by


def _withdrawn_handoff(cycle_state: CycleState, now: int) -> WithdrawnHandoff | None:
    handoff, work = cycle_state.handoff, cycle_state.work
    if handoff is None or cycle_state.handoff_id is None:
        return None
    return WithdrawnHandoff(
        handoff_id=handoff.latest.handoff_id,
        leg=work.leg,
        level=work.level,
        owner=handoff.latest.owner,
        from_ms=handoff.from_ms,
        until_ms=now,
        raised_by=work.raised_by,
    )


def _gates_shut(step: LeadStep, rating: Rating, cycle_state: CycleState) -> bool:
    """Whether the hand that passed the gates is down, or what opened them was taken back by this
    event, and they are closed."""
    former = step.former
    took_back = former is not None and taken_back(step.head.marks) != taken_back(former.marks)
    # the gates are asked last: most events neither lower a hand nor take anything back
    if not (cycle_state.hand_raised or took_back) or not why_not(step, rating):
        return False
    if cycle_state.hand_raised or former is None:
        return True
    before = evolve(
        context_of(step, rating.engagement_micro),
        behaviour=LedgerBehaviour(former.ledger, former.marks),
    )
    return not step.agreement.lifecycle.closed_gates(before)
