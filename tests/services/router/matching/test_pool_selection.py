"""Which pool a lead goes to: the order of the rules, one row each, and what a person decided before
them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from baton.contracts.accounts import AccountScored
from baton.contracts.leads import EarlierCycle, LeadQualified
from baton.contracts.routing import HandoffRequest
from services.router.matching.pool_selection import Chosen, Suppressed, choose_pool
from services.router.matching.state import AccountState, OpenHandoff
from tests.services.router.router_world import MONDAY_0900, PEOPLE, agreement, qualified

POOLS: Mapping[str, Any] = {
    "bridge": {"kind": "sdr", "members": {"ann": {}, "bob": {}}},
    "key-sdr": {"kind": "sdr", "members": {"ann": {}}},
    "field": {"kind": "sales", "members": {"rex": {}, "sue": {}}},
    "key-sales": {"kind": "sales", "members": {"sue": {}, "cid": {}}},
}
ROUTING: Mapping[str, Any] = {
    "suppress": [
        {
            "name": "competitors",
            "when": {"field": "profile.relation", "op": "is", "value": "competitor"},
            "reason": "competitor",
        }
    ],
    "accounts": {
        "owned.example": {"owner": "sue"},
        "orphaned.example": {"owner": "olaf"},
        "pooled.example": {"to": {"sales": "key-sales"}},
    },
    "territories": [
        {
            "name": "DACH",
            "when": {"field": "profile.country", "op": "is", "value": "DE"},
            "to": {"sdr": "key-sdr"},
            "needs": ["german"],
        }
    ],
    "segments": [
        {
            "name": "large",
            "when": {"field": "lead.segment", "op": "is", "value": "enterprise"},
            "to": {"sales": "key-sales"},
        }
    ],
    "default": {"sdr": "bridge", "sales": "field"},
}
AGREED = agreement(pools=POOLS, routing=ROUTING)
WON = EarlierCycle(cycle=1, ended_at_ms=0, outcome="customer", holder="rex")


def request(lead: LeadQualified, **more: Any) -> HandoffRequest:
    base = HandoffRequest(
        kind="request",
        handoff_id="h",
        qualification_id=lead.qualification_id,
        attempt=1,
        lead_id=lead.lead_id,
        account_id=lead.story.account_id,
        cause_id="cause",
        at_ms=MONDAY_0900,
        qualified=lead,
    )
    return replace(base, **more)


def colleague(pool: str, kind: str, *, accepted: bool = False, since: int = 0) -> OpenHandoff:
    return OpenHandoff(lead_id="other", pool=pool, kind=kind, since_ms=since, accepted=accepted)


def choose(
    lead: LeadQualified,
    *,
    account: AccountState | None = None,
    colleagues: tuple[tuple[str, OpenHandoff], ...] = (),
    **more: Any,
) -> Chosen | Suppressed:
    state = account or AccountState(key=lead.story.account_id or "lead:l")
    return choose_pool(request(lead, **more), lead, state, colleagues, AGREED, now=MONDAY_0900)


def short(found: Chosen | Suppressed) -> str:
    if isinstance(found, Suppressed):
        return f"nobody: {found.reason}"
    marks = [
        found.person,
        "forced" if found.forced else None,
        f"beside {found.beside}" if found.beside else None,
    ]
    marks += [f"needs {'+'.join(found.skills)}" if found.skills else None]
    return ", ".join([f"{found.pool} by {found.rule}", *(mark for mark in marks if mark)])


def lead(leg: str = "sales", **more: Any) -> LeadQualified:
    profile = more.pop("profile", {})
    return qualified("l", leg=leg, profile=profile, **more)


EVERYTHING = {
    "account": AccountState(key="owned.example", customer_of="rex"),
    "colleagues": (("c1", colleague("field", "sales")),),
    "owner": "cid",
}
NAMED = lead(account="owned.example", profile={"country": "DE"})
# In order of precedence: each row has what the rows below it have, so it wins by its place.
ROWS: list[tuple[str, LeadQualified, dict[str, Any], str]] = [
    (
        "suppressed",
        lead(account="owned.example", profile={"relation": "competitor"}),
        EVERYTHING,
        "nobody: competitor",
    ),
    (
        "no consent",
        lead(account="owned.example", consents={"sales/any": "refused"}),
        EVERYTHING,
        "nobody: no_consent",
    ),
    ("owner of the open cycle", NAMED, EVERYTHING, "key-sales by owner_of_cycle, cid"),
    (
        "customer",
        lead(account="acme.example"),
        {**EVERYTHING, "owner": None},
        "field by customer_owner, rex",
    ),
    (
        "colleague",
        NAMED,
        {"colleagues": EVERYTHING["colleagues"]},
        "field by colleague, beside c1",
    ),
    ("named account with an owner", NAMED, {}, "field by named_account, sue"),
    (
        "named account with pools",
        lead(account="pooled.example", profile={"country": "DE"}),
        {},
        "key-sales by named_account",
    ),
    ("territory", lead("sdr", profile={"country": "DE"}), {}, "key-sdr by DACH, needs german"),
    (
        "a territory without a pool of this kind",
        lead(profile={"country": "DE"}),
        {},
        "field by default",
    ),
    ("segment", replace(lead(), segment="enterprise"), {}, "key-sales by large"),
    ("default", lead(), {}, "field by default"),
]


@pytest.mark.parametrize(("name", "who", "more", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_the_first_rule_that_fits_wins(
    name: str, who: LeadQualified, more: dict[str, Any], expected: str
) -> None:
    assert short(choose(who, **more)) == expected


OTHERS: list[tuple[str, LeadQualified, dict[str, Any], str]] = [
    (
        "a raised hand is called whatever was refused",
        lead(raised=True, consents={"sales/any": "refused"}),
        {},
        "field by default",
    ),
    (
        "refusing one channel leaves the other",
        lead(consents={"sales/email": "refused"}),
        {},
        "field by default",
    ),
    (
        "refusing mailings is not refusing a call",
        lead(consents={"marketing/email": "refused"}),
        {},
        "field by default",
    ),
    ("an owner who left is passed over", lead(), {"owner": "nobody"}, "field by default"),
    (
        "an owner in no pool is passed over",
        lead(account="orphaned.example"),
        {},
        "field by default",
    ),
    (
        "a customer's named owner comes first",
        lead(account="owned.example"),
        {"account": EVERYTHING["account"]},
        "field by customer_owner, sue",
    ),
    (
        "who won an earlier cycle is its account's owner",
        replace(lead(), owner="rex", story=replace(lead().story, earlier_cycles=(WON,))),
        {"owner": "rex"},
        "field by customer_owner, rex",
    ),
    (
        "the bridge's leg follows a colleague to sales",
        lead("sdr"),
        {"colleagues": (("c1", colleague("field", "sales")),)},
        "field by colleague, beside c1",
    ),
    (
        "sales does not follow a colleague to the bridge",
        lead(),
        {"colleagues": (("c1", colleague("bridge", "sdr")),)},
        "field by default",
    ),
    (
        "of several colleagues the one whose lead was accepted",
        lead(),
        {
            "colleagues": (
                ("c1", colleague("field", "sales")),
                ("c2", colleague("key-sales", "sales", accepted=True, since=9)),
            )
        },
        "key-sales by colleague, beside c2",
    ),
    ("an SDR's own lead goes on to sales", lead(), {"owner": "ann"}, "field by default"),
    ("a manager's word", lead("sdr"), {"person": "bob"}, "bridge by manual, bob, forced"),
    (
        "a person of several pools stays in the one named",
        lead("sdr"),
        {"person": "ann", "pool": "key-sdr"},
        "key-sdr by manual, ann, forced",
    ),
    (
        "a person of no pool takes it where it is",
        lead("sdr"),
        {"person": "olaf", "pool": "key-sdr"},
        "key-sdr by manual, olaf, forced",
    ),
    ("a pool a person chose", lead(), {"pool": "key-sales"}, "key-sales by manual"),
    ("a pool that is no more", lead(), {"pool": "gone"}, "field by manual"),
    ("the manager's queue", lead(), {"pool": "field", "watcher": "mona"}, "field by manager_queue"),
    (
        "not even a manager hands a competitor on",
        lead(profile={"relation": "competitor"}),
        {"person": "rex"},
        "nobody: competitor",
    ),
]


@pytest.mark.parametrize(
    ("name", "who", "more", "expected"), OTHERS, ids=[row[0] for row in OTHERS]
)
def test_a_case(name: str, who: LeadQualified, more: dict[str, Any], expected: str) -> None:
    assert short(choose(who, **more)) == expected


def test_the_path_says_what_every_rule_said() -> None:
    found = choose(lead(profile={"country": "NO"}, account="orphaned.example"), owner="nobody")
    assert [f"{step.rule}: {step.outcome}" for step in found.path] == [
        "competitors: unknown",
        "consent: sales not refused",
        "owner_of_cycle: left",
        "customer_owner: no",
        "colleague: no",
        "named_account: in no pool of this kind",
        "DACH: no",
        "large: no",
        "default: chosen",
    ]


def test_colleagues_are_kept_together_only_if_the_agreement_says_so() -> None:
    apart = agreement(
        pools=POOLS, routing={**ROUTING, "keep_colleagues_together": False}, people=PEOPLE
    )
    found = choose_pool(
        request(lead()),
        lead(),
        AccountState(key="a"),
        (("c1", colleague("key-sales", "sales")),),
        apart,
        now=MONDAY_0900,
    )
    assert short(found) == "field by default"


def test_what_is_known_of_the_account_may_choose_the_pool() -> None:
    routing = {
        **ROUTING,
        "territories": [
            {
                "name": "buying group",
                "when": {"field": "account.engaged_people", "op": "at_least", "value": 3},
                "to": {"sales": "key-sales"},
            }
        ],
    }
    scored = AccountScored(
        account_id="acme.example",
        people=5,
        engaged_people=3,
        engagement_micro=1,
        most_senior_role=None,
        at_ms=0,
        cause_id="c",
        agreement="v",
    )
    agreed = agreement(pools=POOLS, routing=routing)
    state = AccountState(key="acme.example", scored=scored)
    who = lead(account="acme.example")
    assert (
        short(choose_pool(request(who), who, state, (), agreed, now=0))
        == "key-sales by buying group"
    )
    assert (
        short(choose_pool(request(who), who, replace(state, scored=None), (), agreed, now=0))
        == "field by default"
    )
