"""From qualified to held: the ``route`` clock, and the clocks of a hand-off.

``route`` starts when the qualification reaches the log and is met by a person to hold the lead; a
held lead is sales management's breach. The clocks of a hand-off start when the routed record
reaches the log, so a delay before it is never the holder's. Who was asked, who has it and why that
ended is read off the one projection of a hand-off (:mod:`baton.contracts.handoff`); what only a
person's act says (it is accepted, it was touched) stands beside it.
"""

from typing import Final

from baton.agreement.compiled.recycling import NEEDS_CONTRACT_END
from baton.contracts.clock_kinds import Occasion, Scope, kind_of
from baton.contracts.handoff import HandoffPhase, ProjectedHandoff, projected
from baton.contracts.leads import LeadQualified, Stage
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.contracts.slas import ClockState
from baton.contracts.streams import HANDOFF_ENDS, HandoffChange, HandoffEvent, LeadDecision
from baton.engine.reducer import Event
from baton.evolve import evolve
from services.sla_watcher.clocks.clock import (
    adopt_reference,
    close_clock,
    record_evidence,
    start_clock,
    store_clock,
)
from services.sla_watcher.clocks.evidence import Evidence, from_stage
from services.sla_watcher.clocks.goal_tallies import count_towards_goals
from services.sla_watcher.clocks.occasions import apply_occasion, is_met_by, of_scope, started_by
from services.sla_watcher.clocks.recycling import Leaving, end_rest, leave_cycle
from services.sla_watcher.clocks.state import Holder, OpenClock, Pass
from services.sla_watcher.clocks.step import ClockStep
from services.sla_watcher.clocks.time_split import with_mark

NO_CONSENT: Final = "no_consent"


def on_qualified(step: ClockStep, event: Event, qualified: LeadQualified) -> None:
    """A qualification begins its way; one that is known changes nothing."""
    head = step.head
    if head.passing is not None and head.passing.qualification_id == qualified.qualification_id:
        return
    _end_former(step, event, qualified)
    end_rest(step, "hand_raised" if qualified.hand_raised else "requalified")
    _begin(step, event, qualified)
    for name in started_by(Occasion.QUALIFIED):
        start_clock(step, _clock(step, name, qualified.qualification_id, event.at_ms))
    if qualified.stage == "mql":
        count_towards_goals(step, "mql", occurred_at_ms=qualified.qualified_at_ms)


def _end_former(step: ClockStep, event: Event, qualified: LeadQualified) -> None:
    """What ran before the qualification. One that the bridge team's verdict made is that verdict
    too, whichever is read first."""
    passed_on = qualified.stage == Stage.TQL and _same_cycle(step, qualified)
    occasion = Occasion.PASSED_ON if passed_on else Occasion.REQUALIFIED
    for scope in Scope:
        reason = None if passed_on else "requalified" if scope is Scope.REST else "qualified_again"
        evidence = _verdict(step, event, qualified) if passed_on else None
        evidence = evidence or _fact(event, qualified.cause_id, event.received_at_ms, reason)
        apply_occasion(step, occasion, evidence, meant=of_scope(scope))


def _verdict(step: ClockStep, event: Event, qualified: LeadQualified) -> Evidence | None:
    """The bridge team's own act, where it is in the same record."""
    moves = event.value.moves if isinstance(event.value, LeadDecision) else ()
    staged = next((move.staged for move in moves if move.qualified is qualified), None)
    return from_stage(staged, step.reference.agreement.slas) if staged is not None else None


def _begin(step: ClockStep, event: Event, qualified: LeadQualified) -> None:
    head = step.head
    passing = Pass(
        qualification_id=qualified.qualification_id,
        cycle=qualified.cycle,
        leg=qualified.leg,
        level=qualified.level,
        segment=qualified.segment,
        grade=qualified.grade,
        qualified_at_ms=qualified.qualified_at_ms,
        hand_raised=qualified.hand_raised
        or bool(head.passing and head.passing.hand_raised and _same_cycle(step, qualified)),
    )
    marks = head.marks if _same_cycle(step, qualified) else ()
    step.head = evolve(
        head,
        cycle=qualified.cycle,
        level=qualified.level,
        segment=qualified.segment,
        source=qualified.story.source,
        campaign=qualified.story.latest_campaign,
        consents=qualified.story.consents,
        contract_end=qualified.story.profile.get(NEEDS_CONTRACT_END) or head.contract_end,
        passing=passing,
        handoff=None,
        holder=None,
        marks=with_mark(marks, "system", min(qualified.received_at_ms, event.at_ms)),
    )


