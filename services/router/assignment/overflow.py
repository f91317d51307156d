"""Whether a lead that nobody of its pool can take now is better off in the pool that this one
overflows into.

Pure; what the people of the other pool have open is known there alone, so they are taken for free.
"""

from baton.agreement.reference import AgreementReference
from baton.contracts.routing import QueueItem
from services.router.assignment.availability import Availability
from services.router.assignment.next_chance import soonest
from services.router.assignment.person_selection import need_of
from services.router.assignment.pool_view import pool_view_of


def sooner_elsewhere(
    item: QueueItem, availability: Availability, reference: AgreementReference
) -> bool:
    """Whether somebody there can take it sooner than anybody here. It never goes back to a pool
    that it overflowed from."""
    pool_view, now = availability.pool_view, availability.now
    target = pool_view.overflow_to
    if target is None or target in (*item.overflowed_from, pool_view.pool):
        return False
    there = pool_view_of(reference, target, now=now)
    theirs = soonest(Availability(there, {}, reference, now), need_of(item, there))
    ours = soonest(availability, need_of(item, pool_view))
    return theirs is not None and (ours is None or theirs < ours)
