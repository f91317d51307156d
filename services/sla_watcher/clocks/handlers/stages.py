"""What the moves of a lead in its cycle mean for its clocks, and what follows a verdict.

Moves and qualifications come on two topics, so a verdict on the former qualification may be read
after the next one. It counts, and what it came to is told, but the clocks of the next go on.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from baton.contracts.clock_kinds import Occasion, kind_of
from baton.contracts.leads import Actor, LeadStaged, Level, Stage, StageEvent
from baton.contracts.slas import ActionKind, ClockState
from baton.engine.reducer import Event
from services.sla_watcher.clocks.clock import (
    close_clock,
    end_clock_now,
    reschedule_clock,
    start_clock,
)
from services.sla_watcher.clocks.evidence import Evidence, from_stage
from services.sla_watcher.clocks.goal_tallies import count_towards_goals, join_in_goals
from services.sla_watcher.clocks.handlers.handoffs import release_handoff, start_for_holder
from services.sla_watcher.clocks.occasions import apply_occasion, of_handoff, started_by
from services.sla_watcher.clocks.pipeline import on_deal
from services.sla_watcher.clocks.recycling import (
    Leaving,
    after_rejection,
    learn_contract_end,
    leave_cycle,
    left_before,
)
from services.sla_watcher.clocks.sla_facts import publish_action
from services.sla_watcher.clocks.state import CurrentHandoff, OpenClock, Pass
from services.sla_watcher.clocks.step import ClockStep
from services.sla_watcher.clocks.time_split import with_mark

_TALLIED: Final = {
    Stage.SAL: "sal",
    Stage.SQL: "sql",
    Stage.OPPORTUNITY: "opportunity",
    Stage.CUSTOMER: "won",
}
_UNSAID: Final[Mapping[str, str]] = {
    StageEvent.LOST: "lost_other",
    StageEvent.RECYCLED: "not_ready",
    StageEvent.DISQUALIFIED: "not_icp",
}
_ENDED: Final = frozenset({StageEvent.MERGED, StageEvent.ERASED})
_VERDICTS: Final = frozenset(
    {StageEvent.ACCEPTED, StageEvent.QUALIFIED, StageEvent.OPPORTUNITY, StageEvent.WON}
)
"""Moves that count towards goals; every other one leads to a stage that was counted when it was
reached, or to none that counts."""


def on_staged(step: ClockStep, event: Event, staged: LeadStaged) -> None:
    """Take one move."""
    evidence = from_stage(staged, step.reference.agreement.slas)
    step.head = (
        replace(step.head, cycle=max(step.head.cycle, staged.cycle))
        if step.view.head
        else step.head
    )
    learn_contract_end(step, staged.contract_end)
    _count(step, staged)
    if _is_of_former(step, staged):
        _left_before(step, staged)
    else:
        _moved(step, event, staged, evidence)
    on_deal(step, staged)


def _is_of_former(step: ClockStep, staged: LeadStaged) -> bool:
    """Whether the lead has qualified anew since, and that was read first."""
    passing = step.head.passing
    if (
        passing is None
        or staged.event in _ENDED
        or staged.qualification_id in (None, passing.qualification_id)
    ):
        return False
    return staged.cycle < passing.cycle or (
        staged.cycle == passing.cycle and staged.at_ms <= passing.qualified_at_ms
    )


def _left_before(step: ClockStep, staged: LeadStaged) -> None:
    if staged.event == StageEvent.WITHDRAWN or (
        staged.event in _UNSAID and staged.actor != Actor.SYSTEM
    ):
        left_before(step, _leaving(staged), cycle=staged.cycle)


def _moved(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
    _consents(step, event, staged)
    _advance(step, event, staged, evidence)
    match staged.event:
        case StageEvent.ACCEPTED:
            _accepted(step, event, staged, evidence)
        case StageEvent.REJECTED:
            _rejected(step, event, staged, evidence)
        case StageEvent.QUALIFIED if staged.to_stage != Stage.MQL:
            _verdict(step, event, staged, evidence)
        case StageEvent.OPPORTUNITY:
            _verdict(step, event, staged, evidence)
        case StageEvent.WON:
            _verdict(step, event, staged, evidence)
            _released(step, "won", at_ms=event.at_ms)
        case StageEvent.DISQUALIFIED | StageEvent.RECYCLED | StageEvent.LOST if (
            staged.actor != Actor.SYSTEM
        ):
            _left(step, event, staged, evidence)
        case StageEvent.DISQUALIFIED | StageEvent.RECYCLED:
            _echoed(step, event, staged)
        case StageEvent.HAND_RAISED:
            _hand_raised(step, event)
        case StageEvent.WITHDRAWN:
            _withdrawn(step, event, staged)
        case ended if ended in _ENDED:
            _ended(step, staged)


def _consents(step: ClockStep, event: Event, staged: LeadStaged) -> None:
    """What the lead allows now. Whom nobody may write to is nurtured no longer; the return date
    stands."""
    if staged.consents is None or (
        step.view.head is None and staged.event == StageEvent.CONSENT_CHANGED
    ):
        return
    step.head = replace(step.head, consents=dict(staged.consents))
    rest, allowed = (
        step.head.rest,
        step.reference.agreement.consent.nurture.decide(step.head.consents),
    )
    if rest is not None and rest.nurtured and not allowed.allowed:
        for clock in step.head.clocks:
            if Occasion.NO_CONSENT in kind_of(clock.clock).ended_by:
                close_clock(step, clock, f"no consent: {allowed.reason}", at_ms=event.at_ms)
        step.head = replace(step.head, rest=replace(rest, nurtured=False))


def _count(step: ClockStep, staged: LeadStaged) -> None:
    for stage in (*staged.inferred, staged.to_stage):
        metric = _TALLIED.get(Stage(stage)) if stage in set(Stage) else None
        if metric is not None and staged.event in _VERDICTS:
            count_towards_goals(
                step, metric, occurred_at_ms=staged.occurred_at_ms, cycle=staged.cycle
            )


def _accepted(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
    apply_occasion(step, Occasion.ACCEPTED, evidence, meant=of_handoff(_meant(step, staged)))
    _taken_up(step, event, staged, begins=True)


def _taken_up(step: ClockStep, event: Event, staged: LeadStaged, *, begins: bool) -> None:
    """A person answers for the lead: it waits in no queue any more, and who had it before has lost
    it. ``begins``: their work on it does; a verdict is the end of it."""
    holder = _accepting(step, event, staged, _meant(step, staged))
    if holder is not None and not holder.accepted:
        claimed = holder is not step.head.holder
        step.head = replace(step.head, holder=replace(holder, accepted=True))
        if begins and claimed:
            start_for_holder(step, Occasion.CLAIMED, at_ms=event.at_ms)
        if begins:
            start_for_holder(step, Occasion.TAKEN_UP, at_ms=event.at_ms)
    release_handoff(step, at_ms=event.at_ms)


def _meant(step: ClockStep, staged: LeadStaged) -> str | None:
    """The hand-off a move speaks of; without a word, the one that stands."""
    return staged.handoff_id or (step.head.holder.handoff_id if step.head.holder else None)


def _accepting(
    step: ClockStep, event: Event, staged: LeadStaged, handoff_id: str | None
) -> CurrentHandoff | None:
    """The hand-off that is accepted: the one that stands, or one out of a queue, which nobody was
    told to hold."""
    holder, passing = step.head.holder, step.head.passing
    if holder is not None and holder.handoff_id == handoff_id:
        return holder
    if passing is None or handoff_id is None or staged.by is None:
        return None
    return CurrentHandoff(
        handoff_id=handoff_id,
        qualification_id=passing.qualification_id,
        attempt=0,
        leg=passing.leg,
        owner=staged.by,
        pool=holder.pool if holder else "",
        since_ms=event.at_ms,
    )


def _rejected(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
    holder = step.head.holder
    handoff_id = _meant(step, staged)
    rejection = replace(evidence, reason="rejected")
    apply_occasion(
        step, Occasion.REJECTED, rejection, meant=lambda clock: clock.handoff_id == handoff_id
    )
    step.head = replace(
        step.head, holder=None, marks=with_mark(step.head.marks, "system", event.at_ms)
    )
    leaving = Leaving(
        reason=staged.reason or "rejected_by_sales",
        qualification_id=staged.qualification_id,
        handoff_id=handoff_id,
        by=staged.by,
        contract_end=staged.contract_end,
    )
    after_rejection(step, leaving, holder)


def _verdict(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
    """A person's verdict: it answers for the acceptance too, where that was never said."""
    meant = of_handoff(_meant(step, staged))
    _taken_up(step, event, staged, begins=False)
    apply_occasion(step, Occasion.VERDICT, evidence, meant=meant)


