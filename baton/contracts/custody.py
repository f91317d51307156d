"""Who holds a lead, read off the facts alone: no lead without a holder and a next date (the promise over all).

Three decide it, each its part: the lead reducer the stage, the router who was handed the lead or where it waits, the SLA watcher the track
and the return date. ``told`` takes one record of any of their streams, ``holder_of`` reads off who has the lead; it is by the reducer ``custody``,
which watches while the system runs, and by the audit, which looks afterwards, so both mean the same.

The streams have no order between them: what names a former qualification or hand-off changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from baton.contracts.leads import Actor, LeadQualified, LeadStaged, Stage, StageEvent
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.contracts.streams import HANDOFF_ENDS, HandoffChange, HandoffEvent, StreamPart, StreamRecord, parts_of

IN_FLIGHT_MS: Final = 600_000
"""How long a lead may be on its way from one service to the next, and a return date be past, before nobody holds it: twice what the SLA
watcher waits for the proof of the groups upstream."""

_OPEN: Final = frozenset({Stage.MQL, Stage.TAL, Stage.TQL, Stage.SAL, Stage.SQL, Stage.OPPORTUNITY})
_RESTS: Final = frozenset({Stage.RECYCLED, Stage.INQUIRY})
_TAKEN_UP: Final = frozenset({StageEvent.ACCEPTED, StageEvent.OPPORTUNITY})
_ALLOWED: Final = StageEvent.CONSENT_CHANGED
"""The move that says what may be done with a lead, and not who has it."""
_GONE: Final = frozenset({StageEvent.MERGED, StageEvent.ERASED})


class HolderKind(StrEnum):
    """Who can hold a lead."""

    PERSON = "person"
    QUEUE = "queue"
    NURTURE = "nurture"
    END = "end"
    LEAD = "lead"
    NOBODY = "nobody"


class Missing(StrEnum):
    """What the lead waits for while nobody holds it: the cause, where it waits too long."""

    ROUTE = "qualified_and_not_routed"
    HOLDER = "taken_back_and_not_routed_again"
    DECISION = "rejected_and_nothing_decided"
    TRACK = "rests_without_a_return_date"
    RETURN = "return_date_is_past"
    REASON = "ended_without_a_reason"
    OWNER = "in_work_without_a_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """``who`` is a person, a pool, a track or the reason of an end; ``next_at_ms`` when the lead comes back by itself; ``missing``: a
    word of :class:`Missing` where nobody holds it."""

    kind: HolderKind
    who: str = ""
    next_at_ms: int | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What the facts have said of one lead so far.

    ``stage``, ``cycle``, ``reason`` and ``ended`` (``merged``, ``erased``) are the lead reducer's word; ``handoff_id``, ``attempt``, ``owner`` and
    ``queue`` the router's, about ``qualification_id``; ``rest_id`` .. ``return_at_ms`` the SLA watcher's. ``renewed``: the rest was
    planned since the lead qualified last.
    """

    stage: str = Stage.INQUIRY.value
    cycle: int = 1
    reason: str | None = None
    ended: str = ""
    qualification_id: str | None = None
    handoff_id: str | None = None
    attempt: int = 0
    owner: str | None = None
    queue: str | None = None
    rejected: bool = False
    rest_id: str | None = None
    rest_cycle: int = 0
    track: str | None = None
    return_at_ms: int | None = None
    renewed: bool = False


def told(holding: Holding, record: StreamRecord) -> Holding:
    """What is known after one more record of the streams; the same object where it changes nothing."""
    for part in parts_of(record):
        holding = _after(holding, part)
    return holding


def _after(holding: Holding, fact: StreamPart) -> Holding:
    match fact:
        case LeadStaged():
            return _moved(holding, fact)
        case LeadQualified():
            return _qualified(holding, fact.qualification_id)
        case LeadRouted():
            return _handed(holding, fact, owner=fact.owner, queue=None)
        case LeadUnrouted(outcome="suppressed"):
            return holding
        case LeadUnrouted():
            waits = fact.handoff_id != holding.handoff_id or holding.owner is None
            return _handed(holding, fact, owner=None, queue=fact.watcher or fact.pool or fact.outcome) if waits else holding
        case HandoffChange():
            return _changed(holding, fact)
        case LeadRecycled():
            return replace(
                holding,
                rest_id=fact.recycle_id,
                rest_cycle=fact.cycle,
                track=fact.track,
                return_at_ms=fact.return_at_ms,
                renewed=True,
            )
        case LeadReactivated():
            mine = fact.recycle_id == holding.rest_id
            return replace(holding, return_at_ms=fact.return_at_ms) if mine else holding
        case _:
            return holding


def _qualified(holding: Holding, qualification_id: str | None) -> Holding:
    if holding.qualification_id == qualification_id:
        return holding
    asked = replace(_without_handoff(holding), qualification_id=qualification_id, renewed=False)
    return replace(asked, ended="") if asked.ended == StageEvent.MERGED else asked


