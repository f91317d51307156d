"""Suggested points: a planted truth is found with its sign, agreed points that are right stay, a
leak changes nothing, and the agreement's text changes in its points only."""

from __future__ import annotations

from math import exp
from pathlib import Path
from random import Random
from typing import Any

import pytest

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.source.new_points import with_points
from baton.agreement.source.read import agreement_of, read_agreement
from baton.backtest.score_outcomes import DAY_MS, MICRO, Ledger, Terms
from baton.backtest.suggested_points import Suggestion, Traits, points_of, suggest
from baton.cli.suggestion import suggestion_lines, write_suggestion
from tests.backtest.year import FIRST

START = 1_772_449_200_000
ACTS = ("form", "pricing_view", "download", "webinar")
TERMS = Terms(
    outcome="opportunity",
    until_ms=START + 400 * DAY_MS,
    window_ms=90 * DAY_MS,
    agreement="v1",
    edges={},
)


@pytest.fixture(scope="module")
def agreement() -> CompiledAgreement:
    return compiled_of(read_agreement(FIRST))


def cohort(
    agreement: CompiledAgreement, truth: dict[str, float], leads: int = 1_500, seed: int = 1
) -> list[dict[str, Any]]:
    """Leads that did some of the acts; ``truth``: what they are really worth, by which they
    convert."""
    agreed = {act: points_of(agreement)["engagement", act] / MICRO for act in ACTS}
    random, found = Random(seed), []
    for number in range(leads):
        did = {act: random.random() ** 0.3 for act in ACTS if random.random() < 0.5}
        real = sum((truth.get(act) or agreed[act]) * left for act, left in did.items())
        lead = {"lead_id": f"lead-{number}", "agreement": "v1"}
        found.append(qualified(lead, agreed, did))
        if random.random() < 1 / (1 + exp(2.5 - real / 12)):
            moved = {"to_stage": "opportunity", "occurred_at_ms": START + 9 * DAY_MS}
            found.append({"topic": "leads.stages.v1", "at_ms": START, "value": {**lead, **moved}})
    return found


def qualified(
    lead: dict[str, Any], agreed: dict[str, float], did: dict[str, float]
) -> dict[str, Any]:
    why_now = [
        {
            "kind": "act",
            "name": act,
            "base_micro": round(agreed[act] * MICRO),
            "points_micro": round(agreed[act] * left * MICRO),
        }
        for act, left in did.items()
    ]
    value = {
        **lead,
        "stage": "mql",
        "qualified_at_ms": START,
        "fit_micro": 0,
        "engagement_micro": sum(one["points_micro"] for one in why_now),
        "grade": "B3",
        "hand_raised": False,
        "story": {"criteria": [], "why_now": why_now},
    }
    return {"topic": "leads.qualified.v1", "at_ms": START, "value": value}


def suggested(agreement: CompiledAgreement, documents: list[dict[str, Any]]) -> Suggestion:
    pytest.importorskip("sklearn", reason="the extra baton[calibrate]")
    ledger, traits = Ledger(), Traits(agreement)
    for document in documents:
        ledger.take(document)
        traits.take(document)
    return suggest(traits, ledger, TERMS)


def test_an_act_worth_more_than_agreed_is_found_with_its_sign(agreement: CompiledAgreement) -> None:
    found = suggested(agreement, cohort(agreement, {"form": 45.0}, leads=1_500))
    assert found.why_not is None
    form = next(one for one in found.points if one.name == "form")
    assert form.suggested is not None
    assert form.suggested > form.agreed == 12
    assert form.low > form.agreed
    assert ("engagement", "form") in found.changed


def test_an_act_worth_nothing_is_found_and_never_becomes_less_than_nothing(
    agreement: CompiledAgreement,
) -> None:
    found = suggested(agreement, cohort(agreement, {"webinar": 0.001}, leads=1_500))
    webinar = next(one for one in found.points if one.name == "webinar")
    assert webinar.suggested is not None
    assert 0 <= webinar.suggested < webinar.agreed


