"""Decisions are made on the present: who is away, who may be called, how urgent it is now, and who
can take it sooner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import Absence
from baton.contracts.routing import NOBODY_EVER, LeadRouted, LeadUnrouted
from tests.services.router.router_world import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY_0900,
    PEOPLE,
    POOLS,
    ROUTING,
    World,
    action,
    agreement,
    command,
    qualified,
    staged,
)

EVENING = MONDAY_0900 - 15 * HOUR
REFUSED = {"sales/any": "refused"}


def bridge(members: Mapping[str, object], **more: object) -> CompiledAgreement:
    """The agreement with a bridge team of the test's own."""
    return agreement(pools={**POOLS, "bridge": {"kind": "sdr", "members": dict(members), **more}})


def away(person: str, *, from_ms: int = 0, until_ms: int) -> Absence:
    return Absence(person=person, from_ms=from_ms, until_ms=until_ms)


# ---------------------------------------------------------------------- absences


def test_an_offer_of_somebody_who_is_reported_to_be_away_goes_to_a_colleague() -> None:
    agreed = bridge({"ann": {}, "bob": {}})
    world = World(agreed)
    world.qualify(qualified("l1", raised=True))
    world.adopt(agreed, absences=(away("ann", until_ms=MONDAY_0900 + 14 * DAY),))
    assert world.said() == [
        "l1#1 routed to ann in bridge by in_turn",
        "l1#1 recalled in bridge: absence",
        "l1#1 withdrawn from ann: absence",
        "l1#2 routed to bob in bridge by in_turn",
    ]


def test_an_absence_that_was_reported_long_before_takes_the_offer_away_when_it_begins() -> None:
    agreed = bridge({"ann": {}, "bob": {}})
    world = World(
        agreed, absences=(away("ann", from_ms=MONDAY_0900 + 2 * HOUR, until_ms=MONDAY_0900 + DAY),)
    )
    world.qualify(qualified("l1"))
    world.wait(2 * HOUR - 1)
    assert world.said() == ["l1#1 routed to ann in bridge by in_turn"]
    world.wait(1)
    assert world.said() == [
        "l1#1 recalled in bridge: absence",
        "l1#1 withdrawn from ann: absence",
        "l1#2 routed to bob in bridge by in_turn",
    ]


def test_an_offer_stays_with_who_is_away_if_nobody_else_would_be_there_sooner() -> None:
    agreed = bridge({"ann": {}, "bob": {}})
    world = World(agreed)
    world.qualify(qualified("l1"))
    gone = (away("ann", until_ms=MONDAY_0900 + DAY), away("bob", until_ms=MONDAY_0900 + 2 * DAY))
    world.adopt(agreed, absences=gone)
    assert world.said() == ["l1#1 routed to ann in bridge by in_turn"]


def test_accepted_work_stays_with_who_is_away() -> None:
    agreed = bridge({"ann": {}, "bob": {}})
    world = World(agreed)
    world.qualify(qualified("l1"))
    world.stage(staged("l1", "accepted", by="ann"))
    world.adopt(agreed, absences=(away("ann", until_ms=MONDAY_0900 + DAY),))
    assert world.said() == ["l1#1 routed to ann in bridge by in_turn"]


def test_an_absence_gives_the_turn_back() -> None:
    agreed = bridge({"ann": {}, "bob": {}})
    world = World(agreed)
    world.qualify(qualified("l1"))
    world.adopt(agreed, absences=(away("ann", until_ms=MONDAY_0900 + HOUR),))
    world.wait(HOUR)
    world.said()
    world.qualify(qualified("l2"), qualified("l3"))
    assert sorted(owners(world)) == ["ann", "bob"]


def test_a_pool_of_which_everybody_is_away_says_so_and_when_somebody_is_back() -> None:
    agreed = bridge({"ann": {}, "bob": {}})
    gone = (
        away("ann", until_ms=MONDAY_0900 + 3 * DAY),
        away("bob", until_ms=MONDAY_0900 + 2 * DAY + 10 * HOUR),
    )
    world = World(agreed, absences=gone)
    world.qualify(qualified("l1"))
    ((_, held),) = world.records()
    assert isinstance(held, LeadUnrouted)
    assert (held.reason, held.next_try_at_ms) == ("everybody_absent", MONDAY_0900 + 3 * DAY)


def test_nothing_is_written_while_a_pool_waits_for_somebody_to_come_back() -> None:
    agreed = bridge({"ann": {}})
    world = World(agreed, absences=(away("ann", until_ms=MONDAY_0900 + 14 * DAY),))
    world.qualify(qualified("l1"))
    before = len(world.host.log.history)
    world.wait(14 * DAY - 1)
    assert len(world.host.log.history) == before
    world.wait(1)
    assert world.said()[-1] == "l1#1 routed to ann in bridge by in_turn"


