"""What people of the firm may say about a lead, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from baton.contracts.leads import LEARNT, LeadQualified, LeadStaged
from baton.contracts.routing import HandoffNoted
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.derived_ids import derived_id
from tests.services.scorer.scorer_world import DAY, HOUR, MINUTE, World


def handed_over(owner: str = "ann", *, raised: bool = False) -> tuple[World, str]:
    """A warm lead that an SDR has been given (a hand-raise: sales), with what was said so far
    forgotten."""
    world = World()
    world.fits("l1")
    world.does("l1", "demo_request" if raised else "form")
    handoff = world.route("l1", owner)
    world.said()
    return world, handoff


@pytest.mark.parametrize(
    ("kind", "by", "more", "reason"),
    [
        ("accepted", "ann", {"actor": "system"}, "unknown_actor"),
        ("accepted", "ann", {"actor": "robot"}, "unknown_actor"),
        ("accepted", "max", {"actor": "marketing"}, "actor_may_not"),
        ("accepted", "max", {"actor": ""}, "actor_may_not"),
        ("accepted", "ann", {"actor": "marketing"}, "not_their_role"),
        ("accepted", "ann", {"actor": "sales"}, "not_their_role"),
        ("accepted", "ann", {"actor": "manager"}, "not_their_role"),
        ("accepted", "ghost", {"actor": ""}, "unknown_person"),
        ("accepted", "ghost", {"actor": "sdr"}, "unknown_person"),
        ("accepted", "ghost", {"actor": "manager"}, "unknown_person"),
        ("accepted", "rex", {"actor": "sales"}, "held_by_sdr"),
        ("accepted", "bob", {}, "held_by_another"),
        ("accepted", "ann", {"handoff_id": "somebody else's"}, "stale_handoff"),
        ("rejected", "ann", {}, "reason_missing"),
        ("rejected", "ann", {"reason": "  "}, "reason_missing"),
        ("rejected", "ann", {"reason": "no_idea"}, "reason_unknown"),
        ("recycled", "ann", {}, "reason_missing"),
        ("recycled", "ann", {"reason": "no_idea"}, "reason_unknown"),
        ("disqualified", "ann", {}, "reason_missing"),
        ("disqualified", "ann", {"reason": "no_idea"}, "reason_unknown"),
        ("recycled", "max", {"actor": "marketing", "reason": "not_ready"}, "held_by_sales"),
        ("lost", "rex", {"actor": "sales"}, "reason_missing"),
        ("lost", "rex", {"actor": "sales", "reason": "no_idea"}, "reason_unknown"),
        ("lost", "rex", {"actor": "sales", "reason": "lost_other"}, "not_accepted_yet"),
        ("opportunity", "ann", {}, "actor_may_not"),
    ],
)
def test_an_act_is_refused_with_the_reason_and_changes_nothing(
    kind: str, by: str, more: dict[str, Any], reason: str
) -> None:
    world, _ = handed_over()
    world.act("l1", kind, by, **more)
    (refused,) = world.facts()
    assert (refused.event, refused.reason, refused.by, refused.stage) == (kind, reason, by, "mql")
    world.act("l1", "accepted")
    assert world.said() == ["l1/1 accepted by sdr: mql -> tal"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"amount_minor": 5}, "currency_missing"),
        ({"amount_minor": -5, "currency": "EUR"}, "amount_negative"),
    ],
)
def test_an_opportunity_says_what_it_is_worth_or_nothing(more: dict[str, Any], reason: str) -> None:
    world, _ = handed_over("rex", raised=True)
    world.act("l1", "opportunity", "rex", actor="sales", **more)
    assert world.said() == [f"l1 refused opportunity by sales at mql: {reason}"]


def test_a_manager_speaks_for_the_side_that_has_the_lead() -> None:
    world, _ = handed_over()
    world.act("l1", "accepted", "mona", actor="manager")
    assert world.said() == ["l1/1 accepted by sdr: mql -> tal"]


def test_an_acceptance_is_said_once() -> None:
    world, handoff = handed_over()
    world.act("l1", "accepted")
    world.act("l1", "accepted", handoff_id=handoff)
    assert world.said() == [
        "l1/1 accepted by sdr: mql -> tal",
        "l1 refused accepted by sdr at tal: already_accepted",
    ]


def test_an_acceptance_may_be_here_before_the_routed_record() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "form")
    (qualified,) = world.facts(LeadQualified)
    world.act("l1", "accepted", handoff_id=derived_id("handoff", qualified.qualification_id, 1))
    assert world.said() == ["l1/1 accepted by sdr: mql -> tal"]
    world.route("l1", "ann")
    world.act("l1", "accepted")
    assert world.said() == ["l1 refused accepted by sdr at tal: already_accepted"]


def test_a_rejection_leads_back_and_names_the_rejecter_to_the_next() -> None:
    world, handoff = handed_over()
    world.act("l1", "rejected", reason="not_icp")
    (staged,) = world.facts()
    assert (staged.event, staged.to_stage, staged.reason, staged.handoff_id, staged.by) == (
        "rejected",
        "mql",
        "not_icp",
        handoff,
        "ann",
    )
    world.act("l1", "accepted", handoff_id=handoff)
    assert world.said() == ["l1 refused accepted by sdr at mql: stale_handoff"]
    world.send(recycled("l1", reason="not_ready"))
    world.wait(DAY)
    world.does("l1", "demo_request")
    (again,) = world.facts(LeadQualified)
    assert again.rejecters == ("ann",)


def test_after_a_reassignment_only_the_new_holder_may_accept() -> None:
    world, _ = handed_over("ann")
    world.wait(HOUR)
    world.route("l1", "bob", attempt=2)
    world.wait(MINUTE)
    world.act("l1", "accepted", "ann")
    world.act("l1", "accepted", "bob")
    assert world.said() == [
        "l1 refused accepted by sdr at mql: held_by_another",
        "l1/1 accepted by sdr: mql -> tal",
    ]


def test_an_acceptance_that_crossed_the_reassignment_wins() -> None:
    world, first = handed_over("ann")
    world.wait(HOUR)
    world.route("l1", "bob", attempt=2)
    world.wait(MINUTE)
    world.act("l1", "accepted", "ann", handoff_id=first, ago=2 * MINUTE)
    (staged,) = world.facts()
    assert (staged.event, staged.handoff_id, staged.by) == ("accepted", first, "ann")
    world.act("l1", "accepted", "bob")
    assert world.said() == ["l1 refused accepted by sdr at tal: held_by_another"]


@pytest.mark.parametrize("act", ["call", "accepted"])
def test_a_crossed_acceptance_comes_too_late_once_the_new_holder_acted(act: str) -> None:
    world, first = handed_over("ann")
    world.wait(HOUR)
    world.route("l1", "bob", attempt=2)
    world.act("l1", act, "bob")
    world.said()
    world.act("l1", "accepted", "ann", handoff_id=first, ago=2 * MINUTE)
    (refused,) = world.facts()
    assert refused.reason == "stale_handoff"


def test_a_handoff_that_was_withdrawn_or_reinstated_is_what_the_router_says() -> None:
    world, first = handed_over("ann")
    (qualified,) = world.facts(LeadQualified, whole=True)
    second = world.route("l1", "bob", attempt=2)

    def noted(handoff: str, kind: str, reason: str, owner: str, attempt: int) -> HandoffNoted:
        return HandoffNoted(
            handoff_id=handoff,
            qualification_id=qualified.qualification_id,
            attempt=attempt,
            lead_id="l1",
            kind=kind,
            reason=reason,
            cause_id="c",
            at_ms=world.now,
            owner=owner,
            leg="sdr",
        )

    world.send(
        noted(first, "noted", "reinstated", "ann", 1),
        noted(second, "withdrawn", "superseded", "bob", 2),
    )
    world.act("l1", "accepted", "bob", handoff_id=second)
    world.act("l1", "accepted", "ann", handoff_id=first)
    assert world.said() == [
        "l1 refused accepted by sdr at mql: stale_handoff",
        "l1/1 accepted by sdr: mql -> tal",
    ]


def test_accepted_work_that_is_passed_on_is_accepted_anew_in_the_same_stage() -> None:
    world, _ = handed_over("rex", raised=True)
    world.act("l1", "qualified", "rex", actor="sales")
    world.route("l1", "sue", attempt=2)
    world.act("l1", "accepted", "sue", actor="sales")
    world.act("l1", "rejected", "sue", actor="sales", reason="not_ready")
    assert world.said() == [
        "l1/1 qualified by sales: mql -> sql inferring sal",
        "l1/1 accepted by sales: sql -> sql",
        "l1 refused rejected by sales at sql: too_late_to_reject",
    ]


def test_an_opportunity_is_reported_again_with_what_changed_and_kept_otherwise() -> None:
    world, _ = handed_over("rex", raised=True)
    world.act(
        "l1",
        "opportunity",
        "rex",
        actor="sales",
        opportunity_id="o1",
        amount_minor=100,
        currency="EUR",
        expected_close="2026-12-31",
    )
    world.act(
        "l1",
        "opportunity",
        "rex",
        actor="sales",
        opportunity_id="o1",
        amount_minor=250,
        currency="EUR",
    )
    world.act("l1", "won", "rex", actor="sales")
    deals = [
        (fact.event, fact.opportunity_id, fact.amount_minor, fact.currency, fact.expected_close)
        for fact in world.facts(LeadStaged)
    ]
    assert deals == [
        ("opportunity", "o1", 100, "EUR", "2026-12-31"),
        ("opportunity", "o1", 250, "EUR", "2026-12-31"),
        ("won", "o1", 250, "EUR", "2026-12-31"),
    ]


def test_a_customer_can_start_again_and_goes_to_who_won_them() -> None:
    world, _ = handed_over("rex", raised=True)
    world.act("l1", "won", "rex", actor="sales")
    world.wait(DAY)
    world.said()
    world.does("l1", "form")
    world.act("l1", "won", "rex", actor="sales")
    staged, qualified = [
        fact for fact in world.facts() if isinstance(fact, LeadStaged | LeadQualified)
    ][:2]
    assert (staged.from_stage, staged.to_stage, staged.cycle) == ("customer", "mql", 2)
    assert (
        qualified.owner,
        qualified.cycle,
        [cycle.outcome for cycle in qualified.story.earlier_cycles],
    ) == (
        "rex",
        2,
        ["customer"],
    )


@pytest.mark.parametrize(
    ("kind", "reason", "to"),
    [
        ("recycled", "not_ready", "recycled"),
        ("recycled", "student", "disqualified"),
        ("disqualified", "not_ready", "disqualified"),
        ("lost", "lost_to_competitor", "recycled"),
    ],
)
def test_a_person_ends_the_cycle_and_the_reason_decides_where_it_leads(
    kind: str, reason: str, to: str
) -> None:
    world, _ = handed_over("rex", raised=True)
    world.act("l1", "accepted", "rex", actor="sales")
    world.said()
    world.act("l1", kind, "rex", actor="sales", reason=reason)
    staged = world.facts(LeadStaged)[0]
    assert (staged.event, staged.from_stage, staged.to_stage, staged.cycle, staged.by) == (
        kind,
        "sal",
        to,
        1,
        "rex",
    )


def recycled(
    lead: str, *, cycle: int = 1, reason: str = "not_ready", outcome: str = "recycle", **more: Any
) -> LeadRecycled:
    """The SLA watcher ends a cycle."""
    return LeadRecycled(
        recycle_id=f"r{cycle}",
        lead_id=lead,
        cycle=cycle,
        outcome=outcome,
        reason=reason,
        at_ms=0,
        cause_id="c",
        agreement="v",
        **more,
    )


def reactivated(lead: str, *, cycle: int = 1, reason: str = "return_date") -> LeadReactivated:
    """The rest is over."""
    return LeadReactivated(
        lead_id=lead,
        cycle=cycle,
        recycle_id=f"r{cycle}",
        reason=reason,
        at_ms=0,
        cause_id="c",
        agreement="v",
    )


def test_a_new_cycle_counts_only_activity_since_the_recycling_and_qualifies_again() -> None:
    world, _ = handed_over()
    world.send(recycled("l1"))
    assert world.said() == ["l1/1 recycled by system: mql -> recycled: not_ready", "l1 cold A3 0"]
    world.wait(DAY)
    world.does("l1", "webinar", ago=2 * DAY)
    world.does("l1", "page_view")
    assert world.said() == ["l1 cold A3 10"]
    world.does("l1", "form")
    assert world.said() == [
        "l1 warm A2 45",
        "l1/2 qualified by system: recycled -> mql",
        "l1 qualified for sdr, warm",
    ]


def test_a_raised_hand_breaks_the_cool_off_and_nothing_else_does() -> None:
    world, _ = handed_over()
    world.send(
        recycled("l1", cool_off_until_ms=world.now + 30 * DAY, return_at_ms=world.now + 60 * DAY)
    )
    world.wait(DAY)
    world.said()
    world.does("l1", "form")
    assert world.said() == ["l1 warm A2 35"]
    world.does("l1", "demo_request")
    assert world.said()[1:] == [
        "l1/2 qualified by system: recycled -> mql",
        "l1 qualified for sales, hot, hand raised",
    ]


def test_what_was_done_in_the_cool_off_counts_at_the_return() -> None:
    world, _ = handed_over()
    world.send(recycled("l1", cool_off_until_ms=world.now + 30 * DAY))
    world.wait(DAY)
    world.does("l1", "form")
    world.said()
    world.send(reactivated("l1"))
    assert world.said() == [
        "l1/2 reactivated by system: recycled -> inquiry: return_date",
        "l1 warm A2 35",
        "l1/2 qualified by system: inquiry -> mql",
        "l1 qualified for sdr, warm",
    ]


def test_a_lead_that_becomes_hot_in_its_cool_off_is_published_once_and_counts_at_the_return() -> (
    None
):
    world = World()
    world.fits("l1")
    world.does("l1", "webinar")
    world.route("l1", "ann")
    world.act("l1", "recycled", reason="not_ready")
    world.send(recycled("l1", cool_off_until_ms=world.now + 30 * DAY))
    world.wait(HOUR)
    world.said()
    world.does("l1", "form")
    assert [staged.event for staged in world.facts(LeadStaged)] == []
    world.does("l1", "webinar")
    (hot,) = world.facts(LeadStaged)
    assert (hot.event, hot.from_stage, hot.to_stage, hot.level, hot.reason) == (
        "became_hot",
        "recycled",
        "recycled",
        "hot",
        "cool-off",
    )
    world.does("l1", "page_view")
    assert [staged.event for staged in world.facts(LeadStaged)] == []


def test_what_sales_learnt_goes_along_with_every_move() -> None:
    world = World()
    world.fits("l1", competitor="Rival", objections="price")
    world.does("l1", "webinar")
    world.route("l1", "ann")
    world.act("l1", "recycled", reason="not_ready")
    (ended,) = world.facts(LeadStaged)[-1:]
    assert (ended.event, dict(ended.learnt)) == (
        "recycled",
        {"objections": "price", "competitor": "Rival"},
    )


def test_sales_read_who_of_the_bridge_team_qualified_the_lead_and_what_was_learnt_on_the_call() -> (
    None
):
    world = World()
    world.fits("l1", pain_points="spreadsheets")
    world.does("l1", "webinar")
    world.route("l1", "ann")
    world.act("l1", "call", objections=("price",), competitor="Rival")
    world.act("l1", "accepted")
    world.said()
    world.act("l1", "qualified")
    (passed_on,) = world.facts(LeadQualified)
    assert (passed_on.leg, passed_on.qualified_by) == ("sales", "ann")
    learnt = {name: passed_on.story.profile.get(name) for name in LEARNT}
    assert learnt == {
        "objections": "price",
        "pain_points": "spreadsheets",
        "current_supplier": None,
        "competitor": "Rival",
    }


def test_objections_that_acts_name_are_collected_and_the_newest_competitor_holds_in_any_order() -> (
    None
):
    said = [
        {"objections": ("price",), "competitor": "Old", "ago": 2 * HOUR},
        {"objections": ("timing", "price"), "competitor": "New", "ago": HOUR},
    ]
    for order in (said, said[::-1]):
        world = World()
        world.fits("l1", competitor="Profile", pain_points="spreadsheets")
        world.does("l1", "webinar")
        world.route("l1", "ann")
        for more in order:
            world.act("l1", "call", **more)
        world.act("l1", "call", "stranger", objections=("nothing",))
        world.act("l1", "recycled", reason="not_ready")
        assert dict(world.facts(LeadStaged)[-1].learnt) == {
            "objections": "price;timing",
            "competitor": "New",
            "pain_points": "spreadsheets",
        }


def test_a_revised_date_ends_nothing_and_is_kept_by_the_rest_that_stands_alone() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "webinar")
    world.route("l1", "ann")
    world.act("l1", "recycled", reason="not_ready")
    planned = recycled("l1", cool_off_until_ms=world.now + 30 * DAY)
    world.send(planned)
    world.wait(HOUR)
    world.said()
    world.send(replace(planned, revised=True, cool_off_until_ms=world.now))
    world.does("l1", "webinar")
    world.does("l1", "form")
    assert "l1/2 qualified by system: recycled -> mql" in world.said()
    world.send(replace(planned, revised=True))
    assert world.said() == []


def test_the_end_of_a_former_rest_ends_no_other() -> None:
    """Its word may come when the next cycle has ended too, and before that one's dates."""
    world, _ = handed_over()
    world.send(recycled("l1", return_at_ms=world.now + 9 * DAY))
    world.wait(DAY)
    world.does("l1", "demo_request")
    world.route("l1", "rex")
    world.act("l1", "accepted", "rex", actor="sales")
    world.act("l1", "recycled", "rex", actor="sales", reason="not_ready")
    assert world.said()[-2:] == [
        "l1/2 recycled by sales: sal -> recycled: not_ready",
        "l1 cold A3 0",
    ]
    world.send(reactivated("l1"), reactivated("l1", cycle=2, reason="hand_raised"))
    assert world.said() == []
    world.send(reactivated("l1", cycle=2))
    assert world.said() == ["l1/3 reactivated by system: recycled -> inquiry: return_date"]


