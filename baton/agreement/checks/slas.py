"""Promises: each can be the one that counts, no lead is without a deadline, ladders make sense."""

from collections.abc import Iterator, Sequence

from baton.agreement.checks.context import CheckContext, Finding, dangling, odd, quoted, wrong
from baton.agreement.compiler.slas import promise_name
from baton.agreement.model.lifecycle import Bridge
from baton.agreement.model.recycling import Outcome
from baton.agreement.model.slas import PromiseModel, StepKind, StepModel
from baton.agreement.problems import Path
from baton.contracts.clock_kinds import CLOCK_KINDS, Clock, Scope, kind_of
from baton.contracts.intake import ActKind

_ENDS = (StepKind.MANAGER_QUEUE, StepKind.RECYCLE)
_TAKEN_FROM = {
    StepKind.REASSIGN: frozenset({Scope.HANDOFF}),
    StepKind.MANAGER_QUEUE: frozenset({Scope.QUALIFICATION, Scope.HANDOFF}),
    StepKind.RECYCLE: frozenset(Scope) - {Scope.REST},
}
"""The clocks that a step can come of; where it is not named, all."""
_NOBODYS = {
    StepKind.REASSIGN: "nobody holds the lead",
    StepKind.MANAGER_QUEUE: "nobody holds the lead",
    StepKind.RECYCLE: "the lead is recycled already",
}
_OWNED = {
    word: [kind.clock for kind in CLOCK_KINDS.values() if word in kind.takes]
    for word in sorted(frozenset().union(*(kind.takes for kind in CLOCK_KINDS.values())))
}
_ACTS = tuple(
    kind.value
    for kind in ActKind
    if kind
    in (
        ActKind.CALL,
        ActKind.MAIL,
        ActKind.MEETING,
        ActKind.MEETING_BOOKED,
        ActKind.NO_SHOW,
        ActKind.BUYER_REPLY,
    )
)
_NOTIFIES = (StepKind.NOTIFY, StepKind.ESCALATE)
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
        earlier = next(
            (
                earlier_promise
                for earlier_promise in promises[:number]
                if _covers(earlier_promise, promise)
            ),
            None,
        )
        if earlier is not None:
            message = (
                f'promise "{promise_name(promise)}" is never reached: "{promise_name(earlier)}" '
                "before it takes the same leads"
            )
            yield wrong(("slas", "promises", number), message)


def _covers(wide: PromiseModel, narrow: PromiseModel) -> bool:
    return (
        wide.clock is narrow.clock
        and wide.queue in (None, narrow.queue)
        and (not wide.level or (bool(narrow.level) and set(narrow.level) <= set(wide.level)))
        and (
            not wide.segment or (bool(narrow.segment) and set(narrow.segment) <= set(wide.segment))
        )
        and (not wide.source or (bool(narrow.source) and set(narrow.source) <= set(wide.source)))
        and (
            not wide.campaign
            or (bool(narrow.campaign) and set(narrow.campaign) <= set(wide.campaign))
        )
        and wide.stage in (None, narrow.stage)
    )


def _fields(context: CheckContext) -> Iterator[Finding]:
    for number, promise in enumerate(context.model.slas.promises):
        path: Path = ("slas", "promises", number)
        for word, kinds in _OWNED.items():
            if word in promise.model_fields_set and promise.clock not in kinds:
                owners = quoted(kind.value for kind in kinds)
                verb = "belong" if word.endswith("s") else "belongs"
                yield wrong(
                    (*path, word),
                    f"{word} {verb} to the clock {owners}, not to {promise.clock.value}".replace(
                        '"', ""
                    ),
                )
        if promise.apart is not None and promise.attempts == 1:
            yield odd(
                (*path, "apart"), "apart is between attempts, and one is promised: add attempts: 3"
            )
        if promise.apart is None and promise.attempts > 1:
            yield odd(
                (*path, "attempts"),
                f"{promise.attempts} attempts may all be of one minute, since nothing says how far "
                "apart they are: add apart: 2 hours",
            )
        yield from _waits(path, promise)


def _waits(path: Path, promise: PromiseModel) -> Iterator[Finding]:
    if (
        promise.resume_when is not None
        and promise.pause_when is None
        and not kind_of(promise.clock).paused_by
    ):
        message = (
            f"{promise.clock.value} waits for nobody, so nothing ends its waiting: add pause_when, "
            "or leave resume_when out"
        )
        yield wrong((*path, "resume_when"), message)
    for part, words in (("pause_when", promise.pause_when), ("resume_when", promise.resume_when)):
        for act in words.act if words else ():
            if act not in _ACTS:
                yield dangling((*path, part, "act"), "act", act, _ACTS)
    if promise.pause_when is not None and promise.pause_when.at_most == 0:
        yield wrong(
            (*path, "pause_when", "at_most"), "a wait of no time is none: leave pause_when out"
        )


def _ladders(context: CheckContext) -> Iterator[Finding]:
    slas = context.model.slas
    for name, steps in slas.ladders.items():
        yield from _steps(context, ("slas", "ladders", name), steps)
        users = [sla for sla in slas.promises if sla.ladder_name == name]
        if not users:
            yield odd(("slas", "ladders", name), f'ladder "{name}" is used by no promise')
        yield from _outcome(context, ("slas", "ladders", name), steps, users)
    for number, promise in enumerate(slas.promises):
        yield from _steps(context, ("slas", "promises", number, "ladder"), promise.ladder)
        yield from _outcome(
            context, ("slas", "promises", number, "ladder"), promise.ladder, [promise]
        )


