"""Two leads become one: nothing is lost, nothing counts twice, in any order; and an erased lead
stays erased."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from baton.contracts.accounts import AccountPart
from baton.contracts.intake import LeadMerge, LeadPerson, Person
from baton.contracts.leads import LeadQualified, LeadScored, LeadStaged
from baton.contracts.slas import LeadRecycled
from baton.contracts.transfers import LeadTransfer
from baton.derived_ids import derived_id
from tests.services.scorer.scorer_world import DAY, HOUR, World, person_reported, said_of


def merge(loser: str, survivor: str) -> LeadMerge:
    return LeadMerge(
        merge_id=derived_id("merge", loser, survivor),
        loser=loser,
        survivor=survivor,
        cause_id="c",
        occurred_at_ms=0,
    )


def last_score(world: World, lead: str) -> int:
    return [fact for fact in world.facts(LeadScored, whole=True) if fact.lead_id == lead][
        -1
    ].engagement_micro


def test_the_ledger_of_the_loser_counts_at_the_survivor_and_once() -> None:
    world = World()
    world.fits("known", country="SE")
    same = world.does("known", "page_view")
    world.does("anon", "page_view", event_id=same)
    world.does("anon", "form")
    world.said()
    world.send(merge("anon", "known"))
    assert world.said() == [
        "anon/1 merged by system: inquiry -> inquiry: merged",
        "known cold D2 45",
    ]
    (book,) = world.facts(LeadTransfer, whole=True)
    world.host.send("scorer.transfers.v1", "known", book)
    world.host.settle()
    assert world.said() == []


def test_the_account_of_the_loser_learns_that_it_left() -> None:
    world = World()
    world.fits("known", domain="acme.example")
    world.fits("anon", domain="acme.example")
    world.does("anon", "form")
    world.facts()
    world.send(merge("anon", "known"))
    parts = {
        (account_part.kind, account_part.account_id)
        for account_part in world.facts()
        if isinstance(account_part, AccountPart) and account_part.lead_id == "anon"
    }
    assert parts == {("remove", "acme.example")}


def test_what_comes_to_the_loser_afterwards_goes_on_to_the_survivor() -> None:
    world = World()
    world.fits("known")
    world.does("anon", "page_view")
    world.send(merge("anon", "known"))
    world.said()
    world.does("anon", "demo_request")
    world.report("anon", "profile", profile={"employees": "500"})
    world.send(person_reported("anon", at_ms=world.now, first_name="Ada"))
    assert world.said() == [
        "known warm A2 30",
        "known/1 qualified by system: inquiry -> mql",
        "known qualified for sales, hot, hand raised",
    ]
    world.route("known", "rex")
    world.act("anon", "rejected", "rex", actor="sales")
    world.act("anon", "accepted", "rex", actor="sales")
    assert world.said() == [
        "known refused rejected by sales at mql: reason_missing",
        "known/1 accepted by sales: mql -> sal",
    ]


def test_late_events_reach_a_survivor_whose_loser_was_never_heard_of() -> None:
    world = World()
    world.send(merge("ghost", "known"))
    world.does("ghost", "form")
    assert world.said() == ["known cold D2 35"]


@pytest.mark.parametrize("order", list(permutations([("a", "b"), ("b", "c"), ("d", "c")])))
def test_a_chain_of_merges_arrives_whole_in_any_order(order: tuple[tuple[str, str], ...]) -> None:
    world = World()
    for lead in "abcd":
        world.does(lead, "page_view", campaign=f"campaign-{lead}", content_title=lead)
    for loser, survivor in order:
        world.send(merge(loser, survivor))
    for lead in "abd":
        world.does(lead, "page_view")
    assert last_score(world, "c") == 70_000_000


def test_the_survivor_is_what_it_would_have_been_had_all_events_come_to_it() -> None:
    """Whatever was split over two leads, and whenever they were merged."""

    def report(world: World, one: str, other: str, at: int) -> None:
        steps: list[Any] = [
            lambda: world.does(
                one, "page_view", content_title="A", topics=("security",), campaign="x", ago=HOUR
            ),
            lambda: world.does(
                other,
                "webinar",
                content_title="B",
                topics=("pricing",),
                campaign="y",
                ago=2 * HOUR,
                event_id="ab" * 16,
            ),
            lambda: world.report(
                one, "profile", profile={"country": "SE", "employees": "10"}, ago=5 * HOUR
            ),
            lambda: world.report(
                other, "profile", profile={"country": "DK", "role": "Head"}, ago=4 * HOUR
            ),
            lambda: world.consent(one, "sales", granted=True, ago=3 * HOUR),
            lambda: world.consent(other, "sales", granted=False, ago=2 * HOUR),
            lambda: world.send(person_reported(other, at_ms=world.now, first_name="Ada")),
            lambda: world.retract(other, "cd" * 16),
            lambda: world.does(one, "form", event_id="cd" * 16),
        ]
        for number, step in enumerate(steps):
            if number == at and one != other:
                world.send(merge(other, one))
            step()
        if at >= len(steps) and one != other:
            world.send(merge(other, one))
        world.report(one, "profile", profile={"country": "NO"})
        world.does(one, "demo_request")

    def story(at: int, other: str) -> Any:
        world = World()
        report(world, "l1", other, at)
        (qualified,) = world.facts(LeadQualified, whole=True)
        return qualified.story, qualified.engagement_micro, qualified.fit_micro, qualified.rejecters

    expected = story(99, "l1")
    assert [story(at, "l2") for at in range(10)] == [expected] * 10


def test_a_lead_that_was_somebodys_work_is_handed_on_to_them_first() -> None:
    world = World()
    world.fits("b")
    world.fits("a")
    world.does("a", "demo_request")
    world.route("a", "rex")
    world.act("a", "accepted", "rex", actor="sales")
    world.said()
    world.send(merge("a", "b"))
    assert world.said() == [
        "a/1 merged by system: sal -> sal: merged",
        "b cold A3 20",
        "b/1 qualified by system: inquiry -> mql: merged",
        "b qualified for sales, hot, hand raised",
    ]
    (qualified,) = [fact for fact in world.facts(LeadQualified, whole=True) if fact.lead_id == "b"]
    assert qualified.owner == "rex"
    assert [
        (cycle.outcome, cycle.reason, cycle.holder) for cycle in qualified.story.earlier_cycles
    ] == [("merged", "sal", "rex")]


def test_a_book_that_comes_again_later_takes_nothing_over_again() -> None:
    world = World()
    world.fits("a")
    world.does("a", "demo_request")
    world.does("b", "page_view")
    world.send(merge("a", "b"))
    world.act("b", "disqualified", "rex", actor="manager", reason="student")
    world.act("b", "recycled", "max", actor="marketing", reason="not_ready")
    (book,) = world.facts(LeadTransfer, whole=True)
    world.said()
    world.host.send("scorer.transfers.v1", "b", book)
    world.host.settle()
    assert world.said() == []


def test_two_leads_in_work_stay_where_the_survivor_is() -> None:
    world = World()
    for lead in "ab":
        world.fits(lead)
        world.does(lead, "demo_request")
        world.route(lead, f"rep-{lead}")
        world.act(lead, "accepted", f"rep-{lead}", actor="sales")
    world.said()
    world.send(merge("a", "b"))
    assert world.said() == ["a/1 merged by system: sal -> sal: merged", "b warm A2 40"]


def test_a_survivor_in_work_stays_in_its_cycle_whatever_the_loser_has_been_through() -> None:
    """What the router and the SLA watcher say of it meanwhile names that cycle, and must not be
    taken for a former one's."""
    world = World()
    for lead, outcome in (("a", "recycle"), ("b", "disqualify")):
        world.fits(lead)
        world.does(lead, "demo_request")
        if lead == "b":
            world.send(merge("a", "b"))
        world.send(
            LeadRecycled(
                recycle_id=f"r{lead}",
                lead_id=lead,
                cycle=1,
                outcome=outcome,
                reason="no_budget",
                at_ms=0,
                cause_id="c",
                agreement="v",
            )
        )
    assert [line for line in world.said() if line.startswith("b/")] == [
        "b/1 qualified by system: inquiry -> mql",
        "b/1 disqualified by system: mql -> disqualified: no_budget",
    ]


