"""The end of a cycle and the way back: which reason leads where, when the lead returns, and what breaks the rest.

A lead that leaves is never silent: it has a track and a return date, or an end with its reason.
"""

from dataclasses import dataclass, replace
from typing import Final

from baton.agreement.compiled.recycling import RecycleReason
from baton.agreement.model.recycling import Outcome
from baton.agreement.quantities import DAY_MS
from baton.contracts.slas import RETURN_DATE, ActionKind, ClockState, LeadReactivated, LeadRecycled, SlaAction
from baton.contracts.topic_names import LEADS_REACTIVATED, LEADS_RECYCLED, LEADS_SLA_ACTIONS
from services.sla_watcher.clocks import clock as running
from services.sla_watcher.clocks.state import CurrentHandoff, OpenClock, Rest
from services.sla_watcher.clocks.step import Turn
from services.sla_watcher.clocks.time_split import marked

NURTURE_START: Final = "nurture_start"
NURTURE: Final = "nurture"
RETURN: Final = "return"
MOST_RETURNED: Final = 3
"""Rejections of one qualification after which the manager gets the lead, not a further colleague."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Why the lead leaves its cycle. ``final``: it does not come back, whatever the reason leads to otherwise; ``free``: no
    cool-off and no count towards the limit, since nobody turned it down."""

    reason: str | None
    handoff_id: str | None = None
    by: str | None = None
    contract_end: str | None = None
    final: bool = False
    free: bool = False


def leave(turn: Turn, leaving: Leaving) -> None:
    """End the cycle for a reason: recycle with a track and dates, or disqualify. Once a cycle."""
    head = turn.head
    if head.rest is not None and head.rest.cycle == head.cycle and not head.rest.returned:
        return
    rest = _plan(turn, leaving, cycle=head.cycle)
    for clock in turn.head.clocks:
        running.close(turn, clock, f"{rest.outcome}: {rest.reason}", at_ms=turn.now)
    turn.head = replace(turn.head, rest=rest, passing=None, holder=None, marks=marked(turn.head.marks, "rest", turn.now))
    if rest.outcome == Outcome.RECYCLE and rest.nurtured:
        for name in (NURTURE_START, NURTURE):
            running.start(turn, _marketing_clock(turn, name, rest))


def left_before(turn: Turn, leaving: Leaving, *, cycle: int) -> None:
    """The same of a lead that is known to have qualified anew since: its rest is over at once, and nothing of what runs now ends."""
    head = turn.head
    if head.rest is not None and head.rest.cycle == cycle and not leaving.free:
        return
    rest = _plan(turn, leaving, cycle=cycle)
    turn.head = replace(turn.head, rest=rest)
    end_rest(turn, "hand_raised" if head.passing is not None and head.passing.hand_raised else "requalified")


def _plan(turn: Turn, leaving: Leaving, *, cycle: int) -> Rest:
    """Plan the rest after ``cycle``, count it towards the limit and tell of it."""
    rule = turn.reference.agreement.recycling.reason(leaving.reason)
    if rule.outcome is Outcome.DISQUALIFY or leaving.final:
        return _disqualified(turn, rule, leaving, cycle)
    rest = _recycled(turn, rule, leaving, cycle)
    turn.head = replace(turn.head, recycles=turn.head.recycles + (not leaving.free))
    return rest


def _recycled(turn: Turn, rule: RecycleReason, leaving: Leaving, cycle: int) -> Rest:
    agreement = turn.reference.agreement
    plan = agreement.recycling.plan(rule, turn.now, contract_end=leaving.contract_end, recycles=turn.head.recycles)
    consent = agreement.consent.nurture.decide(turn.head.consents)
    rest = Rest(
        recycle_id=turn.id_of("recycle"),
        cycle=cycle,
        outcome=Outcome.RECYCLE.value,
        reason=leaving.reason or rule.name,
        track=plan.track,
        cool_off_until_ms=None if leaving.free else plan.cool_off_until_ms,
        return_at_ms=plan.return_at_ms,
        nurtured=consent.allowed,
    )
    _tell_leave(turn, rest, leaving, needs=plan.needs, refused=None if consent.allowed else consent.reason)
    return rest


def _disqualified(turn: Turn, rule: RecycleReason, leaving: Leaving, cycle: int) -> Rest:
    rest = Rest(
        recycle_id=turn.id_of("recycle"),
        cycle=cycle,
        outcome=Outcome.DISQUALIFY.value,
        reason=leaving.reason or rule.name,
    )
    _tell_leave(turn, rest, leaving)
    return rest


