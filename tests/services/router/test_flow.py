"""The router as a whole: what comes in, and the whole ordered list of what it says."""

from __future__ import annotations

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import Absence
from baton.contracts.routing import LeadRouted, LeadUnrouted
from services.router.assignment.turn_ledger import book_of
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
    command,
    handoff_id,
    qualification_id,
    qualified,
    staged,
)

EVENING = MONDAY_0900 - 15 * HOUR


def bridge(members: dict[str, object], **more: object) -> CompiledAgreement:
    """The agreement with a bridge team of the test's own."""
    return agreement(pools={**POOLS, "bridge": {"kind": "sdr", "members": members, **more}})


def test_a_qualified_lead_goes_to_a_person_of_its_kind_of_queue() -> None:
    world = World()
    world.qualify(qualified("l1"), qualified("l2", leg="sales"))
    assert world.said() == [
        "l1#1 routed to cid in bridge by in_turn",
        "l2#1 routed to sue in field by in_turn",
    ]


def test_the_end_of_a_former_qualification_of_the_cycle_ends_nothing_of_the_one_that_stands() -> (
    None
):
    world = World()
    world.qualify(qualified("l1"))
    world.qualify(qualified("l1", n=1))
    world.said()
    world.stage(staged("l1", "withdrawn", attempt=None))
    assert world.said() == []
    world.stage(
        staged(
            "l1", "withdrawn", attempt=None, qualification_id=qualification_id("l1", cycle=1, n=1)
        )
    )
    assert any("withdrawn" in line for line in world.said())


def test_the_same_qualification_is_routed_once() -> None:
    world = World()
    world.qualify(qualified("l1"), qualified("l1"))
    world.qualify(qualified("l1"))
    assert world.said() == ["l1#1 routed to cid in bridge by in_turn"]


def test_the_record_says_how_it_came_about() -> None:
    world = World()
    world.qualify(qualified("l1"))
    ((topic, routed),) = world.records()
    assert topic == "leads.routed.sdr.v1"
    assert isinstance(routed, LeadRouted)
    assert routed.handoff_id == handoff_id("l1")
    assert [(path.rule, path.outcome) for path in routed.path] == [
        ("consent", "sales not refused"),
        ("owner_of_cycle", "no"),
        ("customer_owner", "no"),
        ("colleague", "no"),
        ("named_account", "no"),
        ("default", "chosen"),
    ]
    assert [
        (candidate.person, candidate.target, candidate.turns, candidate.score, candidate.excluded)
        for candidate in routed.candidates
    ] == [
        ("ann", "1/3", 0, "2/3", None),
        ("bob", "1/3", 0, "2/3", None),
        ("cid", "1/3", 0, "2/3", None),
    ]
    assert (routed.rule, routed.turn_used, routed.accept_by_ms) == (
        "in_turn",
        True,
        MONDAY_0900 + HOUR,
    )
    assert routed.agreement == world.book.at(world.now).version


def test_outside_hours_a_lead_waits_and_the_most_urgent_is_first_in_the_morning() -> None:
    world = World(at=EVENING)
    world.qualify(
        qualified("cold"), qualified("hot", level="hot"), qualified("raised", raised=True)
    )
    assert world.said() == [
        f"{lead}#1 held in bridge: closed" for lead in ("cold", "hot", "raised")
    ]
    world.wait(15 * HOUR - 1)
    assert world.said() == []
    world.wait(1)
    assert world.said() == [
        "raised#1 routed to cid in bridge by in_turn",
        "hot#1 routed to ann in bridge by in_turn",
        "cold#1 routed to bob in bridge by in_turn",
    ]


def test_a_pool_may_ignore_hours() -> None:
    world = World(bridge({"ann": {}}, ignore_hours=True), at=EVENING)
    world.qualify(qualified("l1"))
    assert world.said() == ["l1#1 routed to ann in bridge by in_turn"]


