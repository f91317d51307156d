"""What becomes known after a qualification and matters to the person amends it; a lead that nobody
can reach is handed to nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from baton.contracts.intake import LeadMerge
from baton.contracts.leads import LeadAmended, LeadQualified, LeadScored, LeadStaged
from baton.contracts.streams import LeadDecision
from tests.services.scorer.lead.test_dispositions import recycled
from tests.services.scorer.scorer_world import (
    DAY,
    HOUR,
    LIFECYCLE,
    MINUTE,
    World,
    agreement,
    person_reported,
)

REACHABLE = {
    "Can be reached": {
        "when": {"field": "lead.reachable", "op": "is", "value": True},
        "fast_track": True,
    },
}


def amendments(world: World) -> list[LeadAmended]:
    """What the scorer reported since it was asked last."""
    return [fact.amended for fact in world.facts(LeadDecision) if fact.amended is not None]


def offered() -> World:
    """A warm lead with an SDR."""
    world = World()
    world.fits("l1")
    world.send(person_reported("l1", at_ms=world.now, email="ann@acme.example"))
    world.does("l1", "form")
    world.route("l1", "ann")
    world.facts()
    return world


@pytest.mark.parametrize(
    ("happens", "changed"),
    [
        (
            lambda world: world.send(person_reported("l1", at_ms=world.now, n=2, phone="+47 1")),
            ("person.phone",),
        ),
        (
            lambda world: world.send(
                person_reported("l1", at_ms=world.now, n=2, note="calls back on Monday")
            ),
            ("person.note",),
        ),
        (lambda world: world.fits("l1", industry="retail"), ("profile.industry",)),
        (lambda world: world.fits("l1", employees="500"), ("profile.employees", "segment")),
        (lambda world: world.fits("l1", domain="acme.example"), ("profile.domain", "account_id")),
        (lambda world: world.consent("l1", "sales", False), ("consents.sales/email",)),
        (lambda world: world.does("l1", "demo_request"), ("hand_raised", "level")),
        (lambda world: world.does("l1", "page_view", content_title="Prices"), None),
        (lambda world: world.fits("l1"), None),
        (
            lambda world: world.send(
                person_reported("l1", at_ms=world.now, n=2, email="ann@acme.example")
            ),
            None,
        ),
        (lambda world: world.act("l1", "accepted"), None),
        (lambda world: world.wait(DAY), None),
    ],
)
def test_what_matters_to_who_has_the_lead_is_an_amendment(
    happens: Callable[[World], Any], changed: tuple[str, ...] | None
) -> None:
    world = offered()
    (qualified,) = world.facts(LeadQualified, whole=True)
    happens(world)
    amended = amendments(world)
    assert [(entry.qualification_id, entry.changed) for entry in amended] == (
        [(qualified.qualification_id, changed)] if changed else []
    )


def test_an_amendment_carries_the_whole_brief_as_it_is_now() -> None:
    world = offered()
    world.send(
        person_reported("l1", at_ms=world.now, n=2, phone="+47 1", stated_problem="Leads wait")
    )
    (amended,) = amendments(world)
    person = amended.brief.person
    assert person is not None
    assert (person.email, person.phone, person.stated_problem) == (
        "ann@acme.example",
        "+47 1",
        "Leads wait",
    )
    assert (amended.brief.profile, amended.level, amended.leg, amended.hand_raised) == (
        {"country": "NO"},
        "warm",
        "sdr",
        False,
    )


def test_before_a_qualification_and_after_its_end_nothing_is_amended() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "form")
    world.route("l1", "ann")
    world.act("l1", "recycled", reason="not_ready")
    world.send(person_reported("l1", at_ms=world.now, n=2, phone="+47 1"))
    assert amendments(world) == []


def test_a_raised_hand_that_is_retracted_is_no_longer_hot() -> None:
    world = offered()
    event = world.does("l1", "demo_request")
    world.facts()
    world.retract("l1", event)
    (amended,) = amendments(world)
    assert (amended.changed, amended.hand_raised, amended.level) == (
        ("hand_raised", "level"),
        False,
        "warm",
    )


def test_a_hand_that_is_retracted_after_the_acceptance_was_never_raised() -> None:
    world = offered()
    world.act("l1", "accepted")
    event = world.does("l1", "demo_request")
    world.facts()
    world.retract("l1", event)
    (amended,) = amendments(world)
    assert (amended.changed, amended.hand_raised, amended.level) == (
        ("hand_raised", "level"),
        False,
        "warm",
    )


def test_a_lead_that_becomes_hot_while_somebody_has_it_is_hotter_and_cools_for_nobody() -> None:
    world = offered()
    world.facts()
    world.does("l1", "webinar")
    (amended,) = amendments(world)
    assert (amended.changed, amended.level, amended.leg, amended.hand_raised) == (
        ("level",),
        "hot",
        "sdr",
        False,
    )
    world.act("l1", "accepted")
    world.facts()
    world.wait(40 * DAY)
    assert world.facts(LeadScored)[-1].level != "hot"
    assert amendments(world) == []


def gated() -> World:
    """Under an agreement that hands nobody over who cannot be reached."""
    return World(agreement(lifecycle={**LIFECYCLE, "gates": REACHABLE}))


@pytest.mark.parametrize("act", ["form", "demo_request"])
def test_who_cannot_be_reached_waits_and_is_handed_over_when_there_is_a_way(act: str) -> None:
    world = gated()
    world.fits("l1")
    world.does("l1", act)
    assert world.facts(LeadQualified) == []
    assert world.facts(LeadScored, whole=True)[-1].level_reason.endswith("not yet: Can be reached")
    world.wait(HOUR)
    world.send(person_reported("l1", at_ms=world.now, phone="+47 1"))
    (qualified,) = world.facts(LeadQualified)
    assert (qualified.hand_raised, qualified.leg) == (
        act == "demo_request",
        "sales" if act == "demo_request" else "sdr",
    )


def test_a_hand_that_waited_too_long_at_a_gate_counts_no_more() -> None:
    world = gated()
    world.does("l1", "demo_request")
    world.wait(8 * DAY)
    world.send(person_reported("l1", at_ms=world.now, phone="+47 1"))
    assert world.facts(LeadQualified) == []


def test_a_hand_that_was_taken_back_while_it_waited_counts_no_more() -> None:
    world = gated()
    event = world.does("l1", "demo_request")
    world.wait(MINUTE)
    world.retract("l1", event)
    world.send(person_reported("l1", at_ms=world.now, phone="+47 1"))
    assert world.facts(LeadQualified) == []


def test_a_hand_that_an_anonymous_visitor_raised_goes_along_to_who_they_turn_out_to_be() -> None:
    world = gated()
    world.does("visitor", "demo_request")
    world.send(person_reported("ann", at_ms=world.now, email="ann@acme.example"))
    assert world.facts(LeadQualified) == []
    world.send(
        LeadMerge(
            merge_id="m", loser="visitor", survivor="ann", cause_id="m", occurred_at_ms=world.now
        )
    )
    (qualified,) = world.facts(LeadQualified)
    assert (qualified.lead_id, qualified.hand_raised) == ("ann", True)


def test_a_consent_and_an_erasure_infer_no_stage() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "demo_request")
    world.act("l1", "won", "rex", actor="sales")
    world.consent("l1", "marketing", False)
    world.report("l1", "erasure")
    staged = world.facts(LeadStaged)
    assert [(fact.event, fact.inferred) for fact in staged] == [
        ("qualified", ()),
        ("won", ("sal", "sql", "opportunity")),
        ("consent_changed", ()),
        ("erased", ()),
    ]


@pytest.mark.parametrize("outcome", ["recycle", "disqualify"])
def test_the_end_of_a_contract_that_a_resting_lead_reports_is_published(outcome: str) -> None:
    world = offered()
    world.send(recycled("l1", reason="in_contract", outcome=outcome))
    world.facts()
    world.report("l1", "profile", profile={"contract_end": "2027-06-30"})
    world.report("l1", "profile", profile={"contract_end": "2027-06-30", "industry": "retail"})
    staged = [
        (fact.event, fact.to_stage, fact.contract_end, fact.inferred)
        for fact in world.facts(LeadStaged)
    ]
    assert staged == (
        [("contract_end_learnt", "recycled", "2027-06-30", ())] if outcome == "recycle" else []
    )
