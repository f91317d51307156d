"""Publishes what happens to clocks: states of clocks, violations, actions."""

from __future__ import annotations

from typing import Final

from baton.contracts.digests import DigestLead, Escalation, digest_of
from baton.contracts.slas import ActionKind, SlaAction, SlaClock, SlaViolation
from baton.contracts.topic_names import LEADS_SLA_CLOCKS, LEADS_SLA_VIOLATIONS, SLA_ESCALATIONS
from baton.derived_ids import derived_id
from services.sla_watcher.clocks.state import LastWord, OpenClock
from services.sla_watcher.clocks.step import ClockStep
from services.sla_watcher.clocks.time_split import split_time

BREACH: Final = "breach"
"""The reason of an action that a clock that ran out causes."""


def publish_clock(
    step: ClockStep,
    clock: OpenClock,
    state: str,
    word: LastWord | None = None,
    *,
    reason: str | None = None,
) -> None:
    """``leads.sla-clocks.v1``: the clock is now in ``state``; an end comes with its last word and
    how the time was spent."""
    ended_at_ms = None if word is None else word.at_ms
    step.publish(
        LEADS_SLA_CLOCKS,
        SlaClock(
            clock_id=clock.clock_id,
            clock=clock.clock,
            lead_id=step.lead_id,
            cycle=step.head.cycle,
            state=state,
            started_at_ms=clock.started_at_ms,
            deadline_ms=clock.deadline_ms,
            at_ms=step.now,
            cause_id=step.cause,
            agreement=step.version,
            side=clock.side,
            handoff_id=clock.handoff_id,
            qualification_id=clock.qualification_id,
            owner=clock.owner,
            pool=clock.pool,
            level=clock.level,
            segment=clock.segment,
            target=clock.target,
            ended_at_ms=ended_at_ms,
            reason=word.reason if word else reason,
            evidence_id=word.evidence_id if word else None,
            inferred=bool(word and word.inferred),
            spent_ms={} if ended_at_ms is None else split_time(step.head.marks, ended_at_ms),
        ),
    )


def publish_violation(
    step: ClockStep,
    clock: OpenClock,
    kind: str,
    *,
    number: int = 0,
    unproven: bool = False,
    reason: str | None = None,
) -> None:
    """``leads.sla-violations.v1``: a warning, the one breach, or its withdrawal; the last two share
    their id."""
    name = ("warning", number) if kind == "warning" else ("breach", 0)
    step.publish(
        LEADS_SLA_VIOLATIONS,
        SlaViolation(
            violation_id=derived_id(clock.clock_id, *name),
            kind=kind,
            clock=clock.clock,
            side=clock.side,
            deadline_ms=clock.deadline_ms,
            at_ms=step.now,
            cause_id=step.cause,
            agreement=step.version,
            clock_id=clock.clock_id,
            lead_id=step.lead_id,
            handoff_id=clock.handoff_id,
            owner=clock.owner,
            pool=clock.pool,
            level=clock.level,
            segment=clock.segment,
            unproven=unproven,
            reason=reason,
        ),
    )


def publish_action(
    step: ClockStep,
    clock: OpenClock,
    kind: str,
    *,
    to: str | None = None,
    reason: str | None = None,
    exclude: tuple[str, ...] = (),
    handoff_id: str | None = None,
) -> None:
    """``leads.sla-actions.v1``: what is to be done about a clock. What a manager is to know of a
    pool goes into their digest."""
    digest = _digest_of(clock, kind, to) if reason == BREACH else None
    action = SlaAction(
        action_id=step.id_of("action", clock.clock_id, kind, clock.rung),
        kind=kind,
        lead_id=step.lead_id,
        handoff_id=handoff_id or clock.handoff_id or "",
        clock_id=clock.clock_id,
        at_ms=step.now,
        cause_id=step.cause,
        agreement=step.version,
        owner=clock.owner,
        pool=clock.pool,
        to=to,
        reason=reason,
        exclude=exclude,
        digest=digest,
    )
    step.publish_action(action)
    if digest is not None:
        _put_into_digest(step, clock, action)


def _put_into_digest(step: ClockStep, clock: OpenClock, action: SlaAction) -> None:
    """``sla.escalations.v1``, keyed by the digest."""
    escalation = Escalation(
        digest=action.digest or "",
        to=action.to or "",
        pool=action.pool or "",
        lead=DigestLead(
            lead_id=step.lead_id,
            clock=clock.clock,
            deadline_ms=clock.deadline_ms,
            action_id=action.action_id,
        ),
        at_ms=step.now,
        cause_id=step.cause,
        agreement=step.version,
    )
    step.publish(SLA_ESCALATIONS, escalation, key=escalation.digest)


def _digest_of(clock: OpenClock, kind: str, to: str | None) -> str | None:
    """The digest in which somebody other than the owner reads of a breach in a pool."""
    if kind not in (ActionKind.NOTIFY, ActionKind.ESCALATE) or clock.pool is None:
        return None
    return digest_of(clock.pool, to) if to not in (None, clock.owner) else None
