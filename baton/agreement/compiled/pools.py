"""The compiled sections ``people`` and ``pools``: who there is, and who shares a queue by which
weights and limits.

Taking turns inside a pool is the router's.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import lcm


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much somebody takes: ``capacity`` leads offered and accepted, ``offers`` unanswered,
    ``per_day`` and ``per_week`` handed out; None: no limit."""

    capacity: int | None = None
    offers: int | None = None
    per_day: int | None = None
    per_week: int | None = None

    def within(self, other: "Limits") -> "Limits":
        """Of each limit the smaller one."""
        return Limits(
            capacity=_smaller(self.capacity, other.capacity),
            offers=_smaller(self.offers, other.offers),
            per_day=_smaller(self.per_day, other.per_day),
            per_week=_smaller(self.per_week, other.per_week),
        )


NO_LIMITS = Limits()


def _smaller(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRule:
    """A person. ``calendar`` None: the pool's, else the house's; ask
    ``CompiledAgreement.calendar_for``. ``limits`` hold over all pools, ``pools`` are those that the
    person is in."""

    id: str
    name: str
    calendar: str | None
    active: bool
    skills: frozenset[str]
    manager: str | None
    deputy: str | None = None
    limits: Limits = NO_LIMITS
    pools: tuple[str, ...] = ()

    @property
    def shared(self) -> bool:
        """Whether several pools have to keep one limit together."""
        return self.limits != NO_LIMITS and len(self.pools) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A weight that grows from nothing in ``weeks`` equal steps, a week each, from the day
    ``starts`` on."""

    starts: date
    weeks: int

    def share_on(self, day: date) -> Fraction:
        """The part of the weight that holds on ``day``."""
        if day < self.starts:
            return Fraction(0)
        return Fraction(min((day - self.starts).days // 7 + 1, self.weeks), self.weeks)

    def grows_after(self, day: date) -> date | None:
        """The next day on which the weight grows; None: it does not any more."""
        if day < self.starts:
            return self.starts
        steps = (day - self.starts).days // 7 + 1
        return self.starts + timedelta(days=7 * steps) if steps < self.weeks else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A membership. ``capacity``: leads offered and accepted, ``offers``: unanswered offers,
    ``per_day`` and ``per_week``: leads handed out; None: no limit. ``skills`` are the person's.
    ``weight`` is that behind the ``ramp``."""

    person: str
    weight: Fraction
    capacity: int | None
    offers: int | None
    skills: frozenset[str]
    per_day: int | None = None
    per_week: int | None = None
    ramp: Ramp | None = None

    @property
    def limits(self) -> Limits:
        """The limits of the membership."""
        return Limits(
            capacity=self.capacity,
            offers=self.offers,
            per_day=self.per_day,
            per_week=self.per_week,
        )

    def weight_on(self, day: date) -> Fraction:
        """The weight on ``day``."""
        return self.weight if self.ramp is None else self.weight * self.ramp.share_on(day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A queue of ``kind`` ``sdr`` or ``sales``; ``members`` by person id.

    ``nobody``: ``hold``, ``overflow`` (to pool ``overflow_to``) or ``watch`` (by person
    ``watcher``). ``period``: week, month, quarter or ever, in the agreement's time zone.
    ``changing``: ``level`` or ``accrue``. ``calendar`` is always set. ``keeps_limits``: a lead that
    is to go to a certain person keeps their hours and limits. ``relax``: what is given up for a
    lead that nobody else will take, in order. ``open_work``: ``keep``, ``deputy`` or ``release``,
    where somebody is away for longer than ``away_longer_ms``.
    """

    name: str
    kind: str
    members: tuple[Member, ...]
    nobody: str
    overflow_to: str | None
    watcher: str | None
    calendar: str
    ignore_hours: bool
    period: str
    changing: str
    owner_uses_turn: bool
    manager: str | None
    keeps_limits: bool = True
    relax: tuple[str, ...] = ()
    open_work: str = "keep"
    away_longer_ms: int = 0

    @property
    def skills(self) -> frozenset[str]:
        """Every skill that somebody in it has."""
        return frozenset(skill for member in self.members for skill in member.skills)

    def weights_on(self, day: date) -> tuple[int, ...]:
        """The members' weights on ``day`` in whole numbers, in their order: as written where all
        are whole, else all times the same."""
        exact = [member.weight_on(day) for member in self.members]
        whole = lcm(*(weight.denominator for weight in exact)) if exact else 1
        return tuple(int(weight * whole) for weight in exact)

    def grows_after(self, day: date) -> date | None:
        """The next day on which some weight grows."""
        days = [member.ramp.grows_after(day) for member in self.members if member.ramp is not None]
        return min((found for found in days if found is not None), default=None)