def test_offers_that_are_not_answered_keep_the_rest_in_the_queue() -> None:
    world = World(bridge({"ann": {"offers": 1}}))
    world.qualify(qualified("l1"))
    world.qualify(
        qualified("l2", at=MONDAY_0900 + 2), qualified("l3", level="hot", at=MONDAY_0900 + 3)
    )
    assert world.said() == [
        "l1#1 routed to ann in bridge by in_turn",
        "l2#1 held in bridge: offers_open",
        "l3#1 held in bridge: offers_open",
    ]
    world.stage(staged("l1", "accepted", by="ann"))
    assert world.said() == ["l3#1 routed to ann in bridge by in_turn"]


def test_nobody_gets_more_open_work_than_their_capacity() -> None:
    world = World(bridge({"ann": {"capacity": 1}, "bob": {"capacity": 2}}))
    world.qualify(*[qualified(f"l{number}", at=MONDAY_0900 + number) for number in range(5)])
    assert sorted(world.said()) == [
        "l0#1 routed to ann in bridge by in_turn",
        "l1#1 routed to bob in bridge by in_turn",
        "l2#1 routed to bob in bridge by in_turn",
        "l3#1 held in bridge: full",
        "l4#1 held in bridge: full",
    ]
    world.stage(staged("l0", "accepted", by="ann"))
    assert world.said() == []
    world.stage(staged("l0", "recycled", by="ann"))
    assert world.said() == ["l3#1 routed to ann in bridge by in_turn"]


def test_who_is_away_gets_nothing_and_is_owed_nothing_for_it() -> None:
    world = World(absences=(Absence(person="ann", from_ms=0, until_ms=MONDAY_0900 + HOUR),))
    world.qualify(*[qualified(f"l{number}") for number in range(10)])
    assert sorted(owners(world)) == ["bob"] * 5 + ["cid"] * 5
    world.wait(HOUR)
    world.qualify(*[qualified(f"m{number}") for number in range(9)])
    assert sorted(owners(world)) == ["ann"] * 3 + ["bob"] * 3 + ["cid"] * 3


def test_in_a_pool_that_accrues_who_was_away_catches_up() -> None:
    away = (Absence(person="ann", from_ms=0, until_ms=MONDAY_0900 + HOUR),)
    world = World(bridge({"ann": {}, "bob": {}}, changing="accrue"), absences=away)
    world.qualify(*[qualified(f"l{number}") for number in range(4)])
    world.wait(HOUR)
    world.said()
    world.qualify(*[qualified(f"m{number}") for number in range(4)])
    assert owners(world) == ["ann"] * 4


def test_an_absence_that_is_called_off_is_noticed_at_once() -> None:
    away = (Absence(person="ann", from_ms=0, until_ms=MONDAY_0900 + DAY),)
    agreed = bridge({"ann": {}})
    world = World(agreed, absences=away)
    world.qualify(qualified("l1"))
    assert world.said() == ["l1#1 held in bridge: everybody_absent"]
    world.adopt(agreed)
    assert world.said() == ["l1#1 routed to ann in bridge by in_turn"]


def test_a_skill_that_is_needed_is_waited_for() -> None:
    german = {
        "name": "german",
        "when": {"field": "profile.country", "op": "is", "value": "DE"},
        "needs": ["german"],
    }
    routing = {**ROUTING, "territories": [{**german, "to": {"sdr": "bridge"}}]}
    away = (Absence(person="ann", from_ms=0, until_ms=MONDAY_0900 + HOUR),)
    world = World(agreement(routing=routing), absences=away)
    world.qualify(
        qualified("l1", profile={"country": "DE"}), qualified("l2", profile={"country": "US"})
    )
    assert world.said() == [
        "l1#1 held in bridge: absent,lacks_skill",
        "l2#1 routed to bob in bridge by in_turn",
    ]
    world.wait(HOUR)
    assert world.said() == ["l1#1 routed to ann in bridge by in_turn"]


def test_a_lead_does_not_go_back_to_who_rejected_it_unless_nobody_else_is_left() -> None:
    world = World()
    world.qualify(
        qualified("l1", rejecters=("ann", "bob")), qualified("l2", rejecters=("ann", "bob", "cid"))
    )
    assert world.said() == [
        "l1#1 routed to cid in bridge by in_turn",
        "l2#1 routed to bob in bridge by in_turn:rejecters_asked_again",
    ]


