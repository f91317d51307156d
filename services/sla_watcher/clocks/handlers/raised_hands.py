"""The buyer asks for a contact, or becomes hotter, while somebody has the lead: the promise is that
for its new level. Of a raised hand the holder is notified here, of a hotter lead by dispatch."""

from typing import Final

from baton.agreement.compiled.levels import RANK
from baton.contracts.clock_kinds import Occasion, kind_of
from baton.contracts.leads import LeadAmended, Level, StageEvent
from baton.contracts.slas import ActionKind, ClockState
from baton.engine.reducer import Event
from baton.evolve import evolve
from services.sla_watcher.clocks.clock import reschedule_clock
from services.sla_watcher.clocks.handlers.handoffs import start_for_holder
from services.sla_watcher.clocks.sla_facts import publish_action
from services.sla_watcher.clocks.state import Pass
from services.sla_watcher.clocks.step import ClockStep

HOTTER: Final = "hotter"


def on_hand_raised(step: ClockStep, event: Event) -> None:
    """The buyer asked for a contact while somebody has the lead: from now on it is not sent away
    for our failure, what is promised to those who ask is promised to this one too, and its
    holder is notified."""
    passing = step.head.passing
    if passing is None:
        return
    level = _level_of_raised(step, passing)
    step.head = evolve(step.head, passing=evolve(passing, hand_raised=True))
    _promise_for(step, level, at_ms=event.at_ms, reason=StageEvent.HAND_RAISED)
    start_for_holder(step, Occasion.OFFERED, at_ms=event.at_ms)
    holder = step.head.holder
    mine = next(
        (
            clock
            for clock in step.head.clocks
            if holder and clock.handoff_id == holder.handoff.handoff_id
        ),
        None,
    )
    if holder is not None and mine is not None:
        publish_action(
            step, mine, ActionKind.NOTIFY, to=holder.owner, reason=StageEvent.HAND_RAISED
        )


def on_hotter(step: ClockStep, event: Event, amended: LeadAmended) -> None:
    """The lead has become hotter than it was handed over as, by what it did."""
    passing = step.head.passing
    if passing is None or amended.qualification_id != passing.qualification_id:
        return
    if RANK[amended.level] > RANK.get(passing.level, 0):
        _promise_for(step, amended.level, at_ms=event.at_ms, reason=HOTTER)


def _promise_for(step: ClockStep, level: str, *, at_ms: int, reason: str) -> None:
    """Promise from now on what is promised for ``level``; what was promised before still holds
    where it ends sooner."""
    if step.head.passing is not None:
        passing = evolve(step.head.passing, level=level)
        step.head = evolve(step.head, level=level, passing=passing)
    for clock in step.head.clocks:
        if (
            kind_of(clock.clock).can_be_taken_away
            and clock.state == ClockState.RUNNING
            and clock.level != level
        ):
            raised = evolve(
                clock, level=level, raised_at_ms=at_ms, former_level=clock.level, warned=0
            )
            reschedule_clock(step, raised, reason=reason)


def _level_of_raised(step: ClockStep, passing: Pass) -> str:
    """Hot; warm with poor fit, as where a raised hand qualifies."""
    poor = any(
        passing.grade.startswith(band) for band in step.reference.agreement.lifecycle.poor_fit
    )
    return passing.level if poor else Level.HOT.value
