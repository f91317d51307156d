"""The compiled section ``routing``: which pool a lead belongs to, as far as the agreement alone
decides it.

The steps before named accounts need the router's state; taking turns inside a pool is the router's
too.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from baton.agreement.compiled.conditions import Condition
from baton.agreement.compiled.rule_lookup import Demand, Found, RuleLookup, lookup_of
from baton.agreement.condition_context import ConditionContext
from baton.contracts.routing import RoutingStep

CHOSEN, NO, UNKNOWN, NO_SUCH_KIND = "chosen", "no", "unknown", "no pool of this kind"
DEFAULT_RULE = "default"
BOOK_RULE: Final = "territory book"
LISTED: Final = 60
"""Of so many rules each is on the record with what it said; of more only those that were not false
at once, and how many were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAccount:
    """An account with an owner (a person id) or with pools of its own by kind."""

    owner: str | None
    pools: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillDemand:
    """Skills a person must have: the ``named`` ones, and for each profile field of ``spoken`` (a
    language) one that the field names."""

    named: frozenset[str] = frozenset()
    spoken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """One rule; ``pools`` by kind of queue. ``needs``: skills the person must have. ``asks``: the
    profile fields it looks at. ``demands``: what the profile must say for the rule to be true, as
    far as it can be looked up."""

    name: str
    condition: Condition
    pools: Mapping[str, str]
    needs: SkillDemand = SkillDemand()
    asks: tuple[str, ...] = ()
    demands: tuple[Demand, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressRule:
    """Leads that go to nobody, with the reason."""

    name: str
    condition: Condition
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """Who of marketing belongs to a lead."""

    campaigns: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None

    def contact_of(self, campaign: str | None, segment: str | None) -> str | None:
        """By the latest campaign, else by segment, else the default."""
        by_segment = self.segments.get(segment or "", self.default)
        return self.campaigns.get(campaign or "", by_segment)


class TerritoryRows(Protocol):
    """A territory book."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The profile fields that its rows ask."""

    def find(self, profile: Mapping[str, str], leg: str) -> tuple[RouteRule, RoutingStep] | None:
        """The first row that fits, as a rule, and its step on the record."""

    def undecided_by(self, profile: Mapping[str, str], leg: str) -> tuple[str, ...]:
        """The profile fields that are not known and could change the pool."""


class Choice(NamedTuple):
    """The pool, and every rule looked at with what it said: ``chosen``, ``no``, ``unknown`` or ``no
    pool of this kind``; the last step is the rule that won. ``rule`` None: the default."""

    pool: str
    path: tuple[RoutingStep, ...]
    rule: RouteRule | None = None


class Suppression(NamedTuple):
    """``reason`` None: not suppressed."""

    reason: str | None
    path: tuple[RoutingStep, ...]


class Skills(NamedTuple):
    """What the person must have; ``path``: each profile field that asked for something, and what
    came of it."""

    needed: frozenset[str]
    path: tuple[RoutingStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The order of the routing rules, as far as it needs no state of the router. The first
    ``territories`` of ``rules`` come before the territory book, the others after it.
    ``asks_account``: whether a rule looks at what the account as a whole is."""

    suppress: tuple[SuppressRule, ...]
    accounts: Mapping[str, NamedAccount]
    rules: tuple[RouteRule, ...]
    default: Mapping[str, str]
    keep_colleagues_together: bool
    needs: SkillDemand = SkillDemand()
    match_anew: str = "untaken"
    contacts: Contacts = field(default_factory=Contacts)
    account_book: Mapping[str, NamedAccount] = field(default_factory=dict)
    territory_book: TerritoryRows | None = None
    territories: int = 0
    asks_account: bool = False
    _lookups: list[RuleLookup] = field(default_factory=list, repr=False, compare=False)

    def suppressed(self, context: ConditionContext) -> Suppression:
        """Whether the lead goes to nobody. Consent is apart:
        ``CompiledAgreement.consent.hand_off``."""
        path: list[RoutingStep] = []
        for rule in self.suppress:
            found = rule.condition(context)
            if found:
                path.append(RoutingStep(rule=rule.name, outcome=CHOSEN))
                return Suppression(rule.reason, tuple(path))
            path.append(RoutingStep(rule=rule.name, outcome=UNKNOWN if found is None else NO))
        return Suppression(None, tuple(path))

    def named_account(self, account_id: str | None) -> NamedAccount | None:
        """The rule for an account that is named, else None."""
        if not account_id:
            return None
        return self.accounts.get(account_id) or self.account_book.get(account_id)

    def choose(self, context: ConditionContext) -> Choice:
        """The pool for ``context.leg``: territories, then segments, then the default; the first
        that fits wins.

        Where the default has no pool of this kind either, the pool of the other kind is taken
        rather than nobody.
        """
        path: list[RoutingStep] = []
        leg = context.leg or "sales"
        many = len(self.rules) > LISTED
        found_by = (
            self._lookup().look_up(context.profile) if many else Found(range(len(self.rules)), ())
        )
        looked, booked = 0, self.territory_book is None
        for number in found_by.possible:
            if number >= self.territories and not booked:
                looked = self._pass_over(path, looked, self.territories, found_by.undecided) - 1
                if (chosen := self._by_book(context, leg, path)) is not None:
                    return chosen
                booked = True
            looked = self._pass_over(path, looked, number, found_by.undecided)
            rule = self.rules[number]
            found = rule.condition(context)
            pool = rule.pools.get(leg) if found else None
            if pool is not None:
                path.append(RoutingStep(rule=rule.name, outcome=CHOSEN))
                return Choice(pool, tuple(path), rule)
            outcome = NO_SUCH_KIND if found else UNKNOWN if found is None else NO
            path.append(RoutingStep(rule=rule.name, outcome=outcome))
        self._pass_over(path, looked, len(self.rules), found_by.undecided)
        if not booked and (chosen := self._by_book(context, leg, path)) is not None:
            return chosen
        path.append(RoutingStep(rule=DEFAULT_RULE, outcome=CHOSEN))
        return Choice(self.default.get(leg) or next(iter(self.default.values())), tuple(path))

    def _by_book(
        self, context: ConditionContext, leg: str, path: list[RoutingStep]
    ) -> Choice | None:
        """The row of the territory book that fits, if one does."""
        found = self.territory_book.find(context.profile, leg) if self.territory_book else None
        if found is None:
            path.append(RoutingStep(rule=BOOK_RULE, outcome=NO))
            return None
        rule, step = found
        path.append(step)
        return Choice(rule.pools[leg], tuple(path), rule)

    def _lookup(self) -> RuleLookup:
        if not self._lookups:
            self._lookups.append(lookup_of([rule.demands for rule in self.rules]))
        return self._lookups[0]

    def _pass_over(
        self, path: list[RoutingStep], first: int, end: int, undecided: Sequence[int]
    ) -> int:
        """Record the rules that could not be true without asking them; gives the number of the rule
        that comes after ``end``."""
        open_ones = bisect_left(undecided, end) - bisect_left(undecided, first)
        for count, outcome in ((end - first - open_ones, NO), (open_ones, UNKNOWN)):
            if count > 0:
                path.append(
                    RoutingStep(
                        rule=f"{count} rules from {self.rules[first].name}", outcome=outcome
                    )
                )
        return end + 1

    def undecided_by(self, context: ConditionContext) -> tuple[str, ...]:
        """The profile fields that a rule before the chosen one asks for, that are not known, and
        could change the pool."""
        chosen = self.choose(context).rule
        asked: dict[str, None] = {}
        territories, segments = self.rules[: self.territories], self.rules[self.territories :]
        if self._ask(asked, territories, chosen, context):
            return tuple(asked)
        if self.territory_book is not None:
            missing = self.territory_book.undecided_by(context.profile, context.leg or "sales")
            asked.update(dict.fromkeys(missing))
            if chosen is not None and chosen not in segments:
                return tuple(asked)
        self._ask(asked, segments, chosen, context)
        return tuple(asked)

    def _ask(
        self,
        asked: dict[str, None],
        rules: Sequence[RouteRule],
        chosen: RouteRule | None,
        context: ConditionContext,
    ) -> bool:
        """Add what ``rules`` ask and is not known, up to the ``chosen`` one; whether that is
        there."""
        leg = context.leg or "sales"
        for rule in rules:
            if rule is chosen:
                return True
            missing = [key for key in rule.asks if key not in context.profile and key not in asked]
            if missing and leg in rule.pools and rule.condition(context) is None:
                asked.update(dict.fromkeys(missing))
        return False

    def skills_for(
        self, context: ConditionContext, rule: RouteRule | None, known: Collection[str]
    ) -> Skills:
        """The skills that the lead asks of a person, by the rule that chose its pool and by all
        leads' own; ``known`` are those that somebody of the pool has: what a profile asks for and
        nobody has is not asked for, and the path says so."""
        demands = (self.needs,) if rule is None else (self.needs, rule.needs)
        needed = {skill for demand in demands for skill in demand.named}
        path = []
        for key in dict.fromkeys(key for demand in demands for key in demand.spoken):
            wanted = tuple(_words_of(context.profile.get(key)))
            found = next(
                (skill for word in wanted for skill in sorted(known) if skill.casefold() == word),
                None,
            )
            if found is not None:
                needed.add(found)
            if wanted:
                outcome = found if found is not None else f"nobody has {', '.join(wanted)}"
                path.append(RoutingStep(rule=f"needs:profile.{key}", outcome=outcome))
        return Skills(frozenset(needed), tuple(path))


def _words_of(value: str | None) -> Iterator[str]:
    """The words of a field of text or of a set, which has them behind semicolons."""
    return filter(None, (word.strip().casefold() for word in (value or "").split(";")))