def test_a_lead_waits_for_somebody_new_rather_than_go_back_to_who_rejected_it() -> None:
    world = World(bridge({"ann": {"offers": 1}, "bob": {}}))
    world.qualify(qualified("l0", rejecters=("bob",)), qualified("l1", rejecters=("bob",)))
    assert world.said() == [
        "l0#1 routed to ann in bridge by in_turn",
        "l1#1 held in bridge: offers_open,rejected_before",
    ]


def test_a_lead_that_nobody_can_take_overflows_and_what_follows_goes_after_it() -> None:
    pools = {
        **POOLS,
        "bridge": {
            "kind": "sdr",
            "members": {"ann": {"capacity": 1}},
            "nobody": {"overflow": "second"},
        },
        "second": {
            "kind": "sdr",
            "members": {"bob": {"capacity": 1}},
            "nobody": {"overflow": "bridge"},
        },
    }
    world = World(agreement(pools=pools))
    world.qualify(*[qualified(f"l{number}") for number in range(3)])
    assert world.said() == [
        "l0#1 routed to ann in bridge by in_turn",
        "l1#1 routed to bob in second by in_turn",
        "l2#1 held in second: full",
    ]
    world.stage(staged("l1", "accepted", by="bob"))
    world.stage(staged("l1", "recycled", by="bob"))
    assert world.said() == ["l2#1 routed to bob in second by in_turn"]


def test_a_lead_does_not_overflow_to_where_it_would_wait_for_ever() -> None:
    norse = {
        "name": "norse",
        "when": {"field": "profile.country", "op": "is", "value": "NO"},
        "needs": ["german"],
    }
    pools = {
        **POOLS,
        "bridge": {"kind": "sdr", "members": {"ann": {}}, "nobody": {"overflow": "second"}},
        "second": {"kind": "sdr", "members": {"bob": {}}},
    }
    routing = {**ROUTING, "territories": [{**norse, "to": {"sdr": "bridge"}}]}
    away = (Absence(person="ann", from_ms=0, until_ms=MONDAY_0900 + HOUR),)
    world = World(agreement(pools=pools, routing=routing), absences=away)
    world.qualify(qualified("l1", profile={"country": "NO"}), qualified("l2"))
    assert world.said() == [
        "l1#1 held in bridge: everybody_absent",
        "l2#1 routed to bob in second by in_turn",
    ]


def test_a_pool_may_have_a_human_watch_what_nobody_can_take() -> None:
    world = World(bridge({"ann": {"capacity": 1}}, nobody={"watch": "olaf"}))
    world.qualify(qualified("l0"), qualified("l1"))
    assert world.said() == [
        "l0#1 routed to ann in bridge by in_turn",
        "l1#1 watch in bridge by olaf: full",
    ]
    world.command(command("l1", "assign", "olaf", to_person="bob"))
    assert world.said() == [
        "l1#1 withdrawn from olaf: assigned",
        "l1#2 routed to bob in bridge by manual, no turn",
    ]


def test_a_breach_uses_the_turn_and_a_misrouted_lead_gives_it_back() -> None:
    for reason, fault, owners_then in (
        ("not_icp", "used", ["ann", "bob"]),
        ("misrouted", "given back", ["ann", "ann"]),
    ):
        world = World(bridge({"ann": {"weight": 2}, "bob": {}}))
        world.qualify(qualified("l0"))
        world.stage(staged("l0", "rejected", by="ann", reason=reason))
        world.qualify(qualified("l1"))
        assert (fault, owners(world)) == (fault, owners_then)


def test_a_manual_assignment_does_not_move_the_turn() -> None:
    plain, manual = World(), World()
    plain.qualify(qualified("l1"))
    manual.qualify(qualified("x", leg="sales"))
    manual.command(command("x", "assign", "mona", to_person="ann"))
    manual.command(command("x", "assign", "mona", n=1, to_person="cid"))
    manual.qualify(qualified("l1"))
    plain.qualify(*[qualified(f"m{number}") for number in range(6)])
    manual.qualify(*[qualified(f"m{number}") for number in range(6)])
    assert owners(plain) == owners(manual, but=("x",))


