"""What a pool gives up for a lead that nobody takes, what an absence means for it, when a lead is
matched anew, and whom of marketing a routed record names: as the agreement says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import Absence
from baton.contracts.leads import LeadAmended, LeadQualified
from baton.contracts.routing import LeadRouted, LeadUnrouted, QueueItem
from tests.services.router.router_world import (
    DAY,
    HOUR,
    MONDAY_0900,
    PEOPLE,
    POOLS,
    ROUTING,
    World,
    action,
    agreement,
    qualified,
    staged,
)
from tests.streams import decision

AT_NIGHT = MONDAY_0900 - 8 * HOUR


def bridge(members: Mapping[str, object], **more: Any) -> CompiledAgreement:
    """The agreement with a bridge team of the test's own. ``deputies``: who stands in for whom."""
    deputies = more.pop("deputies", {})
    people = {
        name: {**person, "deputy": deputies[name]} if name in deputies else person
        for name, person in PEOPLE.items()
    }
    pool = {"kind": "sdr", "members": dict(members), **more}
    return agreement(people=people, pools={**POOLS, "bridge": pool})


def away(person: str, *, from_ms: int = 0, until_ms: int = MONDAY_0900 + 14 * DAY) -> Absence:
    return Absence(person=person, from_ms=from_ms, until_ms=until_ms)


# ---------------------------------------------------------------------- relaxation

LET_PASS, SAID_NO, LAST = "ann", "bob", "cid"
"""Ann let it pass first, Bob rejected it in another cycle, Cid had it last."""
NEEDS_GERMAN = {"segments": [{
    "name": "german",
    "when": {"field": "profile.country", "op": "is", "value": "DE"},
    "to": {"sdr": "bridge"},
    "needs": ["german"],
}]}  # fmt: skip
USUAL = ("let_pass", "said_no", "had_it_last")
RELAXATIONS: list[tuple[tuple[str, ...], tuple[str, ...], str]] = [
    (USUAL, (), "ann by in_turn:asked_again"),
    (("said_no", "let_pass", "had_it_last"), (), "bob by in_turn:rejecters_asked_again"),
    (("had_it_last", "said_no"), (), "cid by in_turn:asked_again"),
    (USUAL, ("ann",), "bob by in_turn:rejecters_asked_again"),
    (USUAL, ("ann", "bob"), "cid by in_turn:asked_again"),
    (("let_pass", "said_no"), ("ann", "bob"), "held"),
    ((), (), "held"),
]


def test_the_record_keeps_apart_who_had_a_lead_before_and_who_said_no_to_it() -> None:
    world = World(bridge({LET_PASS: {}, SAID_NO: {}, LAST: {}}))
    world.qualify(qualified("l1", rejecters=(SAID_NO,)))
    world.act(action("l1", "reassign", at=world.now + 1, attempt=1, n=1, exclude=(LET_PASS,)))
    *_, (_, routed) = (found for found in world.records() if isinstance(found[1], LeadRouted))
    assert {one.person: one.excluded for one in routed.candidates} == {
        LET_PASS: None,  # asked again
        SAID_NO: "rejected_before",
        LAST: "had_it_before",
    }


@pytest.mark.parametrize(("relax", "gone", "outcome"), RELAXATIONS)
def test_what_is_given_up_for_a_lead_that_nobody_else_takes_and_in_which_order(
    relax: tuple[str, ...], gone: tuple[str, ...], outcome: str
) -> None:
    members = {LET_PASS: {}, SAID_NO: {}, LAST: {}}
    world = World(bridge(members, relax=list(relax)))
    lead = qualified("l1", rejecters=(SAID_NO,))
    world.qualify(lead)
    (_, first), *_ = world.records()
    for attempt in (1, 2):
        if attempt == 2 and gone:
            absent = tuple(
                away(person, until_ms=MONDAY_0900 + 300 * DAY) for person in sorted(gone)
            )
            world.adopt(bridge(members, relax=list(relax)), absences=absent)
        exclude = (LET_PASS,) if attempt == 1 else (LET_PASS, SAID_NO, LAST)
        at = world.now + attempt
        world.act(action("l1", "reassign", at=at, attempt=attempt, n=attempt, exclude=exclude))
    assert isinstance(first, LeadRouted)
    *_, last = world.said()
    wanted = "held in bridge" if outcome == "held" else f"routed to {outcome.split()[0]} in bridge"
    assert wanted in last
    assert outcome == "held" or outcome.split(" by ")[1] in last


