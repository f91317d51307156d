"""The pool as assignment sees it: its members, what it does when nobody can take a lead, and how its turns are counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from baton.agreement.reference import AgreementReference
from baton.agreement.wall_time import local_date, zone_named


class Hours(Protocol):
    """When somebody works."""

    def is_open(self, at_ms: int) -> bool: ...
    def next_open(self, at_ms: int) -> int: ...


class Nobody(StrEnum):
    """What a pool does with a lead that nobody can take now."""

    HOLD = "hold"
    OVERFLOW = "overflow"
    WATCH = "watch"


class Counting(StrEnum):
    """Whose target grows with a lead: those who could have had it, or all members (they make up for what they missed)."""

    LEVEL = "level"
    ACCRUE = "accrue"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolMember:
    """A membership of the pool. ``capacity`` and ``offers`` (not yet answered) None: no limit. ``hours`` None: always open."""

    person: str
    weight: int = 1
    capacity: int | None = None
    offers: int | None = None
    skills: frozenset[str] = frozenset()
    active: bool = True
    hours: Hours | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """One pool under one agreement.

    ``period`` names the period that its turns are counted in; a new one starts afresh. ``any_hour``: leads are handed out outside
    working hours too. ``gone``: the agreement does not know the pool any more, so what is left in it goes ``elsewhere``, by its leg.
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
    any_hour: bool = False
    gone: bool = False
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def member(self, person: str) -> PoolMember | None:
        """The person's membership."""
        return next((each for each in self.members if each.person == person), None)


class Presence(Protocol):
    """Who is away."""

    def absent(self, person: str, at_ms: int) -> bool: ...
    def back_at(self, person: str, at_ms: int) -> int:
        """``at_ms`` if the person is there, else when the absence ends."""


def pool_view_of(reference: AgreementReference, pool: str, *, now: int) -> PoolView:
    """The pool as it is at ``now``. One that the agreement does not know any more has no members, and what is left in it goes to the
    default pools."""
    agreement = reference.agreement
    found = agreement.pools.get(pool)
    if found is None:
        default = agreement.routing.default
        elsewhere = {leg: default.get(leg) or next(iter(default.values())) for leg in ("sdr", "sales")}
        return PoolView(pool=pool, kind="sales", members=(), nobody=Nobody.OVERFLOW, gone=True, elsewhere=elsewhere)
    members = tuple(
        PoolMember(
            person=member.person,
            weight=member.weight,
            capacity=member.capacity,
            offers=member.offers,
            skills=member.skills,
            active=member.person in agreement.people and agreement.people[member.person].active,
            hours=agreement.calendar_for(person=member.person, pool=pool),
        )
        for member in found.members
    )
    return PoolView(
        pool=pool,
        kind=found.kind,
        members=members,
        nobody=found.nobody,
        overflow_to=found.overflow_to,
        watcher=found.watcher,
        counting=found.changing,
        period=period_of(found.period, agreement.timezone, now),
        owner_uses_turn=found.owner_uses_turn,
        any_hour=found.ignore_hours,
    )


def period_of(kind: str, timezone: str, now: int) -> str:
    """The name of the period that ``now`` lies in: ``2026-W47``, ``2026-11``, ``2026-Q4`` or ``ever``."""
    day = local_date(now, zone_named(timezone))
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
