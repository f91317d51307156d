"""In which role somebody acts: the agreement says so, not the event.

Only those act who stand in the agreement in force, or who hold the hand-off by one that was in
force when it was made. Members of SDR pools are the bridge team, members of sales pools sales; who
manages a person or a pool, or watches over one, is a manager; whoever else the agreement names is
marketing. A role that an event claims must be one that the person has; one that it leaves out is
filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.contracts.intake import Act
from baton.contracts.leads import Actor
from services.scorer.lead.cycle_state import CycleState
from services.scorer.lead.stage_moves import RECEIVER
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import Refused

_PEOPLE: Final = frozenset(Actor) - {Actor.SYSTEM}
_ORDER: Final = (Actor.SALES, Actor.SDR, Actor.MANAGER, Actor.MARKETING)


@dataclass(frozen=True, slots=True)
class NotEntitled(Refused):
    """The act is not carried out because of who did it; ``detail`` says what would have been
    right."""

    detail: str


def acting_role(step: LeadStep, act: Act) -> Actor | NotEntitled:
    """The role in which ``act.by`` acts on this lead."""
    if act.actor and act.actor not in _PEOPLE:
        return NotEntitled("unknown_actor", f"roles are {', '.join(sorted(_PEOPLE))}")
    roles = roles_in(step.agreement, act.by) | _roles_held(step.cycle_state, act.by)
    if not roles:
        return NotEntitled("unknown_person", f'"{act.by}" is nobody of the agreement')
    if act.actor:
        claimed = Actor(act.actor)
        return (
            claimed
            if claimed in roles
            else NotEntitled("not_their_role", f"{act.by} is {_listed(roles)}")
        )
    receiver = RECEIVER.get(step.cycle_state.work.leg)
    return receiver if receiver in roles else next(role for role in _ORDER if role in roles)


def roles_in(agreement: CompiledAgreement, person: str) -> frozenset[Actor]:
    """The roles that the agreement gives a person; none for a stranger."""
    if person not in agreement.people:
        return frozenset()
    roles = {
        RECEIVER[pool.kind]
        for pool in agreement.pools.values()
        if any(member.person == person for member in pool.members)
    }
    if any(rule.manager == person for rule in agreement.people.values()) or any(
        person in (pool.manager, pool.watcher) for pool in agreement.pools.values()
    ):
        roles.add(Actor.MANAGER)
    return frozenset(roles or {Actor.MARKETING})


def _roles_held(cycle_state: CycleState, person: str) -> frozenset[Actor]:
    """The roles in which the person was handed this lead, whatever the agreement says since."""
    held = [
        (cycle_state.owner, cycle_state.work.leg),
        *((former.owner, former.leg) for former in cycle_state.work.former),
    ]
    if cycle_state.withdrawn is not None:
        held.append((cycle_state.withdrawn.owner, cycle_state.withdrawn.leg))
    return frozenset(RECEIVER[leg] for owner, leg in held if owner == person and leg in RECEIVER)


def _listed(roles: frozenset[Actor]) -> str:
    return " and ".join(sorted(roles))