def test_turns_are_counted_apart_for_each_level() -> None:
    world = World(bridge({"ann": {}, "bob": {}}))
    world.qualify(
        *[qualified(f"l{number}", level="hot" if number % 2 else "warm") for number in range(8)]
    )
    by_level: dict[str, list[str]] = {}
    for _, routed in world.records():
        by_level.setdefault(routed.level, []).append(routed.owner)
    assert {level: sorted(found) for level, found in by_level.items()} == {
        "hot": ["ann", "ann", "bob", "bob"],
        "warm": ["ann", "ann", "bob", "bob"],
    }


def test_a_new_period_starts_afresh() -> None:
    world = World(bridge({"ann": {"weight": 2}, "bob": {}}, period="week"))
    world.qualify(qualified("l0"), qualified("l1"))
    world.wait(7 * DAY)
    world.said()
    world.qualify(*[qualified(f"m{number}") for number in range(3)])
    (found,) = (ledger for ledger in world.state("assignment")[0]["bridge"].ledgers)
    assert (found.period, dict(book_of(found).turns)) == ("2026-W46", {"ann": 2, "bob": 1})


def test_a_pool_member_who_left_gets_nothing_and_what_they_held_goes_to_somebody_else() -> None:
    world = World()
    world.qualify(qualified("l0"))
    world.adopt(agreement(people={**PEOPLE, "cid": {"name": "Cid", "active": False}}))
    world.qualify(*[qualified(f"l{number}") for number in range(1, 7)])
    said = world.said()
    assert said[:3] == [
        "l0#1 routed to cid in bridge by in_turn",
        "l0#1 withdrawn from cid: owner_left",
        "l0#2 routed to ann in bridge by in_turn",
    ]
    assert not any("to cid" in text for text in said[3:])


def test_what_waits_in_a_pool_that_is_no_more_is_matched_anew() -> None:
    pools = {**POOLS, "old": {"kind": "sdr", "members": {"ann": {}}}}
    world = World(
        agreement(pools=pools, routing={"default": {"sdr": "old", "sales": "field"}}), at=EVENING
    )
    world.qualify(qualified("l0"))
    world.adopt(agreement())
    world.wait(15 * HOUR)
    assert world.said() == [
        "l0#1 held in old: closed",
        "l0#1 recalled in old: pool_gone",
        "l0#1 withdrawn: pool_gone",
        "l0#2 held in bridge: closed",
        "l0#2 routed to ann in bridge by in_turn",
    ]


def test_a_reassigned_lead_goes_to_somebody_else_who_is_notified_and_the_first_one_too() -> None:
    world = World()
    world.qualify(qualified("l1"))
    world.wait(2 * HOUR)
    world.act(action("l1", "reassign", at=world.now))
    world.act(action("l1", "reassign", at=world.now, n=1))
    assert world.said() == [
        "l1#1 routed to cid in bridge by in_turn",
        "l1#1 withdrawn from cid: reassigned",
        "l1#2 routed to bob in bridge by in_turn",
        "l1#1 refused from cid: stale_handoff",
    ]


def test_an_acceptance_that_crosses_a_reassignment_wins_and_loads_are_right_after_it() -> None:
    world = World(bridge({"ann": {}, "bob": {}}))
    world.qualify(qualified("l1"))
    world.act(action("l1", "reassign", at=world.now))
    world.stage(staged("l1", "accepted", by="ann"))
    assert world.said() == [
        "l1#1 routed to ann in bridge by in_turn",
        "l1#1 withdrawn from ann: reassigned",
        "l1#2 routed to bob in bridge by in_turn",
        "l1#2 withdrawn from bob: superseded",
        "l1#1 noted from ann: reinstated",
    ]
    (load,) = world.state("assignment")[0]["bridge"].loads.values()
    assert (load.person, load.offered, load.accepted) == ("ann", 0, 1)


