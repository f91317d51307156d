"""A lead that is ready waits a moment for what its hand-off lacks, and no longer; one that lacks
nothing does not wait."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest

from baton.contracts.intake import Engagement, LeadEvent, LeadInput, LeadMerge, Person
from baton.contracts.leads import LeadQualified
from baton.derived_ids import derived_id
from tests.services.scorer.scorer_world import LIFECYCLE, MONDAY_0900, World, agreement

SETTLE = 2_000
ANN = Person(
    email="ann@acme.example",
    phone="+4712345678",
    first_name="Ann",
    stated_problem="late deliveries",
)


def settling(**sections: Any) -> World:
    return World(agreement(lifecycle={**LIFECYCLE, "settle": "2 seconds"}, **sections))


def event(
    name: str, *, act: str | None = None, profile: Mapping[str, str] | None = None, **more: Any
) -> LeadInput:
    """What one event reports, of lead l1."""
    lead, event_id = more.pop("lead", "l1"), derived_id("settling", name)
    reported = LeadEvent(
        event_id=event_id,
        lead_id=lead,
        source="http",
        kind="engagement" if act else "profile",
        occurred_at_ms=MONDAY_0900,
        received_at_ms=MONDAY_0900,
        engagement=Engagement(act=act, content_title=name, campaign=more.pop("campaign", None))
        if act
        else None,
        profile=profile or {},
    )
    return LeadInput(
        lead_id=lead, cause_id=event_id, event=reported, occurred_at_ms=MONDAY_0900, **more
    )


def answer(asked: LeadInput, *, lead: str = "l1", loser: str | None = None) -> LeadInput:
    """An identity that ``asked`` wanted to join answers; ``loser`` is the lead that it had."""
    merge = None if loser is None else merge_of(loser, lead)
    return LeadInput(lead_id=lead, cause_id=asked.cause_id, merge=merge, answers=asked.cause_id)


def merge_of(loser: str, survivor: str) -> LeadMerge:
    return LeadMerge(
        merge_id=derived_id(loser, survivor),
        loser=loser,
        survivor=survivor,
        cause_id="c",
        occurred_at_ms=0,
    )


def qualified(world: World) -> list[LeadQualified]:
    return world.facts(LeadQualified)


def test_a_form_is_qualified_at_once_with_all_that_it_reports() -> None:
    world = settling()
    world.send(event("form", act="demo_request", profile={"country": "NO"}, person=ANN))
    (found,) = qualified(world)
    assert (found.story.person, found.story.profile, found.grade) == (ANN, {"country": "NO"}, "A3")
    assert found.qualified_at_ms == MONDAY_0900


@pytest.mark.parametrize("person_first", [True, False])
def test_who_somebody_is_and_what_they_did_in_one_request_are_one_decision_in_either_order(
    person_first: bool,
) -> None:
    both = {"body": "b", "body_events": 2}
    identify = event("identify", profile={"country": "NO"}, person=ANN, **both)
    track = event("track", act="demo_request", **both)
    world = settling()
    world.send(*((identify, track) if person_first else (track, identify)))
    (found,) = qualified(world)
    assert (found.story.person, found.grade, found.leg, found.qualified_at_ms) == (
        ANN,
        "A3",
        "sales",
        MONDAY_0900,
    )
    assert found.cause_id == track.cause_id


def test_a_lead_that_cannot_be_reached_waits_for_a_way_to_reach_it_and_goes_on_when_the_time_is_over() -> (
    None
):
    for waits, at_ms, person in (
        (500, MONDAY_0900 + 500, ANN),
        (3_000, MONDAY_0900 + SETTLE, Person()),
    ):
        world = settling()
        world.send(event("track", act="demo_request", profile={"country": "NO"}))
        assert qualified(world) == []
        world.wait(waits)
        world.send(event("identify", person=ANN))
        found = qualified(world)
        assert [(entry.qualified_at_ms, entry.story.person) for entry in found] == [(at_ms, person)]


def test_a_lead_waits_for_what_its_territory_asks_for_and_not_for_what_decides_nothing() -> None:
    world = settling()
    world.send(event("track", act="demo_request", person=ANN))
    # territories go by country; nothing that is decided after them is waited for
    assert qualified(world) == []
    world.send(event("identify", profile={"country": "NO"}))
    assert [entry.story.profile for entry in qualified(world)] == [{"country": "NO"}]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_join_that_the_event_asks_for_is_part_of_the_decision_whatever_comes_first(
    order: tuple[int, ...],
) -> None:
    """The form names a browser and a user id; the browser had a lead of its own, with a campaign
    and content."""
    world = settling()
    world.send(event("guide", act="page_view", campaign="spring", lead="anon"))
    world.facts()
    form = event("form", act="demo_request", profile={"country": "NO"}, person=ANN, joins=2)
    world.send(form)
    assert qualified(world) == []
    reported = (
        answer(form),
        answer(form, loser="anon"),
        LeadInput(lead_id="anon", cause_id="m", merge=merge_of("anon", "l1")),
    )
    for number in order:
        world.send(reported[number])
    (found,) = qualified(world)
    assert (found.story.first_campaign, [content.title for content in found.story.content]) == (
        "spring",
        ["guide", "form"],
    )
    assert found.engagement_micro == 30_000_000


def test_a_join_that_nobody_answers_is_not_waited_for_for_long() -> None:
    world = settling()
    world.send(event("form", act="demo_request", profile={"country": "NO"}, person=ANN, joins=1))
    world.wait(SETTLE - 1)
    assert qualified(world) == []
    world.wait(1)
    assert [entry.qualified_at_ms for entry in qualified(world)] == [MONDAY_0900 + SETTLE]


def test_a_hand_that_is_taken_down_while_the_lead_settles_was_never_raised() -> None:
    world = settling()
    track = event("track", act="demo_request")
    world.send(track)
    world.retract("l1", track.cause_id)
    world.send(event("identify", person=ANN, profile={"country": "NO"}))
    world.wait(10 * SETTLE)
    assert qualified(world) == []


def test_a_second_hand_raised_while_the_lead_settles_gives_one_qualification_that_survives_the_loss_of_the_first() -> (
    None
):
    world = settling()
    first, second = event("one", act="demo_request"), event("two", act="demo_request")
    world.send(first, second)
    world.retract("l1", first.cause_id)
    world.send(event("identify", person=ANN, profile={"country": "NO"}))
    (found,) = qualified(world)
    assert (found.hand_raised, found.cause_id) == (True, first.cause_id)
    world.said()
    world.retract("l1", second.cause_id)
    assert [line for line in world.said() if "withdrawn" in line] != []


def test_a_hand_raised_by_a_visitor_who_settles_is_not_lost_when_the_visitor_turns_out_to_be_a_known_lead() -> (
    None
):
    world = settling()
    world.send(event("identify", person=ANN, profile={"country": "NO"}))
    track = event("track", act="demo_request", lead="anon")
    world.send(track, LeadInput(lead_id="anon", cause_id="m", merge=merge_of("anon", "l1")))
    (found,) = qualified(world)
    assert (found.lead_id, found.hand_raised, found.story.person) == ("l1", True, ANN)


def test_a_lead_that_is_erased_or_cools_while_it_settles_is_handed_to_nobody() -> None:
    world = settling()
    world.send(event("track", act="demo_request"))
    world.report("l1", "erasure")
    world.wait(10 * SETTLE)
    assert qualified(world) == []


def test_a_lead_settles_once_however_often_it_acts() -> None:
    world = settling()
    world.send(event("one", act="demo_request"))
    world.wait(SETTLE - 500)
    world.send(event("two", act="page_view"))
    world.wait(500)
    assert [entry.qualified_at_ms for entry in qualified(world)] == [MONDAY_0900 + SETTLE]


def test_the_score_that_is_published_says_what_the_lead_waits_for() -> None:
    world = settling()
    world.send(event("track", act="demo_request", profile={"country": "NO"}))
    scored = [fact for fact in world.facts() if type(fact).__name__ == "LeadScored"]
    assert scored[-1].level_reason.endswith("; settles: waits for a way to reach the lead")