def test_points_that_are_right_stay_and_their_intervals_cover_them(
    agreement: CompiledAgreement,
) -> None:
    covered = judged = 0
    for seed in range(8):
        found = suggested(agreement, cohort(agreement, {}, leads=500, seed=seed))
        for one in found.points:
            judged += 1
            covered += one.low <= one.agreed <= one.high
    assert judged == 8 * len(ACTS)
    chance = (0.95 * 0.05 / judged) ** 0.5
    assert covered / judged >= 0.95 - 3 * chance


def test_the_same_facts_give_the_same_points(agreement: CompiledAgreement) -> None:
    documents = cohort(agreement, {"form": 45.0}, leads=400)
    assert suggested(agreement, documents) == suggested(agreement, documents[::-1])


def test_a_planted_leak_changes_nothing(agreement: CompiledAgreement) -> None:
    """Leads that sales had acted on before have an act that only those who convert have."""
    documents = cohort(agreement, {}, leads=400)
    agreed = {act: points_of(agreement)["engagement", act] / MICRO for act in ACTS}
    leaked = []
    for number in range(200):
        lead = {"lead_id": f"leak-{number}", "agreement": "v1"}
        converts = number % 2 == 0
        did = {"webinar": 1.0} if converts else {"download": 1.0}
        leaked.append(qualified(lead, agreed, did))
        called = {"lead_id": lead["lead_id"], "occurred_at_ms": START - DAY_MS}
        leaked.append({"topic": "leads.acts.v1", "at_ms": START, "value": called})
        if converts:
            moved = {**lead, "to_stage": "opportunity", "occurred_at_ms": START + DAY_MS}
            leaked.append({"topic": "leads.stages.v1", "at_ms": START, "value": moved})
    assert suggested(agreement, documents + leaked) == suggested(agreement, documents)


def test_too_few_say_nothing_at_all(agreement: CompiledAgreement) -> None:
    found = suggested(agreement, cohort(agreement, {}, leads=60))
    assert (found.points, found.changed) == ((), {})
    assert found.why_not is not None
    assert "at least 20 are needed" in found.why_not
    lines = list(suggestion_lines(found, FIRST, Path("new.yaml")))
    assert len(lines) == 1
    assert lines[0].startswith("no points can be suggested")


def test_the_file_changes_in_its_points_and_in_nothing_else(
    tmp_path: Path, agreement: CompiledAgreement
) -> None:
    found = suggested(agreement, cohort(agreement, {"form": 45.0}, leads=1_500))
    out = tmp_path / "new.yaml"
    write_suggestion(found, FIRST, out)
    before, after = FIRST.read_text().splitlines(), out.read_text().splitlines()
    differ = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert len(differ) == len(found.changed)
    lines = list(suggestion_lines(found, FIRST, out))
    assert any("form" in line and "suggested" in line for line in lines)
    assert any(f"baton backtest {out}" in line for line in lines)


def test_points_are_replaced_where_they_stand() -> None:
    text = FIRST.read_text()
    changed = with_points(text, {("engagement", "form"): 14.5, ("engagement", "page_view"): 3})
    acts = agreement_of(changed).engagement.acts
    assert (acts["form"].points, acts["page_view"].points) == (14_500_000, 3_000_000)
    assert (
        with_points(changed, {("engagement", "form"): 12, ("engagement", "page_view"): 2}) == text
    )
    with pytest.raises(KeyError):
        with_points(text, {("fit", "no such criterion"): 1})


def test_of_one_point_that_is_off_the_others_are_not_blamed(agreement: CompiledAgreement) -> None:
    """Outcomes say points up to a factor: a form worth twice as much must not make a webinar worth
    less."""
    for seed in range(3):
        found = suggested(agreement, cohort(agreement, {"form": 24.0}, leads=800, seed=seed))
        assert found.changed.keys() <= {("engagement", "form")}
        for one in found.points:
            if one.name != "form":
                assert one.low <= one.agreed <= one.high
            else:
                assert one.agreed < one.low <= one.found <= 28
