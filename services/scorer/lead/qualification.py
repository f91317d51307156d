"""When a lead becomes an MQL, and when it ceases to be one before anybody took it.

A fast-track act qualifies at once, whatever the sum, if it was young enough when it came and is no backfill; it breaks a cool-off. A
level of warm or more qualifies if the agreement's gates are open, no cool-off holds and the lead does not wait in a backlog. Once a
cycle: an MQL is not made one again. An MQL that nobody accepted is withdrawn when its level falls or its cause is retracted: the
hand it raised, or the act that opened its gates. A raised hand does not cool.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from baton.contracts.leads import BacklogRelease, LeadQualified, Level, Stage, StageEvent
from baton.contracts.topic_names import LEADS_QUALIFIED
from baton.ids import derived_id
from services.scorer.lead.backlog_entry import begins_to_wait, stops_waiting
from services.scorer.lead.condition_context import LedgerBehaviour, facts_of
from services.scorer.lead.handoff_brief import story_of
from services.scorer.lead.level import Rating, rated
from services.scorer.lead.publish_score import tell
from services.scorer.lead.stage_moves import Cause, by_system, move_lead, place, refuse
from services.scorer.lead.state import Course
from services.scorer.lead.step import Turn
from services.scorer.lead.transitions import REST, Refused
from services.scorer.score.entry_status import taken_back
from services.scorer.score.ledger import id_bytes, retracted_ids

COOLED: Final = "cooled"
RETRACTED: Final = "retracted"
WITHDRAWALS: Final = frozenset({COOLED, RETRACTED})
WAITS: Final = "waits its turn: ready by the new agreement"
MAX_RAISED: Final = 8
_REST: Final = frozenset(stage.value for stage in REST)


def considered(
    turn: Turn,
    rating: Rating,
    *,
    cause: str,
    occurred_at_ms: int,
    raised: bool = False,
    acted: bool = False,
    adopting: bool = False,
) -> None:
    """Qualify the lead if it is time to; publish its score if it changed. ``raised``: the cause is a fast-track act that counts.
    ``adopting``: the cause is a new agreement, so a lead that is ready now waits its turn, until it has ``acted`` itself."""
    at_rest = turn.head.stage in _REST
    if raised and not at_rest:
        _raised_again(turn, cause, occurred_at_ms)
    if not at_rest or not (raised or rating.level != Level.COLD.value):
        tell(turn, rating, cause=cause)
        return
    held_back = "" if raised else why_not(turn, rating)
    if (adopting or (turn.head.waits and not (acted or raised))) and not held_back:
        pool, _ = turn.agreement.routing.expected(facts_of(turn, rating.engagement_micro))
        begins_to_wait(turn, pool, level=rating.level, engagement_micro=rating.engagement_micro, cause=cause)
        held_back = WAITS
    tell(turn, rating, cause=cause, note=held_back, always=not held_back)
    if not held_back:
        qualify(turn, rating, by_system(turn, cause, occurred_at_ms=occurred_at_ms), raised_by=(cause,) if raised else ())


def released(turn: Turn, told: BacklogRelease) -> None:
    """The lead's turn in the backlog has come: it qualifies if it is still ready."""
    if turn.head.waits != told.queue:
        return
    turn.head = replace(turn.head, waits="")
    rating = rated(turn, raising=False)
    if turn.head.stage in _REST and rating.level != Level.COLD.value and not why_not(turn, rating):
        tell(turn, rating, cause=turn.cause, always=True)
        qualify(turn, rating, by_system(turn, turn.cause))


def why_not(turn: Turn, rating: Rating) -> str:
    """What keeps a warm lead from being an MQL, in words; empty: nothing."""
    if turn.head.stage == Stage.RECYCLED.value and turn.now < turn.course.cool_off_until_ms:
        return "cool-off"
    if not turn.agreement.lifecycle.gates:
        return ""
    closed = turn.agreement.lifecycle.closed_gates(facts_of(turn, rating.engagement_micro))
    return f"not yet: {'; '.join(closed)}" if closed else ""


def qualify(
    turn: Turn,
    rating: Rating,
    cause: Cause,
    *,
    raised_by: tuple[str, ...] = (),
    owner: str | None = None,
    leg: str = "",
    kept: bool = False,
) -> None:
    """Make the lead an MQL and hand its story over. ``raised_by``: the fast-track acts that count; ``leg``, ``kept``: work that was
    accepted before a merge goes on with who had it."""
    stops_waiting(turn, cause=cause.id)
    head, levels = turn.head, turn.agreement.levels
    raised = bool(raised_by)
    leg = leg or levels.queue_for(rating.level, levels.fit_band(head.fit_micro), raised)
    if head.stage == Stage.CUSTOMER.value and owner is None:
        owner = turn.course.owner
    turn.steer(
        qualification_id=derived_id(cause.id, "qualification", turn.lead_id),
        cause_id=cause.id,
        leg=leg,
        level=urgency(turn, rating.level, raised=raised),
        raised_by=raised_by,
        kept=kept,
        qualified_at_ms=turn.now,
        owner=None,
        handoff_id=None,
        attempt=0,
        pool=None,
        accepted=False,
        touched=False,
        rejected=False,
        former=(),
    )
    refused = move_lead(turn, StageEvent.QUALIFIED, cause)
    assert refused is None, refused
    hand_over(turn, rating, cause, owner=owner)


