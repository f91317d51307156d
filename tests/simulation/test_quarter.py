"""The simulated quarter adds up, and what does not add up is found."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from baton.agreement.source.read import agreement_of
from baton.contracts.clock_kinds import CLOCK_KINDS, Clock, ClockKind, Occasion, Scope, Side
from baton.contracts.intake import ActKind
from baton.simulation.quarter.ninety_days import Quarter, play, second_half
from baton.simulation.quarter.quarter_report import problems, report
from baton.simulation.quarter.quarter_sums import fairness, sums
from baton.simulation.quarter.violation_causes import UNEXPLAINED, acts_that_meet, causes

TEXT = (
    Path(__file__).resolve().parents[2] / "examples" / "agreements" / "software.yaml"
).read_text()
LEADS = 250


@cache
def quarter(seed: int = 1) -> Quarter:
    return play(agreement_of(TEXT), agreement_of(second_half(TEXT)), leads=LEADS, seed=seed)


def test_a_quarter_adds_up_and_has_what_a_quarter_has() -> None:
    played = quarter()
    history = played.history
    assert problems(played) == []
    assert sum(causes(history).values()) == sum(
        said.kind == "breach" for said in history.violations
    )
    assert {"accept", "route"} <= {said.clock for said in history.violations}
    assert {one.period for one in sums(history, played.then)} == {"2026-10", "2026-11", "2026-12"}
    assert len({said.agreement for said in history.qualified}) == 2
    assert "Does it add up?\n\nYes" in report(played, leads=LEADS, seed=1)


def test_the_same_seed_gives_the_same_report() -> None:
    again = play(agreement_of(TEXT), agreement_of(second_half(TEXT)), leads=LEADS, seed=1)
    assert report(again, leads=LEADS, seed=1) == report(quarter(), leads=LEADS, seed=1)


def test_a_violation_of_a_promise_that_was_kept_is_not_explained() -> None:
    history = quarter().history
    said = next(one for one in history.violations if one.kind == "breach" and one.clock == "accept")
    act = next(
        one for acts in history.acts.values() for one in acts if one.act.kind == ActKind.ACCEPTED
    )
    assert said.lead_id is not None
    in_time = replace(
        act,
        lead_id=said.lead_id,
        received_at_ms=said.deadline_ms - 1,
        act=replace(act.act, by=said.owner or "", handoff_id=said.handoff_id),
    )
    history.acts[said.lead_id].append(in_time)
    try:
        assert ("accept", UNEXPLAINED) in causes(history)
        assert problems(quarter()) == ["accept: 1 violations are not explained"]
    finally:
        history.acts[said.lead_id].remove(in_time)


def test_what_keeps_a_promise_follows_from_what_meets_its_clock() -> None:
    touches = {"call", "mail", "meeting", "meeting_booked"}
    onwards = {"opportunity", "won", "lost", "recycled"}
    verdicts = {"qualified", "disqualified", "rejected", *onwards}
    assert {name: set(acts_that_meet(kind)) for name, kind in CLOCK_KINDS.items()} == {
        "route": {"accepted", *verdicts},
        "accept": {"accepted", *touches, *verdicts},
        "first_touch": touches,
        "qualify": verdicts,
        "follow_up": touches,
        "nurture_start": {"nurture_touch"},
        "nurture": set(),
        "advance": onwards,
        "return": {"nurture_touch", *touches},
    }
    new = ClockKind(
        clock=Clock.FIRST_TOUCH,
        scope=Scope.HANDOFF,
        side=Side.SALES,
        starts_on=frozenset({Occasion.OFFERED}),
        met_by=frozenset({Occasion.ACCEPTED, Occasion.BUYER_REPLIED}),
    )
    assert acts_that_meet(new) == {ActKind.ACCEPTED}


def test_a_goal_that_has_another_sum_than_its_facts_is_found() -> None:
    played = quarter()
    key = next(key for key, said in played.history.progress.items() if said.metric == "sal")
    said = played.history.progress[key]
    played.history.progress[key] = replace(said, achieved=said.achieved + 1)
    try:
        (found,) = problems(played)
    finally:
        played.history.progress[key] = said
    assert (
        found
        == f"accepted {said.period}: {said.achieved + 1} published, {said.achieved} by the facts"
    )


def test_a_lead_that_went_to_somebody_out_of_turn_is_found() -> None:
    history = quarter().history
    place, routed = next(
        (place, one)
        for place, one in enumerate(history.routed)
        if one.rule.endswith("in_turn")
        and len({other.score for other in one.candidates if other.excluded is None}) > 1
    )
    others = [
        one.person
        for one in routed.candidates
        if one.excluded is None and one.person != routed.owner
    ]
    history.routed[place] = replace(routed, owner=others[0])
    try:
        assert sum(one.unfair for one in fairness(history)) == 1
    finally:
        history.routed[place] = routed


def test_an_agreement_without_the_lines_that_change_is_refused() -> None:
    with pytest.raises(ValueError, match="has no"):
        second_half("agreement: 1\n")
