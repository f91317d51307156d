"""The end of a cycle and the return from it, as the SLA watcher decided them.

Each fact names the cycle it is about. What is about a former one changes nothing; each may come
twice.
"""

from __future__ import annotations

from baton.agreement.model.recycling import Outcome
from baton.contracts.leads import Stage, StageEvent
from baton.contracts.slas import RETURN_DATE, LeadReactivated, LeadRecycled
from baton.evolve import evolve
from services.scorer.lead.cycle_state import Rest
from services.scorer.lead.deal_book import lose_open_deals
from services.scorer.lead.rescore import rescore
from services.scorer.lead.stage_moves import Cause, by_system, end_cycle, move_lead, refuse
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import OPEN
from services.scorer.lead.withdrawal import WITHDRAWALS


def on_recycled(step: LeadStep, recycled: LeadRecycled) -> None:
    """The cycle is to end; or a lead that nobody has goes to rest; or the dates become known of a
    rest that a person began."""
    head, disqualify = step.head, recycled.outcome == Outcome.DISQUALIFY.value
    move = StageEvent.DISQUALIFIED if disqualify else StageEvent.RECYCLED
    rests = head.stage in (Stage.RECYCLED, Stage.DISQUALIFIED)
    if recycled.revised:
        _revise(step, recycled, rests=rests)
        return
    if rests and (recycled.cycle == head.cycle - 1 or _is_unplanned(step)):
        if disqualify and head.stage == Stage.RECYCLED:
            move_lead(step, StageEvent.DISQUALIFIED, _cause(step, recycled))
        _rest(step, recycled)
    elif recycled.cycle != head.cycle:
        refuse(step, move.value, _cause(step, recycled), "former_cycle")
    elif head.stage in OPEN and (recycled.reason in WITHDRAWALS or _is_of_former(step, recycled)):
        refuse(step, move.value, _cause(step, recycled), "qualified_again")
    else:
        _end(step, recycled, move)


def _revise(step: LeadStep, recycled: LeadRecycled, *, rests: bool) -> None:
    """Nothing new ended: the dates of the rest that stands, if it still does."""
    rest = step.cycle_state.rest
    if rests and rest is not None and rest.rest_id in (None, recycled.recycle_id):
        _rest(step, recycled)


def _is_of_former(step: LeadStep, recycled: LeadRecycled) -> bool:
    """Whether it ends another qualification than the one that stands."""
    return recycled.qualification_id not in (None, step.cycle_state.qualification_id)


def _end(step: LeadStep, recycled: LeadRecycled, move: StageEvent) -> None:
    worked_on = step.head.stage in OPEN
    raised_by: tuple[str, ...] = ()
    rejected_at_ms = step.cycle_state.work.rejected_at_ms
    ended_at_ms = step.now if rejected_at_ms is None else rejected_at_ms
    refused = move_lead(step, move, _cause(step, recycled))
    if refused is not None:
        refuse(step, move.value, _cause(step, recycled), refused.reason)
        return
    # A lead that was withdrawn before anybody took it rests in its cycle: what it did goes on
    # counting.
    if worked_on or move is StageEvent.DISQUALIFIED:
        lose_open_deals(step)
        raised_by = end_cycle(
            step, step.head.stage, reason=recycled.reason, ended_at_ms=ended_at_ms
        )
    if worked_on and move is StageEvent.RECYCLED:
        step.update_cycle(recycles=step.cycle_state.recycles + 1)
    _rest(step, recycled)
    rescore(step, cause=recycled.recycle_id, occurred_at_ms=recycled.at_ms, raised_by=raised_by)


def _rest(step: LeadStep, recycled: LeadRecycled) -> None:
    rest = Rest(
        rest_id=recycled.recycle_id,
        reason=recycled.reason,
        track=recycled.track,
        cool_off_until_ms=recycled.cool_off_until_ms or 0,
        return_at_ms=recycled.return_at_ms,
    )
    step.update_cycle(rest=rest)


def _is_unplanned(step: LeadStep) -> bool:
    """Whether the SLA watcher has not said yet what becomes of the lead that rests."""
    rest = step.cycle_state.rest
    return rest is None or rest.rest_id is None


def _cause(step: LeadStep, recycled: LeadRecycled) -> Cause:
    said = by_system(
        step, recycled.recycle_id, occurred_at_ms=recycled.at_ms, reason=recycled.reason
    )
    return evolve(said, by=recycled.by, handoff_id=recycled.handoff_id)


def on_reactivated(step: LeadStep, reactivated: LeadReactivated) -> None:
    """The rest is over: what the lead did in the meantime counts now. Or it did not qualify since,
    and has a further date.

    Before the rest itself is known, it may be this one or a former one; which, the cycle says."""
    rest = step.cycle_state.rest or Rest()
    mine = rest.rest_id == reactivated.recycle_id or (
        rest.rest_id is None and reactivated.cycle in (step.head.cycle, step.head.cycle - 1)
    )
    if reactivated.reason != RETURN_DATE or not mine:
        return
    if step.head.stage == Stage.INQUIRY.value:
        step.update_cycle(rest=evolve(rest, return_at_ms=reactivated.return_at_ms))
    if step.head.stage != Stage.RECYCLED.value:
        return
    cause = by_system(step, step.cause, occurred_at_ms=reactivated.at_ms, reason=reactivated.reason)
    refused = move_lead(step, StageEvent.REACTIVATED, cause)
    assert refused is None, refused
    step.update_cycle(rest=evolve(rest, cool_off_until_ms=0, return_at_ms=reactivated.return_at_ms))
    rescore(step, cause=step.cause, occurred_at_ms=reactivated.at_ms)
