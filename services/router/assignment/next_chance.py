"""When a pool should look at its queue again: when time alone, by calendars, absences and limits,
lets somebody take a lead."""

from services.router.assignment.availability import (
    ANSWER_AWAITED,
    BY_TIME,
    Availability,
)
from services.router.assignment.eligibility import Need, suits


def soonest(availability: Availability, need: Need) -> int | None:
    """When somebody will first be able to have it, as far as calendars and absences say; None:
    they do not say."""
    times = [
        availability.free_at(member)
        for member in availability.pool_view.members
        if suits(member, need)
    ]
    return min((time for time in times if time is not None), default=None)


def next_chance(availability: Availability) -> int | None:
    """When time alone lets somebody take a lead who cannot now; None: time alone does nothing."""
    pool_view, now = availability.pool_view, availability.now
    times = [pool_view.changes_at] if pool_view.changes_at is not None else []
    for member in pool_view.members:
        if member.weight > 0 and availability.reason(member) in BY_TIME:
            found = availability.free_at(member)
            if found is not None:
                times.append(found)
    return min((time for time in times if time > now), default=None)


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
