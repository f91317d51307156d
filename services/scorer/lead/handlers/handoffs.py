"""What the router and the SLA watcher decided, as far as the lead has to know: who holds it, that its cycle ends, that it is back.

Each fact names the cycle or the hand-off it is about. What is about a former one changes nothing; each may come twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from baton.agreement.compiled.recycling import Outcome
from baton.contracts.leads import Stage
from baton.contracts.routing import HandoffKind, HandoffNoted, LeadRouted
from baton.contracts.slas import RETURN_DATE, LeadReactivated, LeadRecycled
from services.scorer.lead.handlers.events import settle
from services.scorer.lead.qualification import WITHDRAWALS
from services.scorer.lead.stage_moves import Cause, by_system, end_cycle, move_lead, refuse
from services.scorer.lead.state import Course, FormerHandoff
from services.scorer.lead.step import Turn
from services.scorer.lead.transitions import OPEN, Move

REINSTATED: Final = "reinstated"
_MAX_FORMER: Final = 8


def on_routed(turn: Turn, routed: LeadRouted) -> None:
    """Somebody holds the lead. A later attempt takes it from the former one, unless that one was accepted before it was routed."""
    course = turn.course
    if routed.qualification_id != course.qualification_id:
        return
    if routed.handoff_id == course.handoff_id:
        # Its acceptance was here first, or it comes twice.
        known = course.owner or routed.owner
        turn.steer(attempt=max(course.attempt, routed.attempt), owner=known, pool=routed.pool, routed_at_ms=turn.now)
        return
    if routed.attempt <= course.attempt:
        return
    turn.steer(
        handoff_id=routed.handoff_id,
        attempt=routed.attempt,
        owner=routed.owner,
        pool=routed.pool,
        leg=routed.leg,
        routed_at_ms=turn.now,
        accepted=False,
        touched=False,
        rejected=False,
        former=_with_former(course),
    )


def _with_former(course: Course) -> tuple[FormerHandoff, ...]:
    if course.handoff_id is None:
        return course.former
    left = FormerHandoff(
        handoff_id=course.handoff_id, attempt=course.attempt, leg=course.leg, owner=course.owner, pool=course.pool
    )
    return (*course.former, left)[-_MAX_FORMER:]


def on_noted(turn: Turn, noted: HandoffNoted) -> None:
    """A hand-off was taken back, or one stands again."""
    course = turn.course
    if noted.qualification_id != course.qualification_id:
        return
    if noted.kind == HandoffKind.WITHDRAWN and noted.handoff_id == course.handoff_id:
        turn.steer(handoff_id=None, owner=None, pool=None, accepted=False, touched=False, former=_with_former(course))
    elif noted.kind == HandoffKind.NOTED and noted.reason == REINSTATED and noted.handoff_id != course.handoff_id:
        left = tuple(each for each in _with_former(course) if each.handoff_id != noted.handoff_id)
        turn.steer(
            handoff_id=noted.handoff_id,
            attempt=max(course.attempt, noted.attempt),
            owner=noted.owner,
            pool=noted.pool,
            leg=noted.leg or course.leg,
            accepted=False,
            touched=True,
            former=left,
        )


def on_recycled(turn: Turn, told: LeadRecycled) -> None:
    """The cycle is to end; or a lead that nobody has goes to rest; or the dates become known of a rest that a person began."""
    head, disqualify = turn.head, told.outcome == Outcome.DISQUALIFY.value
    move = Move.DISQUALIFIED if disqualify else Move.RECYCLED
    rests = head.stage in (Stage.RECYCLED, Stage.DISQUALIFIED)
    if rests and (told.cycle == head.cycle - 1 or turn.course.rest_id is None):
        if disqualify and head.stage == Stage.RECYCLED:
            move_lead(turn, Move.DISQUALIFIED, _cause(turn, told))
        _rest(turn, told)
    elif told.cycle != head.cycle:
        refuse(turn, move.value, _cause(turn, told), "former_cycle")
    elif told.reason in WITHDRAWALS and head.stage in OPEN:
        refuse(turn, move.value, _cause(turn, told), "qualified_again")
    else:
        _end(turn, told, move)


def _end(turn: Turn, told: LeadRecycled, move: Move) -> None:
    worked_on = turn.head.stage in OPEN
    refused = move_lead(turn, move, _cause(turn, told))
    if refused is not None:
        refuse(turn, move.value, _cause(turn, told), refused.reason)
        return
    # A lead that was withdrawn before anybody took it rests in its cycle: what it did goes on counting.
    if worked_on or move is Move.DISQUALIFIED:
        end_cycle(turn, turn.head.stage, reason=told.reason)
    if worked_on and move is Move.RECYCLED:
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
    refused = move_lead(turn, Move.REACTIVATED, cause)
    assert refused is None, refused
    turn.steer(cool_off_until_ms=0, return_at_ms=told.return_at_ms)
    settle(turn, cause=turn.cause, occurred_at_ms=told.at_ms)
