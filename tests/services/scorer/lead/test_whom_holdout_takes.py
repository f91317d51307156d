"""Whom the hold-out takes: a lead that acts, is cold, can be reached, in its first interest."""

from __future__ import annotations

from typing import Any

import pytest

from baton.contracts.intake import LeadInput, Person
from baton.contracts.leads import LeadQualified
from baton.contracts.streams import LeadHeldOut
from tests.services.scorer.scorer_world import LIFECYCLE, World, agreement

EVERYBODY = {**LIFECYCLE, "holdout": "99%"}
REACHABLE = {
    "Can be reached": {
        "fast_track": True,
        "when": {"field": "lead.reachable", "op": "is", "value": True},
    },
    "Asked for prices": {"when": {"field": "behaviour.act.webinar", "op": "at_least", "value": 1}},
}


def world_with(lead: str = "l3", *, reachable: bool = True, **lifecycle: Any) -> World:
    world = World(agreement(lifecycle={**EVERYBODY, **lifecycle}))
    if reachable:
        person = Person(email="ann@acme.example")
        world.send(
            LeadInput(
                lead_id=lead,
                cause_id="said",
                occurred_at_ms=world.now,
                person=person,
            )
        )
    world.fits(lead)
    world.facts()
    return world


def held_out(world: World) -> int:
    qualified, marks = world.facts(LeadQualified, whole=True), world.facts(LeadHeldOut, whole=True)
    assert [one.qualification_id for one in marks] == [
        one.qualification_id for one in qualified if one.engagement_micro < 29_000_000
    ]
    return len(marks)


def clicks(world: World, lead: str = "l3") -> World:
    """25 points by clicks, where 30 are asked for and this lead's hash asks for 10.7."""
    for _ in range(5):
        world.does(lead, "email_click")
    return world


def test_a_cold_lead_that_acts_is_taken_once() -> None:
    assert held_out(clicks(world_with())) == 1


@pytest.mark.parametrize(
    ("lifecycle", "reachable", "taken"),
    [
        ({"gates": REACHABLE}, True, 1),
        ({"gates": REACHABLE}, False, 0),
        ({}, False, 0),
    ],
)
def test_only_whoever_can_be_reached_is_taken_and_other_gates_are_passed(
    lifecycle: Any, reachable: bool, taken: int
) -> None:
    assert held_out(clicks(world_with(reachable=reachable, **lifecycle))) == taken


def test_no_profile_no_time_no_backfill_and_no_act_that_takes_points_takes_a_lead() -> None:
    world = world_with()
    for _ in range(5):
        world.does("l3", "email_click", backfill=True)
    world.fits("l3", industry="shipping")
    world.does("l3", "unsubscribe")
    world.wait(90 * 86_400_000)
    assert held_out(world) == 0


def test_a_lead_that_rests_or_is_work_is_left_alone() -> None:
    world = world_with()
    world.does("l3", "form")
    assert held_out(world) == 0, "it was ready by its own points, and was not marked"
    world.route("l3")
    world.act("l3", "reject", reason="not_ready")
    clicks(world)
    assert held_out(world) == 0


def test_a_hand_raised_is_a_hand_raised() -> None:
    world = world_with()
    world.does("l3", "demo_request")
    (qualified,) = world.facts(LeadQualified, whole=True)
    assert qualified.hand_raised
    assert world.facts(LeadHeldOut, whole=True) == []
