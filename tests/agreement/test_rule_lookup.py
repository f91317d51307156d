"""Rules that are looked up are the rules that would be found one by one; so are the ones that take
everybody of a later rule."""

from __future__ import annotations

from random import Random

import pytest

from baton.agreement.checks.condition_logic import takes_all_of
from baton.agreement.checks.context import CheckContext
from baton.agreement.checks.rule_index import RuleIndex
from baton.agreement.compiled.routing import LISTED, Routing
from baton.agreement.condition_context import ConditionContext
from baton.agreement.diff import changes
from baton.agreement.model.agreement import Agreement
from tests.services.router.router_world import PEOPLE, POOLS, agreement

COUNTRIES = ["DE", "AT", "fr", "NO"]
PLACES = ["0106", "01067", "80331", "SW1", "sw1a"]


def plain_test(random: Random) -> dict[str, object]:
    """One random test of a profile."""
    return random.choice(
        [
            {"field": "profile.country", "op": "is", "value": random.choice(COUNTRIES)},
            {"field": "profile.country", "op": "in", "value": random.sample(COUNTRIES, 2)},
            {"field": "profile.country", "op": "is_not", "value": random.choice(COUNTRIES)},
            {"field": "profile.industry", "op": "starts_with", "value": random.choice(PLACES)},
            {"field": "profile.industry", "op": "is", "value": random.choice(PLACES)},
            {
                "field": "profile.employees",
                "op": "at_least",
                "value": random.choice([10, 100, 1000]),
            },
            {"field": "lead.segment", "op": "is", "value": "enterprise"},
        ]
    )


def condition(random: Random, depth: int = 2) -> dict[str, object]:
    kind = random.choice(("test", "test", "all", "any", "not")) if depth else "test"
    if kind == "test":
        return plain_test(random)
    if kind == "not":
        return {"not": condition(random, depth - 1)}
    return {kind: [condition(random, depth - 1) for _ in range(random.choice((1, 2, 3)))]}


def routing_of(random: Random, rules: int) -> tuple[Routing, Agreement]:
    territories = [
        {
            "name": f"t{number}",
            "when": condition(random),
            "to": random.choice(({"sdr": "bridge"}, {"sales": "field"})),
        }
        for number in range(rules)
    ]
    agreed = agreement(
        people=PEOPLE,
        pools=POOLS,
        routing={"default": {"sdr": "bridge", "sales": "field"}, "territories": territories},
    )
    return agreed.routing, agreed.raw


def profile(random: Random) -> dict[str, str]:
    every = {
        "country": random.choice([*COUNTRIES, " de ", "", "XX"]),
        "industry": random.choice([*PLACES, "0106777", "x"]),
        "employees": random.choice(["5", "500", "many"]),
    }
    return {key: value for key, value in every.items() if random.random() < 0.8}


@pytest.mark.parametrize("seed", range(12))
def test_a_rule_that_is_looked_up_is_the_first_that_fits(seed: int) -> None:
    random = Random(seed)
    routing, _ = routing_of(random, LISTED + 40)
    for _ in range(60):
        context = ConditionContext(
            profile=profile(random),
            leg=random.choice(("sdr", "sales")),
            segment=random.choice((None, "enterprise")),
        )
        found = routing.choose(context)
        fits = [
            rule for rule in routing.rules if rule.condition(context) and context.leg in rule.pools
        ]
        assert found.rule is (fits[0] if fits else None)
        assert found.path[-1].rule == (fits[0].name if fits else "default")
        assert found.path[-1].outcome == "chosen"
        before = routing.rules.index(fits[0]) if fits else len(routing.rules)
        reported = sum(
            int(step.rule.partition(" ")[0]) if " rules from " in step.rule else 1
            for step in found.path[:-1]
        )
        assert reported == before


def test_a_short_list_of_rules_is_on_the_record_rule_by_rule() -> None:
    routing, _ = routing_of(Random(1), LISTED)
    path = routing.choose(ConditionContext(profile={}, leg="sdr")).path
    assert [step.rule for step in path[:-1]] == [f"t{number}" for number in range(len(path) - 1)]


@pytest.mark.parametrize("seed", range(12))
def test_the_index_leaves_out_no_rule_that_takes_everybody_of_a_later_one(seed: int) -> None:
    random = Random(seed)
    _, model = routing_of(random, 80)
    fields = CheckContext(model=model).fields
    conditions = [rule.when for rule in model.routing.territories]
    index = RuleIndex.over(conditions, fields)
    for number, narrow in enumerate(conditions):
        takers = [
            earlier
            for earlier in range(number)
            if takes_all_of(conditions[earlier], narrow, fields)
        ]
        assert set(takers) <= set(index.candidates(narrow, range(number)))
        index.add(number, narrow)


def test_the_index_spares_most_of_the_comparisons() -> None:
    rules = [
        {"field": "profile.industry", "op": "is", "value": f"word {number}"}
        for number in range(500)
    ]
    plain = [
        {"name": f"t{number}", "when": rule, "to": {"sdr": "bridge"}}
        for number, rule in enumerate(rules)
    ]
    agreed = agreement(
        routing={"default": {"sdr": "bridge", "sales": "field"}, "territories": plain}
    )
    fields = CheckContext(model=agreed.raw).fields
    conditions = [rule.when for rule in agreed.raw.routing.territories]
    index = RuleIndex.over(conditions, fields)
    for number, when in enumerate(conditions):
        assert index.candidates(when, range(number)) == []
        index.add(number, when)


def test_limits_ramps_and_needs_are_reported_in_words_by_a_diff() -> None:
    before, after = (
        agreement(
            pools={**POOLS, "bridge": bridge},
            routing={"default": {"sdr": "bridge", "sales": "field"}, **more},
        ).raw
        for bridge, more in (
            ({"kind": "sdr", "members": {"ann": {}}}, {}),
            (
                {
                    "kind": "sdr",
                    "matches": "pass",
                    "members": {
                        "ann": {
                            "weight": 0.5,
                            "per_day": 5,
                            "ramp": {"from": "2027-01-04", "weeks": 4},
                        }
                    },
                },
                {"needs": ["english"]},
            ),
        )
    )
    assert [change.text for change in changes(before, after)] == [
        "pool bridge: member ann: weight: 1 -> 0.5",
        "pool bridge: member ann: ramp: none -> from 2027-01-04, weeks 4",
        "pool bridge: member ann: per day: none -> 5",
        "pool bridge: matches: keep -> pass",
        "skills that every lead needs: none -> english",
    ]
