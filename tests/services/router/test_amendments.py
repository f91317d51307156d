"""What becomes known after the hand-off: who has the lead reads it, and a lead that nobody has
taken goes where it belongs now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baton.contracts.leads import LeadAmended, LeadQualified, Story
from baton.contracts.routing import LeadRouted
from baton.contracts.streams import LeadDecision
from tests.services.router.router_world import POOLS, World, agreement, qualified, staged

TERRITORIES = agreement(
    pools={
        **POOLS,
        "bridge": {"kind": "sdr", "members": {"ann": {}}},
        "dach": {"kind": "sdr", "members": {"olaf": {}}},
    },
    routing={
        "territories": [
            {
                "name": "DACH",
                "when": {"field": "profile.country", "op": "is", "value": "DE"},
                "to": {"sdr": "dach"},
            }
        ],
        "default": {"sdr": "bridge", "sales": "field"},
    },
)


def amended(before: LeadQualified, profile: Mapping[str, str], **more: Any) -> LeadDecision:
    """The lead reducer's word that the profile is another now."""
    reported = LeadAmended(
        amendment_id=f"amendment-{before.lead_id}",
        lead_id=before.lead_id,
        cycle=before.cycle,
        qualification_id=before.qualification_id,
        handoff_id=None,
        changed=tuple(f"profile.{name}" for name in profile),
        brief=Story(profile=profile),
        leg=before.leg,
        level=more.pop("level", before.level),
        grade="A1",
        fit_micro=before.fit_micro,
        hand_raised=before.hand_raised,
        segment=before.segment,
        at_ms=0,
        cause_id="c",
        agreement="v",
    )
    return LeadDecision(lead_id=before.lead_id, at_ms=0, amended=reported)


def amend(world: World, *reported: LeadDecision) -> list[str]:
    world.send(*reported)
    world.host.settle()
    return world.said()


def test_a_lead_that_nobody_has_taken_is_matched_anew_where_its_territory_turns_out_to_be_another() -> (
    None
):
    world, lead = World(TERRITORIES), qualified("l1")
    world.qualify(lead)
    assert world.said() == ["l1#1 routed to ann in bridge by in_turn"]
    assert amend(world, amended(lead, {"country": "DE"})) == [
        "l1#1 withdrawn from ann: belongs_elsewhere",
        "l1#2 routed to olaf in dach by in_turn",
    ]


def test_the_one_who_gets_it_reads_what_is_known_by_then() -> None:
    world, lead = World(TERRITORIES), qualified("l1")
    world.qualify(lead)
    world.records()
    world.send(amended(lead, {"country": "DE", "role": "CTO"}))
    world.host.settle()
    routed = [value for _, value in world.records() if isinstance(value, LeadRouted)]
    assert [(entry.owner, entry.qualified.story.profile) for entry in routed] == [
        ("olaf", {"country": "DE", "role": "CTO"})
    ]


def test_a_lead_that_was_accepted_stays_with_who_took_it() -> None:
    world, lead = World(TERRITORIES), qualified("l1")
    world.qualify(lead)
    world.stage(staged("l1", "accepted", by="ann"))
    world.said()
    assert amend(world, amended(lead, {"country": "DE"})) == []


def test_what_changes_nothing_of_the_pool_moves_nobody_and_a_former_qualification_s_word_changes_nothing() -> (
    None
):
    world, lead = World(TERRITORIES), qualified("l1")
    world.qualify(lead)
    world.said()
    assert amend(world, amended(lead, {"country": "FR"})) == []
    assert amend(world, amended(qualified("l1", n=7), {"country": "DE"})) == []