def test_a_rest_is_taken_over_and_planned_anew() -> None:
    world = World()
    world.fits("a")
    world.does("a", "form")
    world.send(
        LeadRecycled(
            recycle_id="r1",
            lead_id="a",
            cycle=1,
            outcome="recycle",
            reason="no_budget",
            at_ms=0,
            cause_id="c",
            agreement="v",
        )
    )
    world.wait(DAY)
    world.does("b", "page_view")
    world.said()
    world.send(merge("a", "b"))
    assert world.said()[:2] == [
        "a/2 merged by system: recycled -> recycled: merged",
        "b/2 recycled by marketing: inquiry -> recycled: no_budget",
    ]
    world.does("b", "page_view", ago=2 * DAY)
    assert world.said() == []


def test_a_retraction_after_the_merge_takes_back_the_hand_that_the_loser_raised() -> None:
    for reported_to in ("a", "b"):
        world = World()
        world.fits("a")
        raised = world.does("a", "demo_request")
        world.send(merge("a", "b"))
        assert world.said()[-1] == "b qualified for sales, hot, hand raised"
        world.retract(reported_to, raised)
        assert world.said() == ["b/1 withdrawn by system: mql -> inquiry: retracted", "b cold A3 0"]


def test_a_hand_whose_retraction_is_at_the_survivor_already_is_not_handed_on() -> None:
    world = World()
    world.fits("a")
    raised = world.does("a", "demo_request")
    world.retract("b", raised)
    world.said()
    world.send(merge("a", "b"))
    assert world.said() == ["a/1 merged by system: mql -> mql: merged", "b cold A3 0"]


