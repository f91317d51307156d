"""The deals of a lead: several of them, what changes of one, and a win that was none."""

from __future__ import annotations

from typing import Any

import pytest

from baton.contracts.acts import DealContact
from baton.contracts.deals import CloseDate, LeadDeal
from baton.contracts.intake import LeadMerge
from baton.contracts.leads import LeadRefused, LeadStaged
from tests.services.scorer.lead.test_dispositions import handed_over
from tests.services.scorer.scorer_world import DAY, HOUR, World

EUR = {"currency": "EUR"}


def sold(*names: str) -> World:
    """A lead whose deals are open, in the hands of rex, with what was said so far forgotten."""
    world, _ = handed_over("rex", raised=True)
    for name in names:
        says(world, "opportunity", name, amount_minor=100, **EUR)
    world.facts()
    return world


def says(world: World, kind: str, name: str | None = None, by: str = "rex", **more: Any) -> None:
    """An act of sales about a deal, an hour after the one before."""
    actor = {"ann": "sdr", "max": "marketing"}.get(by, "sales")
    world.act("l1", kind, by, actor=actor, opportunity_id=name, **more)
    world.wait(HOUR)


def moves(world: World) -> list[str]:
    """Moves and refusals since the last asking, a line each."""
    lines = []
    for fact in world.facts():
        if isinstance(fact, LeadStaged):
            state = f" {fact.deal.opportunity_id} {fact.deal.state}" if fact.deal else ""
            lines.append(f"{fact.event} {fact.from_stage}>{fact.to_stage}{state}")
        elif isinstance(fact, LeadRefused):
            lines.append(f"refused {fact.event}: {fact.reason}")
    return lines


def last_deal(world: World) -> LeadDeal:
    deals = [fact.deal for fact in world.facts(LeadStaged) if fact.deal is not None]
    return deals[-1]


def test_a_deal_carries_its_stage_next_step_and_contacts() -> None:
    world = sold("o1")
    contacts = (DealContact(who="salesforce:0035g00000AbCdEAAV", role="decision_maker"),)
    says(
        world,
        "deal",
        "o1",
        deal_stage="proposal",
        next_step="send_offer",
        next_step_on="2026-04-01",
        contacts=contacts,
    )
    deal = last_deal(world)
    assert (deal.state, deal.amount_minor, deal.currency) == ("open", 100, "EUR")
    assert (deal.deal_stage, deal.next_step, deal.next_step_on) == (
        "proposal",
        "send_offer",
        "2026-04-01",
    )
    assert deal.contacts == contacts
    says(world, "deal", "o1", next_step="call_back", contacts=())
    deal = last_deal(world)
    assert (deal.deal_stage, deal.next_step, deal.next_step_on, deal.contacts) == (
        "proposal",
        "call_back",
        None,
        (),
    )


def test_a_change_of_a_deal_is_no_move_of_the_lead() -> None:
    world = sold("o1")
    says(world, "deal", "o1", amount_minor=70)
    assert moves(world) == ["deal_changed opportunity>opportunity o1 open"]


def test_the_history_of_close_dates_is_in_order_whenever_its_parts_come() -> None:
    world = sold("o1")
    says(world, "deal", "o1", expected_close="2026-06-30")
    second = world.now
    says(world, "deal", "o1", expected_close="2026-09-30")
    says(world, "deal", "o1", expected_close="2026-09-30")
    says(world, "deal", "o1", expected_close="2026-04-30", ago=4 * HOUR)
    deal = last_deal(world)
    assert deal.expected_close == "2026-09-30"
    assert [date.day for date in deal.close_dates] == ["2026-04-30", "2026-06-30", "2026-09-30"]
    assert deal.close_dates[-1] == CloseDate(day="2026-09-30", since_ms=second)


def test_an_older_word_fills_in_what_no_newer_one_says() -> None:
    world = sold("o1")
    says(world, "deal", "o1", amount_minor=250)
    says(world, "deal", "o1", amount_minor=90, expected_close="2026-05-01", ago=2 * HOUR)
    deal = last_deal(world)
    assert (deal.amount_minor, deal.expected_close) == (250, "2026-05-01")


def test_the_amount_of_a_won_deal_is_corrected_by_any_of_sales_and_the_lead_stays_a_customer() -> (
    None
):
    world = sold("o1")
    says(world, "won", "o1")
    says(world, "deal", "o1", by="sue", amount_minor=60)
    assert moves(world) == [
        "won opportunity>customer o1 won",
        "deal_changed customer>customer o1 won",
    ]


