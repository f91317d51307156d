"""What dispatch says of the hand-offs of a lead: who has it, who had it taken away, whose stands
again.

Who holds a hand-off and whether it has ended is read off the one projection
(:mod:`baton.contracts.handoff`); here is only what the lead makes of it. A change names the
qualification it is about; what is about a former one changes nothing.
"""

from __future__ import annotations

from typing import Final

from baton.contracts.handoff import HELD, HandoffPhase, ProjectedHandoff, projected
from baton.contracts.streams import HANDOFF_ENDS, HandoffChange, HandoffEvent
from baton.evolve import evolve
from services.scorer.lead.cycle_state import CycleState, FormerHandoff, Handoff
from services.scorer.lead.step import LeadStep

_MAX_FORMER: Final = 8


def on_changed(step: LeadStep, change: HandoffChange) -> None:
    """Follow one change; where it waits, and what was asked of the router, changes nothing here."""
    if change.qualification_id != step.cycle_state.qualification_id:
        return
    if change.event == HandoffEvent.ROUTED:
        _route(step, change)
    elif change.event == HandoffEvent.REINSTATED:
        _reinstate(step, change)
    elif change.event in HANDOFF_ENDS and change.published:
        _end(step, change)


def _route(step: LeadStep, change: HandoffChange) -> None:
    """Somebody holds the lead. A later attempt takes it from the former one."""
    cycle_state = step.cycle_state
    work, handoff = cycle_state.work, cycle_state.handoff
    stands = handoff is not None and handoff.latest.handoff_id == change.handoff_id
    if not stands and change.attempt <= work.attempt:
        return
    latest = projected(handoff.latest if handoff is not None else None, change)
    assert latest is not None, "a routed record says who has the lead"
    if handoff is not None and stands:  # its acceptance was here first: who accepted it has it
        latest = evolve(latest, owner=handoff.latest.owner or change.owner)
        step.update_cycle(handoff=evolve(handoff, latest=latest, from_ms=step.now))
        step.update_work(attempt=max(work.attempt, change.attempt), routed_at_ms=step.now)
        return
    step.update_cycle(handoff=Handoff(latest=latest, from_ms=step.now))
    step.update_work(
        attempt=change.attempt,
        leg=change.leg,
        routed_at_ms=step.now,
        rejected_at_ms=None,
        former=with_former(cycle_state, step.now),
    )


def _end(step: LeadStep, change: HandoffChange) -> None:
    if _has_ended(step.cycle_state.handoff, change):
        former = with_former(step.cycle_state, step.now)
        step.update_cycle(handoff=None)
        step.update_work(former=former)
    elif change.event == HandoffEvent.WITHDRAWN:
        _remember(step, change)


def _has_ended(handoff: Handoff | None, change: HandoffChange) -> bool:
    """Whether the hand-off that stands is the one that ends."""
    if handoff is None:
        return False
    latest = projected(handoff.latest, change)
    return latest is not None and latest is not handoff.latest and latest.phase not in HELD


def _reinstate(step: LeadStep, change: HandoffChange) -> None:
    cycle_state = step.cycle_state
    if change.handoff_id == cycle_state.handoff_id:
        return
    work = cycle_state.work
    known = former_handoff(cycle_state, change.handoff_id)
    latest = projected(cycle_state.handoff.latest if cycle_state.handoff else None, change)
    assert latest is not None, "a hand-off that stands again takes the place of any other"
    left = with_former(cycle_state, step.now)
    step.update_cycle(
        handoff=Handoff(
            latest=latest, from_ms=known.from_ms if known else work.routed_at_ms, touched=True
        )
    )
    step.update_work(
        attempt=max(work.attempt, change.attempt),
        leg=change.leg or work.leg,
        former=tuple(handoff for handoff in left if handoff.handoff_id != change.handoff_id),
    )


def former_handoff(cycle_state: CycleState, handoff_id: str | None) -> FormerHandoff | None:
    """The hand-off of this qualification that was taken away, if it is one."""
    former = cycle_state.work.former
    return next((handoff for handoff in former if handoff.handoff_id == handoff_id), None)


def held_again(former: FormerHandoff, qualification_id: str, *, now: int) -> Handoff:
    """``former`` as it stands again, since its holder accepted it before it was taken away."""
    latest = ProjectedHandoff(
        handoff_id=former.handoff_id,
        qualification_id=qualification_id,
        attempt=former.attempt,
        phase=HandoffPhase.ACCEPTED,
        since_ms=now,
        leg=former.leg,
        owner=former.owner,
        pool=former.pool,
    )
    return Handoff(latest=latest, from_ms=former.from_ms)


def held_by(
    owner: str | None, cycle_state: CycleState, *, handoff_id: str | None, now: int
) -> Handoff:
    """A hand-off of which nothing is known yet but who has it: its routed record is on its way, or
    (``handoff_id`` None) sales took the lead up without being handed it."""
    latest = ProjectedHandoff(
        handoff_id=handoff_id or "",
        qualification_id=cycle_state.qualification_id or "",
        attempt=cycle_state.work.attempt,
        phase=HandoffPhase.REQUESTED if handoff_id else HandoffPhase.ACCEPTED,
        since_ms=now,
        leg=cycle_state.work.leg,
        owner=owner,
    )
    return Handoff(latest=latest, from_ms=cycle_state.work.routed_at_ms)


def with_former(cycle_state: CycleState, now: int) -> tuple[FormerHandoff, ...]:
    """The former hand-offs and the one that stands, which ends ``now``."""
    handoff, former = cycle_state.handoff, cycle_state.work.former
    if handoff is None or not handoff.latest.handoff_id:
        return former
    latest = handoff.latest
    left = FormerHandoff(
        handoff_id=latest.handoff_id,
        attempt=latest.attempt,
        leg=latest.leg or cycle_state.work.leg,
        owner=latest.owner,
        pool=latest.pool,
        from_ms=handoff.from_ms,
        until_ms=now,
    )
    return (*former, left)[-_MAX_FORMER:]


def _remember(step: LeadStep, change: HandoffChange) -> None:
    """It was taken back before its routed record came here: the holder it was published with may
    have accepted it."""
    cycle_state = step.cycle_state
    if change.owner is None or former_handoff(cycle_state, change.handoff_id) is not None:
        return
    known = FormerHandoff(
        handoff_id=change.handoff_id,
        attempt=change.attempt,
        leg=change.leg,
        owner=change.owner,
        pool=change.pool,
        from_ms=cycle_state.qualified_at_ms,
        until_ms=step.now,
    )
    step.update_work(
        attempt=max(cycle_state.work.attempt, change.attempt),
        former=(*cycle_state.work.former, known)[-_MAX_FORMER:],
    )