def _same_cycle(step: ClockStep, qualified: LeadQualified) -> bool:
    return step.head.cycle == qualified.cycle and step.head.passing is not None


def on_change(step: ClockStep, event: Event, change: HandoffChange) -> None:
    """Take one change of a hand-off: project it, and do what it means for the clocks."""
    passing = step.head.passing
    if passing is not None and passing.qualification_id == change.qualification_id:
        step.head = evolve(step.head, handoff=projected(step.head.handoff, change))
        if change.routed is not None:
            _on_routed(step, event, change.routed)
        elif change.unrouted is not None:
            _on_unrouted(step, event, change.unrouted)
        elif change.event == HandoffEvent.REINSTATED and change.owner is not None:
            _reinstate(step, event, change)
    if change.event in HANDOFF_ENDS and change.published:
        _withdrawn(step, event, change)


def _held(step: ClockStep, event: Event, routed: LeadRouted) -> ProjectedHandoff:
    """The hand-off as dispatch describes it, since its word reached this service."""
    known = step.head.handoff
    mine = known is not None and known.handoff_id == routed.handoff_id
    handoff = (known if mine else None) or ProjectedHandoff(
        handoff_id=routed.handoff_id,
        qualification_id=routed.qualification_id,
        attempt=routed.attempt,
        phase=HandoffPhase.OFFERED,
        since_ms=event.at_ms,
    )
    return evolve(
        handoff, since_ms=event.at_ms, leg=routed.leg, owner=routed.owner, pool=routed.pool
    )


def _on_routed(step: ClockStep, event: Event, routed: LeadRouted) -> None:
    """Somebody has the lead: whoever had it before is relieved, and the clocks of the hand-off
    start."""
    holder = step.head.holder
    if holder is not None and routed.attempt <= max(holder.handoff.attempt, holder.bars):
        return
    for clock in step.head.clocks:
        if is_met_by(clock, Occasion.OFFERED):
            decided_at = min(routed.routed_at_ms, event.at_ms)
            record_evidence(step, clock, _fact(event, event.id, decided_at, None))
        elif clock.handoff_id not in (None, routed.handoff_id):
            supersede(step, clock, at_ms=event.at_ms)
    accepted = (
        holder is not None and holder.handoff.handoff_id == routed.handoff_id and holder.accepted
    )
    step.head = evolve(
        step.head,
        holder=Holder(handoff=_held(step, event, routed), accepted=accepted),
        marks=with_mark(step.head.marks, "human", event.at_ms),
    )
    start_for_holder(step, Occasion.OFFERED, at_ms=event.at_ms)


def supersede(step: ClockStep, clock: OpenClock, *, at_ms: int, reason: str = "reassigned") -> None:
    """The lead went to somebody else. A breach stays on record as long as evidence from before it
    could give the lead back."""
    if clock.state == ClockState.RUNNING or clock.late is not None:
        close_clock(step, clock, reason, at_ms=at_ms)
    elif not clock.superseded:
        stopped = evolve(clock, superseded=True, rung_at_ms=None)
        store_clock(step, evolve(stopped, next_at_ms=stopped.settle_at_ms))


def release_handoff(step: ClockStep, *, at_ms: int) -> None:
    """The new holder has taken the lead up: who had it before cannot get it back, only be
    excused."""
    for clock in step.head.clocks:
        if clock.superseded:
            close_clock(step, clock, "handed_on", at_ms=at_ms)


def start_for_holder(step: ClockStep, occasion: Occasion, *, at_ms: int) -> None:
    """Start the clocks of the hand-off that stands which begin with the occasion; not one that was
    met before it began."""
    holder = step.head.holder
    if holder is None:
        return
    for name in started_by(occasion):
        if holder.accepted and Occasion.ACCEPTED in kind_of(name).met_by:
            continue
        handoff_id = holder.handoff.handoff_id
        clock = _clock(step, name, handoff_id, at_ms)
        start_clock(
            step,
            evolve(
                clock,
                handoff_id=handoff_id,
                queue=holder.handoff.leg,
                owner=holder.owner,
                pool=holder.pool,
            ),
        )


