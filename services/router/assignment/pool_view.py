"""The pool as assignment sees it: its members, what it does when nobody can take a lead, and how
its turns are counted.

A view holds for a day at most: weights that grow, limits by day and by week and the period of the
turns change with the date.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from math import inf
from typing import Protocol

from baton.agreement.compiled.agreement import CompiledAgreement, Pool
from baton.agreement.reference import AgreementReference
from baton.agreement.wall_time import instant_ms, local_date, zone_named
from baton.contracts.routing import ASK_AGAIN, OpenWork
from services.router.assignment.open_loads import Limits


class Hours(Protocol):
    """When somebody works."""

    def is_open(self, at_ms: int) -> bool: ...
    def next_open(self, at_ms: int) -> int: ...
    def next_close(self, at_ms: int) -> int | None: ...


class Nobody(StrEnum):
    """What a pool does with a lead that nobody can take now."""

    HOLD = "hold"
    OVERFLOW = "overflow"
    WATCH = "watch"


class Counting(StrEnum):
    """Whose target grows with a lead: those who could have had it, or all members (they make up for
    what they missed)."""

    LEVEL = "level"
    ACCRUE = "accrue"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolMember:
    """A membership of the pool.

    ``capacity``, ``offers`` (not yet answered), ``per_day`` and ``per_week`` None: no limit.
    ``hours`` None: always open. Of limits of the membership and of the person over all pools, the
    smaller one stands here.
    """

    person: str
    weight: int = 1
    capacity: int | None = None
    offers: int | None = None
    per_day: int | None = None
    per_week: int | None = None
    skills: frozenset[str] = frozenset()
    active: bool = True
    hours: Hours | None = None


Shifts = tuple[tuple[Hours, tuple[str, ...]], ...]
"""Calendars, each with who works by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """One pool under one agreement, on one day.

    ``period`` names the period that its turns are counted in; a new one starts afresh.
    ``any_hour``: leads are handed out outside working hours too. ``gone``: the agreement does not
    know the pool any more. ``keeps_limits``: whoever is to have a lead (its owner, a colleague's
    holder) keeps hours and limits as others do. ``day`` and ``monday`` are dates of the agreement's
    own time; ``next_day`` and ``next_week`` when the next ones begin. ``changes_at``: when a weight
    grows again. ``relax``: what is given up for a lead that nobody else will take, in order.
    ``open_work``: what becomes of accepted leads in an absence of more than ``away_longer_ms``.
    ``weightless``: who gets leads by name only. It, ``shifts``, ``special`` (whoever takes no lead
    whatever the hour), ``sharers`` (the weights of whoever may share a turn) and ``limits`` are
    found once for large pools.
    """

    pool: str
    kind: str
    members: tuple[PoolMember, ...]
    nobody: str = Nobody.HOLD
    overflow_to: str | None = None
    watcher: str | None = None
    counting: str = Counting.LEVEL
    period: str = ""
    owner_uses_turn: bool = False
    keeps_limits: bool = True
    any_hour: bool = False
    relax: tuple[str, ...] = ASK_AGAIN
    open_work: str = OpenWork.KEEP
    away_longer_ms: int = 0
    gone: bool = False
    day: str = ""
    monday: str = ""
    next_day: int = 0
    next_week: int = 0
    changes_at: int | None = None
    by_person: Mapping[str, PoolMember] = field(default_factory=dict)
    shifts: Shifts = ()
    special: tuple[str, ...] = ()
    weightless: tuple[str, ...] = ()
    sharers: Mapping[str, int] = field(default_factory=dict)
    limits: Limits = field(default_factory=dict)

    def member(self, person: str) -> PoolMember | None:
        """The person's membership."""
        if self.by_person:
            return self.by_person.get(person)
        return next((member for member in self.members if member.person == person), None)


class Presence(Protocol):
    """Who is away."""

    def absent(self, person: str, at_ms: int) -> bool: ...
    def back_at(self, person: str, at_ms: int) -> int:
        """``at_ms`` if the person is there, else when the absence ends."""

    def away_at(self, at_ms: int) -> Set[str]:
        """Everybody who is away then, at least; who is there may be among them."""

    def with_absences(self) -> Set[str]:
        """Everybody of whom an absence is known, past ones too."""

    def leaves_at(self, person: str, at_ms: int) -> int | None:
        """When the person's next absence begins."""


