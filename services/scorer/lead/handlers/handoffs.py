"""What the router and the SLA watcher decided, as far as the lead has to know: who holds it, that its cycle ends, that it is back.

Each fact names the cycle or the hand-off it is about. What is about a former one changes nothing; each may come twice.
"""

from __future__ import annotations

from typing import Final

from baton.contracts.routing import REINSTATED, HandoffKind, HandoffNoted, LeadRouted
from services.scorer.lead.state import Course, FormerHandoff
from services.scorer.lead.step import Turn

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
