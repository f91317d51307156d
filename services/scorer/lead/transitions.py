"""The revenue cycle as one total table: ``(stage, event, actor) -> stage | refused(reason)``.

``inquiry -> mql -> [tal -> tql ->] sal -> sql -> opportunity -> customer``, with the detours
``recycled`` and ``disqualified``. A stage may be skipped (it is inferred) and left backwards; it is
never a high-water mark. The table knows neither hand-offs nor the agreement: who may speak for a
hand-off, and what a reason leads to, is asked before (``acts``). A hand-off of accepted work to
somebody else is accepted or rejected anew, in the stage that was reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from baton.contracts.leads import Actor, Stage, StageEvent


@dataclass(frozen=True, slots=True)
class Refused:
    """The move is not made; ``reason`` is a stable word that a sales tool can show."""

    reason: str


INQUIRY, MQL, TAL, TQL, SAL = Stage.INQUIRY, Stage.MQL, Stage.TAL, Stage.TQL, Stage.SAL
SQL, OPPORTUNITY, CUSTOMER, RECYCLED, DISQUALIFIED = (
    Stage.SQL,
    Stage.OPPORTUNITY,
    Stage.CUSTOMER,
    Stage.RECYCLED,
    Stage.DISQUALIFIED,
)
SYSTEM, MARKETING, SDR, SALES, MANAGER = (
    Actor.SYSTEM,
    Actor.MARKETING,
    Actor.SDR,
    Actor.SALES,
    Actor.MANAGER,
)

REST: Final = (INQUIRY, RECYCLED, CUSTOMER)
"""Stages in which nobody of sales works on the lead and the next qualification may come."""
OPEN: Final = (MQL, TAL, TQL, SAL, SQL, OPPORTUNITY)
"""Stages of a cycle in which the lead is somebody's work."""


def _each(stages: tuple[Stage, ...], to: Stage) -> dict[Stage, Stage]:
    return dict.fromkeys(stages, to)


_UNCHANGED: Final = {stage: stage for stage in Stage}
_MOVES: Final[Mapping[tuple[StageEvent, Actor], Mapping[Stage, Stage]]] = {
    (StageEvent.QUALIFIED, SYSTEM): _each(REST, MQL),
    (StageEvent.QUALIFIED, SDR): _each((MQL, TAL), TQL),
    (StageEvent.QUALIFIED, SALES): _each((*REST, MQL, TAL, TQL, SAL), SQL),
    (StageEvent.HAND_RAISED, SYSTEM): {stage: stage for stage in OPEN},
    (StageEvent.WITHDRAWN, SYSTEM): {MQL: INQUIRY},
    (StageEvent.ACCEPTED, SDR): _each((MQL, TAL), TAL),
    (StageEvent.ACCEPTED, SALES): _each((MQL, TQL, SAL), SAL)
    | _each((SQL,), SQL)
    | _each((OPPORTUNITY,), OPPORTUNITY),
    (StageEvent.REJECTED, SDR): _each((MQL, TAL), MQL),
    (StageEvent.REJECTED, SALES): _each((MQL, TQL, SAL), MQL)
    | _each((SQL,), SQL)
    | _each((OPPORTUNITY,), OPPORTUNITY),
    (StageEvent.OPPORTUNITY, SALES): _each((*REST, *OPEN), OPPORTUNITY),
    (StageEvent.WON, SALES): _each((*REST, *OPEN), CUSTOMER),
    (StageEvent.REOPENED, SALES): _each(REST, OPPORTUNITY) | {stage: stage for stage in OPEN},
    (StageEvent.DEAL_CHANGED, SALES): _UNCHANGED,
    (StageEvent.LOST, SALES): _each((SAL, SQL, OPPORTUNITY), RECYCLED),
    (StageEvent.RECYCLED, SDR): _each((MQL, TAL, TQL), RECYCLED),
    (StageEvent.RECYCLED, SALES): _each(OPEN, RECYCLED),
    (StageEvent.RECYCLED, MARKETING): _each((INQUIRY, CUSTOMER, DISQUALIFIED), RECYCLED),
    (StageEvent.RECYCLED, MANAGER): _each((INQUIRY, CUSTOMER, *OPEN, DISQUALIFIED), RECYCLED),
    (StageEvent.RECYCLED, SYSTEM): _each((INQUIRY, *OPEN), RECYCLED),
    (StageEvent.DISQUALIFIED, SDR): _each((MQL, TAL, TQL), DISQUALIFIED),
    (StageEvent.DISQUALIFIED, SALES): _each((*REST, *OPEN), DISQUALIFIED),
    (StageEvent.DISQUALIFIED, MARKETING): _each(REST, DISQUALIFIED),
    (StageEvent.DISQUALIFIED, MANAGER): _each((*REST, *OPEN), DISQUALIFIED),
    (StageEvent.DISQUALIFIED, SYSTEM): _each((*REST, *OPEN), DISQUALIFIED),
    (StageEvent.REACTIVATED, SYSTEM): {RECYCLED: INQUIRY},
    (StageEvent.TAKEN_OVER, SYSTEM): _each((INQUIRY, RECYCLED), CUSTOMER),
    (StageEvent.CONSENT_CHANGED, SYSTEM): _UNCHANGED,
    (StageEvent.CONTRACT_END_LEARNT, SYSTEM): {RECYCLED: RECYCLED},
    (StageEvent.BECAME_HOT, SYSTEM): {RECYCLED: RECYCLED},
    (StageEvent.MERGED, SYSTEM): _UNCHANGED,
    (StageEvent.ERASED, SYSTEM): _UNCHANGED,
}

