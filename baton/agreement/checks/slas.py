"""Promises: each can be the one that counts, no lead is without a deadline, ladders make sense."""

from collections.abc import Iterator

from baton.agreement.checks.context import CheckContext, Finding, dangling, odd, wrong
from baton.agreement.compile.sections import promise_name
from baton.agreement.model.lifecycle import Bridge
from baton.agreement.model.recycling import Outcome
from baton.agreement.model.slas import PromiseModel, StepKind, StepModel
from baton.agreement.problems import Path
from baton.contracts.clock_kinds import Clock

_TELLS = (StepKind.NOTIFY, StepKind.ESCALATE)
_ROLES = ("owner", "manager")


def check(context: CheckContext) -> Iterator[Finding]:
    """Each promise, then all of them against the queues there are."""
    yield from _shadowed(context)
    yield from _fields(context)
    yield from _ladders(context)
    yield from _without(context)


def _shadowed(context: CheckContext) -> Iterator[Finding]:
    promises = context.model.slas.promises
    for number, promise in enumerate(promises):
        earlier = next((each for each in promises[:number] if _covers(each, promise)), None)
        if earlier is not None:
            message = (
                f'promise "{promise_name(promise)}" is never reached: "{promise_name(earlier)}" before it takes the same leads'
            )
            yield wrong(("slas", "promises", number), message)


def _covers(wide: PromiseModel, narrow: PromiseModel) -> bool:
    return (
        wide.clock is narrow.clock
        and wide.queue in (None, narrow.queue)
        and (not wide.level or (bool(narrow.level) and set(narrow.level) <= set(wide.level)))
        and (not wide.segment or (bool(narrow.segment) and set(narrow.segment) <= set(wide.segment)))
        and wide.stage in (None, narrow.stage)
    )


def _fields(context: CheckContext) -> Iterator[Finding]:
    for number, promise in enumerate(context.model.slas.promises):
        path: Path = ("slas", "promises", number)
        if promise.stage is not None and promise.clock is not Clock.ADVANCE:
            yield wrong((*path, "stage"), f"stage belongs to the clock advance, not to {promise.clock.value}")
        if promise.attempts != 1 and promise.clock is not Clock.FOLLOW_UP:
            yield wrong((*path, "attempts"), f"attempts belong to the clock follow_up, not to {promise.clock.value}")


def _ladders(context: CheckContext) -> Iterator[Finding]:
    slas = context.model.slas
    for name, steps in slas.ladders.items():
        yield from _steps(context, ("slas", "ladders", name), steps)
        if not any(each.ladder_name == name for each in slas.promises):
            yield odd(("slas", "ladders", name), f'ladder "{name}" is used by no promise')
    for number, promise in enumerate(slas.promises):
        yield from _steps(context, ("slas", "promises", number, "ladder"), promise.ladder)


def _steps(context: CheckContext, base: Path, steps: tuple[StepModel, ...]) -> Iterator[Finding]:
    reasons = context.model.recycling.reasons
    for number, step in enumerate(steps):
        path = (*base, number)
        if step.to is not None and step.do not in _TELLS:
            yield wrong((*path, "to"), f"{step.do.value} goes to nobody in particular: leave to out")
        elif step.to is not None and step.to not in _ROLES and step.to not in context.model.people:
            yield dangling((*path, "to"), "person", step.to, (*_ROLES, *context.model.people))
        if step.do is StepKind.NOTIFY and step.to is None:
            yield wrong(path, "notify whom? add to: owner, to: manager or a person")
        if step.do is not StepKind.REASSIGN and step.at_most != 1:
            yield wrong((*path, "at_most"), f"at_most belongs to reassign, not to {step.do.value}")
        if step.do is StepKind.RECYCLE:
            if step.reason is None:
                yield wrong(path, "recycle needs a reason, such as sla_expired")
            elif step.reason not in reasons:
                yield dangling((*path, "reason"), "reason", step.reason, reasons)
            elif reasons[step.reason].outcome is not Outcome.RECYCLE:
                does = "disqualifies" if reasons[step.reason].outcome is Outcome.DISQUALIFY else "reassigns"
                message = f'"{step.reason}" does not recycle but {does}: a buyer is not punished for a breach'
                yield wrong((*path, "reason"), message)
            if number + 1 < len(steps):
                yield wrong((*base, number + 1), "comes after recycle, when the lead is gone: put recycle last")
        elif step.reason is not None:
            yield wrong((*path, "reason"), f"reason belongs to recycle, not to {step.do.value}")


def _without(context: CheckContext) -> Iterator[Finding]:
    slas = context.model.slas
    path: Path = ("slas", "promises")
    queues = ["sales"] if context.model.lifecycle.bridge is Bridge.NONE else ["sdr", "sales"]
    for queue in queues:
        for level in ("warm", "hot"):
            if not any(_holds(each, Clock.ACCEPT, queue, level) for each in slas.promises):
                yield odd(path, f"nothing is promised for accept by {queue} of {level} leads: they would have no deadline")
    for clock, why in (
        (Clock.ROUTE, "a lead that waits for a person"),
        (Clock.NURTURE_START, "a recycled lead (marketing's side)"),
    ):
        if not any(each.clock is clock for each in slas.promises):
            yield odd(path, f"nothing is promised for {clock.value}: {why} would have no deadline")


def _holds(promise: PromiseModel, clock: Clock, queue: str, level: str) -> bool:
    return (
        promise.clock is clock
        and promise.queue in (None, queue)
        and (not promise.level or level in promise.level)
        and not promise.segment
    )
