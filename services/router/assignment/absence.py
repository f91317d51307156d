"""What an absence means for a pool: offers that nobody has answered go to a colleague who can take
them sooner; accepted work stays, or is handed over where the pool says so.

Pure; it finds the offers, the work and the moments, and changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from baton.contracts.routing import OpenWork
from services.router.assignment.availability import Availability
from services.router.assignment.eligibility import Need, suits
from services.router.assignment.open_loads import Load
from services.router.assignment.state import OpenOffer
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


def work_to_relieve(
    step: AssignmentStep, availability: Availability, *, limit: int
) -> list[Recall]:
    """The accepted work of people who will be away for longer than the pool keeps it for them; at
    most ``limit`` of a person."""
    presence, now, view = availability.presence, availability.now, availability.pool_view
    if view.open_work == OpenWork.KEEP:
        return []
    return [
        Recall(person=load.person, handoff_id=handoff_id, offer=offer)
        for load in list(step.loads.values())
        if load.accepted
        and presence.absent(load.person, now)
        and presence.back_at(load.person, now) - now > view.away_longer_ms
        for handoff_id, offer in step.tasks_of(load.person, limit=limit)
    ]


def next_departure(
    loads: Mapping[str, Load], availability: Availability, *, waiting: bool
) -> int | None:
    """When somebody leaves next whose absence means something: they have an unanswered offer, or
    work that is not kept for them, or leads wait for them."""
    presence, view = availability.presence, availability.pool_view
    kept = view.open_work == OpenWork.KEEP
    times = []
    for person in presence.with_absences():
        load, member = loads.get(person), view.member(person)
        busy = load is not None and (load.offered or (load.accepted and not kept))
        if busy or (waiting and member is not None and member.active):
            times.append(presence.leaves_at(person, availability.now))
    return min((time for time in times if time is not None), default=None)


def _with_offers(loads: Mapping[str, Load]) -> Iterable[Load]:
    return [load for load in loads.values() if load.offered]


def _presences(availability: Availability, need: Need) -> Iterator[int]:
    """When each who suits will be there; who is busy may be free by then."""
    for member in availability.pool_view.members:
        there = availability.there_at(member, availability.now) if suits(member, need) else None
        if there is not None:
            yield there