def _outcome(
    context: CheckContext, base: Path, steps: tuple[StepModel, ...], users: Sequence[PromiseModel]
) -> Iterator[Finding]:
    """Each step can come, for each promise that uses the ladder, and whoever a step takes the lead
    from, somebody has it then."""
    ended: StepModel | None = None
    escalated = False
    for number, step in enumerate(steps):
        path = (*base, number)
        if ended is not None:
            if ended.do is StepKind.MANAGER_QUEUE:
                yield wrong(
                    path,
                    f"{step.do.value} never comes: manager_queue before it gives the lead to the "
                    "manager",
                )
            continue
        if step.do is StepKind.ESCALATE and escalated:
            yield wrong(
                path, "escalate never comes: a lead is escalated once, by the step before it"
            )
        for promise in users:
            if kind_of(promise.clock).scope not in _TAKEN_FROM.get(step.do, frozenset(Scope)):
                yield wrong(
                    path,
                    f"{step.do.value} never comes: {_NOBODYS[step.do]} while {promise.clock.value} "
                    "runs",
                )
                break
        if step.do is StepKind.MANAGER_QUEUE:
            yield from _without_manager(context, path, users)
        ended = ended or (step if step.do in _ENDS and step.is_for_all else None)
        escalated = escalated or (step.do is StepKind.ESCALATE and step.is_for_all)


def _without_manager(
    context: CheckContext, path: Path, users: Sequence[PromiseModel]
) -> Iterator[Finding]:
    people = context.model.people
    for name, pool in context.model.pools.items():
        if pool.manager is not None or not any(
            user.queue in (None, pool.kind.value) for user in users
        ):
            continue
        waits = any(kind_of(user.clock).scope is Scope.QUALIFICATION for user in users)
        alone = [
            person
            for person in pool.members
            if person not in people or people[person].manager is None
        ]
        if waits or alone or not pool.members:
            whose = f" and neither has {quoted(alone)}" if alone and not waits else ""
            yield wrong(
                path,
                f'manager_queue would take leads of pool "{name}" to nobody: it has no '
                f"manager{whose}; add manager: ...",
            )


def _recycle_reason(context: CheckContext, path: Path, reason: str | None) -> Iterator[Finding]:
    """A step that recycles needs a reason that recycles."""
    reasons = context.model.recycling.reasons
    if reason is None:
        yield wrong(path, "recycle needs a reason, such as sla_expired")
    elif reason not in reasons:
        yield dangling((*path, "reason"), "reason", reason, reasons)
    elif reasons[reason].outcome is not Outcome.RECYCLE:
        disqualifies = reasons[reason].outcome is Outcome.DISQUALIFY
        does = "disqualifies" if disqualifies else "reassigns"
        message = f'"{reason}" does not recycle but {does}: a buyer is not punished for a breach'
        yield wrong((*path, "reason"), message)


def _steps(context: CheckContext, base: Path, steps: tuple[StepModel, ...]) -> Iterator[Finding]:
    for number, step in enumerate(steps):
        path = (*base, number)
        if step.to is not None and step.do not in _NOTIFIES:
            yield wrong(
                (*path, "to"), f"{step.do.value} goes to nobody in particular: leave to out"
            )
        elif step.to is not None and step.to not in _ROLES and step.to not in context.model.people:
            yield dangling((*path, "to"), "person", step.to, (*_ROLES, *context.model.people))
        for segment in step.segment:
            if segment not in context.fields["lead.segment"].choices:
                yield dangling(
                    (*path, "segment"), "segment", segment, context.fields["lead.segment"].choices
                )
        if step.do is StepKind.NOTIFY and step.to is None:
            yield wrong(path, "notify whom? add to: owner, to: manager or a person")
        if step.do is not StepKind.REASSIGN and step.at_most != 1:
            yield wrong((*path, "at_most"), f"at_most belongs to reassign, not to {step.do.value}")
        if step.do is StepKind.RECYCLE:
            yield from _recycle_reason(context, path, step.reason)
            if number + 1 < len(steps) and step.is_for_all:
                yield wrong(
                    (*base, number + 1),
                    "comes after recycle, when the lead is gone: put recycle last",
                )
        elif step.reason is not None:
            yield wrong((*path, "reason"), f"reason belongs to recycle, not to {step.do.value}")


def _without(context: CheckContext) -> Iterator[Finding]:
    slas = context.model.slas
    path: Path = ("slas", "promises")
    queues = ["sales"] if context.model.lifecycle.bridge is Bridge.NONE else ["sdr", "sales"]
    for queue in queues:
        for level in ("warm", "hot"):
            if not any(_holds(promise, Clock.ACCEPT, queue, level) for promise in slas.promises):
                yield odd(
                    path,
                    f"nothing is promised for accept by {queue} of {level} leads: they would have "
                    "no deadline",
                )
    for clock, why in (
        (Clock.ROUTE, "a lead that waits for a person"),
        (Clock.NURTURE_START, "a recycled lead (marketing's side)"),
    ):
        if not any(promise.clock is clock for promise in slas.promises):
            yield odd(path, f"nothing is promised for {clock.value}: {why} would have no deadline")


def _holds(promise: PromiseModel, clock: Clock, queue: str, level: str) -> bool:
    return (
        promise.clock is clock
        and promise.queue in (None, queue)
        and (not promise.level or level in promise.level)
        and not promise.segment
        and not promise.source
        and not promise.campaign
    )
