"""The compiled agreement: what every reducer asks. Made once per version by
:mod:`baton.agreement.compiler.agreement`.

Points are integers of a millionth (``..._micro``), times are milliseconds since the epoch, UTC
(``..._ms``), durations are milliseconds. Nothing here reads a clock, draws a random number or does
I/O; everything may be shared between threads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from baton.agreement.compiled.calendars import (
    AnyCalendar,
    Calendar,
    NeverOpenError,
    PersonalCalendar,
)
from baton.agreement.compiled.conditions import Condition
from baton.agreement.compiled.consent import ConsentDecision, ConsentRule, ConsentRules
from baton.agreement.compiled.engagement import ActRule, Engagement, Group, ScannerRule
from baton.agreement.compiled.fit import Fit, FitResult
from baton.agreement.compiled.goals import Goal
from baton.agreement.compiled.levels import Band, LevelDecision, LevelTable
from baton.agreement.compiled.lifecycle import Gate, Lifecycle
from baton.agreement.compiled.pools import Member, PersonRule, Pool
from baton.agreement.compiled.recycling import RecycleReason, Recycling, ReturnPlan, Track
from baton.agreement.compiled.routing import Choice, NamedAccount, RouteRule, Routing, Suppression
from baton.agreement.compiled.sla_targets import Target
from baton.agreement.compiled.slas import LadderStep, SlaRule, SlaRules
from baton.agreement.compiled.synonyms import Synonyms
from baton.agreement.condition_context import (
    Behaviour,
    ConditionContext,
    ProfileContext,
    consent_key,
    context_of_qualified,
)
from baton.agreement.model.agreement import Agreement
from baton.agreement.model.recycling import Outcome

__all__ = [
    "ActRule",
    "AnyCalendar",
    "Band",
    "Behaviour",
    "Calendar",
    "Choice",
    "CompiledAgreement",
    "Condition",
    "ConditionContext",
    "ConsentDecision",
    "ConsentRule",
    "ConsentRules",
    "Engagement",
    "Fit",
    "FitResult",
    "Gate",
    "Goal",
    "Group",
    "LadderStep",
    "LevelDecision",
    "LevelTable",
    "Levels",
    "Lifecycle",
    "Member",
    "NamedAccount",
    "NeverOpenError",
    "Outcome",
    "PersonRule",
    "PersonalCalendar",
    "Pool",
    "RecycleReason",
    "Recycling",
    "ReturnPlan",
    "RouteRule",
    "Routing",
    "RoutingRules",
    "ScannerRule",
    "SlaRule",
    "SlaRules",
    "Suppression",
    "Target",
    "Track",
    "consent_key",
    "context_of_qualified",
]


class Levels(LevelTable):
    """Levels, and which queue takes them first."""

    def bound_to(self, lifecycle: Lifecycle) -> "Levels":
        """Set once by the compiler."""
        self._lifecycle = lifecycle
        return self

    def queue_for(self, level: str, fit_band: str, fast_track: bool) -> str:
        """``sdr`` or ``sales``; see :meth:`Lifecycle.queue_for`. The fit band comes from
        :meth:`fit_band`."""
        return self._lifecycle.queue_for(level, fit_band, fast_track)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRules(Routing):
    """Routing, with the pools and people it names."""

    pools: Mapping[str, Pool]
    people: Mapping[str, PersonRule]

    def expected(self, context: ConditionContext) -> tuple[str, str | None]:
        """The pool that a lead comes to, and the person where its account names one: by the rules
        alone, without what only the router knows (owners of open cycles, colleagues)."""
        named = self.named_account(context.account_id)
        if named is not None:
            owner = self.people.get(named.owner) if named.owner else None
            pool = (
                self.pool_of(owner.id, context.leg)
                if owner is not None and owner.active
                else named.pools.get(context.leg or "sales")
            )
            if pool is not None:
                return pool, owner.id if owner else None
        return self.choose(context).pool, None

    def pool_of(self, person: str, leg: str | None, *, hint: str | None = None) -> str | None:
        """The pool of the kind ``leg`` that ``person`` belongs to, ``hint`` if it is one of
        several; for the bridge team's leg a sales pool will do, but not the other way round."""
        mine = [
            pool
            for pool in self.pools.values()
            if any(member.person == person for member in pool.members)
        ]
        fitting = [pool for pool in mine if pool.kind in ("sales", leg)]
        order = sorted(fitting, key=lambda pool: (pool.name != hint, pool.kind != leg, pool.name))
        return order[0].name if order else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledAgreement:
    """One version of the agreement, ready to be asked.

    ``version`` is the hash of its canonical form. ``calendar`` is the house calendar. ``roles`` are
    most senior first.
    """

    version: str
    name: str
    timezone: str
    raw: Agreement
    calendar: Calendar
    calendars: Mapping[str, Calendar]
    fit: Fit
    engagement: Engagement
    levels: Levels
    lifecycle: Lifecycle
    people: Mapping[str, PersonRule]
    pools: Mapping[str, Pool]
    routing: RoutingRules
    slas: SlaRules
    recycling: Recycling
    goals: Mapping[str, Goal]
    consent: ConsentRules
    roles: tuple[str, ...]
    role_field: str | None
    segments: tuple[tuple[str, Condition], ...]
    effective_at_ms: int | None = None
    synonyms: Synonyms = field(default_factory=Synonyms)

    @property
    def weighs_accounts(self) -> bool:
        """Whether a decision depends on what an account as a whole is; else people only read
        it."""
        return self.lifecycle.asks_account or self.routing.asks_account

    def segment_of(self, profile: Mapping[str, str]) -> str | None:
        """The first segment the profile belongs to; None: to none of them, as far as is known."""
        # the check lets segments ask the profile only
        context = cast(ConditionContext, ProfileContext(profile))
        for name, condition in self.segments:
            if condition(context):
                return name
        return None

    def role_of(self, profile: Mapping[str, str]) -> str | None:
        """The person's role, as one of ``roles`` where it is one, else as it stands in the
        profile."""
        text = profile.get(self.role_field) if self.role_field else None
        return _ranked(self.roles, text) if text else None

    def seniority(self, role: str | None) -> int:
        """Smaller is more senior; roles the agreement does not rank come last."""
        return self.roles.index(role) if role in self.roles else len(self.roles)

    def calendar_for(
        self,
        *,
        person: str | None = None,
        pool: str | None = None,
        rule: SlaRule | None = None,
        absences: tuple[tuple[int, int], ...] = (),
    ) -> AnyCalendar:
        """Whose hours count: the promise's own calendar, else the person's, else the pool's, else
        the house's.

        ``absences`` of the person (half-open, ms) are taken out; not where the promise names its
        calendar.
        """
        if rule is not None and rule.own_calendar:
            return rule.target.calendar
        who = self.people.get(person) if person else None
        queue = self.pools.get(pool) if pool else None
        name = (who.calendar if who else None) or (queue.calendar if queue else None)
        hours = self.calendars[name] if name else self.calendar
        return hours.without(absences) if absences else hours

    def manager_of(self, *, person: str | None = None, pool: str | None = None) -> str | None:
        """Who is notified: the person's manager, else the pool's."""
        who = self.people.get(person) if person else None
        queue = self.pools.get(pool) if pool else None
        return (who.manager if who else None) or (queue.manager if queue else None)


@lru_cache(maxsize=4096)
def _ranked(roles: tuple[str, ...], text: str) -> str:
    """``text`` as it is written in ``roles``, or as it stands: the same texts come again and
    again."""
    plain = text.strip().casefold()
    return next((role for role in roles if role.casefold() == plain), text)
