"""What staff did with a lead, as evidence for the clocks that wait for it.

A touch by the holder meets ``first_touch``, counts towards ``follow_up`` and, where nobody accepted
yet, says so by itself (inferred). Late evidence of a former holder from before their deadline takes
their breach back.
"""

from typing import Final

from baton.agreement.compiled.slas import AWAITING, WaitRule
from baton.agreement.model.goals import Metric
from baton.contracts.clock_kinds import Occasion, Scope, kind_of
from baton.contracts.intake import ActKind, LeadAct
from baton.contracts.slas import ActionKind, ClockState
from baton.engine.reducer import Event
from baton.evolve import evolve
from services.sla_watcher.clocks import closed_breaches
from services.sla_watcher.clocks.clock import (
    pause_clock,
    record_evidence,
    resume_clock,
    store_clock,
)
from services.sla_watcher.clocks.clock_terms import terms_of
from services.sla_watcher.clocks.evidence import Evidence, from_act, is_answer, is_touch
from services.sla_watcher.clocks.goal_tallies import count_towards_goals
from services.sla_watcher.clocks.handlers.handoffs import release_handoff, start_for_holder
from services.sla_watcher.clocks.occasions import apply_occasion, is_met_by, meet
from services.sla_watcher.clocks.recycling import learn_contract_end
from services.sla_watcher.clocks.sla_facts import publish_action
from services.sla_watcher.clocks.state import Attempt, OpenClock
from services.sla_watcher.clocks.step import ClockStep
from services.sla_watcher.clocks.time_split import with_mark

WAITING: Final = "waiting_for_buyer"
OUT_OF_OFFICE: Final = frozenset({"out_of_office", "auto_reply", "automatic_reply"})
_MOST_ATTEMPTS: Final = 64


def on_act(step: ClockStep, event: Event, act: LeadAct) -> None:
    """Take one act."""
    evidence = from_act(act, step.reference.agreement.slas)
    learn_contract_end(step, act.act.contract_end)
    if act.act.kind == ActKind.NURTURE_TOUCH:
        _nurtured(step, evidence)
    elif act.act.kind == ActKind.BUYER_REPLY:
        if not act.act.automatic and act.act.outcome not in OUT_OF_OFFICE:
            _replied(step, act, evidence)
    elif act.act.kind == ActKind.ACCEPTED:
        _accepted_by_former(step, evidence)
    elif act.act.kind == ActKind.NO_SHOW:
        _missed(step, event, act, evidence)
    elif is_answer(act):
        _touched(step, event, act, evidence)


def _nurtured(step: ClockStep, evidence: Evidence) -> None:
    apply_occasion(step, Occasion.NURTURE_TOUCHED, evidence)


def _replied(step: ClockStep, act: LeadAct, evidence: Evidence) -> None:
    for clock in step.head.clocks:
        wait = _wait_of(step, clock)
        if wait is not None and wait.ends(act.act.kind, act.act.outcome, is_answer=True):
            resume_clock(step, clock, at_ms=evidence.at_ms)
    apply_occasion(step, Occasion.BUYER_REPLIED, evidence)
    if step.head.holder is not None:
        step.head = evolve(step.head, marks=with_mark(step.head.marks, "human", evidence.at_ms))


def _accepted_by_former(step: ClockStep, evidence: Evidence) -> None:
    """An acceptance of a hand-off that does not stand any more is refused as a move, but it still
    is evidence."""
    closed_breaches.excuse_breaches(step, evidence, accepts=True)
    for clock in step.head.clocks:
        is_meant = clock.superseded and Occasion.ACCEPTED in kind_of(clock.clock).met_by
        if is_meant and _answers(clock, evidence) and _in_time(clock, evidence):
            _give_back(step, clock, record_evidence(step, clock, evidence))


def _touched(step: ClockStep, event: Event, act: LeadAct, evidence: Evidence) -> None:
    occasion = Occasion.TOUCHED if is_touch(act) else Occasion.MEETING_BOOKED
    closed_breaches.excuse_breaches(step, evidence, accepts=False)
    for clock in step.head.clocks:
        _hear_touch(step, clock, evidence, occasion)
    holder = step.head.holder
    if holder is None or not evidence.answers_holder(holder):
        return
    release_handoff(step, at_ms=event.at_ms)
    step.head = evolve(step.head, holder=evolve(holder, touched=True, accepted=True))
    count_towards_goals(step, Metric.FOLLOW_UP.value, occurred_at_ms=evidence.acted_at_ms)
    if not holder.accepted:
        start_for_holder(step, Occasion.TAKEN_UP, at_ms=event.at_ms)
    _wait_for_buyer(step, act, evidence)