# ---------------------------------------------------------------------- consent, suppression,
# urgency


def test_who_refuses_to_be_called_while_waiting_is_not_handed_out() -> None:
    world = World(bridge({"ann": {}}), at=EVENING)
    world.qualify(qualified("l1"))
    world.stage(staged("l1", "consent_changed", attempt=None, consents=REFUSED))
    world.wait(16 * HOUR)
    assert world.said() == ["l1#1 held in bridge: closed", "l1#1 suppressed in bridge: no_consent"]
    assert world.state("assignment")[1] == {}
    assert world.state("matching")[1] == {}


def test_who_refuses_to_be_called_is_taken_from_who_was_offered_it() -> None:
    world = World(bridge({"ann": {}}))
    world.qualify(qualified("l1"))
    world.stage(staged("l1", "consent_changed", attempt=None, consents=REFUSED))
    assert world.said() == [
        "l1#1 routed to ann in bridge by in_turn",
        "l1#1 suppressed in bridge: no_consent",
        "l1#1 withdrawn from ann: no_consent",
    ]


def test_a_refusal_does_not_take_accepted_work_away() -> None:
    world = World(bridge({"ann": {}}))
    world.qualify(qualified("l1"))
    world.stage(
        staged("l1", "accepted", by="ann"),
        staged("l1", "consent_changed", attempt=None, consents=REFUSED),
    )
    assert world.said() == ["l1#1 routed to ann in bridge by in_turn"]


def test_a_rule_of_a_new_agreement_suppresses_what_waits() -> None:
    world = World(bridge({"ann": {}}), at=EVENING)
    world.qualify(qualified("l1", profile={"country": "NO"}), qualified("l2"))
    rule = {
        "name": "not there",
        "when": {"field": "profile.country", "op": "is", "value": "NO"},
        "reason": "no_market",
    }
    pools = {**POOLS, "bridge": {"kind": "sdr", "members": {"ann": {}}}}
    world.adopt(agreement(pools=pools, routing={**ROUTING, "suppress": [rule]}))
    world.wait(15 * HOUR)
    assert world.said() == [
        "l1#1 held in bridge: closed",
        "l2#1 held in bridge: closed",
        "l1#1 suppressed in bridge: no_market",
        "l2#1 routed to ann in bridge by in_turn",
    ]


def test_a_raised_hand_moves_up_the_queue_and_gets_the_hot_promise() -> None:
    world = World(bridge({"ann": {"offers": 1}}), at=EVENING)
    world.qualify(qualified("early", at=EVENING), qualified("late", at=EVENING + MINUTE))
    world.stage(staged("late", "hand_raised", attempt=None, level="hot", hand_raised=True))
    world.wait(15 * HOUR)
    first = [value for _, value in world.records() if isinstance(value, LeadRouted)]
    assert [(value.lead_id, value.level, value.hand_raised) for value in first] == [
        ("late", "hot", True)
    ]


def test_a_raised_hand_is_said_to_whom_the_lead_was_offered() -> None:
    world = World(bridge({"ann": {}}))
    world.qualify(qualified("l1"))
    world.stage(staged("l1", "hand_raised", attempt=None, level="hot", hand_raised=True))
    assert world.said() == [
        "l1#1 routed to ann in bridge by in_turn",
        "l1#1 noted from ann: hand_raised",
    ]


def test_a_lead_that_becomes_hot_while_it_waits_takes_its_new_place() -> None:
    world = World(bridge({"ann": {}}), at=EVENING)
    world.qualify(qualified("early"), qualified("late", at=MONDAY_0900 + 1))
    world.stage(staged("late", "opportunity", attempt=None, level="hot"))
    world.wait(15 * HOUR)
    assert [line for line in world.said() if "routed" in line] == [
        "late#1 routed to ann in bridge by in_turn",
        "early#1 routed to ann in bridge by in_turn",
    ]


# ---------------------------------------------------------------------- what waits can be claimed
# and sent back


def test_a_lead_that_waits_and_is_misrouted_is_matched_anew_and_held_all_the_while() -> None:
    world = World(bridge({"ann": {}, "bob": {}}), at=EVENING)
    world.qualify(qualified("l1"))
    world.stage(staged("l1", "rejected", by="ann", reason="misrouted"))
    world.wait(15 * HOUR)
    assert world.said() == [
        "l1#1 held in bridge: closed",
        "l1#1 withdrawn: misrouted",
        "l1#2 held in bridge: closed,rejected_before",
        "l1#2 routed to bob in bridge by in_turn",
    ]


