"""Word of a hand-off that comes before word of its qualification: two streams have no order between
them.

It is kept, without anything personal, until the qualification is known, and taken then. One of a
former qualification is kept in vain until the next one comes: which of the two it is cannot be
known before.
"""

from __future__ import annotations

from typing import Final

from baton.contracts.routing import UnroutedOutcome
from baton.contracts.streams import HANDOFF_ENDS, HandoffChange, HandoffEvent
from baton.evolve import evolve
from services.sla_watcher.clocks.state import LeadClocks
from services.sla_watcher.clocks.step import ClockStep

_MAX_KEPT: Final = 8
_KEPT: Final = frozenset(
    {HandoffEvent.ROUTED, HandoffEvent.UNROUTED, HandoffEvent.REINSTATED, *HANDOFF_ENDS}
)


def is_ahead(step: ClockStep, change: HandoffChange) -> bool:
    """Whether it may be about a qualification that is still on its way here."""
    passing = step.head.passing
    return passing is None or passing.qualification_id != change.qualification_id


def keep(step: ClockStep, change: HandoffChange) -> None:
    """Keep it; an end drops what was kept of the hand-off that it names, but for a suppression,
    whose own end it is: what becomes of the lead is still to be said."""
    kept = tuple(
        known for known in step.head.ahead if known.qualification_id == change.qualification_id
    )
    if change.event in HANDOFF_ENDS:
        kept = tuple(
            known
            for known in kept
            if known.handoff_id != change.handoff_id or _is_suppression(known)
        )
    elif change.event in _KEPT and not _over(step.head, change):
        kept = (*kept, _plain(change))[-_MAX_KEPT:]
    if kept != step.head.ahead:
        step.head = evolve(step.head, ahead=kept)


def take(step: ClockStep, qualification_id: str) -> tuple[HandoffChange, ...]:
    """What was kept of the qualification, in order; nothing stays kept."""
    kept = step.head.ahead
    if kept:
        step.head = evolve(step.head, ahead=())
    return tuple(change for change in kept if change.qualification_id == qualification_id)


def _over(head: LeadClocks, change: HandoffChange) -> bool:
    return head.ended is not None or change.cycle < head.cycle


def _is_suppression(change: HandoffChange) -> bool:
    return change.unrouted is not None and change.unrouted.outcome == UnroutedOutcome.SUPPRESSED


def _plain(change: HandoffChange) -> HandoffChange:
    """Without the hand-off brief, the path and the candidates."""
    routed, unrouted = change.routed, change.unrouted
    if routed is not None:
        empty = evolve(
            routed.qualified.story,
            person=None,
            why_now=(),
            criteria=(),
            content=(),
            earlier_cycles=(),
        )
        routed = evolve(
            routed, path=(), candidates=(), qualified=evolve(routed.qualified, story=empty)
        )
    if unrouted is not None:
        unrouted = evolve(unrouted, path=(), candidates=())
    return evolve(change, routed=routed, unrouted=unrouted)
