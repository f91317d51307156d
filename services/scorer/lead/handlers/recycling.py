"""The end of a cycle and the return from it, as the SLA watcher decided them.

Each fact names the cycle it is about. What is about a former one changes nothing; each may come
twice.
"""

from __future__ import annotations

from dataclasses import replace

from baton.agreement.model.recycling import Outcome
from baton.contracts.leads import Stage, StageEvent
from baton.contracts.slas import RETURN_DATE, LeadReactivated, LeadRecycled
from services.scorer.lead.deal_book import lose_open_deals
from services.scorer.lead.qualification import WITHDRAWALS
from services.scorer.lead.rescore import rescore
from services.scorer.lead.stage_moves import Cause, by_system, end_cycle, move_lead, refuse
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import OPEN


def on_recycled(step: LeadStep, told: LeadRecycled) -> None:
    """The cycle is to end; or a lead that nobody has goes to rest; or the dates become known of a
    rest that a person began."""
    head, disqualify = step.head, told.outcome == Outcome.DISQUALIFY.value
    move = StageEvent.DISQUALIFIED if disqualify else StageEvent.RECYCLED
    rests = head.stage in (Stage.RECYCLED, Stage.DISQUALIFIED)
    if rests and (told.cycle == head.cycle - 1 or step.cycle_state.rest_id is None):
        if disqualify and head.stage == Stage.RECYCLED:
            move_lead(step, StageEvent.DISQUALIFIED, _cause(step, told))
        _rest(step, told)
    elif told.cycle != head.cycle:
        refuse(step, move.value, _cause(step, told), "former_cycle")
    elif head.stage in OPEN and (told.reason in WITHDRAWALS or _is_of_former(step, told)):
        refuse(step, move.value, _cause(step, told), "qualified_again")
    else:
        _end(step, told, move)


def _is_of_former(step: LeadStep, told: LeadRecycled) -> bool:
    """Whether it ends another qualification than the one that stands."""
    return told.qualification_id not in (None, step.cycle_state.qualification_id)


def _end(step: LeadStep, told: LeadRecycled, move: StageEvent) -> None:
    worked_on = step.head.stage in OPEN
    cycle_state = step.cycle_state
    raised_by: tuple[str, ...] = ()
    ended_at_ms = cycle_state.rejected_at_ms if cycle_state.rejected else step.now
    refused = move_lead(step, move, _cause(step, told))
    if refused is not None:
        refuse(step, move.value, _cause(step, told), refused.reason)
        return
    # A lead that was withdrawn before anybody took it rests in its cycle: what it did goes on
    # counting.
    if worked_on or move is StageEvent.DISQUALIFIED:
        lose_open_deals(step)
        raised_by = end_cycle(step, step.head.stage, reason=told.reason, ended_at_ms=ended_at_ms)
    if worked_on and move is StageEvent.RECYCLED:
        step.update_cycle(recycles=step.cycle_state.recycles + 1)
    _rest(step, told)
    rescore(step, cause=told.recycle_id, occurred_at_ms=told.at_ms, raised_by=raised_by)


def _rest(step: LeadStep, told: LeadRecycled) -> None:
    step.update_cycle(
        rest_id=told.recycle_id,
        rest_reason=told.reason,
        rest_track=told.track,
        cool_off_until_ms=told.cool_off_until_ms or 0,
        return_at_ms=told.return_at_ms,
    )


def _cause(step: LeadStep, told: LeadRecycled) -> Cause:
    said = by_system(step, told.recycle_id, occurred_at_ms=told.at_ms, reason=told.reason)
    return replace(said, by=told.by, handoff_id=told.handoff_id)


def on_reactivated(step: LeadStep, told: LeadReactivated) -> None:
    """The rest is over: what the lead did in the meantime counts now. Or it did not qualify since,
    and has a further date.

    Before the rest itself is known, it may be this one or a former one; which, the cycle says."""
    cycle_state = step.cycle_state
    mine = cycle_state.rest_id == told.recycle_id or (
        cycle_state.rest_id is None and told.cycle in (step.head.cycle, step.head.cycle - 1)
    )
    if told.reason != RETURN_DATE or not mine:
        return
    if step.head.stage == Stage.INQUIRY.value:
        step.update_cycle(return_at_ms=told.return_at_ms)
    if step.head.stage != Stage.RECYCLED.value:
        return
    cause = by_system(step, step.cause, occurred_at_ms=told.at_ms, reason=told.reason)
    refused = move_lead(step, StageEvent.REACTIVATED, cause)
    assert refused is None, refused
    step.update_cycle(cool_off_until_ms=0, return_at_ms=told.return_at_ms)
    rescore(step, cause=step.cause, occurred_at_ms=told.at_ms)
