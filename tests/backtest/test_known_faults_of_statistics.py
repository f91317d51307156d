"""Faults that tools for experiments and calibration have had, each with the value that is right."""

from __future__ import annotations

from random import Random

import pytest

from baton.backtest.arm_sizes import is_unlikely
from baton.backtest.auc import auc_of
from baton.backtest.clustered import AccountTotals, difference
from baton.backtest.score_outcomes import Ledger, Qualification, Terms, calibrate
from services.insights.figures.wilson_interval import wilson

MICRO = 1_000_000


def leads(total: int, reached: int) -> AccountTotals:
    """Each of an account of its own."""
    return AccountTotals([(1, 1)] * reached + [(1, 0)] * (total - reached))


def test_no_bound_of_wilsons_interval_lies_outside_of_what_a_share_can_be() -> None:
    for total in range(1, 1_000):
        for count in {0, 1, total // 3, total - 1, total}:
            low, high = wilson(count, total)
            assert 0 <= low <= count / total <= high <= 1


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(0, 50, 0, 0.0713), (0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (38, 38, 0.9082, 1)],
)
def test_nothing_and_all_have_an_interval_with_a_width(
    count: int, total: int, low: float, high: float
) -> None:
    assert wilson(count, total) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    found = difference(leads(total, count), leads(total, count))
    assert found[0] == 0
    assert found[1] < -0.01 < 0.01 < found[2]


def test_the_bounds_of_a_difference_are_on_their_own_sides() -> None:
    found = difference(leads(93, 63), leads(92, 38))
    assert found == pytest.approx((0.2643759, 0.1211604, 0.3928557), abs=1e-6)


def test_fifty_leads_an_account_do_not_find_a_difference_that_is_not_there() -> None:
    """As many independent leads would find one in more than half of the runs."""
    random, found = Random(5), 0
    for _ in range(200):
        arms = []
        for _ in range(2):
            rates = [min(max(random.gauss(0.3, 0.15), 0.01), 0.99) for _ in range(60)]
            totals = [(50, sum(random.random() < rate for _ in range(50))) for rate in rates]
            arms.append(AccountTotals(totals))
        _, low, high = difference(*arms)
        found += not low < 0 < high
    assert found <= 20, "ten are to be expected, and 20 happen once in five hundred times"


@pytest.mark.parametrize(
    ("count", "total", "share", "found"),
    [
        (1, 1, 0.01, False),  # one in a hundred, and not less than one in a thousand
        (3, 3, 0.2, False),
        (2, 2, 0.1, False),
        (0, 0, 0.2, False),
        (0, 31, 0.2, False),
        (0, 40, 0.2, True),  # chi-square would allow it: 10.0
        (5, 5, 0.2, True),
        (2_035, 6_107, 0.2, True),
        (500, 10_000, 0.05, False),
        (300, 10_000, 0.05, True),
        (1_000_500, 2_000_000, 0.5, False),
        (1_003_000, 2_000_000, 0.5, True),
    ],
)
def test_a_few_accounts_are_no_mismatch_of_the_arms(
    count: int, total: int, share: float, found: bool
) -> None:
    assert is_unlikely(count, total, share) is found


def test_arms_that_are_drawn_as_agreed_are_called_unequal_once_in_a_thousand_times() -> None:
    random, wrong = Random(11), 0
    for _ in range(20_000):
        total = random.randrange(1, 60)
        count = sum(random.random() < 0.05 for _ in range(total))
        wrong += is_unlikely(count, total, 0.05)
    assert wrong <= 20


def test_equal_scores_rank_nobody_and_fall_into_one_band() -> None:
    found = auc_of([(0.5, number % 2 == 0) for number in range(100)])
    assert found is not None
    assert found.value == 0.5
    ledger = ledger_of([30.0] * 60)
    engagement = calibrate(ledger, terms()).scores[0]
    assert [band.leads for band in engagement.bands] == [0, 60, 0]
    assert [band.rate for band in engagement.bands] == [None, 0.0, None], "empty bands have no rate"


def test_no_lead_falls_out_of_the_bands_however_low_or_high() -> None:
    ledger = ledger_of([-12.0, -0.001, 0.0, 19.999, 20.0, 40.0, 400.0])
    bands = calibrate(ledger, terms()).scores[0].bands
    assert sum(band.leads for band in bands) == 7
    assert (bands[0].low, bands[0].leads) == (-12.0, 4)


def ledger_of(points: list[float]) -> Ledger:
    ledger = Ledger()
    for number, value in enumerate(points):
        ledger.qualified(
            Qualification(
                lead_id=f"lead-{number}",
                at_ms=1_000,
                fit_micro=50 * MICRO,
                engagement_micro=round(value * MICRO),
                grade="B3",
                hand_raised=False,
                agreement="v",
            )
        )
    return ledger


def terms() -> Terms:
    edges = {"engagement": [0.0, 20.0, 40.0], "fit": [0.0]}
    return Terms(outcome="won", until_ms=10**12, window_ms=1, agreement="v", edges=edges)
