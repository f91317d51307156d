"""What keeps the members of a pool from taking any lead at one moment, and when each will be free.

Found by shift, load and absence rather than member by member. What one lead asks besides is
:mod:`services.router.assignment.eligibility`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from baton.agreement.compiled.calendars import NeverOpenError
from services.router.assignment.open_loads import Load, busy_of
from services.router.assignment.pool_view import (
    Hours,
    PoolMember,
    PoolView,
    Presence,
    limits_of,
    sharers_of,
    shifts_of,
)
from services.router.limit_words import (
    DAY_LIMIT,
    DAY_LIMIT_ALL,
    FULL,
    FULL_ALL,
    OFFERS_OPEN,
    OFFERS_OPEN_ALL,
    UNREPORTED,
    WEEK_LIMIT,
    WEEK_LIMIT_ALL,
)

INACTIVE = "inactive"
ABSENT = "absent"
CLOSED = "closed"

_OVER_ALL = frozenset({OFFERS_OPEN_ALL, DAY_LIMIT_ALL, WEEK_LIMIT_ALL, UNREPORTED})
PASSING = frozenset({CLOSED, OFFERS_OPEN, FULL, DAY_LIMIT, WEEK_LIMIT, FULL_ALL, *_OVER_ALL})
"""Reasons after which the person will be free, now or later, without anybody's decision."""
LIMITS = frozenset({CLOSED, OFFERS_OPEN, DAY_LIMIT, WEEK_LIMIT, *_OVER_ALL})
"""Reasons that a person who is to have a lead (owner, colleague) keeps, where the agreement does
not say otherwise."""
ANSWER_AWAITED = frozenset({OFFERS_OPEN, OFFERS_OPEN_ALL, UNREPORTED})
"""Reasons that an answer ends: the lead waits for it, whatever the pool's rule is."""
PASSED_BY_MATCHES = frozenset({FULL, FULL_ALL})
"""Reasons that never keep a lead from whoever is to have it."""
BY_DAY = frozenset({DAY_LIMIT, DAY_LIMIT_ALL})
BY_TIME = frozenset({ABSENT, CLOSED, WEEK_LIMIT, WEEK_LIMIT_ALL, *BY_DAY})
"""Reasons that time alone ends."""
_TRIES = 32

NO_LOAD = Load(person="")
NOBODY: Mapping[str, str] = MappingProxyType({})


class Availability:
    """What hinders each member of a pool at one moment, whatever the lead; kept while one step
    runs.

    ``loads`` may change under it, and ``barred``, who is at a limit over all pools: then
    :meth:`forget` whose did. Found by shift, load and absence rather than member by member.
    """

    __slots__ = (
        "_by_name",
        "_hindered",
        "_open",
        "_opens",
        "_unhindered",
        "barred",
        "loads",
        "now",
        "pool_view",
        "presence",
    )

    def __init__(
        self,
        pool_view: PoolView,
        loads: Mapping[str, Load],
        presence: Presence,
        now: int,
        barred: Mapping[str, str] = NOBODY,
    ) -> None:
        self.pool_view = pool_view
        self.loads = loads
        self.barred = barred
        self.presence = presence
        self.now = now
        self._open: dict[int, bool] = {}
        self._opens: dict[tuple[int, int], int | None] = {}
        self._hindered: dict[str, str] | None = None
        self._unhindered: dict[str, int] | None = None
        self._by_name: frozenset[str] | None = None

    def reason(self, member: PoolMember) -> str | None:
        """Why the member takes no lead now; None: they do."""
        return self._reasons().get(member.person)

    def forget(self, person: str) -> None:
        """The person's load has changed."""
        member = self.pool_view.member(person)
        self._by_name = None
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
            weights = self.pool_view.sharers or sharers_of(self.pool_view.members)
            self._unhindered = dict(weights)
            for person in hindered.keys() & weights.keys():
                del self._unhindered[person]
        return self._unhindered

    def anybody(self) -> bool:
        """Whether some member would take some lead."""
        return bool(self.free())

    def by_name(self) -> frozenset[str]:
        """Who takes no lead in turn, but would take one that is to go to them."""
        if self._by_name is None:
            view = self.pool_view
            apart = {
                person
                for person, reason in self._reasons().items()
                if reason in PASSED_BY_MATCHES or not view.keeps_limits
            }
            self._by_name = frozenset(
                member.person
                for member in filter(None, map(view.member, apart.union(view.weightless)))
                if self.match_reason(member) is None
            )
        return self._by_name

    def match_reason(self, member: PoolMember) -> str | None:
        """Why a lead that is to go to the member (its owner, who has its colleague) does not; None:
        it does. Neither a weight nor the capacity is asked, so neither hides what is kept."""
        if not member.active:
            return INACTIVE
        if self.presence.absent(member.person, self.now):
            return ABSENT
        if not self.pool_view.keeps_limits:
            return None
        load = self.loads.get(member.person, NO_LOAD)
        barred = self.barred.get(member.person)
        return self._engaged(member, load) or (
            barred if barred in LIMITS else self._spent(member, load)
        )

    def everybody_away(self) -> bool:
        """Whether all who would take leads in turn are away."""
        away = self.presence.away_at(self.now)
        people = self.pool_view.sharers or {
            member.person: member.weight
            for member in self.pool_view.members
            if member.active and member.weight > 0
        }
        return (
            bool(people)
            and len(away) >= len(people)
            and all(person in away and self.presence.absent(person, self.now) for person in people)
        )

    def answers(self) -> bool:
        """Whether somebody would, once an offer is answered."""
        return not ANSWER_AWAITED.isdisjoint(self._reasons().values())

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
            *busy_of(self.loads, view.limits or limits_of(view.members)),
            *self.barred,
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
        if (engaged := self._engaged(member, load)) is not None:
            return engaged
        return self.barred.get(member.person) or self._spent(member, load)

    def _engaged(self, member: PoolMember, load: Load) -> str | None:
        if member.offers is not None and load.offered >= member.offers:
            return OFFERS_OPEN
        if (
            member.hours is not None
            and not self.pool_view.any_hour
            and not self._is_open(member.hours)
        ):
            return CLOSED
        return None

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
        return self._ends_at(member, self.reason(member))

    def named_at(self, member: PoolMember) -> int | None:
        """The same for a lead that is to go to the member."""
        return self._ends_at(member, self.match_reason(member))

    def _ends_at(self, member: PoolMember, reason: str | None) -> int | None:
        if reason is not None and reason not in BY_TIME:
            return None
        start = self.now
        if reason in BY_DAY:
            start = self.pool_view.next_day
        elif reason in (WEEK_LIMIT, WEEK_LIMIT_ALL):
            start = self.pool_view.next_week
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
