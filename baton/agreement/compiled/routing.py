"""The compiled section ``routing``: which pool a lead belongs to, as far as the agreement alone decides it.

The steps before named accounts need the router's state; taking turns inside a pool is the router's too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from baton.agreement.compiled.conditions import Condition
from baton.agreement.condition_context import ConditionContext
from baton.contracts.routing import RoutingStep

CHOSEN, NO, UNKNOWN, NO_SUCH_KIND = "chosen", "no", "unknown", "no pool of this kind"
DEFAULT_RULE = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAccount:
    """An account with an owner (a person id) or with pools of its own by kind."""

    owner: str | None
    pools: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """One rule; ``pools`` by kind of queue. ``needs``: skills the person must have. ``asks``: the profile fields it looks at."""

    name: str
    condition: Condition
    pools: Mapping[str, str]
    needs: frozenset[str]
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressRule:
    """Leads that go to nobody, with the reason."""

    name: str
    condition: Condition
    reason: str


class Choice(NamedTuple):
    """The pool, and every rule looked at with what it said: ``chosen``, ``no``, ``unknown`` or ``no pool of this kind``."""

    pool: str
    path: tuple[RoutingStep, ...]


class Suppression(NamedTuple):
    """``reason`` None: not suppressed."""

    reason: str | None
    path: tuple[RoutingStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The order of DOMAIN's section on routing, as far as it needs no state of the router."""

    suppress: tuple[SuppressRule, ...]
    accounts: Mapping[str, NamedAccount]
    rules: tuple[RouteRule, ...]
    default: Mapping[str, str]
    keep_colleagues_together: bool

    def suppressed(self, context: ConditionContext) -> Suppression:
        """Whether the lead goes to nobody. Consent is apart: ``CompiledAgreement.consent.hand_off``."""
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
        return self.accounts.get(account_id) if account_id else None

    def choose(self, context: ConditionContext) -> Choice:
        """The pool for ``context.leg``: territories, then segments, then the default; the first that fits wins.

        Where the default has no pool of this kind either, the pool of the other kind is taken rather than nobody.
        """
        path: list[RoutingStep] = []
        leg = context.leg or "sales"
        for rule in self.rules:
            found = rule.condition(context)
            pool = rule.pools.get(leg) if found else None
            if pool is not None:
                path.append(RoutingStep(rule=rule.name, outcome=CHOSEN))
                return Choice(pool, tuple(path))
            outcome = NO_SUCH_KIND if found else UNKNOWN if found is None else NO
            path.append(RoutingStep(rule=rule.name, outcome=outcome))
        path.append(RoutingStep(rule=DEFAULT_RULE, outcome=CHOSEN))
        return Choice(self.default.get(leg) or next(iter(self.default.values())), tuple(path))

    def undecided_by(self, context: ConditionContext) -> tuple[str, ...]:
        """The profile fields that a rule before the chosen one asks for, that are not known, and could change the pool."""
        leg, chosen = context.leg or "sales", self.choose(context).path
        unknown = {step.rule for step in chosen if step.outcome == UNKNOWN}
        asked = (key for rule in self.rules if rule.name in unknown and leg in rule.pools for key in rule.asks)
        return tuple(dict.fromkeys(key for key in asked if key not in context.profile))

    def needs(self, context: ConditionContext) -> frozenset[str]:
        """The skills that the rule which chooses the pool demands."""
        chosen = self.choose(context).path[-1].rule
        return next((rule.needs for rule in self.rules if rule.name == chosen), frozenset())
