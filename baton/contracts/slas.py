"""What the SLA watcher decides: clocks, violations, actions, the ends and returns of cycles, goals.

Times are ``..._ms``: milliseconds since the epoch, UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from baton.evolve import quick


class ClockState(StrEnum):
    """States of a clock: ``running -> met | cancelled | breached``, then ``breached -> met_late |
    abandoned | withdrawn``."""

    RUNNING = "running"
    MET = "met"
    CANCELLED = "cancelled"
    BREACHED = "breached"
    MET_LATE = "met_late"
    ABANDONED = "abandoned"
    WITHDRAWN = "withdrawn"


class ActionKind(StrEnum):
    """What a breach or a warning causes. ``restore`` takes a reassignment back: the first holder
    was in time after all."""

    NOTIFY = "notify"
    REASSIGN = "reassign"
    ESCALATE = "escalate"
    MANAGER_QUEUE = "manager_queue"
    RESTORE = "restore"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SlaClock:
    """``leads.sla-clocks.v1``: a clock changed its state.

    ``side`` says who owes it: ``sales``, ``marketing`` or ``sales_management``. ``deadline_ms`` is
    computed from the agreement's target and calendar; ``target`` is the target in words.
    ``evidence_id`` is what stopped it. ``spent_ms`` comes with an end: how the time since the lead
    raised its hand was spent until then (system, queue, human, buyer, rest).
    """

    clock_id: str
    clock: str
    lead_id: str
    cycle: int
    state: str
    started_at_ms: int
    deadline_ms: int
    at_ms: int
    cause_id: str
    agreement: str
    side: str = "sales"
    handoff_id: str | None = None
    qualification_id: str | None = None
    owner: str | None = None
    pool: str | None = None
    level: str | None = None
    segment: str | None = None
    target: str = ""
    ended_at_ms: int | None = None
    reason: str | None = None
    evidence_id: str | None = None
    inferred: bool = False
    spent_ms: Mapping[str, int] = field(default_factory=dict)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SlaViolation:
    """``leads.sla-violations.v1``: a clock ran out (``breach``), is about to (``warning``), or late
    evidence took a breach back (``withdrawn``); a team's goal has no lead. ``unproven``: the
    upstream check did not finish in its limit."""

    violation_id: str
    kind: str
    clock: str
    side: str
    deadline_ms: int
    at_ms: int
    cause_id: str
    agreement: str
    clock_id: str | None = None
    lead_id: str | None = None
    handoff_id: str | None = None
    owner: str | None = None
    pool: str | None = None
    level: str | None = None
    segment: str | None = None
    goal: str | None = None
    unproven: bool = False
    reason: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SlaAction:
    """``leads.sla-actions.v1``: a step of the ladder. Dispatch carries out ``reassign``,
    ``manager_queue`` and ``restore`` (whose ``handoff_id`` is the one to stand again); people and
    tools act on ``notify`` and ``escalate``. ``digest``: the recipient is notified of it by that
    digest (``leads.sla-digests.v1``), not by this record."""

    action_id: str
    kind: str
    lead_id: str
    handoff_id: str
    clock_id: str
    at_ms: int
    cause_id: str
    agreement: str
    owner: str | None = None
    pool: str | None = None
    to: str | None = None
    reason: str | None = None
    exclude: tuple[str, ...] = ()
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRecycled:
    """``leads.recycled.v1``: the cycle is to end: ``outcome`` is ``recycle`` (comes back on
    ``return_at_ms`` by ``track``) or ``disqualify`` (does not come back). The lead reducer ends the
    cycle when it reads this.

    ``qualification_id``: what ends; None where the lead was in nobody's hands. A recycled lead is
    enrolled in its track by this, whose topics and stage of content stand beside it;
    ``nurture_allowed``: by the consents it was qualified with. ``revised``: nothing new ended; what
    became known since (``contract_end``) moved the return, or a withdrawn consent ended the track.
    ``learnt``: what is known of :data:`~baton.contracts.leads.LEARNT`.
    """

    recycle_id: str
    lead_id: str
    cycle: int
    outcome: str
    reason: str
    at_ms: int
    cause_id: str
    agreement: str
    track: str | None = None
    cool_off_until_ms: int | None = None
    return_at_ms: int | None = None
    handoff_id: str | None = None
    by: str | None = None
    needs: str | None = None
    track_topics: tuple[str, ...] = ()
    track_stage: str | None = None
    nurture_allowed: bool = True
    nurture_reason: str | None = None
    qualification_id: str | None = None
    contract_end: str | None = None
    revised: bool = False
    learnt: Mapping[str, str] = field(default_factory=dict)


RETURN_DATE: Final = "return_date"
"""The reason of a :class:`LeadReactivated` that is news to the lead reducer: of the others it was
the first to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadReactivated:
    """``leads.reactivated.v1``: the return date of a recycled lead has come, or it qualified anew
    before (``hand_raised``, ``requalified``). Its track ends.

    ``return_at_ms``: when it is looked at again, should it not qualify until then.
    """

    lead_id: str
    cycle: int
    recycle_id: str
    reason: str
    at_ms: int
    cause_id: str
    agreement: str
    track: str | None = None
    return_at_ms: int | None = None


class OrphanKind(StrEnum):
    """``found``: nobody has held the lead for too long; ``held``: somebody does again."""

    FOUND = "found"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadOrphan:
    """``leads.orphans.v1``: a lead without a holder or a next date, with the ``cause``; the last
    record of a lead says whether it still is one. ``since_ms``: since when nobody has it.
    ``holder``: who has it again."""

    lead_id: str
    kind: str
    cause: str
    since_ms: int
    at_ms: int
    cause_id: str
    agreement: str
    stage: str
    cycle: int
    qualification_id: str | None = None
    handoff_id: str | None = None
    holder: str | None = None
