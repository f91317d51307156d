"""The account as a buying group: distinct engaged people, their sum, the most senior role; and what
is known of each person."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from baton.contracts.accounts import GATHER_SMALL_MS, AccountScored
from baton.contracts.intake import Consent, LeadMerge
from baton.contracts.leads import LeadQualified, LeadStaged
from baton.derived_ids import derived_id
from tests.services.scorer.scorer_world import DAY, HOUR, MINUTE, World, agreement, person_reported


def accounts(world: World) -> list[tuple[Any, ...]]:
    return [
        (
            fact.account_id,
            fact.people,
            fact.engaged_people,
            fact.engagement_micro // 1_000_000,
            fact.most_senior_role,
        )
        for fact in world.facts(AccountScored)
    ]


def test_people_of_one_company_add_up_and_the_most_senior_role_counts() -> None:
    world = World()
    for happens in (
        lambda: world.fits("l1", domain="acme.example", role="Specialist"),
        lambda: world.does("l1", "webinar"),
        lambda: world.fits("l2", domain="acme.example", role="VP"),
        lambda: world.does("l2", "form"),
        lambda: world.does("l2", "page_view"),
    ):
        happens()
        world.wait(GATHER_SMALL_MS)
    assert accounts(world) == [
        ("acme.example", 1, 0, 0, "Specialist"),
        ("acme.example", 1, 1, 40, "Specialist"),
        ("acme.example", 2, 1, 39, "VP"),
        ("acme.example", 2, 2, 74, "VP"),
        ("acme.example", 2, 2, 84, "VP"),
    ]


def test_a_person_who_moves_leaves_one_account_and_joins_the_other() -> None:
    world = World()
    world.fits("l1", domain="acme.example", role="VP")
    world.does("l1", "webinar")
    world.wait(GATHER_SMALL_MS)
    world.facts()
    world.fits("l1", domain="other.example", role="VP")
    world.wait(GATHER_SMALL_MS)
    assert accounts(world) == [("other.example", 1, 1, 39, "VP"), ("acme.example", 0, 0, 0, None)]


def test_no_domain_no_account() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "demo_request")
    assert accounts(world) == []
    assert world.facts(LeadQualified, whole=True)[0].story.account_id is None


def test_a_cooling_person_is_counted_with_what_is_left() -> None:
    world = World()
    world.fits("l1", domain="acme.example")
    world.does("l1", "webinar")
    world.facts()
    world.wait(11 * DAY)
    assert accounts(world) == [("acme.example", 1, 1, left, None) for left in (39, 29, 19)]
    world.wait(50 * DAY)
    assert accounts(world) == [("acme.example", 1, 1, 9, None), ("acme.example", 1, 0, 0, None)]


def test_another_order_of_seniority_is_reported_when_it_is_agreed() -> None:
    world = World()
    for lead, role in (("l1", "Manager"), ("l2", "Head")):
        world.fits(lead, domain="acme.example", role=role)
    world.wait(GATHER_SMALL_MS)
    assert accounts(world)[-1][-1] == "Head"
    definitions = agreement().raw.definitions.model_dump(
        mode="json", by_alias=True, exclude_defaults=True
    )
    world.adopt(agreement(definitions=definitions | {"roles": ["Manager", "Head"]}))
    assert accounts(world)[-1][-1] == "Manager"


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_latest_value_of_a_field_wins_whatever_came_first(order: tuple[int, ...]) -> None:
    world = World()
    reported: list[tuple[int, str, dict[str, str]]] = [
        (3 * HOUR, "csv", {"country": "NO", "role": "Student"}),
        (1 * HOUR, "http", {"role": "Head"}),
        (2 * HOUR, "salesforce", {"country": "SE", "role": "VP"}),
        (2 * HOUR, "csv", {"country": "US", "employees": "12"}),
    ]
    for number in order:
        ago, source, profile = reported[number]
        world.report("l1", "profile", ago=ago, source=source, profile=profile)
    world.does("l1", "demo_request")
    (qualified,) = world.facts(LeadQualified)
    assert dict(qualified.story.profile) == {"country": "SE", "role": "Head", "employees": "12"}


def test_a_profile_event_that_is_retracted_takes_its_fields_along() -> None:
    """Whichever came first, and also where they meet in a merge."""

    def reported_before(world: World) -> None:
        world.retract("l1", world.fits("l1", domain="acme.example"))

    def reported_after(world: World) -> None:
        world.retract("l1", derived_id("test", 2))
        world.fits("l1", domain="acme.example")

    def reported_to_the_other(world: World) -> None:
        world.retract("l2", world.fits("l1", domain="acme.example"))
        world.send(
            LeadMerge(merge_id="m", loser="l2", survivor="l1", cause_id="c", occurred_at_ms=0)
        )

    def reported_of_the_other(world: World) -> None:
        world.retract("l1", world.fits("l2", domain="acme.example"))
        world.send(
            LeadMerge(merge_id="m", loser="l2", survivor="l1", cause_id="c", occurred_at_ms=0)
        )

    for report in (reported_before, reported_after, reported_to_the_other, reported_of_the_other):
        world = World()
        report(world)
        world.does("l1", "demo_request")
        (qualified,) = world.facts(LeadQualified)
        assert (qualified.leg, dict(qualified.story.profile), qualified.story.account_id) == (
            "sdr",
            {},
            None,
        )


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([(2, True), (1, False)], "refused"),
        ([(1, False), (2, True)], "refused"),
        ([(2, False), (1, True)], "granted"),
        ([(1, True), (1, False)], "refused"),
        ([(1, False), (1, True)], "refused"),
    ],
)
def test_the_newest_explicit_consent_counts_and_of_one_moment_the_refusal(
    acts: list[tuple[int, bool]], expected: str
) -> None:
    world = World()
    for ago, granted in acts:
        world.consent("l1", "marketing", granted, ago=ago * HOUR)
    world.does("l1", "demo_request")
    assert world.facts(LeadQualified)[0].story.consents == {"marketing/email": expected}


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([("email", True, 2), ("any", False, 1)], {"email": "refused", "any": "refused"}),
        ([("any", False, 2), ("email", True, 1)], {"email": "granted", "any": "refused"}),
        ([("email", True, 1), ("any", False, 1)], {"email": "refused", "any": "refused"}),
        ([("email", False, 1), ("any", True, 1)], {"email": "refused", "any": "granted"}),
        ([("email", False, 2), ("any", True, 1)], {"email": "granted", "any": "granted"}),
    ],
)
def test_an_act_for_any_channel_stands_for_each_whose_own_is_older(
    acts: list[Any], expected: dict[str, str]
) -> None:
    world = World()
    for channel, granted, ago in acts:
        consent = Consent(purpose="sales", channel=channel, granted=granted)
        world.report("l1", "consent", ago=ago * HOUR, consent=consent)
    world.does("l1", "demo_request")
    (qualified,) = world.facts(LeadQualified)
    assert dict(qualified.story.consents) == {
        f"sales/{channel}": said for channel, said in expected.items()
    }


def test_a_consent_that_changes_after_qualification_is_reported_and_before_that_it_is_not() -> None:
    world = World()
    world.consent("l1", "sales", granted=True, ago=HOUR)
    world.does("l1", "demo_request")
    assert [fact.event for fact in world.facts(LeadStaged)] == ["qualified"]
    world.consent("l1", "marketing", granted=False, ago=MINUTE)
    world.consent("l1", "marketing", granted=True, ago=HOUR)
    world.consent("l2", "sales", granted=False)
    world.send(LeadMerge(merge_id="m", loser="l2", survivor="l1", cause_id="c", occurred_at_ms=0))
    reported = [fact for fact in world.facts(LeadStaged) if fact.event == "consent_changed"]
    assert [(fact.from_stage, fact.to_stage, dict(fact.consents or {})) for fact in reported] == [
        ("mql", "mql", {"sales/email": "granted", "marketing/email": "refused"}),
        ("mql", "mql", {"sales/email": "refused", "marketing/email": "refused"}),
    ]


def test_the_person_is_published_to_who_takes_the_lead_and_to_nobody_else() -> None:
    world = World()
    world.fits("l1", domain="acme.example")
    world.send(
        person_reported(
            "l1",
            at_ms=world.now - HOUR,
            first_name="Ada",
            email="ada@acme.example",
            stated_problem="too slow",
        ),
        person_reported(
            "l1",
            at_ms=world.now - 2 * HOUR,
            n=1,
            first_name="A.",
            phone="+47 1",
            current_supplier="Rival",
        ),
    )
    world.does("l1", "demo_request", content_title="Prices")
    (qualified,) = [fact for fact in world.facts() if isinstance(fact, LeadQualified)]
    person = qualified.story.person
    assert person is not None
    assert (
        person.first_name,
        person.email,
        person.phone,
        person.stated_problem,
        person.current_supplier,
    ) == (
        "Ada",
        "ada@acme.example",
        "+47 1",
        "too slow",
        "Rival",
    )
    reported = [record for record in world.host.log.history if b"ada@" in (record.value or b"")]
    assert {stored.topic for stored in reported} == {
        "intake.leads.v1",
        "leads.persons.v1",
        "leads.qualified.v1",
        "scorer.leads.v1",
        "lead.changelog.v1",
    }
    assert [
        stored.key
        for stored in reported
        if stored.topic == "lead.changelog.v1" and b"person" not in (stored.key or b"")
    ] == []