@pytest.mark.parametrize(
    ("relax", "outcome"),
    [
        (["skills"], "routed to bob in bridge by in_turn:without_skills, no turn"),
        (["let_pass"], "held in bridge: nobody_ever:inactive,lacks_skill"),
    ],
)
def test_a_skill_is_given_up_where_nobody_with_it_will_be_there(
    relax: list[str], outcome: str
) -> None:
    people = {**PEOPLE, "ann": {**PEOPLE["ann"], "active": False}}
    pools = {
        "bridge": {"kind": "sdr", "members": {"ann": {}, "bob": {}}, "relax": relax},
        "field": POOLS["field"],
    }
    world = World(agreement(people=people, pools=pools, routing={**ROUTING, **NEEDS_GERMAN}))
    world.qualify(qualified("l1", profile={"country": "DE"}))
    assert world.said() == [f"l1#1 {outcome}".replace(", no turn", "")]


def test_a_skill_is_waited_for_while_somebody_with_it_will_come() -> None:
    pools = {
        "bridge": {"kind": "sdr", "members": {"ann": {}, "bob": {}}, "relax": ["skills"]},
        "field": POOLS["field"],
    }
    agreed = agreement(pools=pools, routing={**ROUTING, **NEEDS_GERMAN})
    world = World(agreed, absences=(away("ann", until_ms=MONDAY_0900 + DAY),))
    world.qualify(qualified("l1", profile={"country": "DE"}))
    world.wait(DAY)
    assert world.said() == [
        "l1#1 held in bridge: absent,lacks_skill",
        "l1#1 routed to ann in bridge by in_turn",
    ]


# ---------------------------------------------------------------------- absences


def accepted(agreed: CompiledAgreement, *leads: str) -> World:
    """A world in which Ann has accepted the leads."""
    world = World(agreed)
    for lead in leads:
        world.qualify(qualified(lead))
        world.stage(staged(lead, "accepted", by="ann"))
    world.said()
    return world


OPEN_WORK: list[tuple[str, Mapping[str, Any], Mapping[str, str], tuple[str, ...], str | None]] = [
    ("kept where nothing is said", {}, {"ann": "cid"}, ("ann",), None),
    ("kept", {"open_work": "keep"}, {"ann": "cid"}, ("ann",), None),
    ("to the deputy", {"open_work": "deputy"}, {"ann": "cid"}, ("ann",), "cid by deputy, no turn"),
    (
        "in turn where the deputy is away too",
        {"open_work": "deputy"},
        {"ann": "cid"},
        ("ann", "cid"),
        "bob by deputy:cid:absent;in_turn",
    ),
    ("without a deputy", {"open_work": "deputy"}, {}, ("ann", "cid"), "bob by in_turn"),
    ("released", {"open_work": "release"}, {"ann": "bob"}, ("ann", "bob"), "cid by in_turn"),
    (
        "kept in a short absence",
        {"open_work": "release", "longer_than": "14 days"},
        {},
        ("ann",),
        None,
    ),
    (
        "released in a long one",
        {"open_work": "release", "longer_than": "13 days"},
        {},
        ("ann", "bob"),
        "cid by in_turn",
    ),
]


@pytest.mark.parametrize("case", OPEN_WORK, ids=[case[0] for case in OPEN_WORK])
def test_what_happens_to_accepted_leads_of_whoever_is_away(case: tuple[Any, ...]) -> None:
    _, absences, deputies, gone, taken_over = case
    more: dict[str, Any] = {"absences": absences} if absences else {}
    agreed = bridge({"ann": {}}, deputies=deputies, **more)
    everybody = bridge({"ann": {}, "bob": {}, "cid": {}}, deputies=deputies, **more)
    world = accepted(agreed, "l1")
    world.adopt(everybody)
    world.adopt(everybody, absences=tuple(away(person) for person in gone))
    handed_over = [
        "l1#1 relieved in bridge: absence",
        "l1#1 withdrawn from ann: absence",
        f"l1#2 routed to {(taken_over or '').replace(' by', ' in bridge by', 1)}",
    ]
    assert world.said() == ([] if taken_over is None else handed_over)


