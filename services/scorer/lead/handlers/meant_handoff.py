"""Which hand-off an act is about: the one that stood when it was done, however late it is reported.

A hand-off that the act names decides. Without one, it is the one that stood at the act's event
time: the present one, one that was taken from somebody since, or one of a qualification that was
withdrawn since. What is dated in a former cycle is about that cycle.
"""

from __future__ import annotations

from typing import Final

from baton.contracts.leads import CLOCK_SKEW_MS, Actor, Stage, StageEvent
from baton.evolve import evolve
from services.scorer.lead.cycle_state import WithdrawnHandoff
from services.scorer.lead.stage_moves import Cause
from services.scorer.lead.state import CYCLE
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import OPEN

_NEED_NO_HANDOFF: Final = frozenset(
    {
        StageEvent.QUALIFIED,
        StageEvent.OPPORTUNITY,
        StageEvent.WON,
        StageEvent.REOPENED,
        StageEvent.DISQUALIFIED,
    }
)
"""What sales may say of a lead that was never handed to them."""
_OUTCOMES: Final = frozenset({StageEvent.OPPORTUNITY, StageEvent.WON, StageEvent.DISQUALIFIED})


def with_handoff(step: LeadStep, cause: Cause) -> Cause:
    """The act with the hand-off that stood when it was done, where it names none and that one was
    taken away since."""
    cycle_state, at_ms = step.cycle_state, cause.occurred_at_ms
    if cause.handoff_id is not None or step.head.stage not in OPEN:
        return cause
    handoff = cycle_state.handoff
    if handoff is not None and (
        at_ms > handoff.from_ms or (at_ms == handoff.from_ms and cycle_state.owner == cause.by)
    ):
        return cause
    for former in reversed(cycle_state.work.former):
        # in the very moment when it was taken away it was still theirs, as the deadline says
        if former.owner == cause.by and former.from_ms - CLOCK_SKEW_MS <= at_ms <= former.until_ms:
            return evolve(cause, handoff_id=former.handoff_id)
    return cause


def is_of_former_cycle(step: LeadStep, move: StageEvent, cause: Cause) -> bool:
    """Whether the act was done in a cycle that has ended. An outcome of the last one still counts
    while nothing has followed it."""
    head = step.head
    if cause.handoff_id is not None or head.cycle == 1 or cause.occurred_at_ms > head.since_ms:
        return False
    if (
        cause.actor in (Actor.MARKETING, Actor.MANAGER)
        and move is not StageEvent.REJECTED
        and head.stage not in OPEN
    ):
        return False
    if head.stage in OPEN or move not in _OUTCOMES:
        return True
    ended = [cycle for _, cycle in step.items(CYCLE)]
    began_ms = ended[-2].ended_at_ms if len(ended) > 1 else 0
    return bool(ended and ended[-1].outcome == Stage.CUSTOMER) or cause.occurred_at_ms <= began_ms


def is_before_handoff(step: LeadStep, move: StageEvent, cause: Cause, speaker: Actor) -> bool:
    """Whether nothing had been handed off yet when the act was done, and it can only be about a
    hand-off."""
    cycle_state = step.cycle_state
    if cause.handoff_id is not None or step.head.stage not in OPEN or cause.actor is Actor.MANAGER:
        return False
    if speaker is Actor.SALES and move in _NEED_NO_HANDOFF:
        return False
    former = cycle_state.work.former
    first_ms = min((cycle_state.handed_at_ms, *(handoff.from_ms for handoff in former)))
    return cause.occurred_at_ms + CLOCK_SKEW_MS < max(
        first_ms, 0 if former else cycle_state.qualified_at_ms
    )


def withdrawn_since(step: LeadStep, cause: Cause) -> WithdrawnHandoff | None:
    """The hand-off of the person who acts that was withdrawn after the act was done, if the lead
    has not qualified anew since."""
    withdrawn = step.cycle_state.withdrawn
    if (
        withdrawn is None
        or step.cycle_state.qualification_id is not None
        or step.head.stage in OPEN
    ):
        return None
    if cause.by != withdrawn.owner or cause.handoff_id not in (None, withdrawn.handoff_id):
        return None
    stood = withdrawn.from_ms - CLOCK_SKEW_MS <= cause.occurred_at_ms <= withdrawn.until_ms
    return withdrawn if stood else None