def _left(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
    """The cycle ended by a person's verdict; the lead comes back, or not, by the reason."""
    _verdict(step, event, staged, evidence)
    apply_occasion(step, Occasion.LEFT, evidence)
    _leave(step, staged, _leaving(staged))


def _leaving(staged: LeadStaged) -> Leaving:
    return Leaving(
        reason=staged.reason or _UNSAID.get(staged.event, staged.event),
        qualification_id=staged.qualification_id,
        handoff_id=staged.handoff_id,
        by=staged.by,
        contract_end=staged.contract_end,
        final=staged.event == StageEvent.DISQUALIFIED,
        free=staged.event == StageEvent.WITHDRAWN,
    )


def _leave(step: ClockStep, staged: LeadStaged, leaving: Leaving) -> None:
    """Also of a lead that nothing was known of here: the cycle that ends is the one that the move
    names."""
    step.head = replace(step.head, cycle=max(step.head.cycle, staged.cycle))
    leave_cycle(step, leaving)


def _released(step: ClockStep, reason: str, *, at_ms: int) -> None:
    """Nobody owes the lead anything more in this cycle."""
    for clock in step.head.clocks:
        close_clock(step, clock, reason, at_ms=at_ms)
    step.head = replace(
        step.head, passing=None, holder=None, marks=with_mark(step.head.marks, "rest", at_ms)
    )


def _echoed(step: ClockStep, event: Event, staged: LeadStaged) -> None:
    """Our own word, carried out. Where the lead had qualified anew just before it, that is over
    too."""
    rest, passing = step.head.rest, step.head.passing
    if (
        rest is None
        or passing is None
        or rest.cycle != staged.cycle
        or passing.cycle != staged.cycle
    ):
        return
    _released(step, f"{staged.event}: {staged.reason}", at_ms=event.at_ms)
    step.head = replace(step.head, rest=replace(rest, returned=False))


def _hand_raised(step: ClockStep, event: Event) -> None:
    """The buyer asked for a contact while somebody has the lead: from now on it is not sent away
    for our failure, what is promised to those who ask is promised to this one too, and who has it
    hears of it."""
    passing = step.head.passing
    if passing is None:
        return
    level = _level_of_raised(step, passing)
    step.head = replace(
        step.head, level=level, passing=replace(passing, hand_raised=True, level=level)
    )
    for clock in step.head.clocks:
        if (
            kind_of(clock.clock).can_be_taken_away
            and clock.state == ClockState.RUNNING
            and clock.level != level
        ):
            raised = replace(
                clock, level=level, raised_at_ms=event.at_ms, former_level=clock.level, warned=0
            )
            reschedule_clock(step, raised, reason=StageEvent.HAND_RAISED)
    start_for_holder(step, Occasion.OFFERED, at_ms=event.at_ms)
    holder = step.head.holder
    mine = next(
        (clock for clock in step.head.clocks if holder and clock.handoff_id == holder.handoff_id),
        None,
    )
    if holder is not None and mine is not None:
        publish_action(
            step, mine, ActionKind.NOTIFY, to=holder.owner, reason=StageEvent.HAND_RAISED
        )


def _level_of_raised(step: ClockStep, passing: Pass) -> str:
    """Hot; warm with poor fit, as where a raised hand qualifies."""
    poor = any(
        passing.grade.startswith(band) for band in step.reference.agreement.lifecycle.poor_fit
    )
    return passing.level if poor else Level.HOT.value


def _withdrawn(step: ClockStep, event: Event, staged: LeadStaged) -> None:
    """It is ready no longer. It was nobody's and has no date: it goes where leads wait, and may
    come back at any time."""
    for clock in step.head.clocks:
        close_clock(
            step,
            clock,
            f"withdrawn: {staged.reason}" if staged.reason else "withdrawn",
            at_ms=event.at_ms,
        )
    _leave(step, staged, _leaving(staged))


def _ended(step: ClockStep, staged: LeadStaged) -> None:
    """The lead is no more. One that nothing was ever known of needs no tombstone here."""
    if step.view.head is None:
        return
    for clock in step.head.clocks:
        end_clock_now(step, clock, staged.event)
    if staged.survivor is not None:
        join_in_goals(step, staged.survivor, occurred_at_ms=staged.occurred_at_ms)
    step.head = replace(
        step.head, passing=None, holder=None, rest=None, marks=(), ahead=(), ended=staged.event
    )


def _advance(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
    """``advance`` waits for the stage after the one that was reached; leaving it in any direction
    is an answer."""
    if staged.to_stage == staged.from_stage or step.head.ended:
        return
    apply_occasion(
        step, Occasion.STAGE_LEFT, evidence, meant=lambda clock: clock.stage != staged.to_stage
    )
    if staged.to_stage not in (Stage.SAL, Stage.SQL, Stage.OPPORTUNITY):
        return
    for name in started_by(Occasion.STAGE_REACHED):
        _start_for_stage(step, event, staged, name)


def _start_for_stage(step: ClockStep, event: Event, staged: LeadStaged, name: str) -> None:
    holder = step.head.holder
    start_clock(
        step,
        OpenClock(
            clock_id=step.id_of("clock", name, staged.to_stage),
            clock=name,
            state=ClockState.RUNNING,
            started_at_ms=event.at_ms,
            deadline_ms=event.at_ms,
            cause_id=step.cause,
            side="",
            target="",
            stage=staged.to_stage,
            queue=holder.leg if holder else None,
            owner=holder.owner if holder else staged.by,
            pool=holder.pool if holder else None,
            level=step.head.level,
            segment=step.head.segment,
            source=step.head.source,
            campaign=step.head.campaign,
        ),
    )