_ACTORS: Final = {
    move: tuple(actor for event, actor in _MOVES if event is move) for move in StageEvent
}
_SPEAKERS: Final = (
    StageEvent.QUALIFIED,
    StageEvent.ACCEPTED,
    StageEvent.REJECTED,
    StageEvent.OPPORTUNITY,
    StageEvent.WON,
    StageEvent.LOST,
    StageEvent.REOPENED,
    StageEvent.DEAL_CHANGED,
)
"""What the receiving side says; a manager may say it in its place."""

_REASONS: Final[Mapping[tuple[StageEvent, Stage], str]] = {
    **{(StageEvent.ACCEPTED, stage): "nothing_handed_off" for stage in REST},
    **{(StageEvent.REJECTED, stage): "nothing_handed_off" for stage in REST},
    **{(StageEvent.ACCEPTED, stage): "already_accepted" for stage in (TAL, SAL, SQL, OPPORTUNITY)},
    (StageEvent.ACCEPTED, TQL): "waits_for_sales",
    (StageEvent.REJECTED, TQL): "waits_for_sales",
    **{(StageEvent.REJECTED, stage): "too_late_to_reject" for stage in (SAL, SQL, OPPORTUNITY)},
    **{(StageEvent.QUALIFIED, stage): "already_qualified" for stage in OPEN},
    **{(StageEvent.QUALIFIED, stage): "nothing_handed_off" for stage in REST},
    **{(StageEvent.LOST, stage): "nothing_open" for stage in REST},
    **{(StageEvent.LOST, stage): "not_accepted_yet" for stage in (MQL, TAL, TQL)},
    **{
        (StageEvent.WITHDRAWN, stage): "already_accepted"
        for stage in (TAL, TQL, SAL, SQL, OPPORTUNITY)
    },
    **{(StageEvent.RECYCLED, stage): "held_by_sales" for stage in OPEN},
    **{(StageEvent.RECYCLED, stage): "nothing_open" for stage in REST},
    (StageEvent.RECYCLED, RECYCLED): "already_recycled",
    **{(StageEvent.DISQUALIFIED, stage): "held_by_sales" for stage in OPEN},
    **{(StageEvent.DISQUALIFIED, stage): "nothing_open" for stage in REST},
}


def moved(stage: Stage, move: StageEvent, actor: Actor) -> Stage | Refused:
    """Where ``move`` by ``actor`` leads from ``stage``. ``rejected`` leads back to MQL, where the
    lead waits for what is decided."""
    speaker = SALES if actor is MANAGER and move in _SPEAKERS else actor
    targets = _MOVES.get((move, speaker))
    if targets is None:
        return Refused("actor_may_not")
    if stage in targets:
        return targets[stage]
    if stage is DISQUALIFIED:
        return Refused("disqualified")
    return Refused(_REASONS.get((move, stage), "not_from_this_stage"))


def may_say(move: StageEvent) -> tuple[Actor, ...]:
    """The actors who can cause ``move`` from some stage, managers in place of the receiver
    included."""
    return (*_ACTORS[move], MANAGER) if move in _SPEAKERS else _ACTORS[move]


_LINE: Final = (INQUIRY, MQL, TAL, TQL, SAL, SQL, OPPORTUNITY, CUSTOMER)


def skipped(stage: Stage, to: Stage, *, by_bridge: bool) -> tuple[Stage, ...]:
    """The stages between ``stage`` and ``to`` that nobody reported: they are inferred.
    ``by_bridge``: a bridge team has the lead, so its two stages are among them."""
    start = INQUIRY if stage in (RECYCLED, CUSTOMER) else stage
    if start not in _LINE or to not in _LINE:
        return ()
    between = _LINE[_LINE.index(start) + 1 : _LINE.index(to)]
    return tuple(line for line in between if by_bridge or stage is TAL or line not in (TAL, TQL))
