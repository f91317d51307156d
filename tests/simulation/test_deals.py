"""Deals through the whole system: from event lines to the facts and the goals of both sides."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.contracts.codec import codec_for
from baton.contracts.goals import GoalProgress
from baton.contracts.leads import LeadQualified, LeadRefused, LeadStaged
from baton.contracts.slas import LeadRecycled
from baton.contracts.topics import TOPICS
from baton.flow import all_reducers
from baton.proof.audit.audit import Audit
from baton.proof.audit.source import MemorySource
from baton.simulation.input_lines import read_lines
from baton.simulation.simulation import Simulation

AGREEMENT = Path(__file__).resolve().parents[2] / "examples" / "agreements" / "software.yaml"
DEAL = {"opportunity_id": "o-1", "amount_minor": 5_000_000, "currency": "EUR"}


def line(name: str, at: str, **parts: Any) -> dict[str, Any]:
    kind = "act" if "act" in parts else "engagement"
    identifiers = {"email": "ann@acme.example"}
    return {
        "id": name,
        "source": "crm",
        "kind": kind,
        "occurred_at": f"{at}+01:00",
        "identifiers": identifiers,
    } | parts


def act(name: str, at: str, kind: str, **more: Any) -> dict[str, Any]:
    return line(name, at, act={"kind": kind, "by": "ae-greta"} | more)


def facts_of(lines: list[dict[str, Any]]) -> list[Any]:
    """Every public fact of a run of the shipped agreement, whose log the audit finds sound."""
    text = canonical_text(read_agreement(AGREEMENT))
    arrivals = read_lines("\n".join(map(json.dumps, lines)).encode(), "lines")
    simulation = Simulation(text=text, version=version_of(text), start_ms=arrivals[0].at_ms)
    until_ms = arrivals[-1].at_ms + 3_600_000
    found = []
    for stored in simulation.run(arrivals, until_ms):
        kind = TOPICS[stored.topic].record
        if kind is not None and stored.value is not None:
            found.append(codec_for(kind).decode(stored.value))
    report = Audit(MemorySource(simulation.host.log), all_reducers(), grace_ms=2_000).run()
    assert (report.findings, report.unchecked) == ([], [])
    return found


DEMO = line(
    "demo",
    "2026-03-03T10:00:00",
    engagement={"act": "demo_request", "content_stage": "decision"},
    person={"first_name": "Ann", "phone": "+49 30 1234567"},
    profile={"country": "DE", "employees": 250, "role": "Head of Operations"},
)
STORY = [
    DEMO,
    act("a1", "2026-03-03T11:00:00", "accepted"),
    act("a2", "2026-03-04T11:00:00", "opportunity", **DEAL, expected_close="2026-03-31"),
    act("a3", "2026-03-05T11:00:00", "deal", opportunity_id="o-1", expected_close="2026-06-30"),
    act("a4", "2026-03-06T11:00:00", "won", opportunity_id="o-1"),
    act("a5", "2026-03-09T11:00:00", "deal", opportunity_id="o-1", amount_minor=4_000_000),
    act("a6", "2026-03-10T11:00:00", "reopened", opportunity_id="o-1"),
]


def test_a_deal_is_followed_from_event_lines_to_the_stages_and_the_goals() -> None:
    facts = facts_of(STORY)
    assert [fact for fact in facts if isinstance(fact, LeadRefused)] == []
    deals = [fact for fact in facts if isinstance(fact, LeadStaged) and fact.deal is not None]
    assert [(fact.event, fact.to_stage, fact.deal.amount_minor) for fact in deals if fact.deal] == [
        ("opportunity", "opportunity", 5_000_000),
        ("deal_changed", "opportunity", 5_000_000),
        ("won", "customer", 5_000_000),
        ("deal_changed", "customer", 4_000_000),
        ("reopened", "opportunity", 4_000_000),
    ]
    last = deals[-1].deal
    assert last is not None
    assert [date.day for date in last.close_dates] == ["2026-03-31", "2026-06-30"]
    won = [fact.achieved for fact in facts if isinstance(fact, GoalProgress) and fact.goal == "won"]
    assert [later for one, later in pairwise(won) if one != later] == [1, 0]
    coverage = [fact for fact in facts if isinstance(fact, GoalProgress) if fact.goal == "coverage"]
    assert (coverage[-1].achieved, coverage[-1].open_later) == (0, 40_000)


def test_one_deal_lost_leaves_the_other_and_both_lost_bring_the_lead_back() -> None:
    second = {"opportunity_id": "o-2", "amount_minor": 1_000_000, "currency": "EUR"}
    facts = facts_of(
        [
            *STORY[:5],
            act("b1", "2026-03-09T11:00:00", "opportunity", **second),
            act("b2", "2026-03-10T11:00:00", "reopened", opportunity_id="o-1"),
            act("b3", "2026-03-11T11:00:00", "lost", opportunity_id="o-1", reason="no_budget"),
            act("b4", "2026-03-12T11:00:00", "lost", opportunity_id="o-2", reason="not_ready"),
        ]
    )
    assert [fact for fact in facts if isinstance(fact, LeadRefused)] == []
    moves = [fact for fact in facts if isinstance(fact, LeadStaged) and fact.deal is not None]
    assert [
        (fact.event, fact.to_stage, fact.deal.opportunity_id) for fact in moves[3:] if fact.deal
    ] == [
        ("opportunity", "opportunity", "o-2"),
        ("reopened", "opportunity", "o-1"),
        ("deal_changed", "opportunity", "o-1"),
        ("lost", "recycled", "o-2"),
    ]
    (back,) = [fact for fact in facts if isinstance(fact, LeadRecycled)]
    assert (back.reason, back.track) == ("not_ready", "learn")


def crm(name: str, at: str, *ids: str, **parts: Any) -> dict[str, Any]:
    identifiers = {"crm": list(ids)}
    return line(name, at, **parts) | {"identifiers": identifiers}


def test_a_deal_that_came_before_its_contact_was_named_is_won_by_who_opened_it() -> None:
    """A CRM sends a deal's stage and its association in any order: until it is known whose deal it
    is, it is a lead of its own."""
    contact, deal = "hubspot:17", "hubspot-deal:77"
    opened = {"kind": "opportunity", "by": "ae-greta", **DEAL}
    known = crm(
        "c1",
        "2026-03-03T09:00:00",
        contact,
        profile={"country": "DE", "employees": 250},
        person={"first_name": "Ann", "email": "ann@acme.example"},
    )
    facts = facts_of(
        [
            known | {"kind": "profile"},
            crm("d1", "2026-03-03T10:00:00", deal, act=opened),
            crm("d2", "2026-03-03T10:00:05", contact, deal) | {"kind": "link"},
            crm(
                "d3",
                "2026-03-03T10:00:10",
                deal,
                act={"kind": "won", "by": "ae-greta", "opportunity_id": "o-1"},
            ),
        ]
    )
    assert [fact.reason for fact in facts if isinstance(fact, LeadRefused)] == []
    (qualified,) = [fact for fact in facts if isinstance(fact, LeadQualified)]
    assert (qualified.leg, qualified.owner) == ("sales", "ae-greta")
    (won,) = [fact for fact in facts if isinstance(fact, LeadStaged) and fact.event == "won"]
    assert (won.to_stage, won.deal and won.deal.amount_minor) == ("customer", 5_000_000)