def test_a_win_that_is_taken_back_makes_the_deal_open_again_and_infers_nothing() -> None:
    world = sold("o1")
    says(world, "won", "o1")
    world.facts()
    says(world, "reopened")
    (staged,) = world.facts(LeadStaged)
    assert (staged.event, staged.from_stage, staged.to_stage, staged.inferred) == (
        "reopened",
        "customer",
        "opportunity",
        (),
    )
    assert staged.deal is not None
    assert (staged.deal.state, staged.deal.won_at_ms, staged.by) == ("open", 0, "rex")
    says(world, "lost", "o1", reason="lost_other")
    assert moves(world) == ["lost opportunity>recycled o1 lost"]


def test_the_loss_of_one_of_two_deals_leaves_the_lead_where_it_is() -> None:
    world = sold("o1", "o2")
    says(world, "lost", "o1", reason="lost_other")
    says(world, "lost", "o2", reason="lost_other")
    assert moves(world) == [
        "deal_changed opportunity>opportunity o1 lost",
        "lost opportunity>recycled o2 lost",
    ]


def test_a_customers_other_open_deal_can_be_won_or_lost_later() -> None:
    world = sold("o1", "o2", "o3")
    says(world, "won", "o1")
    says(world, "won", "o2")
    says(world, "lost", "o3", reason="lost_other")
    assert moves(world) == [
        "won opportunity>customer o1 won",
        "won customer>customer o2 won",
        "deal_changed customer>customer o3 lost",
    ]


def test_a_second_deal_of_a_customer_that_nobody_announced_is_won() -> None:
    world = sold("o1")
    says(world, "won", "o1")
    says(world, "won", "o2", amount_minor=30, **EUR)
    assert moves(world)[1:] == ["won customer>customer o2 won"]


@pytest.mark.parametrize(
    ("kind", "name", "by", "more", "reason"),
    [
        ("won", "o1", "rex", {}, "won_already"),
        ("opportunity", "o1", "rex", {"amount_minor": 5, **EUR}, "won_already"),
        ("lost", "o1", "rex", {"reason": "lost_other"}, "won_already"),
        ("won", None, "rex", {}, "nothing_open"),
        ("deal", "o9", "rex", {"amount_minor": 5}, "deal_unknown"),
        ("reopened", "o9", "rex", {}, "deal_unknown"),
        ("deal", "o1", "ann", {"amount_minor": 5}, "actor_may_not"),
        ("deal", "o1", "max", {"amount_minor": 5}, "actor_may_not"),
        ("reopened", "o1", "ann", {}, "actor_may_not"),
    ],
)
def test_what_cannot_be_said_of_a_won_deal_is_refused_with_its_reason(
    kind: str, name: str | None, by: str, more: dict[str, Any], reason: str
) -> None:
    world = sold("o1")
    says(world, "won", "o1")
    world.facts()
    says(world, kind, name, by, **more)
    event = {"deal": "deal_changed"}.get(kind, kind)
    assert moves(world) == [f"refused {event}: {reason}"]


def test_which_deal_is_meant_must_be_said_where_there_are_several() -> None:
    world = sold("o1", "o2")
    says(world, "deal", amount_minor=5)
    (refused,) = world.facts(LeadRefused)
    assert (refused.reason, refused.detail) == ("deal_not_named", "deals of the lead: o1, o2")
    says(world, "lost", "o9", reason="lost_other")
    assert moves(world) == ["refused lost: deal_unknown"]


def test_an_amount_without_any_currency_is_refused() -> None:
    world, _ = handed_over("rex", raised=True)
    says(world, "opportunity", "o1")
    world.facts()
    says(world, "deal", "o1", amount_minor=5)
    assert moves(world) == ["refused deal_changed: currency_missing"]


def test_a_negative_correction_is_refused() -> None:
    world = sold("o1")
    says(world, "deal", "o1", amount_minor=-5)
    assert moves(world) == ["refused deal_changed: amount_negative"]


def test_the_end_of_a_cycle_without_a_win_loses_what_is_open() -> None:
    world = sold("o1", "o2")
    says(world, "recycled", None, reason="not_ready")
    world.wait(DAY)
    world.facts()
    says(world, "deal", "o1", amount_minor=5)
    assert moves(world) == ["deal_changed recycled>recycled o1 lost"]


def test_an_open_deal_of_a_merged_lead_is_open_at_the_lead_it_ended_in() -> None:
    world = sold("o1")
    world.fits("l2")
    world.facts()
    merge = {"merge_id": "m1", "loser": "l1", "survivor": "l2", "cause_id": "c"}
    world.send(LeadMerge(**merge, occurred_at_ms=world.now))
    taken = [
        (fact.lead_id, fact.deal.opportunity_id, fact.deal.state)
        for fact in world.facts(LeadStaged)
        if fact.event == "deal_changed" and fact.deal is not None
    ]
    assert taken == [("l2", "o1", "open")]