def test_a_hand_that_the_loser_raised_notifies_who_has_the_survivor_and_keeps_it_warm() -> None:
    world = World()
    world.fits("a")
    world.fits("b")
    world.does("a", "form")
    world.does("b", "demo_request")
    world.said()
    world.send(merge("b", "a"))
    assert world.said() == [
        "b/1 merged by system: mql -> mql: merged",
        "a/1 hand_raised by system: mql -> mql: merged",
        "a warm A2 55",
    ]
    assert world.facts(LeadStaged, whole=True)[-1].level == "hot"
    world.wait(70 * DAY)
    assert not [line for line in world.said() if "withdrawn" in line]


def test_accepted_work_that_has_cooled_is_handed_on_as_it_was_and_is_not_withdrawn() -> None:
    world = World()
    world.fits("a")
    world.does("a", "webinar")
    world.route("a", "rex")
    world.act("a", "accepted", "rex", actor="sdr")
    world.wait(30 * DAY)
    world.fits("b")
    world.fits("c")
    world.said()
    world.send(merge("a", "b"))
    assert world.said()[-2:] == [
        "b/1 qualified by system: inquiry -> mql: merged",
        "b qualified for sdr, warm",
    ]
    world.send(merge("b", "c"))
    assert world.said()[-2:] == [
        "c/1 qualified by system: inquiry -> mql: merged",
        "c qualified for sdr, warm",
    ]
    world.route("c", "rex")
    world.does("c", "page_view")
    world.wait(60 * DAY)
    assert not [line for line in world.said() if "withdrawn" in line]


@pytest.mark.parametrize("stage", ["qualified", "opportunity"])
def test_a_deal_that_moved_with_a_merge_can_be_won_before_it_is_accepted_anew(stage: str) -> None:
    world = World()
    world.act("deal", stage, "rex", actor="sales")
    world.fits("contact")
    world.does("contact", "page_view")
    world.send(merge("deal", "contact"))
    assert world.said()[-2:] == [
        "contact/1 qualified by system: inquiry -> mql: merged",
        "contact qualified for sales, warm",
    ]
    world.act("contact", "won", "rex", actor="sales")
    assert any(line.startswith("contact/1 won by sales: mql -> customer") for line in world.said())


def test_accepted_work_of_the_loser_keeps_the_survivor_from_cooling() -> None:
    world = World()
    for lead in "ab":
        world.fits(lead)
        world.does(lead, "form")
        world.route(lead, f"rep-{lead}")
    world.act("a", "accepted", "rep-a", actor="sdr")
    world.send(merge("a", "b"))
    world.wait(70 * DAY)
    assert not [line for line in world.said() if "withdrawn" in line]


def test_the_cool_off_of_a_rest_is_not_lost_by_a_merge() -> None:
    world = World()
    world.fits("a")
    world.does("a", "form")
    world.send(rest("a", world.now))
    world.wait(DAY)
    world.does("a", "page_view")
    world.fits("b")
    world.does("b", "page_view")
    world.does("b", "page_view")
    world.said()
    world.send(merge("a", "b"))
    assert world.said()[-1] == "b warm A2 30"
    world.does("b", "form")
    assert not [line for line in world.said() if "qualified" in line]
    world.does("b", "demo_request")
    assert world.said()[-1] == "b qualified for sales, hot, hand raised"


def test_an_mql_that_nobody_took_does_not_break_the_cool_off_of_its_survivor() -> None:
    world = World()
    world.fits("b")
    world.does("b", "form")
    world.send(rest("b", world.now))
    world.wait(DAY)
    world.fits("a")
    world.does("a", "form")
    world.said()
    world.send(merge("a", "b"))
    assert world.said() == ["a/1 merged by system: mql -> mql: merged", "b warm A2 35"]


def rest(lead: str, at_ms: int) -> LeadRecycled:
    """The watcher ends the first cycle, with a cool-off of thirty days."""
    return LeadRecycled(
        recycle_id="r1",
        lead_id=lead,
        cycle=1,
        outcome="recycle",
        reason="no_budget",
        at_ms=at_ms,
        cause_id="c",
        agreement="v",
        cool_off_until_ms=at_ms + 30 * DAY,
        return_at_ms=at_ms + 180 * DAY,
    )