def test_evidence_that_comes_late_gives_the_lead_back_to_the_first_one() -> None:
    world = World(bridge({"ann": {}, "bob": {}}))
    world.qualify(qualified("l1"))
    world.act(action("l1", "reassign", at=world.now))
    world.act(action("l1", "restore", at=world.now))
    assert world.said()[-2:] == [
        "l1#2 withdrawn from bob: superseded",
        "l1#1 noted from ann: reinstated",
    ]
    (load,) = world.state("assignment")[0]["bridge"].loads.values()
    assert (load.person, load.offered, load.accepted) == ("ann", 1, 0)


def test_the_managers_queue_is_a_human_who_may_assign_or_take() -> None:
    world = World()
    world.qualify(qualified("l1"))
    world.wait(HOUR)
    world.act(action("l1", "manager_queue", at=world.now))
    world.command(command("l1", "claim", "mona"))
    assert world.said() == [
        "l1#1 routed to cid in bridge by in_turn",
        "l1#1 withdrawn from cid: manager_queue",
        "l1#2 watch in bridge by mona: manager_queue",
        "l1#2 withdrawn from mona: claimed",
        "l1#3 routed to mona in bridge by manual, no turn",
    ]


def test_a_buying_group_stays_with_one_person() -> None:
    world = World()
    world.qualify(qualified("a1", account="acme.example"))
    world.qualify(*[qualified(f"a{number}", account="acme.example") for number in range(2, 5)])
    world.qualify(qualified("b1", account="other.example"))
    said = world.said()
    assert said == [
        "a1#1 routed to cid in bridge by in_turn",
        "a2#1 routed to cid in bridge by colleague, no turn",
        "a3#1 routed to cid in bridge by colleague, no turn",
        "a4#1 routed to cid in bridge by colleague, no turn",
        "b1#1 routed to bob in bridge by in_turn",
    ]


def test_a_colleague_follows_a_lead_that_overflowed() -> None:
    pools = {
        **POOLS,
        "bridge": {
            "kind": "sdr",
            "members": {"ann": {"capacity": 1}},
            "nobody": {"overflow": "second"},
        },
        "second": {"kind": "sdr", "members": {"bob": {}, "cid": {}}},
    }
    world = World(agreement(pools=pools))
    world.qualify(qualified("l0"), qualified("a1", account="acme.example"))
    world.stage(staged("l0", "recycled", by="ann"))
    world.qualify(qualified("a2", account="acme.example"))
    routed = {
        value.lead_id: (value.pool, value.owner)
        for _, value in world.records()
        if isinstance(value, LeadRouted)
    }
    assert routed["a2"] == routed["a1"]
    assert routed["a1"][0] == "second"


def test_colleagues_are_not_sent_after_one_another_to_a_pool_that_is_no_more() -> None:
    first = {"kind": "sdr", "members": {"ann": {"capacity": 1}}}
    overflowing = first | {"nobody": {"overflow": "second"}}
    second = {"kind": "sdr", "members": {"bob": {}}}
    away = Absence(person="bob", from_ms=0, until_ms=MONDAY_0900 + 2 * HOUR)
    world = World(
        agreement(pools={**POOLS, "bridge": overflowing, "second": second}), absences=(away,)
    )
    world.qualify(
        qualified("l0"), *(qualified(name, account="acme.example") for name in ("a1", "a2"))
    )
    before = last_unrouted(world)
    world.adopt(agreement(pools={**POOLS, "bridge": first}))
    assert before == {"a1": ("held", "second"), "a2": ("held", "second")}
    assert last_unrouted(world) == {"a1": ("held", "bridge"), "a2": ("held", "bridge")}


def last_unrouted(world: World) -> dict[str, tuple[str, str | None]]:
    """Outcome and pool as they were published last, by lead."""
    return {
        value.lead_id: (value.outcome, value.pool)
        for _, value in world.records()
        if isinstance(value, LeadUnrouted)
    }


