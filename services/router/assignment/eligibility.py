"""Who may have a lead, and for each of the others why not.

A reason that passes by itself within hours (the person's day begins, an offer is answered) is told from one that may last: a lead waits
for the former rather than go back to somebody who rejected it.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from baton.agreement.compiled.calendars import NeverOpenError
from services.router.assignment.pool_view import PoolMember, PoolView, Presence
from services.router.assignment.state import Load

INACTIVE = "inactive"
NO_WEIGHT = "no_weight"
UNSKILLED = "lacks_skill"
REJECTED_BEFORE = "rejected_before"
ABSENT = "absent"
CLOSED = "closed"
FULL = "full"
OFFERS_OPEN = "offers_open"

PASSING = frozenset({CLOSED, OFFERS_OPEN})

NO_LOAD = Load(person="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one lead asks of a person. ``not_to``: people it is not to go back to."""

    skills: frozenset[str] = frozenset()
    not_to: frozenset[str] = frozenset()
    any_hour: bool = False


ANYTHING = Need()


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """A member and why they cannot have the lead (None: they can)."""

    member: PoolMember
    reason: str | None


def screen(pool_view: PoolView, loads: Mapping[str, Load], presence: Presence, need: Need, *, now: int) -> tuple[Screened, ...]:
    """Every member of the pool, judged; the first reason in a fixed order counts, the most lasting first."""
    return tuple(
        Screened(member=member, reason=_reason(member, loads.get(member.person, NO_LOAD), presence, need, now))
        for member in pool_view.members
    )


def _reason(member: PoolMember, load: Load, presence: Presence, need: Need, now: int) -> str | None:
    if not member.active:
        return INACTIVE
    if member.weight <= 0:
        return NO_WEIGHT
    if not need.skills <= member.skills:
        return f"{UNSKILLED}:{','.join(sorted(need.skills - member.skills))}"
    if member.person in need.not_to:
        return REJECTED_BEFORE
    if presence.absent(member.person, now):
        return ABSENT
    if member.capacity is not None and load.total >= member.capacity:
        return FULL
    if member.offers is not None and load.offered >= member.offers:
        return OFFERS_OPEN
    if not need.any_hour and member.hours is not None and not member.hours.is_open(now):
        return CLOSED
    return None


def eligible(screened: tuple[Screened, ...]) -> tuple[PoolMember, ...]:
    """Those who can have it."""
    return tuple(each.member for each in screened if each.reason is None)


def waits(screened: tuple[Screened, ...]) -> bool:
    """Somebody could have it but for an offer that is not answered yet: the lead stays in the queue."""
    return any(each.reason == OFFERS_OPEN for each in screened)


def comes_soon(screened: tuple[Screened, ...]) -> bool:
    """Somebody other than its rejecters will be able to have it before long."""
    return any(each.reason in PASSING for each in screened)


def could_ever(pool_view: PoolView, need: Need) -> bool:
    """Somebody of the pool will be able to have it at some time."""
    return any(
        member.active and member.weight > 0 and need.skills <= member.skills and member.person not in need.not_to
        for member in pool_view.members
    )


def next_chance(pool_view: PoolView, presence: Presence, *, now: int, at_the_latest: int) -> int:
    """When to look again: somebody's day begins or an absence ends; ``at_the_latest`` where nothing is known."""
    times = [at_the_latest]
    for member in pool_view.members:
        if not member.active or member.weight <= 0:
            continue
        there = presence.back_at(member.person, now)
        with suppress(NeverOpenError):
            times.append(there if member.hours is None or pool_view.any_hour else member.hours.next_open(there))
    return min(time for time in times if time > now)
