"""The end of a cycle and the return from it, as the SLA watcher decided them.

Each fact names the cycle it is about. What is about a former one changes nothing; each may come twice.
"""

from __future__ import annotations

from dataclasses import replace

from baton.agreement.model.recycling import Outcome
from baton.contracts.leads import Stage, StageEvent
from baton.contracts.slas import RETURN_DATE, LeadReactivated, LeadRecycled
from services.scorer.lead.qualification import WITHDRAWALS
from services.scorer.lead.rescore import settle
from services.scorer.lead.stage_moves import Cause, by_system, end_cycle, move_lead, refuse
from services.scorer.lead.step import Turn
from services.scorer.lead.transitions import OPEN


def on_recycled(turn: Turn, told: LeadRecycled) -> None:
    """The cycle is to end; or a lead that nobody has goes to rest; or the dates become known of a rest that a person began."""
    head, disqualify = turn.head, told.outcome == Outcome.DISQUALIFY.value
    move = StageEvent.DISQUALIFIED if disqualify else StageEvent.RECYCLED
    rests = head.stage in (Stage.RECYCLED, Stage.DISQUALIFIED)
    if rests and (told.cycle == head.cycle - 1 or turn.course.rest_id is None):
        if disqualify and head.stage == Stage.RECYCLED:
            move_lead(turn, StageEvent.DISQUALIFIED, _cause(turn, told))
        _rest(turn, told)
    elif told.cycle != head.cycle:
        refuse(turn, move.value, _cause(turn, told), "former_cycle")
    elif told.reason in WITHDRAWALS and head.stage in OPEN:
        refuse(turn, move.value, _cause(turn, told), "qualified_again")
    else:
        _end(turn, told, move)


def _end(turn: Turn, told: LeadRecycled, move: StageEvent) -> None:
    worked_on = turn.head.stage in OPEN
    refused = move_lead(turn, move, _cause(turn, told))
    if refused is not None:
        refuse(turn, move.value, _cause(turn, told), refused.reason)
        return
    # A lead that was withdrawn before anybody took it rests in its cycle: what it did goes on counting.
    if worked_on or move is StageEvent.DISQUALIFIED:
        end_cycle(turn, turn.head.stage, reason=told.reason)
    if worked_on and move is StageEvent.RECYCLED:
        turn.steer(recycles=turn.course.recycles + 1)
    _rest(turn, told)
    settle(turn, cause=told.recycle_id, occurred_at_ms=told.at_ms)


def _rest(turn: Turn, told: LeadRecycled) -> None:
    turn.steer(
        rest_id=told.recycle_id,
        rest_reason=told.reason,
        rest_track=told.track,
        cool_off_until_ms=told.cool_off_until_ms or 0,
        return_at_ms=told.return_at_ms,
    )


def _cause(turn: Turn, told: LeadRecycled) -> Cause:
    said = by_system(turn, told.recycle_id, occurred_at_ms=told.at_ms, reason=told.reason)
    return replace(said, by=told.by, handoff_id=told.handoff_id)


def on_reactivated(turn: Turn, told: LeadReactivated) -> None:
    """The rest is over: what the lead did in the meantime counts now. Or it did not qualify since, and has a further date.

    Before the rest itself is known, it may be this one or a former one; which, the cycle says."""
    course = turn.course
    mine = course.rest_id == told.recycle_id or (course.rest_id is None and told.cycle in (turn.head.cycle, turn.head.cycle - 1))
    if told.reason != RETURN_DATE or not mine:
        return
    if turn.head.stage == Stage.INQUIRY.value:
        turn.steer(return_at_ms=told.return_at_ms)
    if turn.head.stage != Stage.RECYCLED.value:
        return
    cause = by_system(turn, turn.cause, occurred_at_ms=told.at_ms, reason=told.reason)
    refused = move_lead(turn, StageEvent.REACTIVATED, cause)
    assert refused is None, refused
    turn.steer(cool_off_until_ms=0, return_at_ms=told.return_at_ms)
    settle(turn, cause=turn.cause, occurred_at_ms=told.at_ms)