def test_a_customer_comes_back_to_who_won_them() -> None:
    world = World()
    world.qualify(qualified("a1", leg="sales", account="acme.example"))
    (first,) = owners(world)
    world.stage(staged("a1", "accepted", by=first), staged("a1", "won", by=first))
    world.qualify(
        qualified("a2", account="acme.example"),
        qualified("a3", leg="sales", account="acme.example"),
    )
    assert world.said() == [
        f"a{number}#1 routed to {first} in field by customer_owner, no turn" for number in (2, 3)
    ]


def test_the_bridge_team_passes_a_lead_on_and_is_free_again() -> None:
    world = World(bridge({"ann": {"capacity": 1}}))
    world.qualify(qualified("l1"))
    world.stage(staged("l1", "accepted", by="ann"), staged("l1", "qualified", by="ann"))
    world.qualify(qualified("l1", leg="sales", n=1, stage="tql"), qualified("l2"))
    assert world.said() == [
        "l1#1 routed to ann in bridge by in_turn",
        "l1#1 routed to rex in field by in_turn",
        "l2#1 routed to ann in bridge by in_turn",
    ]


def test_more_leads_than_one_step_looks_at_are_all_handed_out_in_the_morning() -> None:
    world = World(at=EVENING)
    world.qualify(*[qualified(f"l{number}") for number in range(450)])
    world.said()
    world.wait(15 * HOUR + 10)
    found = owners(world)
    assert {person: found.count(person) for person in set(found)} == {
        "ann": 150,
        "bob": 150,
        "cid": 150,
    }


def owners(world: World, *, but: tuple[str, ...] = ()) -> list[str]:
    """To whom leads were routed, in order."""
    return [
        value.owner
        for _, value in world.records()
        if isinstance(value, LeadRouted) and value.lead_id not in but
    ]


def test_a_lead_that_was_passed_on_does_not_come_back_to_who_passed_it_on() -> None:
    world = World(bridge({"ann": {}, "bob": {}, "cid": {}}))
    world.qualify(qualified("l1"))
    world.command(command("l1", "pass_on", "cid", to_person="bob"))
    world.wait(HOUR)
    world.act(action("l1", "reassign", at=world.now, attempt=2))
    assert world.said() == [
        "l1#1 routed to cid in bridge by in_turn",
        "l1#1 withdrawn from cid: passed_on",
        "l1#2 routed to bob in bridge by manual, no turn",
        "l1#2 withdrawn from bob: reassigned",
        "l1#3 routed to ann in bridge by in_turn",
    ]


def test_who_waits_for_an_answer_stays_in_the_queue_whatever_the_pool_does_with_the_rest() -> None:
    for rule in ({"overflow": "second"}, {"watch": "olaf"}):
        pools = {
            **POOLS,
            "bridge": {"kind": "sdr", "members": {"ann": {"offers": 1}}, "nobody": rule},
            "second": {"kind": "sdr", "members": {"bob": {}}},
        }
        world = World(agreement(pools=pools))
        world.qualify(qualified("l1"), qualified("l2"))
        assert world.said() == [
            "l1#1 routed to ann in bridge by in_turn",
            "l2#1 held in bridge: offers_open",
        ]


def test_a_lead_waits_for_the_one_who_can_have_it_while_others_are_free() -> None:
    german = {
        "name": "german",
        "when": {"field": "profile.country", "op": "is", "value": "DE"},
        "needs": ["german"],
    }
    members = {"ann": {"offers": 1}, "bob": {}}
    for rule in ({"overflow": "second"}, {"watch": "olaf"}):
        pools = {
            **POOLS,
            "bridge": {"kind": "sdr", "members": members, "nobody": rule},
            "second": {"kind": "sdr", "members": {"ann": {}}},
        }
        world = World(
            agreement(
                pools=pools,
                routing={**ROUTING, "territories": [{**german, "to": {"sdr": "bridge"}}]},
            )
        )
        world.qualify(
            qualified("l1", profile={"country": "DE"}), qualified("l2", profile={"country": "DE"})
        )
        assert world.said() == [
            "l1#1 routed to ann in bridge by in_turn",
            "l2#1 held in bridge: lacks_skill,offers_open",
        ]
