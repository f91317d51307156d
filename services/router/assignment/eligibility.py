"""Who may have one lead, and for the others why not.

A reason that passes by itself (the person's day begins, an offer is answered, a holiday ends) is
distinguished from one that lasts: a lead waits for the former rather than go back to somebody it
was taken from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.router.assignment.availability import (
    ABSENT,
    ANSWER_AWAITED,
    INACTIVE,
    PASSING,
    Availability,
)
from services.router.assignment.pool_view import PoolMember, PoolView

NO_WEIGHT = "no_weight"
UNSKILLED = "lacks_skill"
REJECTED_BEFORE = "rejected_before"
HAD_BEFORE = "had_it_before"
"""They did not say no: they let the offer pass, or it was taken from them."""
WAITED_FOR_MS = 7 * 86_400_000
"""How long an absence is waited out rather than ask again whom the lead was taken from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one lead asks of a person. ``not_to``: people it is not to go back to; ``rejecters``:
    those of them who said no, which is of consequence for the reason alone."""

    skills: frozenset[str] = frozenset()
    not_to: frozenset[str] = frozenset()
    rejecters: frozenset[str] = frozenset()
    any_hour: bool = False


ANYTHING = Need()


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """A member and why they cannot have the lead (None: they can)."""

    member: PoolMember
    reason: str | None


def eligible_for(availability: Availability, need: Need) -> Mapping[str, int]:
    """The weights of those who can have the lead."""
    free = availability.free()
    if not need.skills and need.not_to.isdisjoint(free):
        return free
    view = availability.pool_view
    return {
        person: weight
        for person, weight in free.items()
        if person not in need.not_to
        and ((member := view.member(person)) is not None and need.skills <= member.skills)
    }


def screen(availability: Availability, need: Need) -> tuple[Screened, ...]:
    """Every member of the pool, judged; the first reason in a fixed order counts, the most lasting
    first."""
    return tuple(
        Screened(member=member, reason=reason_for(member, availability, need))
        for member in availability.pool_view.members
    )


def reason_for(member: PoolMember, availability: Availability, need: Need) -> str | None:
    """Why the member cannot have the lead; None: they can."""
    if not member.active:
        return INACTIVE
    if member.weight <= 0:
        return NO_WEIGHT
    if need.skills and not need.skills <= member.skills:
        return f"{UNSKILLED}:{','.join(sorted(need.skills - member.skills))}"
    return _had_it(member, need) or availability.reason(member)


def match_reason_for(member: PoolMember, availability: Availability, need: Need) -> str | None:
    """Why the member cannot have a lead that is to go to them; None: they can. Their skills are not
    asked."""
    return _had_it(member, need) or availability.match_reason(member)


def _had_it(member: PoolMember, need: Need) -> str | None:
    if member.person not in need.not_to:
        return None
    return REJECTED_BEFORE if member.person in need.rejecters else HAD_BEFORE


def waits(screened: tuple[Screened, ...]) -> bool:
    """Somebody could have it but for an offer that is not answered yet: the lead stays in the
    queue."""
    return any(found.reason in ANSWER_AWAITED for found in screened)


def comes_soon(screened: tuple[Screened, ...], availability: Availability) -> bool:
    """Somebody other than those it was taken from will be able to have it."""
    latest = availability.now + WAITED_FOR_MS
    return any(
        found.reason in PASSING
        or (
            found.reason == ABSENT
            and availability.presence.back_at(found.member.person, availability.now) <= latest
        )
        for found in screened
    )


def suits(member: PoolMember, need: Need) -> bool:
    """Whether the member will be able to have such a lead at some time."""
    return (
        member.active
        and member.weight > 0
        and need.skills <= member.skills
        and member.person not in need.not_to
    )


def suits_by_name(member: PoolMember, need: Need) -> bool:
    """Whether the member will be able to have such a lead at some time, if it is to go to them."""
    return member.active and member.person not in need.not_to


def could_ever(pool_view: PoolView, need: Need) -> bool:
    """Somebody of the pool will be able to have it at some time."""
    return any(suits(member, need) for member in pool_view.members)
