"""When a pool should look at its queue again: when time alone, by calendars, absences and limits,
lets somebody take a lead."""

from services.router.assignment.availability import (
    ANSWER_AWAITED,
    BY_TIME,
    PASSED_BY_MATCHES,
    Availability,
)
from services.router.assignment.eligibility import Need, suits
from services.router.assignment.pool_view import PoolMember


def soonest(
    availability: Availability, need: Need, *, named: PoolMember | None = None
) -> int | None:
    """When somebody will first be able to have it, or ``named``, to whom it is to go, as far as
    calendars and absences say; None: they do not say."""
    times = [
        availability.free_at(member)
        for member in availability.pool_view.members
        if suits(member, need)
    ]
    if named is not None:
        times.append(availability.named_at(named))
    return min((time for time in times if time is not None), default=None)


def next_chance(availability: Availability) -> int | None:
    """When time alone lets somebody take a lead who cannot now, be it only one that is to go to
    them; None: time alone does nothing."""
    pool_view, now = availability.pool_view, availability.now
    times = [pool_view.changes_at]
    for member in pool_view.members:
        if member.weight > 0 and (reason := availability.reason(member)) not in PASSED_BY_MATCHES:
            times.append(availability.free_at(member) if reason in BY_TIME else None)
        elif availability.match_reason(member) in BY_TIME:
            times.append(availability.named_at(member))
    return min((time for time in times if time is not None and time > now), default=None)


def next_closing(availability: Availability) -> int | None:
    """When the day of somebody ends whose answer is waited for: then the lead waits for the next
    day, which is another matter."""
    if availability.pool_view.any_hour:
        return None
    times = [
        member.hours.next_close(availability.now)
        for member in availability.pool_view.members
        if member.hours is not None and availability.reason(member) in ANSWER_AWAITED
    ]
    return min(
        (time for time in times if time is not None and time > availability.now), default=None
    )
