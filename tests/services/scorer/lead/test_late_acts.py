"""Acts count when they were done, about the hand-off that stood then, however late they are
reported: a table of every pair of (late act, what happened meanwhile), against the same acts
reported in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from baton.contracts.leads import LeadQualified, LeadRefused, LeadStaged
from baton.contracts.routing import HandoffNoted
from baton.contracts.slas import LeadRecycled
from baton.derived_ids import derived_id
from tests.services.scorer.scorer_world import DAY, HOUR, MINUTE, World, agreement

REASONS: Final[Mapping[str, str]] = {
    "rejected": "not_ready",
    "recycled": "not_ready",
    "disqualified": "competitor",
}
LATE: Final = ("accepted", "rejected", "qualified", "recycled", "disqualified")


def handed_to_ann() -> World:
    """A warm lead that ann has been offered an hour ago, by an act that decays."""
    world = World(agreement(dwell="0 days"))
    world.fits("l1")
    world.does("l1", "webinar")
    world.route("l1", "ann")
    world.wait(HOUR)
    return world


def ended(world: World, reason: str, *, cycle: int = 1) -> None:
    """The SLA watcher ends the cycle."""
    world.send(
        LeadRecycled(
            recycle_id=f"r{cycle}",
            lead_id="l1",
            cycle=cycle,
            outcome="recycle",
            reason=reason,
            at_ms=world.now,
            cause_id="c",
            agreement="v",
            cool_off_until_ms=world.now,
        )
    )


def nothing(world: World) -> None:
    """Nothing happens."""


def cooled(world: World) -> None:
    """The level falls, the MQL is withdrawn, the lead rests."""
    world.wait(30 * DAY)
    ended(world, "cooled")


def cooled_and_requalified(world: World) -> None:
    """It cools, does something again and is offered to bob."""
    cooled(world)
    world.does("l1", "form")
    world.route("l1", "bob")


def reassigned(world: World) -> None:
    """It is taken from ann and offered to bob."""
    world.route("l1", "bob", attempt=2)


def reassigned_and_touched(world: World) -> None:
    """It is offered to bob, and he calls."""
    reassigned(world)
    world.act("l1", "call", "bob")


def expired(world: World) -> None:
    """The SLA watcher ends the cycle, since nobody answered."""
    ended(world, "sla_expired")


def expired_and_requalified(world: World) -> None:
    """It is offered to bob in its second cycle."""
    expired(world)
    world.wait(HOUR)
    world.does("l1", "form")
    world.route("l1", "bob")


def disqualified(world: World) -> None:
    """Ann's manager has it out."""
    world.act("l1", "disqualified", "mona", actor="manager", reason="competitor")


MEANWHILE: Final[Mapping[Callable[[World], None], Mapping[str, str]]] = {
    nothing: {
        "accepted": "tal",
        "rejected": "mql",
        "qualified": "tql",
        "recycled": "recycled",
        "disqualified": "disqualified",
    },
    cooled: {
        "accepted": "tal",
        "rejected": "refused: withdrawn_already",
        "qualified": "tql",
        "recycled": "refused: withdrawn_already",
        "disqualified": "disqualified",
    },
    cooled_and_requalified: dict.fromkeys(LATE, "refused: nothing_handed_off"),
    reassigned: {"accepted": "tal"} | dict.fromkeys(LATE[1:], "refused: stale_handoff"),
    reassigned_and_touched: dict.fromkeys(LATE, "refused: stale_handoff"),
    expired: dict.fromkeys(LATE[:4], "refused: former_cycle")
    | {"disqualified": "refused: nothing_open"},
    expired_and_requalified: dict.fromkeys(LATE, "refused: former_cycle"),
    disqualified: dict.fromkeys(LATE[:4], "refused: former_cycle")
    | {"disqualified": "refused: disqualified"},
}


@pytest.mark.parametrize("meanwhile", MEANWHILE, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("act", LATE)
def test_a_late_act_is_about_the_hand_off_that_stood_when_it_was_done(
    act: str, meanwhile: Callable[[World], None]
) -> None:
    world = handed_to_ann()
    done_at = world.now - MINUTE
    meanwhile(world)
    world.wait(MINUTE)
    world.facts()
    world.act("l1", act, "ann", actor="", ago=world.now - done_at, reason=REASONS.get(act))
    assert outcome(world) == MEANWHILE[meanwhile][act]


def outcome(world: World) -> str:
    """Where the lead has come to, or why not."""
    facts = world.facts()
    refused = [fact.reason for fact in facts if isinstance(fact, LeadRefused)]
    if refused:
        return f"refused: {refused[-1]}"
    return str([fact.to_stage for fact in facts if isinstance(fact, LeadStaged)][-1])


@pytest.mark.parametrize(
    ("kind", "by", "more", "stage"),
    [
        ("recycled", "rex", {"reason": "not_ready"}, "recycled"),
        ("lost", "rex", {"reason": "lost_other"}, "recycled"),
        ("won", "rex", {}, "customer"),
    ],
)
def test_a_hand_raised_after_a_verdict_and_before_its_report_is_not_lost(
    kind: str, by: str, more: dict[str, Any], stage: str
) -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "demo_request")
    world.route("l1", by)
    world.act("l1", "accepted", by, actor="sales")
    world.wait(HOUR)
    world.does("l1", "demo_request")
    world.wait(MINUTE)
    world.said()
    world.act("l1", kind, by, actor="sales", ago=2 * MINUTE, **more)
    staged = [(fact.cycle, fact.event, fact.to_stage) for fact in world.facts(LeadStaged)]
    assert staged == [(1, kind, stage), (2, "qualified", "mql")]


