"""Who may have a lead, and for each of the others why not; and when somebody will be able to.

A reason that passes by itself (the person's day begins, an offer is answered, a holiday ends) is
told from one that lasts: a lead waits for the former rather than go back to somebody it was taken
from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from baton.agreement.compiled.calendars import NeverOpenError
from services.router.assignment.pool_view import Hours, PoolMember, PoolView, Presence, shifts_of
from services.router.assignment.state import Load

INACTIVE = "inactive"
NO_WEIGHT = "no_weight"
UNSKILLED = "lacks_skill"
REJECTED_BEFORE = "rejected_before"
ABSENT = "absent"
CLOSED = "closed"
FULL = "full"
OFFERS_OPEN = "offers_open"
DAY_LIMIT = "day_limit"
WEEK_LIMIT = "week_limit"

PASSING = frozenset({CLOSED, OFFERS_OPEN, FULL, DAY_LIMIT, WEEK_LIMIT})
"""Reasons after which the person will be free, now or later, without anybody's decision."""
LIMITS = frozenset({CLOSED, OFFERS_OPEN, DAY_LIMIT, WEEK_LIMIT})
"""Reasons that a person who is to have a lead (owner, colleague) keeps, where the agreement does
not say otherwise."""
WAITED_FOR_MS = 7 * 86_400_000
"""How long an absence is waited out rather than ask again whom the lead was taken from."""
_TRIES = 32

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


