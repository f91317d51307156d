"""One projection of a hand-off from what dispatch says of it: who was asked, who holds it, since
when, in which state, why it ended.

Pure. dispatch owns the truth and writes it in order on ``router.handoffs.v1``; :func:`projected`
folds that stream, by one total table of state and event. Who wants to know who holds a lead asks
this, and keeps no idea of their own. It says nothing of the stage of the lead: whether the
qualification still stands is the lead reducer's word (:mod:`baton.contracts.custody` puts the two
together).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from baton.contracts.routing import NOBODY_EVER, LeadUnrouted
from baton.contracts.streams import HandoffChange, HandoffEvent
from baton.evolve import evolve, quick


class HandoffPhase(StrEnum):
    """Where a hand-off is. ``waiting``: in a pool's queue or a human's fallback queue."""

    REQUESTED = "requested"
    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


HELD: Final = frozenset({HandoffPhase.WAITING, HandoffPhase.OFFERED, HandoffPhase.ACCEPTED})
"""Somebody has the lead: a person or a queue."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectedHandoff:
    """The latest hand-off of a lead. ``owner``: the person who has it, or had it; ``queue``: where
    it waits, empty where nobody of the queue will ever be able to take it. ``since_ms``: since when
    it is in ``phase``; ``reason``: why it ended."""

    handoff_id: str
    qualification_id: str
    attempt: int
    phase: str
    since_ms: int
    leg: str = ""
    owner: str | None = None
    pool: str | None = None
    queue: str | None = None
    reason: str | None = None


_REQUESTED, _WAITING, _OFFERED, _ACCEPTED = (
    HandoffPhase.REQUESTED,
    HandoffPhase.WAITING,
    HandoffPhase.OFFERED,
    HandoffPhase.ACCEPTED,
)
_RETURNED, _WITHDRAWN, _CLOSED = HandoffPhase.RETURNED, HandoffPhase.WITHDRAWN, HandoffPhase.CLOSED
_STATES: Final[tuple[HandoffPhase | None, ...]] = (None, *HandoffPhase)
# One line an event, one column a state in the order of _STATES: the phase from then on. None: the
# event says nothing new.
_ROWS: Final[Mapping[HandoffEvent, tuple[HandoffPhase | None, ...]]] = {
    # from:                    unknown      requested    waiting      offered      accepted     returned     withdrawn    closed
    HandoffEvent.REQUESTED:   (_REQUESTED,  None,        None,        None,        None,        None,        None,        None),
    HandoffEvent.ROUTED:      (_OFFERED,    _OFFERED,    _OFFERED,    None,        None,        None,        None,        None),
    HandoffEvent.UNROUTED:    (_WAITING,    _WAITING,    _WAITING,    None,        None,        None,        None,        None),
    HandoffEvent.ACCEPTED:    (_ACCEPTED,   _ACCEPTED,   _ACCEPTED,   _ACCEPTED,   None,        None,        None,        None),
    HandoffEvent.RETURNED:    (_RETURNED,   _RETURNED,   _RETURNED,   _RETURNED,   _RETURNED,   None,        None,        None),
    HandoffEvent.WITHDRAWN:   (_WITHDRAWN,  _WITHDRAWN,  _WITHDRAWN,  _WITHDRAWN,  _WITHDRAWN,  _WITHDRAWN,  None,        None),
    HandoffEvent.CLOSED:      (_CLOSED,     _CLOSED,     _CLOSED,     _CLOSED,     _CLOSED,     _CLOSED,     _CLOSED,     None),
    HandoffEvent.REINSTATED:  (_ACCEPTED,   _ACCEPTED,   _ACCEPTED,   _ACCEPTED,   _ACCEPTED,   _ACCEPTED,   _ACCEPTED,   None),
    HandoffEvent.AMENDED:     (None,        None,        None,        None,        None,        None,        None,        None),
    HandoffEvent.REFUSED:     (None,        None,        None,        None,        None,        None,        None,        None),
}  # fmt: skip
TABLE: Final[Mapping[tuple[HandoffPhase | None, HandoffEvent], HandoffPhase | None]] = {
    (state, event): phase
    for event, row in _ROWS.items()
    for state, phase in zip(_STATES, row, strict=True)
}
_TAKE_THE_PLACE: Final = frozenset(
    {HandoffEvent.REQUESTED, HandoffEvent.REINSTATED, HandoffEvent.ROUTED, HandoffEvent.UNROUTED}
)
"""Of another hand-off than the latest one, these make it the latest; an end of another one ends
nothing."""
_SUPPRESSED: Final = "suppressed"


def projected(former: ProjectedHandoff | None, change: HandoffChange) -> ProjectedHandoff | None:
    """The latest hand-off after one more change; the same object where it says nothing new."""
    if change.unrouted is not None and change.unrouted.outcome == _SUPPRESSED:
        return former  # its end follows
    latest = former is not None and former.handoff_id == change.handoff_id
    if former is not None and not latest and not _takes_the_place(former, change):
        return former
    state = HandoffPhase(former.phase) if former is not None and latest else None
    phase = TABLE[state, HandoffEvent(change.event)]
    if phase is None:
        return former
    return _in_phase(former if latest else None, change, phase)


def _takes_the_place(former: ProjectedHandoff, change: HandoffChange) -> bool:
    """An earlier attempt is the latest again only where it is reinstated."""
    if change.event not in _TAKE_THE_PLACE:
        return False
    again = change.event == HandoffEvent.REINSTATED
    return (
        again
        or change.qualification_id != former.qualification_id
        or change.attempt > former.attempt
    )


def _in_phase(
    known: ProjectedHandoff | None, change: HandoffChange, phase: HandoffPhase
) -> ProjectedHandoff:
    handoff = known or ProjectedHandoff(
        handoff_id=change.handoff_id,
        qualification_id=change.qualification_id,
        attempt=change.attempt,
        phase=phase,
        since_ms=change.at_ms,
    )
    return evolve(
        handoff,
        phase=phase,
        since_ms=change.at_ms,
        leg=change.leg or handoff.leg,
        owner=None if phase is HandoffPhase.WAITING else change.owner or handoff.owner,
        pool=change.pool or handoff.pool,
        queue=None if change.unrouted is None else _queue_of(change.unrouted),
        reason=None if phase in HELD else change.reason,
    )


def _queue_of(unrouted: LeadUnrouted) -> str:
    """Whose the lead is while it waits; a queue in which nobody can ever take it is nobody's."""
    stranded = unrouted.reason.startswith(NOBODY_EVER)
    return "" if stranded else unrouted.watcher or unrouted.pool or unrouted.outcome