def urgency(turn: Turn, level: str, *, raised: bool) -> str:
    """The level a hand-off is worked at: a raised hand is hot, with poor fit warm, whatever the sum."""
    if not raised:
        return level
    poor = turn.agreement.levels.fit_band(turn.head.fit_micro) in turn.agreement.lifecycle.poor_fit
    return Level.WARM.value if poor and level != Level.HOT.value else Level.HOT.value


def hand_over(turn: Turn, rating: Rating, cause: Cause, *, owner: str | None = None) -> None:
    """Publish ``LeadQualified`` for the qualification that the course names."""
    head, course, profile = turn.head, turn.course, turn.profile
    turn.publish(
        LEADS_QUALIFIED,
        LeadQualified(
            qualification_id=course.qualification_id or "",
            lead_id=turn.lead_id,
            cycle=head.cycle,
            leg=course.leg,
            level=course.level,
            grade=rating.grade,
            fit_micro=head.fit_micro,
            engagement_micro=rating.engagement_micro,
            hand_raised=course.hand_raised,
            cause_id=cause.id,
            qualified_at_ms=turn.now,
            received_at_ms=turn.received_at_ms,
            segment=turn.agreement.segment_of(profile),
            story=story_of(turn),
            agreement=turn.agreement.version,
            rejecters=course.rejecters,
            owner=owner,
            stage=head.stage,
        ),
    )


def reconsidered(turn: Turn, *, cause: str, reason: str, rating: Rating | None = None) -> None:
    """Withdraw an MQL that nobody accepted and that is one no longer. ``reason`` says what happened to it; ``rating``: an event did."""
    if turn.head.level == Level.COLD.value:
        stops_waiting(turn, cause=cause)
    if turn.head.stage != Stage.MQL.value:
        return
    course = turn.course
    raised_by = _still_raised(turn, course)
    if raised_by != course.raised_by:
        turn.steer(raised_by=raised_by)
    if raised_by or course.kept:
        return
    if turn.head.level != Level.COLD.value and not (rating is not None and _gates_shut(turn, rating, course)):
        return
    if course.hand_raised or turn.head.level != Level.COLD.value:
        reason = RETRACTED
    place(turn, StageEvent.WITHDRAWN, by_system(turn, cause, reason=reason), Stage.INQUIRY)
    turn.steer(
        qualification_id=None,
        leg="",
        level="",
        raised_by=(),
        handoff_id=None,
        attempt=0,
        owner=None,
        pool=None,
    )


def _gates_shut(turn: Turn, rating: Rating, course: Course) -> bool:
    """Whether the hand that passed the gates is down, or what opened them was taken back by this event, and they are closed."""
    if not why_not(turn, rating):
        return False
    if course.hand_raised:
        return True
    former = turn.view.head
    if former is None or taken_back(turn.head.marks) == taken_back(former.marks):
        return False
    before = replace(facts_of(turn, rating.engagement_micro), behaviour=LedgerBehaviour(former.ledger, former.marks))
    return not turn.agreement.lifecycle.closed_gates(before)


def _still_raised(turn: Turn, course: Course) -> tuple[str, ...]:
    """The fast-track acts of the cycle that were not retracted."""
    gone = retracted_ids(turn.head.retracted) if course.raised_by else frozenset()
    return tuple(each for each in course.raised_by if id_bytes(each) not in gone)


def _raised_again(turn: Turn, cause: str, occurred_at_ms: int) -> None:
    """A hand is raised by a lead that is somebody's work already: who has it is told. Or by one that is not to come back."""
    if turn.head.stage == Stage.DISQUALIFIED.value:
        said = by_system(turn, cause, occurred_at_ms=occurred_at_ms)
        refused = move_lead(turn, StageEvent.QUALIFIED, said)
        assert isinstance(refused, Refused)
        refuse(turn, StageEvent.QUALIFIED.value, said, refused.reason)
    else:
        turn.steer(raised_by=(*turn.course.raised_by, cause)[-MAX_RAISED:])
        place(turn, StageEvent.HAND_RAISED, by_system(turn, cause, occurred_at_ms=occurred_at_ms), Stage(turn.head.stage))
