"""Which rules of a routed record are those of a turn: all that the router writes, with whatever
stands before them, and a planted bug is found under each."""

from dataclasses import replace
from typing import Any

import pytest

from baton.contracts.routing import Candidate, LeadRouted, Relax
from baton.proof.audit.findings import Dated, Finding, Invariant, Place
from baton.proof.audit.handouts import check_handouts
from baton.proof.audit.pools import decision_of
from baton.proof.audit.presence import Announced, check_presence
from baton.proof.audit.turns import (
    BY_TURN,
    REJECTERS_AGAIN,
    WITHOUT_SKILLS_REJECTERS,
    by_turn,
    check_turn,
)
from services.router.assignment import person_selection
from tests.services.router.dispatch.test_dispatch_table import routed
from tests.services.router.router_world import POOLS, agreement

PLACE = Place(topic="leads.routed.sdr.v1", partition=0, offset=7)
PREFIXES = ("", "colleague:own:closed;", "deputy:cid:absent;")


def test_the_audit_knows_each_rule_of_a_turn_that_the_router_writes() -> None:
    written = {
        value
        for name, value in vars(person_selection).items()
        if name.isupper() and isinstance(value, str) and value.startswith(person_selection.IN_TURN)
    }
    assert person_selection.WITHOUT_SKILLS in written
    assert written == BY_TURN


@pytest.mark.parametrize(
    "rule",
    ["claim", "assign", "owner_of_cycle", "accepted_before", "", "claim:in_turn", "in_turn;"],
)
def test_who_was_asked_for_by_name_had_no_turn(rule: str) -> None:
    assert not by_turn(rule)


def given(rule: str, **chosen: Any) -> LeadRouted:
    """Ann got it by ``rule``; Bob was eligible too."""
    ann = Candidate(person="ann", weight=1, turns=0, load=1, capacity=9, score="1/2", target="1/2")
    return routed(
        owner="ann", rule=rule, candidates=(replace(ann, **chosen), replace(ann, person="bob"))
    )


PLANTED: list[tuple[dict[str, Any], Invariant]] = [
    ({"load": 9}, Invariant.CAPACITY),
    ({"score": "2/3"}, Invariant.TURNS),
    ({"excluded": "absent"}, Invariant.TURNS),
]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("rule", sorted(BY_TURN))
def test_a_planted_bug_is_found_under_each_rule_of_a_turn(rule: str, prefix: str) -> None:
    def found(value: LeadRouted) -> list[Invariant]:
        findings: list[Finding] = []
        check_turn(value, PLACE, findings.append)
        away = {"bob": [Announced(0, 0, value.routed_at_ms + 1)]}
        check_presence(
            [Dated(at_ms=value.routed_at_ms, place=PLACE, value=value)], away, findings.append
        )
        return [finding.invariant for finding in findings]

    sound = given(prefix + rule)
    assert found(sound) == []
    for bug, invariant in PLANTED:
        assert found(given(prefix + rule, **bug)) == [invariant]
    absent = replace(sound, owner="bob")
    assert found(absent) == [Invariant.PRESENT]
    decision = decision_of(sound, ("router.answers.v1", 0, 7))
    assert (decision.in_turn, decision.capacity) == (True, 9)


@pytest.mark.parametrize(
    ("rule", "relax", "broken"),
    [
        ("in_turn", (Relax.SAID_NO,), True),
        ("in_turn:asked_again", (Relax.SAID_NO,), True),
        (REJECTERS_AGAIN, (Relax.SAID_NO,), False),
        ("in_turn:without_skills", (Relax.SKILLS,), True),
        ("in_turn:without_skills", (Relax.LET_PASS, Relax.SKILLS), True),
        ("in_turn:without_skills", (Relax.SAID_NO, Relax.SKILLS), True),
        ("in_turn:without_skills,asked_again", (Relax.SAID_NO, Relax.SKILLS), True),
        (WITHOUT_SKILLS_REJECTERS, (Relax.SAID_NO, Relax.SKILLS), False),
        (WITHOUT_SKILLS_REJECTERS, (Relax.HAD_IT_LAST, Relax.SKILLS), False),
        (WITHOUT_SKILLS_REJECTERS, (Relax.LET_PASS, Relax.SKILLS), True),
        ("claim", (), False),
    ],
)
def test_a_rejecter_is_asked_again_only_where_the_rule_or_the_pool_says_so(
    rule: str, relax: tuple[str, ...], broken: bool
) -> None:
    value = given(rule)
    value = replace(value, qualified=replace(value.qualified, rejecters=("ann",)))
    team = {"kind": "sdr", "members": {"ann": {}, "bob": {}}, "relax": list(relax)}
    agreed = agreement(pools={**POOLS, "bridge": team})
    findings: list[Finding] = []
    records = [Dated(at_ms=value.routed_at_ms, place=PLACE, value=value)]
    check_handouts(records, lambda version: agreed, grace_ms=0, add=findings.append)
    assert (Invariant.REJECTERS in {finding.invariant for finding in findings}) == broken