def test_a_hand_raised_before_the_verdict_was_answered_by_it() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "demo_request")
    world.route("l1", "rex")
    world.wait(HOUR)
    world.does("l1", "demo_request")
    world.wait(MINUTE)
    world.said()
    world.act("l1", "recycled", "rex", actor="sales", reason="not_ready")
    assert [(fact.cycle, fact.event) for fact in world.facts(LeadStaged)] == [(1, "recycled")]


def test_a_hand_raised_after_a_disqualification_is_refused_aloud() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "demo_request")
    world.route("l1", "rex")
    world.wait(HOUR)
    world.does("l1", "demo_request")
    world.wait(MINUTE)
    world.said()
    world.act("l1", "disqualified", "rex", actor="sales", reason="competitor", ago=2 * MINUTE)
    assert [line for line in world.said() if "cold" not in line] == [
        "l1/1 disqualified by sales: mql -> disqualified: competitor",
        "l1 refused qualified by system at disqualified: disqualified",
    ]


def test_what_was_done_after_the_act_that_ended_a_cycle_counts_in_the_next() -> None:
    in_order, late = World(), World()
    for world in (in_order, late):
        world.fits("l1")
        world.does("l1", "form")
        world.route("l1", "ann")
        world.wait(HOUR)
    in_order.act("l1", "recycled", reason="not_ready")
    for world in (in_order, late):
        world.wait(HOUR)
        world.does("l1", "page_view")
        world.wait(HOUR)
    late.act("l1", "recycled", reason="not_ready", ago=2 * HOUR)
    lines = []
    for world in (in_order, late):
        world.said()
        world.does("l1", "form")
        lines.append(world.said())
    assert lines[0] == lines[1] == ["l1 warm A2 44.9712"]


def test_an_act_dated_before_anything_was_handed_off_is_about_nothing() -> None:
    world = handed_to_ann()
    world.said()
    world.act("l1", "accepted", ago=2 * HOUR)
    world.act("l1", "rejected", reason="not_ready", ago=2 * HOUR)
    assert world.said() == [
        "l1 refused accepted by sdr at mql: nothing_handed_off",
        "l1 refused rejected by sdr at mql: nothing_handed_off",
    ]


def test_a_clock_that_is_a_little_behind_costs_nobody_their_act() -> None:
    world = handed_to_ann()
    world.said()
    world.act("l1", "accepted", ago=HOUR + MINUTE)
    assert world.said() == ["l1/1 accepted by sdr: mql -> tal"]


def test_the_hand_off_that_is_named_decides_whatever_the_date() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "form")
    handoff = world.route("l1", "ann")
    world.said()
    world.act("l1", "accepted", ago=DAY, handoff_id=handoff)
    assert world.said() == ["l1/1 accepted by sdr: mql -> tal"]


def test_a_crossed_acceptance_wins_without_naming_its_hand_off() -> None:
    world = handed_to_ann()
    world.route("l1", "bob", attempt=2)
    world.wait(MINUTE)
    world.said()
    world.act("l1", "accepted", ago=2 * MINUTE)
    (staged,) = world.facts(LeadStaged)
    (qualified,) = world.facts(LeadQualified, whole=True)
    assert (staged.by, staged.to_stage, staged.qualification_id) == (
        "ann",
        "tal",
        qualified.qualification_id,
    )


def test_in_the_very_moment_of_a_reassignment_the_lead_is_still_whose_it_was() -> None:
    world = handed_to_ann()
    world.route("l1", "bob", attempt=2)
    world.said()
    world.act("l1", "accepted", "ann")
    (staged,) = world.facts(LeadStaged)
    assert (staged.by, staged.to_stage) == ("ann", "tal")


def test_in_the_very_moment_of_a_reassignment_the_next_holder_may_accept_too() -> None:
    world = handed_to_ann()
    second = world.route("l1", "bob", attempt=2)
    world.said()
    world.act("l1", "accepted", "bob")
    (staged,) = world.facts(LeadStaged)
    assert (staged.by, staged.handoff_id) == ("bob", second)


def test_what_was_accepted_in_time_is_handed_back_to_who_accepted_it_and_names_their_hands() -> (
    None
):
    world = handed_to_ann()
    done_at = world.now
    cooled(world)
    world.said()
    world.act("l1", "accepted", ago=world.now - done_at)
    (qualified,) = world.facts(LeadQualified, whole=True)[-1:]
    assert (qualified.owner, qualified.leg, qualified.level, qualified.cycle) == (
        "ann",
        "sdr",
        "warm",
        1,
    )
    assert world.said()[-2:] == ["l1 qualified for sdr, warm", "l1/1 accepted by sdr: mql -> tal"]


