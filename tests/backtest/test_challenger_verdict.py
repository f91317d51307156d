"""The verdict on a challenger: none before the end, none of unequal arms, none without a difference
in 95 of 100 runs, and the right sign where there is one."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from baton.agreement.challengers import Challenge
from baton.backtest.challenger_verdict import (
    ArmLedger,
    Finding,
    Verdict,
    needed,
    unequal,
    verdict,
)
from baton.backtest.clustered import AccountTotals, difference

DAY_MS = 86_400_000
WINDOW_MS = 30 * DAY_MS
CHALLENGE = Challenge(
    version="new", text="{}", share_ppm=200_000, from_ms=DAY_MS, until_ms=90 * DAY_MS
)
END_MS = CHALLENGE.until_ms + WINDOW_MS


def facts(champion: int, challenger: int, rates: tuple[float, float], seed: int) -> list[Any]:
    """So many leads in each arm, scored and handed over, of which that share converts."""
    random, found, number = Random(seed), [], 0
    for version, size, rate in (("old", champion, rates[0]), ("new", challenger, rates[1])):
        for _ in range(size):
            number += 1
            at_ms = 2 * DAY_MS
            value = {"lead_id": f"lead-{number}", "agreement": version}
            found.append(("leads.scored.v1", {**value, "scored_at_ms": at_ms}))
            found.append(
                ("leads.qualified.v1", {**value, "qualified_at_ms": at_ms, "stage": "mql"})
            )
            if random.random() < rate:
                moved = {"to_stage": "opportunity", "occurred_at_ms": at_ms + 9 * DAY_MS}
                found.append(("leads.stages.v1", {**value, **moved}))
    return [{"topic": topic, "value": value} for topic, value in found]


def judged(documents: list[Any], now_ms: int = END_MS, **more: Any) -> Verdict:
    ledger = ArmLedger(challenge=CHALLENGE, champion="old").take_all(documents)
    asked = {"outcome": "opportunity", "window_ms": WINDOW_MS, "now_ms": now_ms} | more
    return verdict(ledger, **asked)


def test_no_difference_gives_no_verdict_in_95_of_100_runs() -> None:
    runs = 400
    found = [judged(facts(400, 100, (0.2, 0.2), seed)).finding for seed in range(runs)]
    assert found.count(Finding.NONE) / runs >= 0.95 - 2 * (0.95 * 0.05 / runs) ** 0.5
    assert set(found) <= {Finding.NONE, Finding.CHALLENGER, Finding.CHAMPION}


@pytest.mark.parametrize(
    ("rates", "finding"),
    [((0.15, 0.35), Finding.CHALLENGER), ((0.35, 0.15), Finding.CHAMPION)],
)
def test_a_planted_difference_is_found_with_its_sign_and_size(
    rates: tuple[float, float], finding: Finding
) -> None:
    found = judged(facts(2_000, 500, rates, 1))
    assert found.finding is finding
    assert found.difference is not None
    assert found.difference == pytest.approx(rates[1] - rates[0], abs=0.06)


def test_the_interval_of_the_difference_covers_the_truth_as_often_as_it_says() -> None:
    covered, runs = 0, 500
    for seed in range(runs):
        random = Random(seed)
        one = sum(random.random() < 0.3 for _ in range(120))
        other = sum(random.random() < 0.2 for _ in range(480))
        alone = [(1, 1)] * one + [(1, 0)] * (120 - one), [(1, 1)] * other + [(1, 0)] * (480 - other)
        _, low, high = difference(*(AccountTotals(totals) for totals in alone))
        covered += low <= 0.1 <= high
    assert abs(covered / runs - 0.95) < 3 * (0.95 * 0.05 / runs) ** 0.5


def account_totals(accounts: int, rate: float, random: Random) -> AccountTotals:
    """Accounts of one to nine leads, of which two in three have the outcome of the account."""
    found = []
    for _ in range(accounts):
        leads, whole = random.randint(1, 9), random.random() < rate
        yes = sum(
            whole if random.random() < 2 / 3 else random.random() < rate for _ in range(leads)
        )
        found.append((leads, yes))
    return AccountTotals(found)


def test_intervals_cover_the_truth_where_people_of_an_account_share_its_outcome() -> None:
    covered, alone, runs = 0, 0, 600
    for seed in range(runs):
        random = Random(seed)
        one, other = account_totals(60, 0.3, random), account_totals(200, 0.2, random)
        _, low, high = difference(one, other)
        covered += low <= 0.1 <= high
        independent = [
            AccountTotals([(1, 1)] * arm.reached + [(1, 0)] * (arm.handed - arm.reached))
            for arm in (one, other)
        ]
        _, low, high = difference(*independent)
        alone += low <= 0.1 <= high
    assert covered / runs > 0.95 - 3 * (0.95 * 0.05 / runs) ** 0.5
    assert alone / runs < 0.85, "leads taken as independent claim more than they know"


def test_accounts_of_one_lead_are_independent_leads() -> None:
    found = AccountTotals([(1, 1)] * 12 + [(1, 0)] * 28)
    assert (found.design_effect, found.effective) == (1.0, 40.0)
    low, high = found.bounds
    assert (low, high) == (pytest.approx(0.181, abs=0.001), pytest.approx(0.454, abs=0.001))


def test_two_accounts_that_bring_most_leads_give_no_verdict() -> None:
    documents = facts(400, 100, (0.1, 0.9), 1)
    for one in documents:
        number = int(one["value"]["lead_id"].removeprefix("lead-"))
        one["value"]["story"] = {"account_id": f"firm{number % 2 + 2 * (number > 400)}.example"}
    found = judged(documents)
    assert found.finding is Finding.TOO_FEW
    assert (found.champion.accounts, found.champion.handed) == (2, 400)


def test_nothing_but_counts_is_shown_before_the_end() -> None:
    found = judged(facts(400, 100, (0.1, 0.9), 1), now_ms=END_MS - 1)
    assert found.finding is Finding.NOT_YET
    assert (found.champion.handed, found.challenger.handed) == (400, 100)
    for arm in (found.champion, found.challenger):
        assert (arm.reached, arm.rate, arm.low, arm.high) == (None, None, None, None)
    assert (found.difference, found.low, found.high) == (None, None, None)


def test_arms_of_other_sizes_than_agreed_give_no_verdict() -> None:
    assert judged(facts(400, 200, (0.1, 0.9), 1)).finding is Finding.UNEQUAL
    assert not unequal(400, 100, 200_000)
    assert unequal(4_000, 1_150, 200_000)
    assert not unequal(0, 0, 200_000)


@pytest.mark.parametrize(
    ("champion", "challenger", "share_ppm", "found"),
    [
        (9_500, 500, 50_000, False),
        (9_700, 300, 50_000, True),
        (4_072, 2_035, 200_000, True),
        (4_880, 1_220, 200_000, False),
    ],
)
def test_arms_are_held_against_the_agreed_share_and_not_against_halves(
    champion: int, challenger: int, share_ppm: int, found: bool
) -> None:
    assert unequal(champion, challenger, share_ppm) is found


def test_too_few_give_no_rate_and_no_verdict() -> None:
    found = judged(facts(60, 15, (0.1, 0.9), 1))
    assert (found.finding, found.challenger.rate) == (Finding.TOO_FEW, None)
    assert found.more > 600


def test_how_many_more_are_needed_is_the_textbooks_number() -> None:
    assert needed((1_000, 100), 0.05) == 686
    assert needed((0, 0), 0.05) == needed((100, 50), 0.05)
    assert judged(facts(400, 100, (0.1, 0.1), 1)).more > 500


def test_outcomes_that_come_too_late_do_not_count_and_leads_of_other_times_neither() -> None:
    documents = facts(100, 25, (1.0, 1.0), 1)
    late = next(one for one in documents if one["topic"] == "leads.stages.v1")["value"]
    late["occurred_at_ms"] = 2 * DAY_MS + WINDOW_MS + 1
    before = {"lead_id": "early", "agreement": "old", "qualified_at_ms": 0, "stage": "mql"}
    other = {"lead_id": "other", "agreement": "older", "qualified_at_ms": DAY_MS, "stage": "mql"}
    for value in (before, other):
        documents.append({"topic": "leads.qualified.v1", "value": value})
    found = judged(documents)
    assert (found.champion.handed, found.champion.reached) == (100, 99)