def _tell_leave(turn: Turn, rest: Rest, leaving: Leaving, *, needs: str | None = None, refused: str | None = None) -> None:
    track = turn.reference.agreement.recycling.tracks.get(rest.track or "")
    turn.publish(
        LEADS_RECYCLED,
        LeadRecycled(
            recycle_id=rest.recycle_id,
            lead_id=turn.lead_id,
            cycle=rest.cycle,
            outcome=rest.outcome,
            reason=rest.reason,
            at_ms=turn.now,
            cause_id=turn.cause,
            agreement=turn.version,
            track=rest.track,
            cool_off_until_ms=rest.cool_off_until_ms,
            return_at_ms=rest.return_at_ms,
            handoff_id=leaving.handoff_id,
            by=leaving.by,
            needs=needs,
            track_topics=track.topics if track else (),
            track_stage=track.stage if track else None,
            nurture_allowed=rest.nurtured and track is not None,
            nurture_reason=refused,
        ),
    )


def _marketing_clock(turn: Turn, name: str, rest: Rest) -> OpenClock:
    return OpenClock(
        clock_id=turn.id_of("clock", name, rest.recycle_id),
        clock=name,
        state=ClockState.RUNNING,
        started_at_ms=turn.now,
        deadline_ms=turn.now,
        cause_id=turn.cause,
        side="",
        target="",
        level=turn.head.level,
        segment=turn.head.segment,
        track=rest.track,
    )


def come_back(turn: Turn) -> None:
    """A return date has come: the track ends and marketing owes the next touch. There is a further date, for a lead that does not
    qualify until then: it is never left without one."""
    rest = turn.head.rest
    if rest is None or rest.returned:
        return
    recycling = turn.reference.agreement.recycling
    again_ms = recycling.plan(rest.reason, turn.now, recycles=recycling.max_recycles).return_at_ms
    again_ms = max(again_ms, turn.now + DAY_MS)
    for clock in turn.head.clocks:
        if clock.clock in (NURTURE_START, NURTURE, RETURN):
            running.close(turn, clock, RETURN_DATE, at_ms=turn.now)
    _tell_back(turn, rest, RETURN_DATE, return_at_ms=again_ms)
    turn.head = replace(turn.head, rest=replace(rest, back=True, return_at_ms=again_ms))
    if rest.nurtured:
        running.start(turn, _marketing_clock(turn, RETURN, rest))


def end_rest(turn: Turn, reason: str) -> None:
    """The lead qualified anew, by a raised hand or by what it did: the rest is over, and so is a track that still runs."""
    rest = turn.head.rest
    if rest is None or rest.returned:
        return
    turn.head = replace(turn.head, rest=replace(rest, returned=True))
    if rest.outcome == Outcome.RECYCLE and not rest.back:
        _tell_back(turn, rest, reason, return_at_ms=None)


def _tell_back(turn: Turn, rest: Rest, reason: str, *, return_at_ms: int | None) -> None:
    turn.publish(
        LEADS_REACTIVATED,
        LeadReactivated(
            lead_id=turn.lead_id,
            cycle=rest.cycle,
            recycle_id=rest.recycle_id,
            reason=reason,
            at_ms=turn.now,
            cause_id=turn.cause,
            agreement=turn.version,
            track=rest.track,
            return_at_ms=return_at_ms,
        ),
    )


def after_rejection(turn: Turn, leaving: Leaving, holder: CurrentHandoff | None) -> None:
    """The receiver said no: somebody else at once, later, or never, by the reason."""
    rule = turn.reference.agreement.recycling.reason(leaving.reason)
    if rule.outcome is not Outcome.REASSIGN:
        leave(turn, leaving)
        return
    passing = turn.head.passing
    if passing is None:
        return
    failed = passing.failed if leaving.by is None or leaving.by in passing.failed else (*passing.failed, leaving.by)
    counted = replace(passing, failed=failed, returned=passing.returned + 1, moved=leaving.handoff_id)
    turn.head = replace(turn.head, passing=counted)
    again = passing.returned < MOST_RETURNED
    turn.publish(
        LEADS_SLA_ACTIONS,
        SlaAction(
            action_id=turn.id_of("action", "rejected"),
            kind=ActionKind.REASSIGN if again else ActionKind.MANAGER_QUEUE,
            lead_id=turn.lead_id,
            handoff_id=leaving.handoff_id or "",
            clock_id="",
            at_ms=turn.now,
            cause_id=turn.cause,
            agreement=turn.version,
            owner=leaving.by,
            pool=holder.pool if holder else None,
            to=None if again else _manager(turn, holder),
            reason=leaving.reason,
            exclude=failed,
        ),
    )


def _manager(turn: Turn, holder: CurrentHandoff | None) -> str | None:
    agreement = turn.reference.agreement
    return agreement.manager_of(person=holder.owner, pool=holder.pool) if holder else None