def test_the_dates_of_a_persons_recycling_come_afterwards_and_end_nothing_again() -> None:
    world, _ = handed_over()
    world.act("l1", "recycled", reason="not_ready")
    world.said()
    world.send(
        recycled("l1", cool_off_until_ms=world.now + DAY),
        recycled("l1", cool_off_until_ms=world.now + DAY),
    )
    world.wait(2 * DAY)
    world.does("l1", "form")
    assert world.said() == [
        "l1 warm A2 35",
        "l1/2 qualified by system: recycled -> mql",
        "l1 qualified for sdr, warm",
    ]


def test_the_end_of_a_former_cycle_is_refused() -> None:
    world, _ = handed_over()
    world.send(recycled("l1"))
    world.wait(DAY)
    world.does("l1", "demo_request")
    world.said()
    world.send(recycled("l1"))
    assert world.said() == ["l1 refused recycled by system at mql: former_cycle"]


def test_a_disqualified_lead_stays_out_and_says_so_when_it_raises_its_hand() -> None:
    world, _ = handed_over()
    world.act("l1", "disqualified", reason="competitor")
    world.wait(DAY)
    world.does("l1", "form")
    world.said()
    world.does("l1", "demo_request")
    assert [line for line in world.said() if "cold" not in line and "warm" not in line] == [
        "l1 refused qualified by system at disqualified: disqualified"
    ]
    world.act("l1", "recycled", "max", actor="marketing", reason="not_ready")
    assert world.said()[0] == "l1/2 recycled by marketing: disqualified -> recycled: not_ready"