def test_a_stranger_can_neither_take_nor_send_back_what_waits() -> None:
    world = World(bridge({"ann": {}}), at=EVENING)
    world.qualify(qualified("l1"))
    world.stage(
        staged("l1", "accepted", by="ghost"), staged("l1", "rejected", by="rex", reason="misrouted")
    )
    assert world.said() == [
        "l1#1 held in bridge: closed",
        "l1#1 refused: unknown_person",
        "l1#1 refused: not_in_the_pool",
    ]


def test_a_lead_that_waits_can_be_claimed_by_the_pools_members_alone() -> None:
    world = World(bridge({"ann": {}}), at=EVENING)
    world.qualify(qualified("l1"))
    world.command(command("l1", "claim", "rex"), command("l1", "claim", "ann"))
    assert world.said() == [
        "l1#1 held in bridge: closed",
        "l1#1 refused: not_in_the_pool",
        "l1#1 withdrawn: claimed",
        "l1#2 routed to ann in bridge by manual, no turn",
    ]


# ---------------------------------------------------------------------- never back at once


BACK = [
    ("somebody else is free", {"ann": {}, "bob": {}}, (), ["bob in bridge by in_turn"]),
    ("somebody else has an offer open", {"ann": {}, "bob": {"offers": 1}}, (), []),
    ("somebody else is full", {"ann": {}, "bob": {"capacity": 1}}, (), []),
    (
        "somebody else is back tomorrow",
        {"ann": {}, "bob": {}},
        (away("bob", until_ms=MONDAY_0900 + DAY),),
        [],
    ),
    (
        "somebody else is away for weeks",
        {"ann": {}, "bob": {}},
        (away("bob", until_ms=MONDAY_0900 + 21 * DAY),),
        ["ann"],
    ),
    ("nobody else is there", {"ann": {}}, (), ["ann in bridge by in_turn:asked_again"]),
]


@pytest.mark.parametrize(
    ("members", "gone", "then"), [row[1:] for row in BACK], ids=[row[0] for row in BACK]
)
def test_a_reassigned_lead_does_not_go_back_to_whom_it_was_taken_from(
    members: dict[str, Any], gone: tuple[Absence, ...], then: list[str]
) -> None:
    world = World(bridge(members), absences=gone)
    if any("offers" in limits or "capacity" in limits for limits in members.values()):
        world.qualify(qualified("busy", rejecters=("ann",)))
    world.qualify(qualified("l1"))
    world.said()
    world.act(action("l1", "reassign", at=world.now))
    routed = [line for line in world.said() if "#2 routed" in line]
    assert [
        line.removeprefix("l1#2 routed to ")[: len(want)]
        for line, want in zip(routed, then, strict=True)
    ] == then


def test_whom_it_was_just_taken_from_is_asked_after_who_rejected_it_before() -> None:
    world = World(bridge({"ann": {}, "bob": {}}))
    world.qualify(qualified("l1", rejecters=("bob",)))
    world.act(action("l1", "reassign", at=world.now))
    assert world.said() == [
        "l1#1 routed to ann in bridge by in_turn",
        "l1#1 withdrawn from ann: reassigned",
        "l1#2 routed to bob in bridge by in_turn:rejecters_asked_again",
    ]


def test_who_said_no_is_distinguished_from_who_only_let_it_pass() -> None:
    for event, rule in (
        (staged("l1", "rejected", by="ann", reason="not_icp"), "rejecters_asked_again"),
        (None, "asked_again"),
    ):
        world = World(bridge({"ann": {}}))
        world.qualify(qualified("l1"))
        if event is not None:
            world.stage(event)
        world.act(action("l1", "reassign", at=world.now + MINUTE))
        assert world.said()[-1] == f"l1#2 routed to ann in bridge by in_turn:{rule}"


# ---------------------------------------------------------------------- overflow, pools that are
# gone, nobody ever


def test_a_lead_overflows_only_to_where_somebody_can_take_it_sooner() -> None:
    early = {"berlin": {"timezone": "Europe/Berlin", "hours": {"mon-fri": "08:00-17:00"}}}
    late = {"london": {"timezone": "Europe/Berlin", "hours": {"mon-fri": "10:00-18:00"}}}
    hours = {
        "open": {"timezone": "Europe/Berlin", "hours": {"mon-fri": "09:00-17:00"}},
        **early,
        **late,
    }
    for calendar, where in (("berlin", "second"), ("london", "bridge")):
        pools = {
            **POOLS,
            "bridge": {"kind": "sdr", "members": {"ann": {}}, "nobody": {"overflow": "second"}},
            "second": {"kind": "sdr", "members": {"bob": {}}, "calendar": calendar},
        }
        world = World(agreement(pools=pools, calendars=hours), at=EVENING)
        world.qualify(qualified("l1"))
        assert [line for line in world.said() if "held" in line] == [
            f"l1#1 held in {where}: closed"
        ]


