"""Who holds a lead, read off the facts alone: no lead without a holder and a next date (the promise
over all).

Three decide it, each its part: the lead reducer the stage, the router who was handed the lead or
where it waits, the SLA watcher the track and the return date. ``updated`` takes one record of any
of their streams, ``holder_of`` reads off who has the lead. The reducer ``custody``, the board and
``baton explain`` use it. The audit does not: it has a model of its own, from the public topics, so
that a fault here shows there.

The streams have no order between them: what names a former qualification or hand-off changes
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from baton.contracts.handoff import HELD, HandoffPhase, ProjectedHandoff, projected
from baton.contracts.leads import Stage, StageEvent
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.contracts.streams import HandoffChange, LeadDecision, LeadMove, SlaDecision, StreamRecord
from baton.evolve import evolve, quick

IN_FLIGHT_MS: Final = 600_000
"""How long a lead may be on its way from one service to the next, and a return date be past, before
nobody holds it: twice what the SLA watcher waits for the proof of the groups upstream."""

_OPEN: Final = frozenset({Stage.MQL, Stage.TAL, Stage.TQL, Stage.SAL, Stage.SQL, Stage.OPPORTUNITY})
_RESTS: Final = frozenset({Stage.RECYCLED, Stage.INQUIRY})
_TAKEN_UP: Final = frozenset({StageEvent.ACCEPTED, StageEvent.OPPORTUNITY, StageEvent.REOPENED})
_NEWS: Final = frozenset(
    {
        StageEvent.CONSENT_CHANGED,
        StageEvent.CONTRACT_END_LEARNT,
        StageEvent.BECAME_HOT,
        StageEvent.DEAL_CHANGED,
    }
)
"""What says something of a lead, and not who has it."""
_ENDS: Final = frozenset(
    {
        StageEvent.WITHDRAWN,
        StageEvent.RECYCLED,
        StageEvent.DISQUALIFIED,
        StageEvent.LOST,
        StageEvent.WON,
        StageEvent.TAKEN_OVER,
    }
)
_TAKEN_PHASES: Final = frozenset(
    {HandoffPhase.REQUESTED, HandoffPhase.WAITING, HandoffPhase.OFFERED, HandoffPhase.ACCEPTED}
)
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
    STRANDED = "waits_where_nobody_can_ever_take_it"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """``who`` is a person, a pool, a track or the reason of an end; ``next_at_ms`` when the lead
    comes back by itself; ``missing``: a word of :class:`Missing` where nobody holds it."""

    kind: HolderKind
    who: str = ""
    next_at_ms: int | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRest:
    """The clocks reducer's word: when the lead comes back after ``qualification_id`` has ended in
    ``cycle``."""

    rest_id: str
    cycle: int
    qualification_id: str | None = None
    track: str | None = None
    return_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What the three have said of one lead so far, each in a part of its own, so that no order
    between them matters.

    The lead reducer: ``stage``, ``cycle``, ``reason``, ``ended`` (``merged``, ``erased``);
    ``qualification_id`` stands, ``former_id`` ended last, in ``rest_cycle``; ``taken_by`` has taken
    it up, or ``rejected`` it, by ``taken_id`` (a hand-off; None: by none). dispatch: ``handoff``.
    The clocks reducer: ``rest``.
    """

    stage: str = Stage.INQUIRY.value
    cycle: int = 1
    reason: str | None = None
    ended: str = ""
    qualification_id: str | None = None
    former_id: str | None = None
    rest_cycle: int = 0
    taken_by: str | None = None
    taken_id: str | None = None
    rejected: bool = False
    handoff: ProjectedHandoff | None = None
    rest: PlannedRest | None = None

    @property
    def standing(self) -> ProjectedHandoff | None:
        """The hand-off of the qualification that stands."""
        found = self.handoff
        return (
            found if found is not None and found.qualification_id == self.qualification_id else None
        )


def updated(holding: Holding, record: StreamRecord) -> Holding:
    """What is known after one more record of the streams; the same object where it changes
    nothing."""
    match record:
        case HandoffChange():
            handoff = projected(holding.handoff, record)
            return holding if handoff is holding.handoff else evolve(holding, handoff=handoff)
        case LeadDecision():
            for move in record.moves:
                holding = _moved(holding, move)
            return holding
        case SlaDecision(recycled=LeadRecycled() as recycled):
            return evolve(holding, rest=_planned(recycled))
        case SlaDecision(reactivated=LeadReactivated() as back):
            rest = holding.rest
            mine = rest is not None and back.recycle_id == rest.rest_id
            return (
                evolve(holding, rest=evolve(rest, return_at_ms=back.return_at_ms))
                if rest and mine
                else holding
            )
        case _:
            return holding


def _planned(recycled: LeadRecycled) -> PlannedRest:
    return PlannedRest(
        rest_id=recycled.recycle_id,
        cycle=recycled.cycle,
        qualification_id=recycled.qualification_id,
        track=recycled.track,
        return_at_ms=recycled.return_at_ms,
    )


