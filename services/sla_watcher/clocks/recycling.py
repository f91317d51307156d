"""The end of a cycle and the way back: which reason leads where, when the lead returns, and what
breaks the rest.

A lead that leaves is never silent: it has a track and a return date, or an end with its reason.
"""

from dataclasses import dataclass

from baton.agreement.compiled.recycling import RecycleReason, has_date
from baton.agreement.model.recycling import Outcome
from baton.agreement.quantities import DAY_MS
from baton.contracts.clock_kinds import Occasion, kind_of
from baton.contracts.slas import (
    RETURN_DATE,
    ClockState,
    LeadReactivated,
    LeadRecycled,
)
from baton.evolve import evolve
from services.sla_watcher.clocks.clock import close_clock, start_clock
from services.sla_watcher.clocks.occasions import started_by
from services.sla_watcher.clocks.state import OpenClock, Rest
from services.sla_watcher.clocks.step import ClockStep
from services.sla_watcher.clocks.time_split import with_mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Why the lead leaves its cycle. ``final``: it does not come back, whatever the reason leads to
    otherwise; ``free``: no cool-off and no count towards the limit, since nobody turned it down.
    ``qualification_id``: what ends, and nothing else does."""

    reason: str | None
    qualification_id: str | None = None
    handoff_id: str | None = None
    by: str | None = None
    contract_end: str | None = None
    final: bool = False
    free: bool = False


def leave_cycle(step: ClockStep, leaving: Leaving) -> None:
    """End the cycle for a reason: recycle with a track and dates, or disqualify. Once a cycle."""
    head = step.head
    if head.rest is not None and head.rest.cycle == head.cycle and not head.rest.returned:
        return
    rest = _plan(step, leaving, cycle=head.cycle)
    for clock in step.head.clocks:
        close_clock(step, clock, f"{rest.outcome}: {rest.reason}", at_ms=step.now)
    step.head = evolve(
        step.head,
        rest=rest,
        passing=None,
        holder=None,
        marks=with_mark(step.head.marks, "rest", step.now),
    )
    if rest.outcome == Outcome.RECYCLE and rest.nurtured:
        for name in started_by(Occasion.RECYCLED):
            start_clock(step, _marketing_clock(step, name, rest))


def left_before(step: ClockStep, leaving: Leaving, *, cycle: int) -> None:
    """The same of a lead that is known to have qualified anew since: its rest is over at once, and
    nothing of what runs now ends."""
    head = step.head
    if head.rest is not None and head.rest.cycle == cycle and not leaving.free:
        return
    rest = _plan(step, leaving, cycle=cycle)
    step.head = evolve(step.head, rest=rest)
    end_rest(
        step,
        "hand_raised" if head.passing is not None and head.passing.hand_raised else "requalified",
    )


def _plan(step: ClockStep, leaving: Leaving, *, cycle: int) -> Rest:
    """Plan the rest after ``cycle``, count it towards the limit and publish it."""
    rule = step.reference.agreement.recycling.reason(leaving.reason)
    if rule.outcome is Outcome.DISQUALIFY or leaving.final:
        return _disqualified(step, rule, leaving, cycle)
    rest = _recycled(step, rule, leaving, cycle)
    step.head = evolve(step.head, recycles=step.head.recycles + (not leaving.free))
    return rest


def _recycled(step: ClockStep, rule: RecycleReason, leaving: Leaving, cycle: int) -> Rest:
    agreement = step.reference.agreement
    contract_end = leaving.contract_end or step.head.contract_end
    plan = agreement.recycling.plan(
        rule, step.now, contract_end=contract_end, recycles=step.head.recycles
    )
    consent = agreement.consent.nurture.decide(step.head.consents)
    rest = Rest(
        recycle_id=step.id_of("recycle"),
        cycle=cycle,
        outcome=Outcome.RECYCLE.value,
        reason=leaving.reason or rule.name,
        track=plan.track,
        cool_off_until_ms=None if leaving.free else plan.cool_off_until_ms,
        return_at_ms=plan.return_at_ms,
        nurtured=consent.allowed,
        left_at_ms=step.now,
        recycles=step.head.recycles,
    )
    _publish_leave(
        step, rest, leaving, needs=plan.needs, refused=None if consent.allowed else consent.reason
    )
    return rest


def _disqualified(step: ClockStep, rule: RecycleReason, leaving: Leaving, cycle: int) -> Rest:
    rest = Rest(
        recycle_id=step.id_of("recycle"),
        cycle=cycle,
        outcome=Outcome.DISQUALIFY.value,
        reason=leaving.reason or rule.name,
    )
    _publish_leave(step, rest, leaving)
    return rest


def learn_contract_end(step: ClockStep, contract_end: str | None, *, cleared: bool = False) -> None:
    """The end of the buyer's contract has become known, or turned out another, or (``cleared``) was
    never said: a lead that rests because of it returns by it. One that has returned already keeps
    its dates."""
    head, rest = step.head, step.head.rest
    zone = step.reference.agreement.recycling.calendar.zone
    is_said = contract_end is not None and has_date(contract_end, zone)
    if not (is_said or cleared) or contract_end == head.contract_end or step.view.head is None:
        return
    step.head = evolve(head, contract_end=contract_end)
    if rest is None or rest.outcome != Outcome.RECYCLE or rest.back or rest.returned:
        return
    recycling = step.reference.agreement.recycling
    plan = recycling.plan(
        rest.reason, rest.left_at_ms, contract_end=contract_end, recycles=rest.recycles
    )
    return_at_ms = max(plan.return_at_ms, recycling.calendar.next_open(step.now))
    if (
        recycling.reason(rest.reason).before_contract_end_ms is None
        or return_at_ms == rest.return_at_ms
    ):
        return
    moved = evolve(rest, return_at_ms=return_at_ms)
    step.head = evolve(step.head, rest=moved)
    _publish_leave(step, moved, Leaving(reason=rest.reason), revised=True)


def end_nurture(step: ClockStep, refused: str) -> None:
    """Nobody may write to the lead any more: its track ends, the return date stands."""
    rest = step.head.rest
    if rest is not None and rest.outcome == Outcome.RECYCLE and not (rest.back or rest.returned):
        _publish_leave(step, rest, Leaving(reason=rest.reason), refused=refused, revised=True)


def _publish_leave(
    step: ClockStep,
    rest: Rest,
    leaving: Leaving,
    *,
    needs: str | None = None,
    refused: str | None = None,
    revised: bool = False,
) -> None:
    track = step.reference.agreement.recycling.tracks.get(rest.track or "")
    step.publish_recycled(
        LeadRecycled(
            recycle_id=rest.recycle_id,
            lead_id=step.lead_id,
            cycle=rest.cycle,
            outcome=rest.outcome,
            reason=rest.reason,
            at_ms=step.now,
            cause_id=step.cause,
            agreement=step.version,
            track=rest.track,
            cool_off_until_ms=rest.cool_off_until_ms,
            return_at_ms=rest.return_at_ms,
            qualification_id=leaving.qualification_id,
            handoff_id=leaving.handoff_id,
            by=leaving.by,
            needs=needs,
            track_topics=track.topics if track else (),
            track_stage=track.stage if track else None,
            nurture_allowed=rest.nurtured and track is not None,
            nurture_reason=refused,
            contract_end=leaving.contract_end or step.head.contract_end,
            revised=revised,
            learnt=step.head.learnt,
        ),
    )


def _marketing_clock(step: ClockStep, name: str, rest: Rest) -> OpenClock:
    return OpenClock(
        clock_id=step.id_of("clock", name, rest.recycle_id),
        clock=name,
        state=ClockState.RUNNING,
        started_at_ms=step.now,
        deadline_ms=step.now,
        cause_id=step.cause,
        side="",
        target="",
        level=step.head.level,
        segment=step.head.segment,
        source=step.head.source,
        campaign=step.head.campaign,
        track=rest.track,
    )


def return_from_rest(step: ClockStep) -> None:
    """A return date has come: the track ends and marketing owes the next touch. There is a further
    date, for a lead that does not qualify until then: it is never left without one."""
    rest = step.head.rest
    if rest is None or rest.returned:
        return
    recycling = step.reference.agreement.recycling
    again_ms = recycling.plan(rest.reason, step.now, recycles=recycling.max_recycles).return_at_ms
    again_ms = max(again_ms, step.now + DAY_MS)
    for clock in step.head.clocks:
        if Occasion.RETURNED in kind_of(clock.clock).ended_by:
            close_clock(step, clock, RETURN_DATE, at_ms=step.now)
    _publish_back(step, rest, RETURN_DATE, return_at_ms=again_ms)
    step.head = evolve(step.head, rest=evolve(rest, back=True, return_at_ms=again_ms))
    if rest.nurtured:
        for name in started_by(Occasion.RETURNED):
            start_clock(step, _marketing_clock(step, name, rest))


def end_rest(step: ClockStep, reason: str) -> None:
    """The lead qualified anew, by a raised hand or by what it did: the rest is over, and so is a
    track that still runs."""
    rest = step.head.rest
    if rest is None or rest.returned:
        return
    step.head = evolve(step.head, rest=evolve(rest, returned=True))
    if rest.outcome == Outcome.RECYCLE and not rest.back:
        _publish_back(step, rest, reason, return_at_ms=None)


def _publish_back(step: ClockStep, rest: Rest, reason: str, *, return_at_ms: int | None) -> None:
    step.publish_reactivated(
        LeadReactivated(
            lead_id=step.lead_id,
            cycle=rest.cycle,
            recycle_id=rest.recycle_id,
            reason=reason,
            at_ms=step.now,
            cause_id=step.cause,
            agreement=step.version,
            track=rest.track,
            return_at_ms=return_at_ms,
        ),
    )