def test_what_waits_in_a_renamed_pool_is_matched_from_scratch() -> None:
    german = {"name": "DACH", "when": {"field": "profile.country", "op": "is", "value": "DE"}}
    pools = {**POOLS, "dach": {"kind": "sdr", "members": {"ann": {}}}}
    before = agreement(
        pools=pools, routing={**ROUTING, "territories": [{**german, "to": {"sdr": "dach"}}]}
    )
    renamed = {**POOLS, "germany": {"kind": "sdr", "members": {"ann": {}}}}
    after = agreement(
        pools=renamed, routing={**ROUTING, "territories": [{**german, "to": {"sdr": "germany"}}]}
    )
    world = World(before, at=EVENING)
    world.qualify(qualified("l1", profile={"country": "DE"}))
    world.adopt(after)
    world.wait(15 * HOUR)
    assert world.said() == [
        "l1#1 held in dach: closed",
        "l1#1 recalled in dach: pool_gone",
        "l1#1 withdrawn: pool_gone",
        "l1#2 held in germany: closed",
        "l1#2 routed to ann in germany by in_turn",
    ]
    assert [key for _, key, _ in world.state("assignment")[1]] == ["germany", "germany"]


def test_more_leads_than_one_step_looks_at_leave_a_pool_that_is_gone() -> None:
    pools = {**POOLS, "old": {"kind": "sdr", "members": {"ann": {}}}}
    world = World(
        agreement(pools=pools, routing={"default": {"sdr": "old", "sales": "field"}}), at=EVENING
    )
    world.qualify(*[qualified(f"l{number}") for number in range(250)])
    world.adopt(agreement())
    world.wait(MINUTE)
    assert Counter(line.partition(" ")[2] for line in world.said()) == {
        "held in old: closed": 250,
        "recalled in old: pool_gone": 250,
        "withdrawn: pool_gone": 250,
        "held in bridge: closed": 250,
    }


def test_a_hold_that_nobody_can_ever_resolve_says_so() -> None:
    norse = {
        "name": "norse",
        "when": {"field": "profile.country", "op": "is", "value": "NO"},
        "needs": ["german"],
    }
    agreed = agreement(routing={**ROUTING, "territories": [{**norse, "to": {"sdr": "bridge"}}]})
    world = World(agreed, at=EVENING)
    world.qualify(qualified("l1", profile={"country": "NO"}))
    unskilled = {**PEOPLE, "ann": {"name": "Ann", "manager": "mona"}}
    world.adopt(
        agreement(
            people=unskilled,
            routing={**ROUTING, "territories": [{**norse, "to": {"sdr": "bridge"}}]},
        )
    )
    reported = [(value.reason, value.next_try_at_ms) for _, value in world.records()]
    assert reported == [("closed,lacks_skill", MONDAY_0900), (f"{NOBODY_EVER}:lacks_skill", None)]


# ---------------------------------------------------------------------- limits and weights


def test_nobody_is_handed_more_in_a_day_or_a_week_than_agreed() -> None:
    world = World(bridge({"ann": {"per_day": 2, "per_week": 3}}))
    world.qualify(*[qualified(f"l{number}", at=MONDAY_0900 + number) for number in range(6)])
    routed = Counter[str]()
    held = [value for _, value in world.records() if isinstance(value, LeadUnrouted)]
    assert {(value.reason, value.next_try_at_ms) for value in held} == {
        ("day_limit", MONDAY_0900 + DAY)
    }
    for day in ("tuesday", "wednesday", "thursday", "friday"):
        world.wait(DAY)
        routed[day] = len(owners(world))
    assert routed == {"tuesday": 1, "wednesday": 0, "thursday": 0, "friday": 0}
    world.wait(3 * DAY)
    assert len(owners(world)) == 2


def test_what_was_nobodys_fault_does_not_use_up_the_day() -> None:
    world = World(bridge({"ann": {"per_day": 1}}))
    world.qualify(qualified("l1"))
    world.stage(staged("l1", "rejected", by="ann", reason="misrouted"))
    world.qualify(qualified("l2"))
    assert owners(world) == ["ann", "ann"]