def test_a_customer_stays_a_customer_under_the_other_id() -> None:
    world = World()
    world.act("a", "won", "rex", actor="sales")
    world.does("b", "page_view")
    world.said()
    world.send(merge("a", "b"))
    assert "b/2 taken_over by system: inquiry -> customer: merged" in world.said()


def test_a_customer_merged_into_an_open_lead_that_cools_is_still_known_by_who_won_them() -> None:
    world = World()
    world.act("a", "won", "rex", actor="sales")
    world.fits("b")
    world.does("b", "download")
    world.does("b", "form")
    world.said()
    world.send(merge("a", "b"))
    assert "b/1 withdrawn by system: mql -> inquiry: cooled" in world.said()
    world.wait(120 * DAY)
    world.does("b", "demo_request")
    [qualified] = [fact for fact in world.facts() if isinstance(fact, LeadQualified)]
    # The router asks who won an earlier cycle: the customer's owner.
    assert [(cycle.outcome, cycle.holder) for cycle in qualified.story.earlier_cycles] == [
        ("customer", "rex")
    ]


def test_a_full_circle_of_merges_leaves_one_lead_alive_with_everything() -> None:
    for first, second in ((("a", "b"), ("b", "a")), (("b", "a"), ("a", "b"))):
        world = World()
        world.does("a", "page_view")
        world.does("b", "page_view")
        # A record says of each that it ends in the other, before the first book arrives.
        for loser, survivor in (first, second):
            world.host.send("intake.leads.v1", loser, said_of(loser, merge(loser, survivor)))
        world.host.settle()
        world.does("b", "page_view")
        world.does("a", "page_view")
        assert last_score(world, "a") == 40_000_000


def test_an_erased_lead_forgets_everything_and_is_not_brought_back() -> None:
    world = World()
    world.fits("l1", domain="acme.example")
    world.send(person_reported("l1", at_ms=world.now, first_name="Ada", email="ada@acme.example"))
    world.does("l1", "demo_request", content_title="Seen")
    world.route("l1", "rex")
    world.facts()
    world.report("l1", "erasure")
    said = world.facts()
    assert [
        (staged.event, staged.to_stage) for staged in said if isinstance(staged, LeadStaged)
    ] == [("erased", "mql")]
    assert [
        (account_part.kind, account_part.account_id)
        for account_part in said
        if isinstance(account_part, AccountPart)
    ] == [("remove", "acme.example")]
    world.does("l1", "demo_request")
    world.fits("l1")
    world.send(
        person_reported("l1", at_ms=world.now, n=2, first_name="Ada"),
        merge("l1", "l2"),
        merge("l3", "l1"),
    )
    world.act("l1", "accepted", "rex", actor="sales")
    world.wait(100 * DAY)
    assert world.said() == ["l1 refused accepted by sales at erased: erased"]
    assert not [
        key for key, value in changelog(world).items() if b"Ada" in value or b"acme" in value
    ]


def changelog(world: World) -> dict[bytes, bytes]:
    """What compaction leaves of the lead's state."""
    left: dict[bytes, bytes] = {}
    for record in world.host.log.history:
        if record.topic == "lead.changelog.v1" and record.key is not None:
            left[record.key] = record.value or b""
    return left


def test_the_latest_record_of_a_person_is_the_whole_person_and_gone_with_an_erasure_and_a_merge() -> (
    None
):
    world = World()
    world.send(person_reported("l1", at_ms=world.now, n=1, email="ann@acme.example"))
    world.send(person_reported("l1", at_ms=world.now, n=2, phone="+47 1"))
    world.send(person_reported("l1", at_ms=world.now - HOUR, n=3, first_name="Ann", phone="+47 2"))
    world.send(person_reported("l1", at_ms=world.now, n=4, phone="+47 1"))
    world.does("l2", "page_view")
    world.send(merge("l1", "l2"))
    world.report("l2", "erasure")
    ann = Person(email="ann@acme.example", phone="+47 1", first_name="Ann")
    assert [
        (fact.lead_id, fact.person, fact.erased, fact.survivor) for fact in world.facts(LeadPerson)
    ] == [
        ("l1", Person(email="ann@acme.example"), False, None),
        ("l1", Person(email="ann@acme.example", phone="+47 1"), False, None),
        ("l1", ann, False, None),
        ("l1", Person(), True, "l2"),
        ("l2", ann, False, None),
        ("l2", Person(), True, None),
    ]


def test_what_was_heard_of_the_loser_is_known_of_the_survivor() -> None:
    world = World()
    for lead in ("a", "b"):
        world.fits(lead)
        world.does(lead, "webinar")
        world.route(lead, "ann")
        world.act(lead, "call", objections=(f"objection of {lead}",))
    world.send(merge("b", "a"))
    world.act("a", "recycled", reason="not_ready")
    assert dict(world.facts(LeadStaged)[-1].learnt) == {
        "objections": "objection of a;objection of b"
    }
