"""Gates that ask what the account is: its people are notified, a colleague's act can open a gate,
and nobody answers for ever."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from baton.contracts.accounts import GATHER_MS, AccountPart, AccountScored, BuyingGroup
from baton.contracts.leads import LeadQualified, LeadScored
from services.scorer.accounts import member_updates
from services.scorer.accounts import reducer as rules
from tests.services.scorer.scorer_world import DAY, LIFECYCLE, MINUTE, World, agreement

TWO = {"field": "account.engaged_people", "op": "at_least", "value": 2}


def gated(when: dict[str, Any], **more: Any) -> Any:
    return agreement(lifecycle={**LIFECYCLE, "gates": {"A buying group": {"when": when}}}, **more)


def joins(world: World, *leads: str, domain: str = "acme.example", **profile: str) -> None:
    for lead in leads:
        world.fits(lead, domain=domain, **profile)


def qualified(world: World) -> list[str]:
    return [fact.lead_id for fact in world.facts(LeadQualified)]


def reason(world: World, lead: str) -> str:
    """What the last score of the lead says of its level."""
    scored: list[LeadScored] = world.facts(LeadScored, whole=True)
    return [score.level_reason for score in scored if score.lead_id == lead][-1]


def test_a_colleague_s_act_opens_the_gate_of_a_lead_that_was_warm_before() -> None:
    world = World(gated(TWO))
    joins(world, "l1", "l2")
    world.does("l1", "webinar")
    assert qualified(world) == []
    assert reason(world, "l1").endswith("; not yet: A buying group")
    world.wait(MINUTE)
    world.does("l2", "page_view")
    assert qualified(world) == ["l1"]
    (first,) = [fact for fact in world.facts(LeadQualified, whole=True) if fact.lead_id == "l1"]
    assert first.received_at_ms == world.now


@pytest.mark.parametrize(
    ("when", "role", "opens"),
    [
        ({"field": "account.people", "op": "at_least", "value": 2}, "Head", True),
        ({"field": "account.people", "op": "at_least", "value": 3}, "Head", False),
        ({"field": "account.engagement", "op": "at_least", "value": 50}, "Head", True),
        ({"field": "account.engagement", "op": "at_least", "value": 51}, "Head", False),
        ({"field": "account.senior_role", "op": "is", "value": "VP"}, "VP", True),
        ({"field": "account.senior_role", "op": "is", "value": "VP"}, "Head", False),
        ({"not": {"field": "account.senior_role", "op": "is", "value": "VP"}}, "Head", True),
    ],
)
def test_every_field_of_the_account_can_be_asked(
    when: dict[str, Any], role: str, opens: bool
) -> None:
    world = World(gated(when))
    joins(world, "l2", role=role)
    world.does("l2", "page_view")
    joins(world, "l1", role="Specialist")
    world.does("l1", "webinar")
    assert qualified(world) == (["l1"] if opens else [])
    if not opens:
        assert reason(world, "l1").endswith("; not yet: A buying group")


def test_a_lead_without_an_account_does_not_know_and_says_so() -> None:
    world = World(gated(TWO))
    world.fits("l1")
    world.does("l1", "webinar")
    assert qualified(world) == []
    assert reason(world, "l1").endswith("; not yet: A buying group (unknown)")


def test_what_a_former_account_was_is_not_known_of_the_next() -> None:
    world = World(gated(TWO))
    joins(world, "l2", "l3")
    for lead in ("l2", "l3"):
        world.does(lead, "page_view")
    joins(world, "l1")
    world.wait(1)
    joins(world, "l1", domain="other.example")
    world.does("l1", "webinar")
    assert qualified(world) == []
    assert reason(world, "l1").endswith("; not yet: A buying group")


def test_a_merged_or_erased_lead_takes_no_news() -> None:
    world = World(gated(TWO))
    joins(world, "l1", "l2")
    world.does("l1", "webinar")
    world.report("l1", "erasure")
    world.does("l2", "webinar")
    assert qualified(world) == []
    assert [(fact.people, fact.engaged_people) for fact in world.facts(AccountScored, whole=True)][
        -1
    ] == (1, 1)


def test_time_alone_opens_no_gate() -> None:
    world = World(gated({"field": "account.engagement", "op": "below", "value": 60}))
    joins(world, "l1", "l2", "l3")
    for lead, act, times in (
        ("l2", "page_view", 2),
        ("l3", "page_view", 2),
        ("l1", "email_click", 5),
        ("l1", "page_view", 1),
    ):
        for _ in range(times):
            world.does(lead, act)
    assert qualified(world) == []
    world.wait(8 * DAY)
    reported: list[BuyingGroup] = world.facts(BuyingGroup)
    assert {
        (buying_group.lead_id, buying_group.because)
        for buying_group in reported
        if buying_group.engagement_micro < 60_000_000
    } == {
        ("l1", "time"),
        ("l2", "time"),
        ("l3", "time"),
    }
    assert world.facts(LeadQualified, whole=True) == []
    world.does("l1", "email_click")
    assert qualified(world) == ["l1"]


def test_news_that_opens_nothing_leaves_no_trace_and_the_two_come_to_rest() -> None:
    world = World(gated({"field": "account.people", "op": "at_least", "value": 9}))
    joins(world, "l1", "l2", "l3")
    for lead in ("l1", "l2", "l3"):
        world.does(lead, "webinar")
    scored = world.facts(AccountScored, whole=True)
    reported = world.facts(BuyingGroup, whole=True)
    assert len(reported) == sum(score.people for score in scored)
    parts = world.facts(AccountPart, whole=True)
    assert Counter(part.lead_id for part in parts) == {"l1": 2, "l2": 2, "l3": 2}
    world.facts()
    for _ in range(3):
        world.work()
    assert world.facts() == []


def test_where_no_gate_asks_nobody_is_notified() -> None:
    for terms in (agreement(), gated({"field": "account.id", "op": "known"})):
        world = World(terms)
        joins(world, "l1")
        world.does("l1", "webinar")
        assert world.facts(BuyingGroup, whole=True) == []
        assert qualified(world) == ["l1"]


def test_a_new_agreement_that_asks_notifies_everybody_and_who_is_ready_by_it_waits_its_turn() -> (
    None
):
    world = World(gated({"field": "account.people", "op": "at_least", "value": 9}))
    joins(world, "l1", "l2")
    world.does("l1", "webinar")
    world.does("l2", "page_view")
    assert qualified(world) == []
    world.wait(MINUTE)
    world.adopt(gated(TWO, name="Fewer are enough"))
    reported = [fact for fact in world.facts(BuyingGroup) if fact.because == "agreement"]
    assert {fact.lead_id for fact in reported} == {"l1", "l2"}
    assert world.facts(LeadQualified, whole=True) == []
    world.wait(MINUTE + 1)
    assert [fact.lead_id for fact in world.facts(LeadQualified, whole=True)] == ["l1"]


def test_a_large_account_notifies_its_people_in_slices_each_the_newest_and_leaves_nobody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(member_updates, "SLICE", 7)
    monkeypatch.setattr(rules, "SMALL_ACCOUNT", 5)
    world = World(gated(TWO))
    people = [f"p{number:02d}" for number in range(20)]
    joins(world, *people)
    world.wait(2 * MINUTE)
    world.facts()
    world.does("p03", "form")
    world.wait(GATHER_MS)
    before_first = world.now
    world.does("p04", "form")
    world.wait(2 * GATHER_MS)
    reported: list[BuyingGroup] = world.facts(BuyingGroup)
    last = {
        buying_group.lead_id: (buying_group.engaged_people, buying_group.engagement_micro)
        for buying_group in reported
    }
    assert last == dict.fromkeys(people, (2, 70_000_000))
    moments = Counter(buying_group.at_ms for buying_group in reported)
    assert max(moments.values()) <= 7
    assert len(reported) <= 2 * len(people) + 7
    assert max(buying_group.at_ms for buying_group in reported) - before_first <= 2 * GATHER_MS
