"""People as they stand: roles, hours, absences, and what they hold over all their pools. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from baton.agreement.compiled.calendars import NeverOpenError
from baton.agreement.compiled.pools import NO_LIMITS, Limits, PersonRule
from baton.agreement.reference import AgreementReference
from baton.screens.pools import MemberState, PoolStateNow


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceOf:
    """An absence that runs or is to come, half-open."""

    from_ms: int
    until_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNow:
    """A person. ``state``: ``there``, ``away``, ``off_hours`` or ``inactive``; ``there_at_ms``:
    when they are there next (None: not as far as is known)."""

    person: str
    name: str
    state: str
    there_at_ms: int | None
    calendar: str
    zone: str
    manager: str | None
    pools: tuple[str, ...]
    absences: tuple[AbsenceOf, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLoad:
    """What somebody has open from one pool, beside their limits there."""

    pool: str
    state: MemberState


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityOf:
    """A person's open work over all pools. ``limits`` are those over all pools. ``room``: how many
    more leads their capacities allow (None: a pool does not limit them, and neither do those)."""

    person: str
    offered: int
    accepted: int
    room: int | None
    at_limit: bool
    pools: tuple[PoolLoad, ...]
    limits: Limits = NO_LIMITS


_LIMITS = frozenset({"full", "offers_open", "day_limit", "week_limit"})


def person_now(reference: AgreementReference, person: str, *, now_ms: int) -> PersonNow:
    """The person at ``now_ms``; raises KeyError for one who is not in the agreement."""
    agreement = reference.agreement
    rule = agreement.people[person]
    pools = tuple(
        name
        for name, pool in agreement.pools.items()
        if any(member.person == person for member in pool.members)
    )
    hours = agreement.calendar_for(person=person, pool=pools[0] if pools else None)
    absences = tuple(
        AbsenceOf(from_ms=known.from_ms, until_ms=known.until_ms, reason=known.reason)
        for known in reference.absences
        if known.person == person and known.until_ms > now_ms
    )
    spans = tuple((known.from_ms, known.until_ms) for known in absences)
    try:
        there_at: int | None = hours.without(spans).next_open(now_ms)  # type: ignore[union-attr]
    except NeverOpenError:
        there_at = None
    away = any(start <= now_ms < end for start, end in spans)
    state = "away" if away else "there" if hours.is_open(now_ms) else "off_hours"
    base = hours.base if hasattr(hours, "base") else hours
    return PersonNow(
        person=person,
        name=rule.name,
        state=state if rule.active else "inactive",
        there_at_ms=there_at if rule.active else None,
        calendar=base.name,
        zone=str(hours.zone),
        manager=rule.manager,
        pools=pools,
        absences=absences,
    )


def capacities(
    pools: Iterable[PoolStateNow], people: Sequence[str], rules: Mapping[str, PersonRule]
) -> list[CapacityOf]:
    """The open work of ``people`` over ``pools``, in the given order; ``rules`` has their limits
    over all pools."""
    loads: dict[str, list[PoolLoad]] = {person: [] for person in people}
    for pool in pools:
        for member in pool.members:
            if member.person in loads:
                loads[member.person].append(PoolLoad(pool=pool.pool, state=member))
    return [
        _capacity(person, found, rules[person].limits if person in rules else NO_LIMITS)
        for person, found in loads.items()
    ]


def _capacity(person: str, loads: Sequence[PoolLoad], limits: Limits) -> CapacityOf:
    rooms = [
        None
        if load.state.capacity is None
        else max(load.state.capacity - load.state.offered - load.state.accepted, 0)
        for load in loads
        if load.state.hindered != "left_the_pool"
    ]
    known = [room for room in rooms if room is not None]
    offered = sum(load.state.offered for load in loads)
    accepted = sum(load.state.accepted for load in loads)
    room = sum(known) if len(known) == len(rooms) else None
    if limits.capacity is not None:
        left = max(limits.capacity - offered - accepted, 0)
        room = left if room is None else min(room, left)
    return CapacityOf(
        person=person,
        offered=offered,
        accepted=accepted,
        room=room,
        at_limit=any((load.state.hindered or "").partition(":")[0] in _LIMITS for load in loads),
        pools=tuple(loads),
        limits=limits,
    )