def test_accepted_work_is_handed_over_when_the_absence_begins_and_only_what_is_open_then() -> None:
    leave = (away("ann", from_ms=MONDAY_0900 + 2 * HOUR),)
    agreed = bridge({"ann": {}}, absences={"open_work": "release"})
    world = accepted(agreed, "l1", "l2")
    team = bridge({"ann": {}, "bob": {}}, absences={"open_work": "release"})
    world.adopt(team, absences=leave)
    world.stage(staged("l2", "recycled", by="ann", reason="no_budget"))
    world.wait(2 * HOUR - 1)
    assert world.said() == []
    world.wait(1)
    assert world.said() == [
        "l1#1 relieved in bridge: absence",
        "l1#1 withdrawn from ann: absence",
        "l1#2 routed to bob in bridge by in_turn",
    ]


def test_more_accepted_work_than_one_step_looks_at_is_all_handed_over() -> None:
    agreed = bridge({"ann": {}}, absences={"open_work": "release"})
    world = accepted(agreed, *[f"l{number}" for number in range(230)])
    team = bridge({"ann": {}, "bob": {}}, absences={"open_work": "release"})
    world.adopt(team, absences=(away("ann"),))
    world.wait(HOUR)
    owners = [value.owner for _, value in world.records() if isinstance(value, LeadRouted)]
    assert owners == ["bob"] * 230


def reasons(world: World) -> list[tuple[str, str]]:
    found = (value for _, value in world.records() if isinstance(value, LeadUnrouted))
    return [(value.lead_id, value.reason) for value in found]


def test_a_pool_of_which_everybody_is_reported_away_says_so_at_once_for_what_waits() -> None:
    agreed = bridge({"ann": {}, "bob": {}})
    world = World(agreed, at=AT_NIGHT)
    world.qualify(qualified("l1"), qualified("l2", raised=True))
    assert reasons(world) == [("l1", "closed"), ("l2", "closed")]
    world.adopt(agreed, absences=(away("ann"),))
    assert reasons(world) == []
    world.adopt(agreed, absences=(away("ann"), away("bob", until_ms=MONDAY_0900 + 3 * DAY)))
    held = [value for _, value in world.records() if isinstance(value, LeadUnrouted)]
    assert [(value.lead_id, value.reason, value.next_try_at_ms) for value in held] == [
        ("l2", "everybody_absent", MONDAY_0900 + 3 * DAY),
        ("l1", "everybody_absent", MONDAY_0900 + 3 * DAY),
    ]


def test_it_says_so_when_the_last_absence_begins_and_once() -> None:
    agreed = bridge({"ann": {}, "bob": {}})
    gone = (away("ann"), away("bob", from_ms=AT_NIGHT + HOUR))
    world = World(agreed, absences=gone, at=AT_NIGHT)
    world.qualify(qualified("l1"))
    world.wait(HOUR - 1)
    assert reasons(world) == [("l1", "absent,closed")]
    world.wait(1)
    assert reasons(world) == [("l1", "everybody_absent")]
    world.qualify(qualified("l2"))
    world.wait(3 * DAY)
    assert reasons(world) == [("l2", "everybody_absent")]


# ---------------------------------------------------------------------- matched anew


def amended(lead: LeadQualified, **profile: str) -> Any:
    story = replace(lead.story, profile={**lead.story.profile, **profile})
    news = LeadAmended(
        lead_id=lead.lead_id,
        qualification_id=lead.qualification_id,
        cycle=lead.cycle,
        leg=lead.leg,
        at_ms=lead.qualified_at_ms,
        amendment_id="a",
        handoff_id=None,
        cause_id="c",
        changed=tuple(f"profile.{name}" for name in profile),
        brief=story,
        level=lead.level,
        grade=lead.grade,
        fit_micro=lead.fit_micro,
        hand_raised=lead.hand_raised,
        segment=lead.segment,
        agreement="v",
    )
    return decision(lead.lead_id, amended=news)


