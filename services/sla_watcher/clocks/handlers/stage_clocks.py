"""The clocks of a stage: they start when it is reached, and are met when it is left."""

from baton.contracts.clock_kinds import Occasion
from baton.contracts.leads import LeadStaged, Stage
from baton.contracts.slas import ClockState
from baton.engine.reducer import Event
from services.sla_watcher.clocks.clock import start_clock
from services.sla_watcher.clocks.evidence import Evidence
from services.sla_watcher.clocks.occasions import apply_occasion, started_by
from services.sla_watcher.clocks.state import OpenClock
from services.sla_watcher.clocks.step import ClockStep


def on_stage_changed(step: ClockStep, event: Event, staged: LeadStaged, evidence: Evidence) -> None:
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
            queue=holder.handoff.leg if holder else None,
            owner=holder.owner if holder else staged.by,
            pool=holder.pool if holder else None,
            level=step.head.level,
            segment=step.head.segment,
            source=step.head.source,
            campaign=step.head.campaign,
        ),
    )
