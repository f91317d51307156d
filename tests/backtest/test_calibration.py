"""Calibration: a score that predicts is seen to, one that does not is not; leaks change nothing;
what is unripe or too few is said and not guessed."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text
from baton.backtest.auc import auc_of
from baton.backtest.board_history import documents_of_board
from baton.backtest.score_outcomes import DAY_MS, Calibration, Ledger, Terms, calibrate
from baton.cli.calibrate import lines_of
from baton.contracts.codec import codec_for
from baton.contracts.public_record import PublicRecord
from baton.contracts.topics import TOPICS
from baton.simulation.memory_records import as_record
from baton.simulation.simulation import Simulation
from tests.backtest.year import Year, agreement_with, documents_of
from tests.services.insights.stores import fill

START = 1_772_449_200_000
EDGES = {"engagement": [0.0, 20.0, 40.0, 70.0], "fit": [0.0, 20.0, 45.0, 70.0]}


def qualified(number: int, points: int, *, at_ms: int = START, **more: Any) -> dict[str, Any]:
    value = {
        "lead_id": f"lead-{number}",
        "stage": "mql",
        "qualified_at_ms": at_ms,
        "fit_micro": 50_000_000,
        "engagement_micro": points * 1_000_000,
        "grade": "B3",
        "hand_raised": False,
        "agreement": "v1",
    }
    return {"topic": "leads.qualified.v1", "at_ms": at_ms, "value": value | more}


def staged(number: int, at_ms: int, stage: str = "opportunity") -> dict[str, Any]:
    value = {"lead_id": f"lead-{number}", "to_stage": stage, "occurred_at_ms": at_ms}
    return {"topic": "leads.stages.v1", "at_ms": at_ms, "value": value}


def figures(documents: list[dict[str, Any]], **more: Any) -> Calibration:
    ledger = Ledger().take_all(documents)
    terms = {
        "outcome": "opportunity",
        "until_ms": START + 400 * DAY_MS,
        "window_ms": 90 * DAY_MS,
        "agreement": "v1",
        "edges": EDGES,
    } | more
    return calibrate(ledger, Terms(**terms))


def cohort(rates: dict[int, float], per_score: int = 200, seed: int = 1) -> list[dict[str, Any]]:
    """So many leads of each score, of which that share converts after 30 days."""
    random, documents, number = Random(seed), [], 0
    for points, rate in rates.items():
        for _ in range(per_score):
            number += 1
            documents.append(qualified(number, points))
            if random.random() < rate:
                documents.append(staged(number, START + 30 * DAY_MS))
    return documents


def test_the_worked_example_has_its_rates_intervals_and_lifts() -> None:
    documents, number = [], 0
    for points, leads, converted in ((10, 500, 5), (30, 300, 9), (50, 150, 15), (80, 50, 15)):
        for index in range(leads):
            number += 1
            documents.append(qualified(number, points))
            if index < converted:
                documents.append(staged(number, START + DAY_MS))
    bands = figures(documents).scores[0].bands
    assert [(b.leads, b.converted) for b in bands] == [(500, 5), (300, 9), (150, 15), (50, 15)]
    assert [round((b.rate or 0) * 100, 1) for b in bands] == [1.0, 3.0, 10.0, 30.0]
    assert [round((b.rate_low or 0) * 100, 1) for b in bands] == [0.4, 1.6, 6.2, 19.1]
    assert [round((b.rate_high or 0) * 100, 1) for b in bands] == [2.3, 5.6, 15.8, 43.8]
    assert [round(b.lift or 0, 2) for b in bands] == [0.23, 0.68, 2.27, 6.82]


def test_a_score_that_predicts_has_an_auc_above_a_half_and_another_has_a_half_inside() -> None:
    predictive = figures(cohort({10: 0.05, 30: 0.15, 50: 0.3, 80: 0.6})).scores[0].auc
    silent = figures(cohort({10: 0.2, 30: 0.2, 50: 0.2, 80: 0.2})).scores[0].auc
    assert predictive is not None
    assert silent is not None
    assert predictive.low > 0.65
    assert silent.low < 0.5 < silent.high


def test_the_interval_of_the_auc_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(200):
        random = Random(seed)
        scored = [(random.gauss(1.0, 1), True) for _ in range(40)]
        scored += [(random.gauss(0.0, 1), False) for _ in range(120)]
        found = auc_of(scored)
        assert found is not None
        covered += found.low <= 0.7602 <= found.high  # Phi(1 / sqrt 2)
    assert covered >= 180


def test_equal_scores_count_a_half_and_order_does_not_matter() -> None:
    scored = [(1.0, index % 2 == 0) for index in range(40)]
    found = auc_of(scored)
    assert found is not None
    assert found.value == 0.5
    perfect = [(float(index >= 20), index >= 20) for index in range(40)]
    assert auc_of(perfect) == auc_of(perfect[::-1])
    assert (auc_of(perfect) or found).value == 1.0


LEAKS = {
    "staff had acted before": lambda number: {
        "topic": "leads.acts.v1",
        "at_ms": START - DAY_MS,
        "value": {"lead_id": f"lead-{number}", "occurred_at_ms": START - DAY_MS},
    },
    "took over a merged lead": lambda number: {
        "topic": "leads.merges.v1",
        "at_ms": START - DAY_MS,
        "value": {"survivor": f"lead-{number}", "occurred_at_ms": START - DAY_MS},
    },
}


@pytest.mark.parametrize("reason", sorted(LEAKS))
def test_a_planted_leak_changes_nothing_but_the_count_of_what_was_left_out(reason: str) -> None:
    clean = cohort({10: 0.2, 30: 0.2, 50: 0.2, 80: 0.2})
    leaking = []
    for number in range(5_000, 5_100):
        # high because somebody had called already, and all of them convert
        leaking += [qualified(number, 100), LEAKS[reason](number), staged(number, START + DAY_MS)]
    found, before = figures([*clean, *leaking]), figures(clean)
    assert found.left_out == {reason: 100}
    assert (found.scores, found.leads, found.converted) == (
        before.scores,
        before.leads,
        before.converted,
    )


def test_raised_hands_other_versions_and_unripe_leads_stand_apart() -> None:
    documents = [
        *cohort({30: 0.5}, per_score=30),
        qualified(900, 90, hand_raised=True),
        staged(900, START + DAY_MS),
        qualified(901, 90, agreement="v0"),
        qualified(902, 90, at_ms=START + 399 * DAY_MS),
        qualified(903, 90, stage="tql"),
    ]
    found = figures(documents)
    assert found.raised_hands == (1, 1)
    assert found.left_out == {"another version of the agreement": 1, "its window is not over": 1}
    assert found.leads == 30
    assert figures(documents, agreement=None).leads == 31


def test_an_outcome_after_the_window_or_before_the_qualification_is_none() -> None:
    late = [qualified(1, 30), staged(1, START + 91 * DAY_MS)]
    before = [qualified(2, 30), staged(2, START - DAY_MS)]
    assert figures([*late, *before]).converted == 0


def test_a_later_stage_is_an_earlier_outcome_too_and_the_first_qualification_counts() -> None:
    documents = [
        qualified(1, 30),
        qualified(1, 90, at_ms=START + 50 * DAY_MS),
        staged(1, START + DAY_MS, "customer"),
    ]
    found = figures(documents)
    assert found.converted == 1
    assert [b.leads for b in found.scores[0].bands] == [0, 1, 0, 0]


def test_below_twenty_there_is_no_rate_and_no_auc() -> None:
    found = figures(cohort({30: 0.5}, per_score=19))
    assert [b.rate for b in found.scores[0].bands] == [None] * 4
    assert found.scores[0].auc is None


def test_without_a_window_it_is_what_nine_in_ten_conversions_took() -> None:
    documents = []
    for number in range(1, 11):
        documents += [qualified(number, 30), staged(number, START + number * 10 * DAY_MS)]
    assert figures(documents, window_ms=None).window_days == 100
    assert figures([qualified(1, 30)], window_ms=None).window_days == 90


def test_the_board_reports_what_the_topics_do(tmp_path: Path) -> None:
    year = Year(number=40)
    agreement = agreement_with(tmp_path, {})
    documents = json.loads(json.dumps(list(documents_of(year, agreement))))
    topics = ("leads.qualified.v1", "leads.stages.v1", "leads.acts.v1", "leads.merges.v1")
    simulation = Simulation(
        text=canonical_text(agreement.raw),
        version=agreement.version,
        start_ms=year.arrivals[0].at_ms,
        keep=False,
    )
    rows = []
    for stored in simulation.run(year.arrivals, year.until_ms):
        if stored.topic in topics and stored.value is not None:
            record = TOPICS[stored.topic].record
            assert record is not None
            kept = as_record(stored)
            rows.append(
                PublicRecord(
                    topic=kept.topic,
                    partition=kept.partition,
                    offset=kept.offset,
                    id=kept.header("ce_id") or "",
                    key=(kept.key or b"").decode(),
                    value=codec_for(record).decode(stored.value),
                    at_ms=kept.at_ms,
                )
            )
    path = fill(tmp_path / "board.sqlite", rows)
    of_board, of_topics = Ledger(), Ledger()
    for document in documents_of_board(path):
        of_board.take(document)
    for document in documents:
        of_topics.take(document)
    assert of_board.first == of_topics.first
    assert len(of_board.first) == 30
    assert of_board.reached == of_topics.reached


def test_the_hold_out_says_something_below_the_threshold_and_changes_nothing_above_it() -> None:
    documents = cohort({30: 0.2, 50: 0.3})
    above = figures(documents)
    assert above.below_threshold is None
    random, blind = Random(5), []
    for number in range(10_000, 10_120):
        points = 5 if number % 2 else 15
        blind.append(qualified(number, points))
        mark = {"lead_id": f"lead-{number}", "qualification_id": f"q-{number}"}
        blind.append({"topic": "scorer.holdouts.v1", "at_ms": START, "value": mark})
        if random.random() < (0.05 if points == 5 else 0.15):
            blind.append(staged(number, START + DAY_MS))
    found = figures(documents + blind)
    assert (found.scores, found.leads, found.grades) == (above.scores, above.leads, above.grades)
    assert found.below_threshold is not None
    low, high = (band for band in found.below_threshold.bands if band.leads)
    assert (low.low, low.high, low.leads, high.low, high.high, high.leads) == (
        0,
        10,
        60,
        10,
        20,
        60,
    )
    assert low.rate_low is not None
    assert low.rate_high is not None
    assert low.rate_low <= 0.05 <= low.rate_high
    said = "\n".join(lines_of(found))
    assert "below the threshold, handed over blind" in said
    assert "Nothing is said of leads below" in "\n".join(lines_of(above))