NORTH = {"territories": [{
    "name": "north",
    "when": {"field": "profile.country", "op": "is", "value": "NO"},
    "to": {"sdr": "north"},
}]}  # fmt: skip


@pytest.mark.parametrize(
    ("word", "at", "moves"),
    [
        ("never", AT_NIGHT, False),
        ("never", MONDAY_0900, False),
        ("waiting", AT_NIGHT, True),
        ("waiting", MONDAY_0900, False),
        ("untaken", AT_NIGHT, True),
        ("untaken", MONDAY_0900, True),
    ],
)
def test_a_lead_whose_profile_changes_is_matched_anew_as_long_as_the_agreement_says(
    word: str, at: int, moves: bool
) -> None:
    pools = {**POOLS, "north": {"kind": "sdr", "members": {"bob": {}}}}
    routing = {**ROUTING, **NORTH, "match_anew": word}
    world = World(agreement(pools=pools, routing=routing), at=at)
    lead = qualified("l1")
    world.qualify(lead)
    world.said()
    world.send(amended(lead, country="NO"))
    world.host.settle()
    assert any("in north" in line for line in world.said()) is moves


# ---------------------------------------------------------------------- three in a box

CONTACTS = {"campaigns": {"autumn": "olaf"}, "segments": {"mid_market": "mona"}, "default": "sue"}


@pytest.mark.parametrize(
    ("campaign", "segment", "contacts", "named"),
    [
        ("autumn", "mid_market", CONTACTS, "olaf"),
        ("spring", "mid_market", CONTACTS, "mona"),
        (None, "enterprise", CONTACTS, "sue"),
        (None, None, {"campaigns": {"autumn": "olaf"}}, None),
        ("autumn", "mid_market", {}, None),
    ],
)
def test_the_routed_record_names_the_sdr_the_sales_rep_and_whom_of_marketing(
    campaign: str | None, segment: str | None, contacts: Mapping[str, Any], named: str | None
) -> None:
    world = World(agreement(routing={**ROUTING, "contacts": contacts}))
    lead = qualified("l1", leg="sales", qualified_by="ann")
    story = replace(lead.story, latest_campaign=campaign)
    world.qualify(replace(lead, segment=segment, story=story))
    ((_, routed),) = world.records()
    assert isinstance(routed, LeadRouted)
    assert routed.owner in ("rex", "sue")
    assert (routed.qualified.qualified_by, routed.marketing) == ("ann", named)


GIVEN_UP: list[tuple[tuple[str, ...], tuple[str, ...], str]] = [
    ((), (), "in_turn:without_skills"),
    (("bob",), (), "in_turn:without_skills,asked_again"),
    (("bob",), ("bob",), "in_turn:without_skills,rejecters_asked_again"),
]
"""Who had the lead before, who of them said no, and what the record says was given up."""


@pytest.mark.parametrize(("before", "said_no", "rule"), GIVEN_UP)
def test_a_record_without_skills_says_too_whether_somebody_was_asked_again(
    before: tuple[str, ...], said_no: tuple[str, ...], rule: str
) -> None:
    relax = [*USUAL, "skills"]
    world = World(bridge({"bob": {}}, relax=relax))
    room = replace(item_of("l1", skills=("german",)), exclude=before, rejecters=said_no)
    world.host.send("router.queue.v1", "bridge", room)
    world.host.settle()
    answers = [value for _, value in world.records("router.answers.v1")]
    assert [answer.routed.rule for answer in answers] == [rule]


def item_of(lead: str, *, skills: tuple[str, ...]) -> QueueItem:
    return QueueItem(
        kind="request",
        handoff_id=f"h-{lead}",
        qualification_id=f"q-{lead}",
        attempt=1,
        lead_id=lead,
        pool="bridge",
        cause_id="c",
        at_ms=MONDAY_0900,
        qualified=qualified(lead),
        skills=skills,
    )
