"""Limits of a person over all pools: exact whatever the order in which pools, acceptances and ends
meet, nobody is lost, and what was denied leaves no trace in the turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.pools import Limits
from baton.contracts.routing import LeadRouted, LeadUnrouted, QueueItem, RequestKind
from baton.contracts.workload import Keeps
from services.router.workload.person_limits import Sums, limit_reached, sums_of
from services.router.workload.state import Denial, PoolShare
from tests.services.router.router_world import (
    DAY,
    MONDAY_0900,
    PEOPLE,
    POOLS,
    World,
    agreement,
    command,
    qualified,
    staged,
)
from tests.services.router.test_amendments import amended


def both(
    limits: Mapping[str, Any],
    *,
    bridge: Mapping[str, Any] | None = None,
    field: Mapping[str, Any] | None = None,
    **rules: Any,
) -> CompiledAgreement:
    """Ann is in both pools, with these limits over the two."""
    people = {**PEOPLE, "ann": {**PEOPLE["ann"], **limits}}
    pools = {
        "bridge": {"kind": "sdr", "members": bridge or {"ann": {}}, **rules},
        "field": {"kind": "sales", "members": field or {"ann": {}}, **rules},
    }
    return agreement(people=people, pools=pools)


def started(agreed: CompiledAgreement) -> World:
    """The router, once every pool has said what its people have."""
    world = World(agreed)
    world.wait(1)
    world.records()
    return world


def leads(leg: str, count: int, *, first: int = 0, **more: Any) -> list[Any]:
    return [
        qualified(f"{leg}{number}", leg=leg, at=MONDAY_0900 + number, **more)
        for number in range(first, first + count)
    ]


def routed(world: World) -> list[LeadRouted]:
    return [value for _, value in world.records() if isinstance(value, LeadRouted)]


LIMITS: list[tuple[dict[str, int], int]] = [
    ({"capacity": 3}, 3),
    ({"offers": 2}, 2),
    ({"per_day": 4}, 4),
    ({"per_week": 5}, 5),
    ({"capacity": 5, "offers": 4, "per_day": 3}, 3),
]


@pytest.mark.parametrize(("limits", "most"), LIMITS)
def test_no_limit_over_all_pools_is_passed_and_the_rest_waits(
    limits: dict[str, int], most: int
) -> None:
    world = started(both(limits))
    world.qualify(*leads("sdr", 6), *leads("sales", 6))
    records = [value for _, value in world.records()]
    given = [value for value in records if isinstance(value, LeadRouted)]
    held = {value.lead_id for value in records if isinstance(value, LeadUnrouted)}
    assert len(given) == most
    assert len(held - {value.lead_id for value in given}) == 12 - most


def test_the_reason_says_which_limit_and_that_it_is_over_all_pools() -> None:
    world = started(both({"per_day": 1}))
    world.qualify(*leads("sdr", 1))
    world.qualify(*leads("sales", 1))
    [held] = [value for _, value in world.records() if isinstance(value, LeadUnrouted)]
    assert (held.reason, held.candidates[0].excluded) == ("day_limit", "day_limit:all_pools")
    assert held.next_try_at_ms == MONDAY_0900 + DAY


def test_an_end_in_one_pool_makes_room_in_the_other() -> None:
    world = started(both({"capacity": 1}))
    world.qualify(*leads("sdr", 1))
    world.stage(staged("sdr0", "accepted", by="ann"))
    world.qualify(*leads("sales", 2))
    assert [value.lead_id for value in routed(world)] == ["sdr0"]
    world.stage(staged("sdr0", "disqualified", by="ann"))
    assert [value.lead_id for value in routed(world)] == ["sales0"]
    world.stage(staged("sales0", "withdrawn"))
    assert [value.lead_id for value in routed(world)] == ["sales1"]


def test_an_acceptance_makes_room_for_an_offer_of_the_other_pool() -> None:
    world = started(both({"offers": 1}))
    world.qualify(*leads("sdr", 1))
    world.qualify(*leads("sales", 1))
    world.records()
    world.stage(staged("sdr0", "accepted", by="ann"))
    assert [value.lead_id for value in routed(world)] == ["sales0"]


def test_a_new_day_and_a_new_week_begin_at_nothing() -> None:
    world = started(both({"per_day": 2, "per_week": 3}))
    world.qualify(*leads("sdr", 4), *leads("sales", 4))
    by_day = [len(routed(world))]
    for _ in range(7):
        world.wait(DAY)
        by_day.append(len(routed(world)))
    assert by_day == [2, 1, 0, 0, 0, 0, 0, 2]


def test_who_is_full_elsewhere_is_passed_over_for_a_colleague_and_no_turn_is_used_up() -> None:
    world = started(both({"capacity": 1}, field={"ann": {}, "rex": {}}))
    world.qualify(*leads("sdr", 1))
    world.records()
    world.qualify(*leads("sales", 4))
    given = routed(world)
    assert [value.owner for value in given] == ["rex"] * 4
    assert {seat.turns for value in given for seat in value.candidates if seat.person == "ann"} <= {
        0,
        1,
    }
    world.qualify(*leads("sales", 1, first=4))
    [last] = routed(world)
    assert {seat.person: seat.turns for seat in last.candidates} == {"ann": 0, "rex": 4}


def test_a_manager_may_assign_beyond_the_limit_and_it_counts() -> None:
    world = started(both({"capacity": 1}, bridge={"ann": {}, "bob": {}}))
    world.qualify(*leads("sales", 1))
    world.qualify(*leads("sdr", 2))
    world.command(command("sdr1", "assign", "mona", to_person="ann"))
    world.stage(staged("sales0", "withdrawn"))
    world.records()
    world.qualify(*leads("sales", 1, first=1))
    assert routed(world) == []


def test_a_limit_that_is_agreed_later_counts_what_is_open_already() -> None:
    world = started(both({}))
    world.qualify(*leads("sdr", 3))
    world.stage(staged("sdr0", "accepted", by="ann"))
    world.adopt(both({"capacity": 4}))
    world.records()
    world.qualify(*leads("sales", 3))
    assert len(routed(world)) == 1


def test_a_limit_that_is_given_up_lets_go_what_waited_for_it() -> None:
    world = started(both({"capacity": 1}))
    world.qualify(*leads("sdr", 2), *leads("sales", 2))
    assert len(routed(world)) == 1
    world.adopt(both({"capacity": 3}))
    assert len(routed(world)) == 2
    world.adopt(both({}))
    assert len(routed(world)) == 1


def test_what_comes_back_takes_its_old_place_and_is_not_answered_twice() -> None:
    world = started(both({"capacity": 1}))
    world.qualify(*leads("sales", 1))
    world.qualify(*leads("sdr", 2))
    held = [value.lead_id for _, value in world.records() if isinstance(value, LeadUnrouted)]
    assert sorted(held) == ["sdr0", "sdr1"]
    world.qualify(qualified("sdr9", leg="sdr", level="hot"))
    world.stage(staged("sales0", "withdrawn"))
    records = [
        value for _, value in world.records() if isinstance(value, LeadRouted | LeadUnrouted)
    ]
    assert [(type(value).__name__, value.lead_id) for value in records] == [
        ("LeadUnrouted", "sdr9"),
        ("LeadRouted", "sdr9"),
    ]


def test_somebody_in_one_pool_needs_no_keeper() -> None:
    people = {**PEOPLE, "ann": {**PEOPLE["ann"], "capacity": 2}}
    pools = {**POOLS, "bridge": {"kind": "sdr", "members": {"ann": {"capacity": 9}}}}
    world = started(agreement(people=people, pools=pools))
    world.qualify(*leads("sdr", 3))
    assert world.records("router.people.v1") == []


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_order_no_limit_is_passed_at_any_moment_and_room_is_used(seed: int) -> None:
    """Random qualifications, acceptances and ends in both pools, several before the router looks.
    The count is made from the public records and the moves alone."""
    draw = Random(seed)
    limits = {"capacity": draw.randint(2, 6), "offers": draw.randint(1, 4)}
    world = started(both(limits))
    fresh, made = {"sdr": 0, "sales": 0}, 0
    offered: set[str] = set()
    accepted: set[str] = set()
    for _ in range(60):
        for _ in range(draw.randint(1, 4)):
            leg = draw.choice(("sdr", "sales"))
            kind = draw.choice(("qualify", "accept", "end"))
            if kind == "qualify":
                world.send(*leads(leg, 1, first=fresh[leg]))
                fresh[leg], made = fresh[leg] + 1, made + 1
            elif kind == "accept" and offered:
                lead = draw.choice(sorted(offered))
                offered.remove(lead)
                accepted.add(lead)
                world.send(staged(lead, "accepted", by="ann"))
            elif kind == "end" and (offered or accepted):
                lead = draw.choice(sorted(offered | accepted))
                offered.discard(lead)
                accepted.discard(lead)
                world.send(staged(lead, "withdrawn"))
        world.host.settle()
        for value in routed(world):
            offered.add(value.lead_id)
        assert len(offered) <= limits["offers"]
        assert len(offered | accepted) <= limits["capacity"]
    while offered or accepted:
        for lead in sorted(offered | accepted):
            world.send(staged(lead, "withdrawn"))
        world.host.settle()
        accepted.clear()
        offered = {value.lead_id for value in routed(world)}
    heads, entries = world.state("assignment")
    assert [place for place in entries if place[0] in ("held", "offer", "task", "work")] == []
    assert not any(head.loads for head in heads.values())


def test_the_state_of_a_person_is_as_large_as_their_pools_however_many_leads() -> None:
    world = started(both({"capacity": 2}))
    for number in range(30):
        world.qualify(*leads("sdr", 1, first=number), *leads("sales", 1, first=number))
    heads, _ = world.state("workload")
    [load] = heads.values()
    assert [len(share.denied) for share in load.shares] == [0, 0]
    assert load.waiting == ("bridge", "field")


def test_a_denied_lead_goes_back_with_all_that_it_asked() -> None:
    world = started(both({"capacity": 1}))
    world.qualify(*leads("sdr", 1), *leads("sales", 1))
    items = [value for _, value in world.records("router.queue.v1")]
    [denied] = [item for item in items if item.kind == RequestKind.DENIED]
    [asked] = [
        item
        for item in items
        if item.kind == RequestKind.REQUEST and item.handoff_id == denied.handoff_id
    ]
    assert isinstance(denied, QueueItem)
    assert (denied.qualified, denied.skills, denied.person) == (
        asked.qualified,
        asked.skills,
        asked.person,
    )
    assert (denied.limited, denied.limit) == ("ann", "full:all_pools")


# ---------------------------------------------------------------------- arithmetic

MON, TUE = "2026-11-02", "2026-11-03"
SUMS: list[tuple[str, tuple[PoolShare, ...], Sums]] = [
    ("nothing", (), Sums()),
    (
        "two pools on one day",
        (
            PoolShare(pool="a", day=TUE, offered=1, accepted=2, today=1, this_week=4),
            PoolShare(pool="b", day=TUE, offered=2, accepted=0, today=3, this_week=3),
        ),
        Sums(offered=3, open=5, today=4, this_week=7),
    ),
    (
        "yesterday is not today, and is of this week",
        (PoolShare(pool="a", day=MON, offered=1, accepted=0, today=3, this_week=3),),
        Sums(offered=1, open=1, today=0, this_week=3),
    ),
    (
        "last week is neither",
        (PoolShare(pool="a", day="2026-11-01", offered=0, accepted=1, today=3, this_week=3),),
        Sums(open=1),
    ),
    (
        "what was denied counts nowhere, on the day on which it was counted",
        (
            PoolShare(
                pool="a",
                day=TUE,
                offered=2,
                accepted=0,
                today=1,
                this_week=2,
                denied=(Denial(handoff_id="h", day=MON), Denial(handoff_id="i", day=TUE)),
            ),
        ),
        Sums(),
    ),
]


@pytest.mark.parametrize(("what", "shares", "right"), SUMS, ids=[what for what, *_ in SUMS])
def test_sums(what: str, shares: tuple[PoolShare, ...], right: Sums) -> None:
    assert sums_of(shares, day=TUE, monday=MON) == right


REACHED: list[tuple[Limits, Keeps, int, str | None]] = [
    (Limits(capacity=5), Keeps.ALL, 0, None),
    (Limits(capacity=5), Keeps.ALL, 1, "full:all_pools"),
    (Limits(capacity=4), Keeps.LIMITS, 0, None),
    (Limits(capacity=1, offers=1, per_day=1, per_week=1), Keeps.NONE, 9, None),
    (Limits(capacity=4, offers=1), Keeps.ALL, 0, "full:all_pools"),
    (Limits(offers=1, per_day=1), Keeps.LIMITS, 0, "offers_open:all_pools"),
    (Limits(per_day=1, per_week=1), Keeps.ALL, 0, "day_limit:all_pools"),
    (Limits(per_week=1), Keeps.ALL, 0, "week_limit:all_pools"),
]
"""In order of precedence: what lasts longest is said first."""


@pytest.mark.parametrize(("limits", "keeps", "more", "right"), REACHED)
def test_the_first_limit_that_is_passed(
    limits: Limits, keeps: Keeps, more: int, right: str | None
) -> None:
    sums = Sums(offered=2, open=5, today=2, this_week=2)
    assert limit_reached(sums, limits, keeps, more=more) == right


def test_the_owner_of_a_lead_keeps_the_limits_over_all_pools_but_capacity() -> None:
    counted: Counter[str] = Counter()
    for limits in ({"capacity": 1}, {"offers": 1}):
        world = started(both(limits, field={"ann": {}, "rex": {}}))
        world.qualify(*leads("sdr", 1))
        world.stage(staged("sdr0", "qualified", by="ann"))
        counted[next(iter(limits))] = len(routed(world))
    assert set(counted.values()) == {1}


def _work_all_but(world: World, behind: tuple[str, ...]) -> None:
    """Everything that can be done while the tasks of the reducers ``behind`` stand still."""
    others = [task for (name, _), task in world.host.tasks.items() if name not in behind]
    while ready := [task for task in others if task.unread()]:
        for task in ready:
            task.work()


@pytest.mark.parametrize(
    "behind", [(), ("workload",), ("assignment",), ("workload", "assignment"), ("matching",)]
)
def test_what_becomes_known_while_a_proposal_is_on_its_way_is_kept_where_it_is_denied(
    behind: tuple[str, ...],
) -> None:
    """A proposal carries the brief of its time; the request that comes back has the newest one."""
    world = started(both({"capacity": 1}))
    world.qualify(*leads("sales", 1))
    world.records()
    [lead] = leads("sdr", 1)
    world.send(lead)
    _work_all_but(world, behind)
    world.send(amended(lead, {"country": "DE", "role": "CTO"}, level="hot"))
    _work_all_but(world, behind)
    world.host.settle()
    assert routed(world) == []
    world.stage(staged("sales0", "withdrawn"))
    [given] = routed(world)
    assert given.qualified.story.profile == {"country": "DE", "role": "CTO"}
    assert (given.level, given.qualified.level) == ("hot", "hot")


def test_a_full_membership_that_a_match_passes_does_not_hide_a_limit_over_all_pools() -> None:
    """The proposal was denied and made again without end."""
    field = {"ann": {"capacity": 1}, "rex": {"weight": 0}}
    world = started(both({"offers": 1}, field=field))
    world.qualify(*leads("sales", 1, account="a.example"))
    world.stage(staged("sales0", "accepted", by="ann"))
    world.qualify(*leads("sdr", 1))
    assert [value.owner for value in routed(world)] == ["ann", "ann"]
    world.qualify(*leads("sales", 1, first=1, account="a.example"))
    assert routed(world) == []
