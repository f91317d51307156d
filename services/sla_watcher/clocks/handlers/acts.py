"""What people of the firm did, heard by the clocks that wait for it.

A touch by the holder meets ``first_touch``, counts towards ``follow_up`` and, where nobody accepted yet, says so by itself
(inferred). Late evidence of a former holder from before their deadline takes their breach back.
"""

from dataclasses import replace
from typing import Final

from baton.contracts.intake import ActKind, LeadAct
from baton.contracts.slas import ActionKind, ClockState
from baton.engine.reducer import Event
from services.sla_watcher.clocks import clock as running
from services.sla_watcher.clocks import closed_breaches
from services.sla_watcher.clocks.clock_terms import terms_of
from services.sla_watcher.clocks.evidence import AWAITING, Evidence, from_act, is_touch
from services.sla_watcher.clocks.goal_tallies import tally
from services.sla_watcher.clocks.handlers.handoffs import AFTER_ACCEPTANCE, OFFER, let_go, start_for_holder
from services.sla_watcher.clocks.sla_facts import tell_action
from services.sla_watcher.clocks.state import Attempt, OpenClock
from services.sla_watcher.clocks.step import Turn
from services.sla_watcher.clocks.time_split import marked

PAUSED: Final = ("qualify", "follow_up", "advance")
WAITING: Final = "waiting_for_buyer"
_MOST_ATTEMPTS: Final = 64


def on_act(turn: Turn, event: Event, act: LeadAct) -> None:
    """Take one act."""
    late_source = turn.reference.agreement.slas.grace_of(act.source) > 0
    evidence = from_act(act, late_source=late_source)
    if act.act.kind == ActKind.NURTURE_TOUCH:
        _nurtured(turn, evidence)
    elif act.act.kind == ActKind.BUYER_REPLY:
        _replied(turn, evidence)
    elif act.act.kind == ActKind.ACCEPTED:
        _accepted_by_former(turn, evidence)
    elif is_touch(act):
        _touched(turn, event, evidence, awaiting=act.act.outcome in AWAITING)


def _nurtured(turn: Turn, evidence: Evidence) -> None:
    for clock in turn.head.clocks:
        if clock.clock in ("nurture_start", "return"):
            running.hear(turn, clock, evidence)


def _replied(turn: Turn, evidence: Evidence) -> None:
    for clock in turn.head.clocks:
        if clock.clock in PAUSED:
            running.resume(turn, clock, at_ms=evidence.at_ms)
        elif clock.clock == "return":
            running.hear(turn, clock, evidence)
    if turn.head.holder is not None:
        turn.head = replace(turn.head, marks=marked(turn.head.marks, "human", evidence.at_ms))


def _accepted_by_former(turn: Turn, evidence: Evidence) -> None:
    """An acceptance of a hand-off that does not stand any more is refused as a move, but it still is evidence."""
    closed_breaches.excuse(turn, evidence, accepts=True)
    for clock in turn.head.clocks:
        if clock.clock == "accept" and clock.superseded and _answers(clock, evidence) and _in_time(clock, evidence):
            _give_back(turn, clock, running.hear(turn, clock, evidence))


def _touched(turn: Turn, event: Event, evidence: Evidence, *, awaiting: bool) -> None:
    closed_breaches.excuse(turn, evidence, accepts=False)
    for clock in turn.head.clocks:
        if clock.clock in OFFER and _answers(clock, evidence) and (not clock.superseded or _in_time(clock, evidence)):
            heard = replace(evidence, inferred=clock.clock == "accept")
            _give_back(turn, clock, running.hear(turn, clock, heard))
        elif clock.clock == "follow_up" and _answers(clock, evidence):
            _attempt(turn, clock, evidence)
        elif clock.clock == "return":
            running.hear(turn, clock, evidence)
    holder = turn.head.holder
    if holder is None or not evidence.answers(holder.handoff_id, holder.owner, holder.since_ms):
        return
    let_go(turn, at_ms=event.at_ms)
    turn.head = replace(turn.head, holder=replace(holder, touched=True, accepted=True))
    tally(turn, "follow_up", occurred_at_ms=evidence.acted_at_ms)
    if not holder.accepted:
        start_for_holder(turn, AFTER_ACCEPTANCE, at_ms=event.at_ms)
    _wait_for_buyer(turn, evidence, awaiting=awaiting)


def _answers(clock: OpenClock, evidence: Evidence) -> bool:
    return evidence.answers(clock.handoff_id, clock.owner, clock.started_at_ms)


def _in_time(clock: OpenClock, evidence: Evidence) -> bool:
    return evidence.at_ms <= clock.deadline_ms


def _wait_for_buyer(turn: Turn, evidence: Evidence, *, awaiting: bool) -> None:
    for clock in turn.head.clocks:
        if clock.clock in PAUSED and awaiting:
            running.pause(turn, clock, WAITING, at_ms=evidence.at_ms)
        elif clock.clock in PAUSED:
            running.resume(turn, clock, at_ms=evidence.at_ms)
    turn.head = replace(turn.head, marks=marked(turn.head.marks, "buyer" if awaiting else "human", evidence.at_ms))


def _attempt(turn: Turn, clock: OpenClock, evidence: Evidence) -> None:
    if any(each.evidence_id == evidence.evidence_id for each in clock.attempts) or len(clock.attempts) >= _MOST_ATTEMPTS:
        return
    made = (*clock.attempts, Attempt(evidence_id=evidence.evidence_id, at_ms=evidence.at_ms))
    attempts = tuple(sorted(made, key=lambda each: (each.at_ms, each.evidence_id)))
    counted = replace(clock, attempts=attempts)
    running.keep(turn, counted)
    terms = terms_of(counted, turn.reference)
    if terms is not None and len(attempts) >= terms.rule.attempts:
        last = attempts[terms.rule.attempts - 1]
        running.hear(turn, counted, replace(evidence, evidence_id=last.evidence_id, at_ms=last.at_ms))


def _give_back(turn: Turn, clock: OpenClock, ended: ClockState | None) -> None:
    """The first holder was in time after all and keeps the lead, unless the second has touched it."""
    holder = turn.head.holder
    if ended is not ClockState.WITHDRAWN or not clock.superseded:
        return
    if holder is None or not (holder.touched or holder.accepted):
        tell_action(turn, clock, ActionKind.RESTORE, to=clock.owner, reason="evidence_in_time")
