"""A new agreement: scores follow it at once, and the leads it makes ready are let go in drips, hot
ones first."""

from __future__ import annotations

from typing import Any

from baton.contracts.leads import LeadQualified
from baton.contracts.streams import BacklogRelease
from tests.services.scorer.scorer_world import (
    DAY,
    ENGAGEMENT,
    HOUR,
    LIFECYCLE,
    MINUTE,
    MONDAY_0900,
    World,
    agreement,
)

STRICT = {
    "fit": {"A": {"enter": 50}, "D": {"enter": 0}},
    "engagement": {"1": {"enter": 90}, "2": {"enter": 80}, "3": {"enter": 0}},
    "matrix": {
        "A": {"1": "hot", "2": "warm", "3": "cold"},
        "D": {"1": "cold", "2": "cold", "3": "cold"},
    },
}
DRIPS = {"bridge": "every lead", "drip": 3}


def ready_leads(count: int, *, at: int = MONDAY_0900) -> World:
    """Leads that the strict agreement leaves alone and the usual one would call: each has one page
    view more than the one before."""
    world = World(agreement(levels=STRICT), at=at)
    for number in range(count):
        lead = f"l{number}"
        world.fits(lead)
        world.does(lead, "form")
        for _ in range(min(number, 4)):
            world.does(lead, "page_view")
    assert not world.facts(LeadQualified)
    return world


def qualified(world: World) -> list[str]:
    return [fact.lead_id for fact in world.facts(LeadQualified)]


def test_a_lowered_threshold_lets_its_backlog_go_in_drips_the_hot_ones_first() -> None:
    world = ready_leads(8)
    world.adopt(agreement(lifecycle=DRIPS))
    assert [line for line in world.said() if line.startswith("l0 ")] == ["l0 warm A2 35"]
    world.wait(MINUTE)
    assert qualified(world) == ["l4", "l5", "l6"]
    world.wait(23 * HOUR)
    assert qualified(world) == []
    world.wait(HOUR)
    assert qualified(world) == ["l7", "l3", "l2"]
    world.wait(DAY)
    assert qualified(world) == ["l1", "l0"]
    world.wait(30 * DAY)
    assert qualified(world) == []


def test_each_pool_has_a_drip_of_its_own() -> None:
    both = {
        "Where we sell": {
            "points": 60,
            "when": {"field": "profile.country", "op": "in", "value": ["NO", "DE"]},
        }
    }
    world = World(agreement(levels=STRICT, fit=both))
    for lead, country in (("n1", "NO"), ("n2", "NO"), ("d1", "DE"), ("d2", "DE"), ("d3", "DE")):
        world.fits(lead, country=country)
        world.does(lead, "form")
    world.adopt(agreement(lifecycle=DRIPS | {"drip": 1}, fit=both))
    days = []
    for _ in range(3):
        world.wait(HOUR)
        days.append(sorted(qualified(world)))
        world.wait(23 * HOUR)
    assert days == [["d1", "n1"], ["d2", "n2"], ["d3"]]


def test_news_of_a_waiting_lead_does_not_let_it_go_but_moves_it_to_where_it_belongs() -> None:
    both = {
        "Where we sell": {
            "points": 60,
            "when": {"field": "profile.country", "op": "in", "value": ["NO", "DE"]},
        }
    }
    world = World(agreement(levels=STRICT, fit=both))
    for lead in ("l0", "l1"):
        world.fits(lead)
        world.does(lead, "form")
    world.adopt(agreement(lifecycle=DRIPS | {"drip": 1}, fit=both))
    for lead in ("l0", "l1"):
        world.report(lead, "profile", profile={"employees": "400"})
        world.consent(lead, "sales", granted=True)
        world.does(lead, "page_view", backfill=True)
    assert qualified(world) == []
    world.wait(1)
    world.fits("l1", country="DE")
    world.wait(HOUR)
    assert sorted(qualified(world)) == ["l0", "l1"]


def test_nothing_is_let_go_while_the_house_is_closed() -> None:
    saturday = MONDAY_0900 + 5 * DAY
    world = ready_leads(5, at=saturday)
    world.adopt(agreement(lifecycle=DRIPS))
    world.wait(2 * DAY - 1)
    assert qualified(world) == []
    world.wait(MINUTE)
    assert qualified(world) == ["l4", "l3", "l2"]


def test_a_waiting_lead_that_acts_does_not_wait_and_never_qualifies_twice() -> None:
    world = ready_leads(4)
    world.adopt(agreement(lifecycle=DRIPS))
    world.does("l0", "page_view")
    assert qualified(world) == ["l0"]
    world.wait(3 * DAY)
    assert sorted(qualified(world)) == ["l1", "l2", "l3"]


def test_a_release_that_crossed_the_end_of_waiting_changes_nothing() -> None:
    world = ready_leads(1)
    world.adopt(agreement(lifecycle=DRIPS))
    world.does("l0", "page_view")
    world.said()
    world.host.send(
        "scorer.releases.v1",
        "l0",
        BacklogRelease(lead_id="l0", queue="sdr", at_ms=world.now, cause_id="c", agreement="v"),
    )
    world.host.settle()
    assert world.said() == []


def test_a_lead_that_cooled_while_it_waited_is_not_let_go() -> None:
    world = World(agreement(levels=STRICT))
    for number in range(5):
        world.fits(f"l{number}")
        world.does(f"l{number}", "webinar")
    world.wait(9 * DAY)
    world.adopt(
        agreement(
            lifecycle=dict(LIFECYCLE) | {"drip": 1},
            levels=dict(STRICT)
            | {"engagement": {"1": {"enter": 60}, "2": {"enter": 20}, "3": {"enter": 0}}},
        )
    )
    world.wait(20 * DAY)
    assert qualified(world) == ["l0", "l1"]


def test_a_new_agreement_changes_the_points_of_what_is_in_the_ledger() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "page_view")
    world.said()
    dearer = dict(ENGAGEMENT["acts"]) | {"page_view": {"points": 25, "group": "lasting"}}
    world.adopt(agreement(engagement=dict(ENGAGEMENT) | {"acts": dearer}))
    assert world.said() == ["l1 cold A3 25"]
    world.adopt(
        agreement(
            fit={
                "From Norway": {
                    "points": 40,
                    "when": {"field": "profile.country", "op": "is", "value": "NO"},
                }
            }
        )
    )
    assert world.said() == ["l1 cold D3 10"]


def test_a_raised_threshold_withdraws_what_nobody_accepted_and_leaves_what_somebody_did() -> None:
    world = World()
    for lead in ("free", "taken"):
        world.fits(lead)
        world.does(lead, "form")
        world.route(lead, "ann")
    world.act("taken", "accepted")
    world.said()
    world.adopt(agreement(levels=STRICT))
    assert sorted(world.said()) == [
        "free cold A3 35",
        "free/1 withdrawn by system: mql -> inquiry: cooled",
        "taken cold A3 35",
    ]


def test_an_mql_is_not_made_again_by_a_new_agreement_in_the_same_cycle() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "form")
    world.said()
    more: Any = dict(LIFECYCLE) | {"drip": 7}
    world.adopt(agreement(lifecycle=more))
    world.wait(5 * DAY)
    assert qualified(world) == []