TAKEN_BACK: list[tuple[str, dict[str, int], list[int]]] = [
    ("on the same day: it counts in none", {"per_day": 1}, [0, 1]),
    ("on the next day: that day's own lead still counts", {"per_day": 1}, [1, 0]),
    ("on the next day: its week has room again", {"per_week": 2}, [1, 1]),
    ("in the next week: that week's own lead still counts", {"per_week": 1}, [7, 0]),
]


@pytest.mark.parametrize(("limit", "case"), [(row[1], row[2]) for row in TAKEN_BACK])
@pytest.mark.parametrize("accepted_by", ["nobody", "ann"])
def test_what_is_taken_back_is_taken_off_the_day_and_the_week_on_which_it_was_handed_out(
    limit: dict[str, int], case: list[int], accepted_by: str
) -> None:
    """``case``: after how many days the first lead is taken back, and how many more go out then."""
    days, more = case
    world = World(bridge({"ann": limit}))
    world.qualify(qualified("l1"))
    if accepted_by == "ann":
        world.stage(staged("l1", "accepted", by="ann"))
    if days:
        world.wait(days * DAY)
        world.qualify(qualified("l2", at=world.now))
    owners(world)
    world.stage(staged("l1", "rejected", by="ann", reason="misrouted", at=world.now))
    world.qualify(qualified("l3", at=world.now))
    assert owners(world) == ["ann"] * more


def test_what_somebody_took_up_by_themselves_was_never_handed_to_them_and_is_not_taken_off() -> (
    None
):
    world = World(bridge({"ann": {"per_day": 1}}))
    world.qualify(qualified("l1"), qualified("l2"))
    world.stage(staged("l2", "accepted", by="ann"))
    assert owners(world) == ["ann"]
    world.stage(staged("l2", "rejected", by="ann", reason="misrouted"))
    world.qualify(qualified("l3"))
    assert owners(world) == []


def test_an_offer_that_consent_takes_back_does_not_use_up_the_day() -> None:
    world = World(bridge({"ann": {"per_day": 1}}))
    world.qualify(qualified("l1"))
    world.stage(staged("l1", "consent_changed", attempt=None, consents=REFUSED))
    world.qualify(qualified("l2"))
    assert owners(world) == ["ann", "ann"]


def test_a_weight_of_nothing_gets_nothing_in_turn_and_a_half_gets_half() -> None:
    world = World(bridge({"ann": {"weight": 0}, "bob": {"weight": 0.5}, "cid": {}}))
    world.qualify(*[qualified(f"l{number}") for number in range(9)])
    assert Counter(owners(world)) == {"bob": 3, "cid": 6}


def test_somebody_new_comes_up_to_their_weight_over_weeks() -> None:
    ramp = {"from": "2026-11-09", "weeks": 2}
    world = World(bridge({"ann": {"ramp": ramp}, "bob": {}}, period="week"))
    shares = []
    for week in range(3):
        world.qualify(*[qualified(f"l{week}-{number}", at=world.now) for number in range(6)])
        shares.append(Counter(owners(world))["ann"])
        world.wait(7 * DAY)
    assert shares == [0, 2, 3]


def test_a_lead_that_waits_for_somebody_new_is_handed_out_on_their_first_day() -> None:
    world = World(bridge({"ann": {"ramp": {"from": "2026-11-09", "weeks": 4}}}))
    world.qualify(qualified("l1"))
    world.wait(7 * DAY - 1)
    assert [line for line in world.said() if "routed" in line] == []
    world.wait(1)
    assert owners(world) == ["ann"]


SPOKEN = [
    ({"language": "german"}, "ann", None),
    ({"language": "German"}, "ann", None),
    ({"language": "finnish"}, None, ("needs:profile.language", "nobody has finnish")),
    ({}, None, None),
]


@pytest.mark.parametrize(("profile", "owner", "step"), SPOKEN)
def test_the_lead_is_handed_to_somebody_who_speaks_its_language(
    profile: dict[str, str], owner: str | None, step: tuple[str, str] | None
) -> None:
    plain = agreement().raw.definitions.model_dump(
        mode="json", by_alias=True, exclude_defaults=True
    )
    definitions = {**plain, "profile": {**plain["profile"], "language": "text"}}
    world = World(
        agreement(definitions=definitions, routing={**ROUTING, "needs": ["profile.language"]})
    )
    world.qualify(qualified("l1", profile=profile))
    ((_, routed),) = world.records()
    assert isinstance(routed, LeadRouted)
    assert owner in (None, routed.owner)
    assert step is None or step in [(known.rule, known.outcome) for known in routed.path]


def owners(world: World) -> list[str]:
    """To whom leads were routed, in order."""
    return [value.owner for _, value in world.records() if isinstance(value, LeadRouted)]