def withdrawn(world: World, *, handoff_id: str, attempt: int, owner: str, kind: str) -> None:
    """dispatch takes a hand-off back (``withdrawn``), or lets it stand again (``noted``)."""
    (qualified,) = world.facts(LeadQualified, whole=True)
    world.send(
        HandoffNoted(
            handoff_id=handoff_id,
            qualification_id=qualified.qualification_id,
            attempt=attempt,
            lead_id="l1",
            kind=kind,
            reason="reassigned" if kind == "withdrawn" else "reinstated",
            cause_id="c",
            at_ms=world.now,
            owner=owner,
            pool="pool",
            leg="sdr",
        )
    )


@pytest.mark.parametrize("named", [True, False])
def test_an_acceptance_from_before_a_withdrawal_stands_while_the_lead_still_waits_for_another(
    *, named: bool
) -> None:
    world = handed_to_ann()
    (qualified,) = world.facts(LeadQualified, whole=True)
    first = derived_id("handoff", qualified.qualification_id, 1)
    withdrawn(world, handoff_id=first, attempt=1, owner="ann", kind="withdrawn")
    world.wait(10 * MINUTE)
    world.said()
    world.act("l1", "accepted", ago=20 * MINUTE, handoff_id=first if named else None)
    (staged,) = world.facts(LeadStaged)
    assert (staged.event, staged.by, staged.handoff_id) == ("accepted", "ann", first)


def test_an_acceptance_from_after_a_withdrawal_is_refused_while_the_lead_waits() -> None:
    world = handed_to_ann()
    (qualified,) = world.facts(LeadQualified, whole=True)
    first = derived_id("handoff", qualified.qualification_id, 1)
    withdrawn(world, handoff_id=first, attempt=1, owner="ann", kind="withdrawn")
    world.wait(HOUR)
    world.said()
    world.act("l1", "accepted", ago=MINUTE, handoff_id=first)
    assert world.said() == ["l1 refused accepted by sdr at mql: stale_handoff"]


@pytest.mark.parametrize("by_dispatch", [True, False])
def test_of_a_hand_off_that_stands_again_counts_what_its_holder_did_before_it_was_taken_away(
    *, by_dispatch: bool
) -> None:
    world = handed_to_ann()
    (qualified,) = world.facts(LeadQualified, whole=True)
    first = derived_id("handoff", qualified.qualification_id, 1)
    second = world.route("l1", "bob", attempt=2)
    world.wait(MINUTE)
    if by_dispatch:
        withdrawn(world, handoff_id=first, attempt=1, owner="ann", kind="noted")
        withdrawn(world, handoff_id=second, attempt=2, owner="bob", kind="withdrawn")
    world.act("l1", "accepted", ago=50 * MINUTE, handoff_id=first)
    world.said()
    world.act("l1", "qualified", ago=30 * MINUTE)
    assert world.said()[:1] == ["l1/1 qualified by sdr: tal -> tql"]


@pytest.mark.parametrize(
    ("kind", "by", "done_before", "outcome"),
    [
        ("accepted", "ann", True, "l1 refused accepted by sdr at mql: rejected_already"),
        ("rejected", "ann", True, "l1 refused rejected by sdr at mql: rejected_already"),
        ("rejected", "ann", False, "l1 refused rejected by sdr at mql: rejected_already"),
        ("accepted", "ann", False, "l1/1 accepted by sdr: mql -> tal"),
    ],
)
def test_after_a_rejection_only_a_later_acceptance_is_heard(
    kind: str, by: str, done_before: bool, outcome: str
) -> None:
    world = handed_to_ann()
    world.act("l1", "rejected", reason="bad_data", ago=10 * MINUTE)
    world.wait(MINUTE)
    world.said()
    reason = {"reason": "bad_data"} if kind == "rejected" else {}
    world.act("l1", kind, by, ago=30 * MINUTE if done_before else 0, **reason)
    assert world.said() == [outcome]


@pytest.mark.parametrize(
    ("kind", "more", "brought_back"),
    [
        ("call", {}, True),
        ("meeting", {}, True),
        ("mail", {"automatic": True}, False),
        ("note", {}, False),
    ],
)
def test_a_touch_from_before_a_withdrawal_that_is_reported_after_it_is_an_acceptance(
    kind: str, more: dict[str, Any], brought_back: bool
) -> None:
    world = handed_to_ann()
    done_at = world.now
    cooled(world)
    world.said()
    world.act("l1", kind, ago=world.now - done_at, **more)
    lines = ["l1 qualified for sdr, warm", "l1/1 accepted by sdr: mql -> tal: by_touch"]
    assert world.said()[-2:] == (lines if brought_back else [])


def test_a_touch_from_after_a_withdrawal_brings_nothing_back() -> None:
    world = handed_to_ann()
    cooled(world)
    world.said()
    world.act("l1", "call")
    assert world.said() == []