def _without_handoff(holding: Holding) -> Holding:
    return replace(holding, qualification_id=None, handoff_id=None, attempt=0, owner=None, queue=None, rejected=False)


def _handed(holding: Holding, fact: LeadRouted | LeadUnrouted, *, owner: str | None, queue: str | None) -> Holding:
    if fact.qualification_id != holding.qualification_id or fact.attempt < holding.attempt:
        return holding
    return replace(holding, handoff_id=fact.handoff_id, attempt=fact.attempt, owner=owner, queue=queue, rejected=False)


def _changed(holding: Holding, change: HandoffChange) -> Holding:
    if change.qualification_id != holding.qualification_id:
        return holding
    if change.event in HANDOFF_ENDS and change.published and change.handoff_id == holding.handoff_id:
        return replace(holding, owner=None, queue=None)
    if change.event == HandoffEvent.REINSTATED and change.owner:
        attempt = max(holding.attempt, change.attempt)
        return replace(holding, handoff_id=change.handoff_id, attempt=attempt, owner=change.owner, queue=None, rejected=False)
    return holding


def _moved(holding: Holding, staged: LeadStaged) -> Holding:
    if holding.ended == StageEvent.ERASED or staged.event == _ALLOWED:
        return holding
    if staged.event in _GONE:
        return Holding(stage=staged.to_stage, cycle=staged.cycle, ended=staged.event)
    moved = replace(holding, stage=staged.to_stage, cycle=staged.cycle, reason=staged.reason, ended="")
    stands = staged.handoff_id in (None, moved.handoff_id)
    if staged.event in _TAKEN_UP or (staged.event == StageEvent.QUALIFIED and staged.to_stage == Stage.SQL):
        owner = moved.owner if stands and moved.owner else staged.by or moved.owner
        return replace(moved, handoff_id=staged.handoff_id or moved.handoff_id, owner=owner, queue=None, rejected=False)
    if staged.event == StageEvent.QUALIFIED and staged.to_stage == Stage.MQL:
        return _qualified(moved, staged.qualification_id)
    if staged.event == StageEvent.REJECTED:
        return replace(moved, owner=None, queue=None, rejected=True) if stands or moved.handoff_id is None else moved
    return moved if staged.to_stage in _OPEN else _rested(moved, staged)


def _rested(moved: Holding, staged: LeadStaged) -> Holding:
    """The cycle is over, or the lead was withdrawn. The SLA watcher's word on its return comes before (it is carried out) or follows."""
    if staged.qualification_id == moved.qualification_id:
        moved = _without_handoff(moved)
    awaits = staged.event == StageEvent.WITHDRAWN or (staged.to_stage == Stage.RECYCLED and staged.actor != Actor.SYSTEM)
    if awaits and not (moved.renewed and moved.rest_cycle == staged.cycle):
        return replace(moved, rest_id=None, track=None, return_at_ms=None)
    return moved


def holder_of(holding: Holding) -> Holder:
    """Who holds a lead that was ever somebody's to work on."""
    if holding.ended == StageEvent.MERGED:
        return Holder(kind=HolderKind.LEAD)
    if holding.ended:
        return Holder(kind=HolderKind.END, who=holding.ended)
    if holding.stage in _OPEN:
        return _in_work(holding)
    if holding.stage in _RESTS:
        if holding.return_at_ms is None:
            return Holder(kind=HolderKind.NOBODY, missing=Missing.TRACK)
        return Holder(kind=HolderKind.NURTURE, who=holding.track or "", next_at_ms=holding.return_at_ms)
    if holding.stage == Stage.DISQUALIFIED and not holding.reason:
        return Holder(kind=HolderKind.NOBODY, missing=Missing.REASON)
    return Holder(kind=HolderKind.END, who=holding.reason or holding.stage)


def _in_work(holding: Holding) -> Holder:
    if holding.owner is not None:
        return Holder(kind=HolderKind.PERSON, who=holding.owner)
    if holding.queue is not None:
        return Holder(kind=HolderKind.QUEUE, who=holding.queue)
    if holding.rejected:
        return Holder(kind=HolderKind.NOBODY, missing=Missing.DECISION)
    if holding.handoff_id is not None:
        return Holder(kind=HolderKind.NOBODY, missing=Missing.HOLDER)
    return Holder(kind=HolderKind.NOBODY, missing=Missing.ROUTE if holding.qualification_id else Missing.OWNER)


def missing_at(holder: Holder, now: int, *, late_ms: int = IN_FLIGHT_MS) -> str:
    """What is missing, a return date that has been past for ``late_ms`` included; empty where the promise holds."""
    overdue = holder.next_at_ms is not None and holder.next_at_ms + late_ms <= now
    return Missing.RETURN.value if overdue else str(holder.missing)