def _missed(step: ClockStep, event: Event, act: LeadAct, evidence: Evidence) -> None:
    """The buyer did not come: nobody waits for the meeting any more, and the holder is to try
    again."""
    holder = step.head.holder
    if holder is None or not evidence.answers_holder(holder):
        return
    for clock in step.head.clocks:
        wait = _wait_of(step, clock)
        if wait is not None and wait.ends(act.act.kind, act.act.outcome, is_answer=True):
            resume_clock(step, clock, at_ms=evidence.at_ms)
    start_for_holder(step, Occasion.NO_SHOW, at_ms=event.at_ms)
    step.head = evolve(step.head, marks=with_mark(step.head.marks, "human", evidence.at_ms))


def _hear_touch(step: ClockStep, clock: OpenClock, evidence: Evidence, occasion: Occasion) -> None:
    kind = kind_of(clock.clock)
    if kind.scope is Scope.REST:
        if is_met_by(clock, occasion):
            meet(step, clock, occasion, evidence)
    elif not _answers(clock, evidence):
        return
    elif occasion is Occasion.TOUCHED and is_met_by(clock, Occasion.ATTEMPTED):
        _attempt(step, clock, evidence)
    elif is_met_by(clock, occasion) and (not clock.superseded or _in_time(clock, evidence)):
        _give_back(step, clock, meet(step, clock, occasion, evidence))


def _answers(clock: OpenClock, evidence: Evidence) -> bool:
    return evidence.answers(clock.handoff_id, clock.owner, clock.started_at_ms)


def _in_time(clock: OpenClock, evidence: Evidence) -> bool:
    return evidence.at_ms <= clock.deadline_ms


def _wait_of(step: ClockStep, clock: OpenClock) -> WaitRule | None:
    terms = terms_of(clock, step.reference)
    return terms.rule.wait if terms is not None else None


def _wait_for_buyer(step: ClockStep, act: LeadAct, evidence: Evidence) -> None:
    awaiting = act.act.outcome in AWAITING
    for clock in step.head.clocks:
        wait = _wait_of(step, clock)
        if wait is None:
            continue
        if wait.begins(act.act.kind, act.act.outcome, is_touch=is_touch(act)):
            pause_clock(step, clock, WAITING, at_ms=evidence.at_ms, longest_ms=wait.longest_ms)
            awaiting = True
        elif wait.ends(act.act.kind, act.act.outcome, is_answer=True):
            resume_clock(step, clock, at_ms=evidence.at_ms)
    step.head = evolve(
        step.head,
        marks=with_mark(step.head.marks, "buyer" if awaiting else "human", evidence.at_ms),
    )


def _attempt(step: ClockStep, clock: OpenClock, evidence: Evidence) -> None:
    if (
        any(made.evidence_id == evidence.evidence_id for made in clock.attempts)
        or len(clock.attempts) >= _MOST_ATTEMPTS
    ):
        return
    made = (*clock.attempts, Attempt(evidence_id=evidence.evidence_id, at_ms=evidence.at_ms))
    attempts = tuple(sorted(made, key=lambda attempt: (attempt.at_ms, attempt.evidence_id)))
    counted = evolve(clock, attempts=attempts)
    store_clock(step, counted)
    terms = terms_of(counted, step.reference)
    spread = _spread(attempts, terms.rule.apart_ms) if terms is not None else ()
    if terms is not None and len(spread) >= terms.rule.attempts:
        last = spread[terms.rule.attempts - 1]
        record_evidence(
            step, counted, evolve(evidence, evidence_id=last.evidence_id, at_ms=last.at_ms)
        )


def _spread(attempts: tuple[Attempt, ...], apart_ms: int) -> tuple[Attempt, ...]:
    """The attempts that count, in order: as long after the one before as was agreed."""
    counted: list[Attempt] = []
    for attempt in attempts:
        if not counted or attempt.at_ms - counted[-1].at_ms >= apart_ms:
            counted.append(attempt)
    return tuple(counted)


def _give_back(step: ClockStep, clock: OpenClock, ended: ClockState | None) -> None:
    """The first holder was in time after all and keeps the lead, unless the second has touched
    it."""
    holder = step.head.holder
    if ended is not ClockState.WITHDRAWN or not clock.superseded:
        return
    if holder is None or not (holder.touched or holder.accepted):
        publish_action(step, clock, ActionKind.RESTORE, to=clock.owner, reason="evidence_in_time")
