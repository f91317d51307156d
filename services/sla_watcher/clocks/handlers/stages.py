"""What the moves of a lead in its cycle mean for its clocks, and what follows a verdict.

Moves and qualifications come on two topics, so a verdict on the former qualification may be read
after the next one. It counts, and what came of it is published, but the clocks of the next go on.
"""

from typing import Final

from baton.contracts.clock_kinds import Occasion, kind_of
from baton.contracts.leads import Actor, LeadStaged, Stage, StageEvent
from baton.engine.reducer import Event
from baton.evolve import evolve
from services.sla_watcher.clocks.clock import close_clock, end_clock_now
from services.sla_watcher.clocks.evidence import Evidence, from_stage
from services.sla_watcher.clocks.goal_tallies import count_towards_goals, join_in_goals
from services.sla_watcher.clocks.handlers import verdicts
from services.sla_watcher.clocks.handlers.raised_hands import on_hand_raised
from services.sla_watcher.clocks.handlers.stage_clocks import on_stage_changed
from services.sla_watcher.clocks.pipeline import on_deal
from services.sla_watcher.clocks.recycling import end_nurture, learn_contract_end, left_before
from services.sla_watcher.clocks.step import ClockStep
from services.sla_watcher.clocks.time_split import with_mark

_TALLIED: Final = {
    Stage.SAL: "sal",
    Stage.SQL: "sql",
    Stage.OPPORTUNITY: "opportunity",
    Stage.CUSTOMER: "won",
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
        evolve(step.head, cycle=max(step.head.cycle, staged.cycle)) if step.view.head else step.head
    )
    if staged.learnt != step.head.learnt and step.view.head is not None:
        step.head = evolve(step.head, learnt=dict(staged.learnt))
    cleared = staged.event == StageEvent.CONTRACT_END_LEARNT and staged.contract_end is None
    learn_contract_end(step, staged.contract_end, cleared=cleared)
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
        staged.event in verdicts.REASONS_LEFT_OUT and staged.actor != Actor.SYSTEM
    ):
        left_before(step, verdicts.leaving_of(staged), cycle=staged.cycle)


def _moved(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
    _consents(step, event, staged)
    on_stage_changed(step, event, staged, evidence)
    match staged.event:
        case StageEvent.ACCEPTED:
            verdicts.accepted(step, event, staged, evidence)
        case StageEvent.REJECTED:
            verdicts.rejected(step, event, staged, evidence)
        case StageEvent.QUALIFIED if staged.to_stage != Stage.MQL:
            verdicts.verdict(step, event, staged, evidence)
        case StageEvent.OPPORTUNITY:
            verdicts.verdict(step, event, staged, evidence)
        case StageEvent.WON:
            verdicts.verdict(step, event, staged, evidence)
            _released(step, "won", at_ms=event.at_ms)
        case StageEvent.DISQUALIFIED | StageEvent.RECYCLED | StageEvent.LOST if (
            staged.actor != Actor.SYSTEM
        ):
            verdicts.left(step, event, staged, evidence)
        case StageEvent.DISQUALIFIED | StageEvent.RECYCLED:
            _echoed(step, event, staged)
        case StageEvent.HAND_RAISED:
            on_hand_raised(step, event)
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
    step.head = evolve(step.head, consents=dict(staged.consents))
    rest, allowed = (
        step.head.rest,
        step.reference.agreement.consent.nurture.decide(step.head.consents),
    )
    if rest is not None and rest.nurtured and not allowed.allowed:
        for clock in step.head.clocks:
            if Occasion.NO_CONSENT in kind_of(clock.clock).ended_by:
                close_clock(step, clock, f"no consent: {allowed.reason}", at_ms=event.at_ms)
        step.head = evolve(step.head, rest=evolve(rest, nurtured=False))
        end_nurture(step, allowed.reason)


def _count(step: ClockStep, staged: LeadStaged) -> None:
    for stage in (*staged.inferred, staged.to_stage):
        metric = _TALLIED.get(Stage(stage)) if stage in set(Stage) else None
        if metric is not None and staged.event in _VERDICTS:
            count_towards_goals(
                step, metric, occurred_at_ms=staged.occurred_at_ms, cycle=staged.cycle
            )


def _released(step: ClockStep, reason: str, *, at_ms: int) -> None:
    """Nobody owes the lead anything more in this cycle."""
    for clock in step.head.clocks:
        close_clock(step, clock, reason, at_ms=at_ms)
    step.head = evolve(
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
    step.head = evolve(step.head, rest=evolve(rest, returned=False))


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
    verdicts.leave(step, staged, verdicts.leaving_of(staged))


def _ended(step: ClockStep, staged: LeadStaged) -> None:
    """The lead is no more. One that nothing was ever known of needs no tombstone here."""
    if step.view.head is None:
        return
    for clock in step.head.clocks:
        end_clock_now(step, clock, staged.event)
    if staged.survivor is not None:
        join_in_goals(step, staged.survivor, occurred_at_ms=staged.occurred_at_ms)
    step.head = evolve(
        step.head, passing=None, holder=None, rest=None, marks=(), ahead=(), ended=staged.event
    )
