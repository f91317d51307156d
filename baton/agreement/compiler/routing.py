"""Compiles the section ``routing``: rules in their order, and what each can be looked up by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from baton.agreement.compiled.agreement import RoutingRules
from baton.agreement.compiled.books import AccountBook, territory_book
from baton.agreement.compiled.conditions import Condition, compile_condition
from baton.agreement.compiled.pools import PersonRule, Pool
from baton.agreement.compiled.routing import (
    Contacts,
    NamedAccount,
    RouteRule,
    SkillDemand,
    SuppressRule,
)
from baton.agreement.compiled.rule_lookup import Demand
from baton.agreement.condition_fields import Field, Kind, ask_account
from baton.agreement.model.agreement import Agreement
from baton.agreement.model.condition import All, ConditionModel, Op, Test, tests_in
from baton.agreement.model.routing import SPOKEN, DestinationModel, RoutingModel


def compile_routing(
    agreement: Agreement,
    people: Mapping[str, PersonRule],
    pools: Mapping[str, Pool],
    fields: Mapping[str, Field],
    zone: ZoneInfo,
) -> RoutingRules:
    """The rules, with the pools and people that they name, and the books."""
    rules = _Compiler(agreement.routing, fields, zone).compiled(people, pools)
    hashes, books = agreement.books.hashes(), agreement.attached
    if not hashes:
        return rules
    accounts, territories = (
        books[hashes[name]] if name in hashes else None for name in ("accounts", "territories")
    )
    return replace(
        rules,
        account_book=AccountBook(accounts),
        territory_book=territory_book(territories) if territories is not None else None,
    )


@dataclass(frozen=True, slots=True)
class _Compiler:
    model: RoutingModel
    fields: Mapping[str, Field]
    zone: ZoneInfo

    def compiled(self, people: Mapping[str, PersonRule], pools: Mapping[str, Pool]) -> RoutingRules:
        model = self.model
        accounts = {
            domain: NamedAccount(owner=own.owner, pools=_pools_by_kind(own.to) if own.to else {})
            for domain, own in sorted(model.accounts.items())
        }
        return RoutingRules(
            suppress=tuple(
                SuppressRule(
                    name=rule.name, condition=self._condition(rule.when), reason=rule.reason
                )
                for rule in model.suppress
            ),
            accounts=accounts,
            rules=tuple(
                RouteRule(
                    name=rule.name,
                    condition=self._condition(rule.when),
                    pools=_pools_by_kind(rule.to),
                    needs=_skill_demand(rule.needs),
                    asks=self._profile_asked(rule.when),
                    demands=tuple(self._demanded(rule.when)),
                )
                for rule in (*model.territories, *model.segments)
            ),
            territories=len(model.territories),
            asks_account=self._asks_account(),
            default=_pools_by_kind(model.default),
            keep_colleagues_together=model.keep_colleagues_together,
            needs=_skill_demand(model.needs),
            match_anew=model.match_anew.value,
            contacts=Contacts(
                campaigns=model.contacts.campaigns,
                segments=model.contacts.segments,
                default=model.contacts.default,
            ),
            pools=pools,
            people=people,
        )

    def _asks_account(self) -> bool:
        model = self.model
        conditions = [
            *(rule.when for rule in model.suppress),
            *(rule.when for rule in (*model.territories, *model.segments)),
        ]
        return ask_account(frozenset(test.field for when in conditions for test in tests_in(when)))

    def _demanded(self, condition: ConditionModel) -> Iterator[Demand]:
        """Words that a text of the profile must be, or begin with, for ``condition`` to be true."""
        match condition:
            case All():
                for part in condition.all:
                    yield from self._demanded(part)
            case Test(op=Op.IS | Op.IN | Op.STARTS_WITH):
                asked = self.fields[condition.field]
                if asked.kind is Kind.TEXT and asked.profile_key is not None:
                    value = condition.typed_value(Kind.TEXT)
                    words = value if isinstance(value, frozenset) else frozenset({value})
                    yield Demand(asked.profile_key, words, begins=condition.op is Op.STARTS_WITH)

    def _profile_asked(self, condition: ConditionModel) -> tuple[str, ...]:
        """The profile fields that a condition looks at, in order."""
        asked = (self.fields[test.field].profile_key for test in tests_in(condition))
        return tuple(dict.fromkeys(key for key in asked if key))

    def _condition(self, model: ConditionModel) -> Condition:
        return compile_condition(model, self.fields, self.zone)


def _skill_demand(needs: tuple[str, ...]) -> SkillDemand:
    spoken = [name.removeprefix(SPOKEN) for name in needs if name.startswith(SPOKEN)]
    return SkillDemand(
        named=frozenset(name for name in needs if not name.startswith(SPOKEN)), spoken=tuple(spoken)
    )


def _pools_by_kind(model: DestinationModel) -> dict[str, str]:
    return {kind: pool for kind, pool in (("sdr", model.sdr), ("sales", model.sales)) if pool}
