"""What an absence means for a pool: offers that nobody has answered go to a colleague who can take
them sooner.

Accepted work stays with who is away. Pure; it finds the offers and the moments, and changes
nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.router.assignment.availability import Availability
from services.router.assignment.eligibility import Need, suits
from services.router.assignment.state import Load, OpenOffer
from services.router.assignment.step import AssignmentStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """An offer to somebody who is away."""

    person: str
    handoff_id: str
    offer: OpenOffer


def offers_to_recall(
    step: AssignmentStep, availability: Availability, *, limit: int
) -> list[Recall]:
    """The offers that somebody else can take before their holder is back; at most ``limit`` of a
    person."""
    presence, now = availability.presence, availability.now
    found = []
    for person in [load.person for load in _with_offers(step.loads)]:
        if not presence.absent(person, now):
            continue
        back_ms = presence.back_at(person, now)
        for handoff_id, offer in step.offers_of(person, limit=limit):
            not_to = frozenset((*offer.not_to, person))
            need = Need(
                skills=frozenset(offer.skills),
                not_to=not_to,
                any_hour=availability.pool_view.any_hour,
            )
            if any(there < back_ms for there in _presences(availability, need)):
                found.append(Recall(person=person, handoff_id=handoff_id, offer=offer))
    return found


def next_departure(loads: Mapping[str, Load], availability: Availability) -> int | None:
    """When somebody with an unanswered offer leaves next."""
    leaves = availability.presence.leaves_at
    times = [leaves(load.person, availability.now) for load in _with_offers(loads)]
    return min((time for time in times if time is not None), default=None)


def _with_offers(loads: Mapping[str, Load]) -> Iterable[Load]:
    return [load for load in loads.values() if load.offered]


def _presences(availability: Availability, need: Need) -> Iterator[int]:
    """When each who suits will be there; who is busy may be free by then."""
    for member in availability.pool_view.members:
        there = availability.there_at(member, availability.now) if suits(member, need) else None
        if there is not None:
            yield there
