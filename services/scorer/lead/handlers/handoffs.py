"""What the router and the SLA watcher decided, as far as the lead has to know: who holds it, that
its cycle ends, that it is back.

Each fact names the cycle or the hand-off it is about. What is about a former one changes nothing;
each may come twice.
"""

from __future__ import annotations

from typing import Final

from baton.contracts.routing import LeadRouted
from baton.contracts.streams import HANDOFF_ENDS, HandoffChange, HandoffEvent
from services.scorer.lead.state import CycleState, FormerHandoff
from services.scorer.lead.step import LeadStep

_MAX_FORMER: Final = 8


def on_routed(step: LeadStep, routed: LeadRouted) -> None:
    """Somebody holds the lead. A later attempt takes it from the former one, unless that one was
    accepted before it was routed."""
    cycle_state = step.cycle_state
    if routed.qualification_id != cycle_state.qualification_id:
        return
    if routed.handoff_id == cycle_state.handoff_id:
        # Its acceptance was here first, or it comes twice.
        known = cycle_state.owner or routed.owner
        step.update_cycle(
            attempt=max(cycle_state.attempt, routed.attempt),
            owner=known,
            pool=routed.pool,
            routed_at_ms=step.now,
        )
        return
    if routed.attempt <= cycle_state.attempt:
        return
    step.update_cycle(
        handoff_id=routed.handoff_id,
        attempt=routed.attempt,
        owner=routed.owner,
        pool=routed.pool,
        leg=routed.leg,
        routed_at_ms=step.now,
        accepted=False,
        touched=False,
        rejected=False,
        former=_with_former(cycle_state, step.now),
    )


def _with_former(cycle_state: CycleState, now: int) -> tuple[FormerHandoff, ...]:
    if cycle_state.handoff_id is None:
        return cycle_state.former
    left = FormerHandoff(
        handoff_id=cycle_state.handoff_id,
        attempt=cycle_state.attempt,
        leg=cycle_state.leg,
        owner=cycle_state.owner,
        pool=cycle_state.pool,
        from_ms=cycle_state.routed_at_ms,
        until_ms=now,
    )
    return (*cycle_state.former, left)[-_MAX_FORMER:]


def on_changed(step: LeadStep, change: HandoffChange) -> None:
    """A hand-off was taken back, or one stands again."""
    cycle_state = step.cycle_state
    if change.qualification_id != cycle_state.qualification_id:
        return
    stands = change.handoff_id == cycle_state.handoff_id
    if change.event in HANDOFF_ENDS and change.published:
        if stands:
            step.update_cycle(
                handoff_id=None,
                owner=None,
                pool=None,
                accepted=False,
                touched=False,
                former=_with_former(cycle_state, step.now),
            )
        elif change.event == HandoffEvent.WITHDRAWN:
            _remember(step, change)
    elif change.event == HandoffEvent.REINSTATED and not stands:
        left = tuple(
            each
            for each in _with_former(cycle_state, step.now)
            if each.handoff_id != change.handoff_id
        )
        step.update_cycle(
            handoff_id=change.handoff_id,
            attempt=max(cycle_state.attempt, change.attempt),
            owner=change.owner,
            pool=change.pool,
            leg=change.leg or cycle_state.leg,
            accepted=False,
            touched=True,
            former=left,
        )


def _remember(step: LeadStep, change: HandoffChange) -> None:
    """It was taken back before news of its holder came here: who was told of it may have accepted
    it."""
    cycle_state = step.cycle_state
    if change.owner is None or any(
        each.handoff_id == change.handoff_id for each in cycle_state.former
    ):
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
    step.update_cycle(
        attempt=max(cycle_state.attempt, change.attempt),
        former=(*cycle_state.former, known)[-_MAX_FORMER:],
    )