class Availability:
    """What hinders each member of a pool at one moment, whatever the lead; kept while one step
    runs.

    ``loads`` may change under it: then :meth:`forget` whose did. Found by shift, load and absence
    rather than member by member.
    """

    __slots__ = (
        "_hindered",
        "_open",
        "_opens",
        "_unhindered",
        "loads",
        "now",
        "pool_view",
        "presence",
    )

    def __init__(
        self, pool_view: PoolView, loads: Mapping[str, Load], presence: Presence, now: int
    ) -> None:
        self.pool_view = pool_view
        self.loads = loads
        self.presence = presence
        self.now = now
        self._open: dict[int, bool] = {}
        self._opens: dict[tuple[int, int], int | None] = {}
        self._hindered: dict[str, str] | None = None
        self._unhindered: dict[str, int] | None = None

    def reason(self, member: PoolMember) -> str | None:
        """Why the member takes no lead now; None: they do."""
        return self._reasons().get(member.person)

    def forget(self, person: str) -> None:
        """The person's load has changed."""
        member = self.pool_view.member(person)
        if self._hindered is None or member is None:
            return
        reason = self._found(member)
        if reason is None:
            self._hindered.pop(person, None)
        else:
            self._hindered[person] = reason
        if self._unhindered is not None:
            self._unhindered.pop(person, None)
            if reason is None and member.weight > 0:
                self._unhindered[person] = member.weight

    def free(self) -> Mapping[str, int]:
        """The weights of those who would take some lead now."""
        if self._unhindered is None:
            hindered = self._reasons()
            self._unhindered = {
                member.person: member.weight
                for member in self.pool_view.members
                if member.weight > 0 and member.person not in hindered
            }
        return self._unhindered

    def anybody(self) -> bool:
        """Whether some member would take some lead."""
        return bool(self.free())

    def answers(self) -> bool:
        """Whether somebody would, once an offer is answered."""
        return OFFERS_OPEN in self._reasons().values()

    def _reasons(self) -> dict[str, str]:
        if self._hindered is None:
            self._hindered = self._looked_up()
        return self._hindered

    def _looked_up(self) -> dict[str, str]:
        """Nearly all members of a large pool have no load, are there and share a few shifts."""
        view, found = self.pool_view, dict[str, str]()
        if not view.any_hour:
            for hours, people in view.shifts or shifts_of(view.members):
                if not self._is_open(hours):
                    found.update(dict.fromkeys(people, CLOSED))
        apart = {
            *self.loads,
            *self.presence.away_at(self.now),
            *(view.special or _special_of(view)),
        }
        for member in filter(None, map(view.member, apart)):
            if (reason := self._found(member)) is not None:
                found[member.person] = reason
        return found

    def _found(self, member: PoolMember) -> str | None:
        load = self.loads.get(member.person, NO_LOAD)
        if not member.active:
            return INACTIVE
        if self.presence.absent(member.person, self.now):
            return ABSENT
        if member.capacity is not None and load.total >= member.capacity:
            return FULL
        if member.offers is not None and load.offered >= member.offers:
            return OFFERS_OPEN
        if (
            member.hours is not None
            and not self.pool_view.any_hour
            and not self._is_open(member.hours)
        ):
            return CLOSED
        return self._spent(member, load)

    def _spent(self, member: PoolMember, load: Load) -> str | None:
        today, this_week = self.handed(load)
        if member.per_day is not None and today >= member.per_day:
            return DAY_LIMIT
        if member.per_week is not None and this_week >= member.per_week:
            return WEEK_LIMIT
        return None

    def handed(self, load: Load) -> tuple[int, int]:
        """How many leads the person was handed in the day and in the week that run."""
        if load.day < self.pool_view.monday:
            return 0, 0
        return load.today if load.day == self.pool_view.day else 0, load.this_week

    def _is_open(self, hours: Hours) -> bool:
        known = self._open.get(id(hours))
        if known is None:
            known = self._open[id(hours)] = hours.is_open(self.now)
        return known

    # ------------------------------------------------------------------ when

    def free_at(self, member: PoolMember) -> int | None:
        """When the member will be there: ``now`` or the next opening behind absences and spent
        limits. None: nobody can say, since an answer or an end is waited for, or never."""
        reason = self.reason(member)
        if reason in (INACTIVE, FULL, OFFERS_OPEN):
            return None
        start = self.now
        if reason in (DAY_LIMIT, WEEK_LIMIT):
            start = self.pool_view.next_day if reason == DAY_LIMIT else self.pool_view.next_week
        return self.there_at(member, start)

    def there_at(self, member: PoolMember, start: int) -> int | None:
        """The first moment from ``start`` on at which the member works and is not away."""
        hours = None if self.pool_view.any_hour else member.hours
        for _ in range(_TRIES):
            there = self.presence.back_at(member.person, start)
            found = there if hours is None else self._next_open(hours, there)
            if found is None or not self.presence.absent(member.person, found):
                return found
            start = found
        return None

    def _next_open(self, hours: Hours, at: int) -> int | None:
        place = id(hours), at
        if place not in self._opens:
            try:
                self._opens[place] = hours.next_open(at)
            except NeverOpenError:
                self._opens[place] = None
        return self._opens[place]


def _special_of(view: PoolView) -> tuple[str, ...]:
    """Who takes no lead whatever the hour."""
    return tuple(
        member.person for member in view.members if not member.active or member.capacity == 0
    )


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
    if member.person in need.not_to:
        return REJECTED_BEFORE
    return availability.reason(member)


def waits(screened: tuple[Screened, ...]) -> bool:
    """Somebody could have it but for an offer that is not answered yet: the lead stays in the
    queue."""
    return any(found.reason == OFFERS_OPEN for found in screened)


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


def could_ever(pool_view: PoolView, need: Need) -> bool:
    """Somebody of the pool will be able to have it at some time."""
    return any(suits(member, need) for member in pool_view.members)


def soonest(availability: Availability, need: Need) -> int | None:
    """When somebody will first be able to have it, as far as calendars and absences tell; None:
    they do not tell."""
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
        if member.weight > 0 and availability.reason(member) in (
            ABSENT,
            CLOSED,
            DAY_LIMIT,
            WEEK_LIMIT,
        ):
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
        if member.hours is not None and availability.reason(member) == OFFERS_OPEN
    ]
    return min(
        (time for time in times if time is not None and time > availability.now), default=None
    )