def test_a_hand_that_is_raised_in_the_middle_of_a_cycle_notifies_who_has_the_lead() -> None:
    world, handoff = handed_over()
    world.act("l1", "accepted")
    world.said()
    world.does("l1", "demo_request")
    staged = world.facts(LeadStaged)[0]
    assert (
        staged.event,
        staged.from_stage,
        staged.to_stage,
        staged.handoff_id,
        staged.hand_raised,
    ) == (
        "hand_raised",
        "tal",
        "tal",
        handoff,
        True,
    )


def test_a_crossed_acceptance_is_the_former_holders_own() -> None:
    world, first = handed_over("ann")
    world.wait(HOUR)
    world.route("l1", "bob", attempt=2)
    world.act("l1", "accepted", "cid", handoff_id=first, ago=2 * MINUTE)
    assert world.said() == ["l1 refused accepted by sdr at mql: stale_handoff"]


def test_an_automatic_mail_is_no_touch_that_would_keep_a_lead_from_its_first_holder() -> None:
    world, first = handed_over("ann")
    world.wait(HOUR)
    world.route("l1", "bob", attempt=2)
    world.act("l1", "mail", "bob", automatic=True)
    world.act("l1", "accepted", "ann", handoff_id=first, ago=2 * MINUTE)
    assert world.said() == ["l1/1 accepted by sdr: mql -> tal"]