def _moved(holding: Holding, move: LeadMove) -> Holding:
    staged, qualified = move.staged, move.qualified
    if holding.ended == StageEvent.ERASED or staged.event in _NEWS:
        return holding
    moved = evolve(
        holding, stage=staged.to_stage, cycle=staged.cycle, reason=staged.reason, ended=""
    )
    if staged.event in _GONE:
        return evolve(_put_down(moved), ended=staged.event, qualification_id=None)
    if staged.event in _TAKEN_UP or (
        staged.event == StageEvent.QUALIFIED and staged.to_stage == Stage.SQL
    ):
        taken_by = staged.by or moved.taken_by
        return evolve(moved, taken_by=taken_by, taken_id=staged.handoff_id, rejected=False)
    if staged.event == StageEvent.QUALIFIED:
        begun = staged.qualification_id if qualified is None else qualified.qualification_id
        return evolve(_put_down(moved), qualification_id=begun)
    if staged.event == StageEvent.REJECTED:
        return evolve(_put_down(moved), rejected=True, taken_id=staged.handoff_id)
    if staged.to_stage in _OPEN or staged.event not in _ENDS:
        return moved
    former_id = staged.qualification_id or moved.former_id
    return evolve(
        _put_down(moved), qualification_id=None, former_id=former_id, rest_cycle=staged.cycle
    )


def _put_down(holding: Holding) -> Holding:
    return evolve(holding, taken_by=None, taken_id=None, rejected=False)


def holder_of(holding: Holding) -> Holder:
    """Who holds a lead that was ever somebody's to work on."""
    if holding.ended == StageEvent.MERGED:
        return Holder(kind=HolderKind.LEAD)
    if holding.ended:
        return Holder(kind=HolderKind.END, who=holding.ended)
    if holding.stage in _OPEN:
        return _in_work(holding)
    if holding.stage in _RESTS:
        return _at_rest(holding)
    if holding.stage == Stage.DISQUALIFIED and not holding.reason:
        return Holder(kind=HolderKind.NOBODY, missing=Missing.REASON)
    return Holder(kind=HolderKind.END, who=holding.reason or holding.stage)


def _at_rest(holding: Holding) -> Holder:
    """The date that was planned for this very end; one planned for an earlier one is over."""
    rest = holding.rest
    mine = (
        rest is not None
        and rest.cycle == holding.rest_cycle
        and rest.qualification_id in (None, holding.former_id)
    )
    if rest is None or not mine or rest.return_at_ms is None:
        return Holder(kind=HolderKind.NOBODY, missing=Missing.TRACK)
    return Holder(kind=HolderKind.NURTURE, who=rest.track or "", next_at_ms=rest.return_at_ms)


def _in_work(holding: Holding) -> Holder:
    handoff = holding.standing
    said_of_it = handoff is None or holding.taken_id in (None, handoff.handoff_id)
    if (
        holding.taken_by is not None
        and said_of_it
        and (handoff is None or handoff.phase in _TAKEN_PHASES)
    ):
        owner = handoff.owner if handoff is not None else None
        return Holder(kind=HolderKind.PERSON, who=owner or holding.taken_by)
    # Of a rejection that names no hand-off dispatch says whether it ended this one: what waits is
    # matched anew at once.
    stays = holding.taken_id is None and handoff is not None and handoff.phase in HELD
    if holding.rejected and said_of_it and not stays:
        return Holder(kind=HolderKind.NOBODY, missing=Missing.DECISION)
    if handoff is None:
        return Holder(
            kind=HolderKind.NOBODY,
            missing=Missing.ROUTE if holding.qualification_id else Missing.OWNER,
        )
    match handoff.phase:
        case HandoffPhase.WAITING if not handoff.queue:
            return Holder(kind=HolderKind.NOBODY, missing=Missing.STRANDED)
        case HandoffPhase.WAITING:
            return Holder(kind=HolderKind.QUEUE, who=handoff.queue or "")
        case HandoffPhase.OFFERED | HandoffPhase.ACCEPTED if handoff.owner is not None:
            return Holder(kind=HolderKind.PERSON, who=handoff.owner)
        case HandoffPhase.RETURNED:
            return Holder(kind=HolderKind.NOBODY, missing=Missing.DECISION)
        case HandoffPhase.REQUESTED if handoff.attempt == 1:
            return Holder(kind=HolderKind.NOBODY, missing=Missing.ROUTE)
        # suppressed, and the clocks reducer has not said yet what becomes of it
        case HandoffPhase.CLOSED:
            return Holder(kind=HolderKind.NOBODY, missing=Missing.ROUTE)
        case _:
            return Holder(kind=HolderKind.NOBODY, missing=Missing.HOLDER)


def missing_at(holder: Holder, now: int, *, late_ms: int = IN_FLIGHT_MS) -> str:
    """What is missing, a return date that has been past for ``late_ms`` included; empty where the
    promise holds."""
    overdue = holder.next_at_ms is not None and holder.next_at_ms + late_ms <= now
    return Missing.RETURN.value if overdue else str(holder.missing)