def _on_unrouted(step: ClockStep, event: Event, unrouted: LeadUnrouted) -> None:
    """Nobody yet: the route clock goes on (or starts again, for a further attempt) and knows where
    the lead waits. Suppressed: the cycle ends, with the reason."""
    if unrouted.outcome == "suppressed":
        _suppressed(step, event, unrouted)
        return
    for clock in step.head.clocks:
        if clock.handoff_id not in (None, unrouted.handoff_id) and not is_met_by(
            clock, Occasion.OFFERED
        ):
            supersede(step, clock, at_ms=event.at_ms)
    step.head = evolve(
        step.head, holder=None, marks=with_mark(step.head.marks, "queue", event.at_ms)
    )
    for name in started_by(Occasion.HELD):
        if not any(clock.clock == name for clock in step.head.clocks):
            start_clock(step, _clock(step, name, unrouted.handoff_id, event.at_ms))
    for clock in step.head.clocks:
        if Occasion.HELD in kind_of(clock.clock).starts_on:
            waits = evolve(clock, pool=unrouted.pool, handoff_id=unrouted.handoff_id)
            if clock.state == ClockState.RUNNING:
                adopt_reference(step, waits, reason="held")  # the hours are the pool's from now on
            else:
                store_clock(step, waits)


def _suppressed(step: ClockStep, event: Event, unrouted: LeadUnrouted) -> None:
    """A reason of the agreement leads where it says; lacking consent can be given, so that lead
    comes back; any other is an end."""
    for clock in step.head.clocks:
        close_clock(step, clock, f"suppressed: {unrouted.reason}", at_ms=event.at_ms)
    final = unrouted.reason not in {*step.reference.agreement.recycling.reasons, NO_CONSENT}
    leaving = Leaving(
        reason=unrouted.reason,
        qualification_id=unrouted.qualification_id,
        handoff_id=unrouted.handoff_id,
        final=final,
    )
    leave_cycle(step, leaving)


def _withdrawn(step: ClockStep, event: Event, change: HandoffChange) -> None:
    """A hand-off ended by no act of its holder, who owes nothing more."""
    for clock in step.head.clocks:
        if clock.handoff_id == change.handoff_id:
            supersede(step, clock, at_ms=event.at_ms, reason=change.reason or "withdrawn")
    holder = step.head.holder
    if holder is not None and holder.handoff.handoff_id == change.handoff_id:
        step.head = evolve(
            step.head, holder=None, marks=with_mark(step.head.marks, "system", event.at_ms)
        )


def _reinstate(step: ClockStep, event: Event, change: HandoffChange) -> None:
    """A former hand-off stands again, as accepted work."""
    passing, handoff = step.head.passing, step.head.handoff
    if passing is None or handoff is None or handoff.handoff_id != change.handoff_id:
        return
    again = evolve(handoff, owner=change.owner, leg=change.leg or passing.leg, since_ms=event.at_ms)
    holder = Holder(handoff=again, bars=change.attempt + 1, accepted=True, touched=True)
    for clock in step.head.clocks:
        if clock.handoff_id not in (None, change.handoff_id):
            supersede(step, clock, at_ms=event.at_ms)
    step.head = evolve(
        step.head, holder=holder, marks=with_mark(step.head.marks, "human", event.at_ms)
    )
    start_for_holder(step, Occasion.TAKEN_UP, at_ms=event.at_ms)


def _clock(step: ClockStep, name: str, subject: str, at_ms: int) -> OpenClock:
    passing = step.head.passing
    return OpenClock(
        clock_id=step.id_of("clock", name, subject),
        clock=name,
        state=ClockState.RUNNING,
        started_at_ms=at_ms,
        deadline_ms=at_ms,
        cause_id=step.cause,
        side="",
        target="",
        queue=passing.leg if passing else None,
        qualification_id=passing.qualification_id if passing else None,
        level=step.head.level,
        segment=step.head.segment,
        source=step.head.source,
        campaign=step.head.campaign,
    )


def _fact(event: Event, evidence_id: str, at_ms: int, reason: str | None) -> Evidence:
    return Evidence(evidence_id=evidence_id, at_ms=at_ms, acted_at_ms=event.at_ms, reason=reason)
