"""Compiles the section ``slas``: promises with their targets, pauses and ladders."""

from collections.abc import Mapping

from baton.agreement.compiled.calendars import Calendar
from baton.agreement.compiled.sla_targets import target_of
from baton.agreement.compiled.slas import AWAITING, LadderStep, SlaRule, SlaRules, WaitRule
from baton.agreement.model.slas import GoOnModel, PromiseModel, SlasModel, StepModel, WaitModel
from baton.agreement.quantities import DIGEST_MS
from baton.contracts.clock_kinds import kind_of


def compile_slas(model: SlasModel, calendars: Mapping[str, Calendar], house: Calendar) -> SlaRules:
    """Promises in the agreement's order."""
    longest = max(model.evidence_grace.values(), default=0)
    return SlaRules(
        rules=tuple(
            _promise(promise, model, calendars, house, longest) for promise in model.promises
        ),
        evidence_grace_ms=dict(model.evidence_grace),
        digest_ms=DIGEST_MS if model.digest is None else model.digest,
    )


def promise_name(model: PromiseModel) -> str:
    """What a promise is called: its name, or what it is for."""
    what = [model.queue, *model.level, *model.segment, *model.source, *model.campaign, model.stage]
    return model.name or " ".join([model.clock.value, *(level for level in what if level)])


def _promise(
    model: PromiseModel,
    slas: SlasModel,
    calendars: Mapping[str, Calendar],
    house: Calendar,
    longest_grace: int,
) -> SlaRule:
    calendar = calendars[model.calendar] if model.calendar else house
    ladder = slas.ladders[model.ladder_name] if model.ladder_name else model.ladder
    return SlaRule(
        name=promise_name(model),
        clock=model.clock.value,
        target=target_of(model.within, calendar),
        own_calendar=model.calendar is not None,
        warnings=model.warn,
        ladder=tuple(_step(step, calendar) for step in ladder),
        evidence_grace_ms=longest_grace if model.evidence_grace is None else model.evidence_grace,
        side=(model.side or kind_of(model.clock).side).value,
        attempts=model.attempts,
        queue=model.queue,
        levels=model.level,
        segments=model.segment,
        sources=model.source,
        campaigns=model.campaign,
        stage=model.stage,
        apart_ms=model.apart or 0,
        wait=_wait(model),
        absence_counts=model.absence == "counts",
    )


def _wait(model: PromiseModel) -> WaitRule | None:
    pause, resume = model.pause_when, model.resume_when or GoOnModel()
    if pause is None and not kind_of(model.clock).paused_by:
        return None
    pause = pause or WaitModel()
    return WaitRule(
        acts=frozenset(pause.act),
        outcomes=frozenset(pause.outcome) or AWAITING,
        longest_ms=pause.at_most,
        resume_acts=frozenset(resume.act),
        resume_outcomes=frozenset(resume.outcome),
    )


def _step(model: StepModel, calendar: Calendar) -> LadderStep:
    return LadderStep(
        kind=model.do.value,
        to=model.to,
        after=target_of(model.after, calendar) if model.after else None,
        at_most=model.at_most,
        reason=model.reason,
        levels=model.level,
        segments=model.segment,
        hand_raised=model.hand_raised,
    )