def test_an_older_word_about_an_opportunity_does_not_change_a_newer_one() -> None:
    world, _ = handed_over("rex", raised=True)
    world.act(
        "l1",
        "opportunity",
        "rex",
        actor="sales",
        opportunity_id="o1",
        amount_minor=250,
        currency="EUR",
    )
    world.act(
        "l1",
        "opportunity",
        "rex",
        actor="sales",
        opportunity_id="o1",
        amount_minor=100,
        currency="USD",
        ago=HOUR,
    )
    assert [(fact.amount_minor, fact.currency) for fact in world.facts(LeadStaged)] == [
        (250, "EUR"),
        (250, "EUR"),
    ]


def test_a_routed_record_of_an_earlier_attempt_takes_nothing_back() -> None:
    world, _ = handed_over("ann")
    world.route("l1", "bob", attempt=3)
    world.route("l1", "cid", attempt=2)
    world.act("l1", "accepted", "bob")
    assert world.said() == ["l1/1 accepted by sdr: mql -> tal"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, ["l1/1 accepted by sdr: mql -> tal: by_touch"]),
        ({"automatic": True}, []),
        ({"handoff_id": "somebody else's"}, []),
    ],
    ids=["a call", "a machine's", "about another hand-off"],
)
def test_a_touch_by_whom_it_was_offered_to_is_an_acceptance(
    more: dict[str, Any], said: list[str]
) -> None:
    world, _ = handed_over()
    world.act("l1", "call", "ann", **more)
    assert world.said() == said


def test_a_lead_that_was_taken_by_a_touch_does_not_cool() -> None:
    world, _ = handed_over()
    world.act("l1", "call", "ann")
    world.said()
    world.wait(400 * DAY)
    assert [line for line in world.said() if "withdrawn" in line] == []