def pool_view_of(reference: AgreementReference, pool: str, *, now: int) -> PoolView:
    """The pool as it is at ``now``. One that the agreement does not know any more has no
    members."""
    agreement = reference.agreement
    return _view(agreement, pool, local_date(now, zone_named(agreement.timezone)))


@lru_cache(maxsize=1024)
def _view(agreement: CompiledAgreement, pool: str, day: date) -> PoolView:
    found = agreement.pools.get(pool)
    if found is None:
        return PoolView(pool=pool, kind="sales", members=(), gone=True)
    zone = zone_named(agreement.timezone)
    monday = day - timedelta(days=day.weekday())
    members = _members(agreement, found, day)
    grows = found.grows_after(day)
    return PoolView(
        pool=pool,
        kind=found.kind,
        members=members,
        nobody=found.nobody,
        overflow_to=found.overflow_to,
        watcher=found.watcher,
        counting=found.changing,
        period=period_of(found.period, day),
        owner_uses_turn=found.owner_uses_turn,
        keeps_limits=found.keeps_limits,
        any_hour=found.ignore_hours,
        relax=found.relax,
        open_work=found.open_work,
        away_longer_ms=found.away_longer_ms,
        day=day.isoformat(),
        monday=monday.isoformat(),
        next_day=instant_ms(day + timedelta(days=1), 0, zone),
        next_week=instant_ms(monday + timedelta(days=7), 0, zone),
        changes_at=None if grows is None else instant_ms(grows, 0, zone),
        by_person={member.person: member for member in members},
        shifts=shifts_of(members),
        special=_people(members, lambda member: not member.active or member.capacity == 0),
        weightless=_people(members, lambda member: member.active and member.weight <= 0),
        sharers=sharers_of(members),
        limits=limits_of(members),
    )


def _people(members: tuple[PoolMember, ...], are: Callable[[PoolMember], bool]) -> tuple[str, ...]:
    return tuple(member.person for member in members if are(member))


def _members(agreement: CompiledAgreement, pool: Pool, day: date) -> tuple[PoolMember, ...]:
    people = agreement.people
    made = []
    for member, weight in zip(pool.members, pool.weights_on(day), strict=True):
        known = people.get(member.person)
        limits = member.limits if known is None else member.limits.within(known.limits)
        made.append(
            PoolMember(
                person=member.person,
                weight=weight,
                capacity=limits.capacity,
                offers=limits.offers,
                per_day=limits.per_day,
                per_week=limits.per_week,
                skills=member.skills,
                active=known is not None and known.active,
                hours=agreement.calendar_for(person=member.person, pool=pool.name),
            )
        )
    return tuple(made)


def shifts_of(members: tuple[PoolMember, ...]) -> Shifts:
    """Who works by which calendar; whoever has none is always there."""
    people: dict[int, list[str]] = {}
    hours = {id(member.hours): member.hours for member in members}
    for member in members:
        people.setdefault(id(member.hours), []).append(member.person)
    return tuple(
        (calendar, tuple(people[known]))
        for known, calendar in hours.items()
        if calendar is not None
    )


def sharers_of(members: tuple[PoolMember, ...]) -> Mapping[str, int]:
    """The weights of whoever may share a turn."""
    return {m.person: m.weight for m in members if m.active and m.weight > 0}


def limits_of(members: tuple[PoolMember, ...]) -> Limits:
    """How many offers and how much open work a person may have; infinite where nothing is said."""
    return {
        m.person: (
            inf if m.offers is None else m.offers,
            inf if m.capacity is None else m.capacity,
        )
        for m in members
    }


def period_of(kind: str, day: date) -> str:
    """The name of the period that ``day`` lies in: ``2026-W47``, ``2026-11``, ``2026-Q4`` or
    ``ever``."""
    match kind:
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02d}"
        case "month":
            return f"{day.year}-{day.month:02d}"
        case "quarter":
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case _:
            return "ever"
