"""The figures of the board: each worked example as a row, the wrong answers excluded by name."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.insights.figures.calibration import Scored, by_band
from services.insights.figures.compliance import ClockNow, Verdict, compliance, verdict_of
from services.insights.figures.funnel import (
    Acceptance,
    Passage,
    WinRate,
    cohort,
    snapshot,
    velocity,
)
from services.insights.figures.goal_pace import OpenDeal, coverage, linear_forecast, pace
from services.insights.figures.speed import HumanAct, attempts, contacts, waiting
from services.insights.figures.survival import survival
from services.insights.figures.wilson_interval import Share, wilson

DAY = 86_400_000
MINUTE = 60_000


def percent(value: float | None) -> float | None:
    return None if value is None else round(value * 100, 1)


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        (2, 3, 20.8, 93.9),
        (0, 5, 0.0, 43.4),
        (12, 40, 18.1, 45.4),
        (30, 100, 21.9, 39.6),
        (74, 92, 71.2, 87.3),
        (7, 10, 39.7, 89.2),
        (5, 500, 0.4, 2.3),
        (9, 300, 1.6, 5.6),
        (15, 150, 6.2, 15.8),
        (15, 50, 19.1, 43.8),
        (0, 0, 0.0, 100.0),
    ],
)
def test_wilsons_interval(count: int, total: int, low: float, high: float) -> None:
    found = wilson(count, total)
    assert (percent(found[0]), percent(found[1])) == (low, high)


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_share(count: int, more: int) -> None:
    share = Share(count=count, total=count + more)
    assert share.rate is not None
    assert 0 <= share.low <= share.rate <= share.high <= 1


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)


def september_and_october() -> list[Passage]:
    september = [
        Passage(entered_at_ms=5 * DAY, reached_at_ms=at * DAY)
        for at in (10, 11, 12, 13, 32, 33, 34)
    ]
    lost = [Passage(entered_at_ms=6 * DAY, gave_up=True) for _ in range(3)]
    october = [
        Passage(entered_at_ms=40 * DAY, reached_at_ms=at * DAY)
        for at in (41, 42, 43, 44, 45, 46, 65, 66)
    ]
    given_up = [Passage(entered_at_ms=41 * DAY, gave_up=True) for _ in range(7)]
    still_open = [Passage(entered_at_ms=42 * DAY) for _ in range(5)]
    return [*september, *lost, *october, *given_up, *still_open]


def test_a_cohort_follows_those_who_entered_and_a_snapshot_does_not() -> None:
    passages = september_and_october()
    september = cohort(passages, from_ms=0, until_ms=30 * DAY, now_ms=92 * DAY, p90_ms=28 * DAY)
    assert (september.reached, september.entered, september.ripe) == (7, 10, True)
    assert (
        percent(september.so_far.rate),
        percent(september.so_far.low),
        percent(september.so_far.high),
    ) == (70.0, 39.7, 89.2)
    october = cohort(
        passages, from_ms=30 * DAY, until_ms=61 * DAY, now_ms=92 * DAY, p90_ms=60 * DAY
    )
    assert not october.ripe
    assert (october.reached, october.entered, october.resolved) == (8, 20, 15)
    assert (
        percent(october.so_far.rate),
        percent(october.of_resolved.rate),
        percent(october.at_most.rate),
    ) == (40.0, 53.3, 65.0)
    assert snapshot(20, 9) == 0.45
    assert snapshot(5, 9) == 1.8
    assert snapshot(0, 9) is None


def test_open_ones_are_censored_and_an_unreached_quantile_is_no_number() -> None:
    found = survival([2, 4, 6, 8], [10, 20])
    assert found.quantile(0.5) == 6
    assert found.quantile(0.5) not in (5, 7), "closed ones only, or open ones taken as closed"
    assert found.quantile(0.9) is None
    assert found.longest == 20
    assert found.within(4) == Fraction(1, 3)
    assert found.within(1) == 0
    assert survival([]).quantile(0.5) is None


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30))
def test_without_open_ones_the_curve_is_the_plain_share(ended: list[int]) -> None:
    found = survival(ended)
    for time in ended:
        assert found.within(time) == Fraction(sum(handoff <= time for handoff in ended), len(ended))


def test_velocity_is_all_four_of_one_cohort() -> None:
    found = velocity(opportunities=40, win_rate=0.25, average_minor=20_000, cycle_days=60)
    assert found == pytest.approx(3_333.33, abs=0.01)
    assert velocity(opportunities=1, win_rate=1, average_minor=1, cycle_days=0) is None


def test_acceptance_has_the_expired_in_it_and_the_waiting_beside_it() -> None:
    found = Acceptance(accepted=12, rejected=20, expired=8, waiting=5)
    assert (found.rate.count, found.rate.total) == (12, 40)


def test_win_rates_are_named_by_what_is_below_the_line() -> None:
    found = WinRate(won=3, lost=6, derailed=3)
    assert (percent(found.narrow.rate), percent(found.broad.rate)) == (33.3, 25.0)


NOW, FROM, UNTIL = 100 * DAY, 60 * DAY, 130 * DAY
DUE = 90 * DAY


def clocks_of_the_example() -> list[ClockNow]:
    def clocks(
        state: str, number: int, *, due: int = DUE, ended: int | None = None, unproven: bool = False
    ) -> list[ClockNow]:
        return [
            ClockNow(state=state, deadline_ms=due, ended_at_ms=ended, unproven=unproven)
            for _ in range(number)
        ]

    return [
        *clocks("met", 70, ended=80 * DAY),
        *clocks("withdrawn", 4, ended=95 * DAY),
        *clocks("met_late", 10, ended=95 * DAY),
        *clocks("breached", 4),
        *clocks("breached", 1, unproven=True),
        *clocks("abandoned", 3, ended=96 * DAY),
        *clocks("cancelled", 6, ended=70 * DAY),
        *clocks("running", 8, due=110 * DAY),
        *clocks("met", 50, due=10 * DAY, ended=9 * DAY),  # due in another period
    ]


def test_compliance_is_met_of_what_fell_due() -> None:
    found = compliance(clocks_of_the_example(), from_ms=FROM, until_ms=UNTIL, now_ms=NOW)
    assert (found.met, found.due) == (74, 92)
    assert round(100 * found.met / found.due, 2) == 80.43
    assert (percent(found.share.low), percent(found.share.high)) == (71.2, 87.3)
    assert round(100 * (found.share_of_proven.rate or 0), 2) == 81.32
    assert found.count(Verdict.CANCELLED) == 6
    assert found.count(Verdict.RUNNING) == 8
    assert found.reasons == {"not said": 6}
    wrong = {"closed only": 85.06, "running as met": 82.0, "withdrawn as breach": 76.09}
    assert round(100 * found.met / found.due, 2) not in wrong.values()


@pytest.mark.parametrize(
    ("state", "deadline", "ended", "verdict"),
    [
        ("running", 101, None, Verdict.RUNNING),
        ("running", 99, None, Verdict.OVERDUE),
        ("breached", 99, None, Verdict.OVERDUE),
        ("met", 99, 98, Verdict.MET),
        ("met_late", 99, 100, Verdict.LATE),
        ("abandoned", 99, 100, Verdict.ABANDONED),
        ("withdrawn", 99, 98, Verdict.WITHDRAWN),
        ("cancelled", 99, 98, Verdict.CANCELLED),
        ("cancelled", 99, 100, Verdict.ABANDONED),
    ],
)
def test_what_a_clock_counts_as(
    state: str, deadline: int, ended: int | None, verdict: Verdict
) -> None:
    assert (
        verdict_of(ClockNow(state=state, deadline_ms=deadline, ended_at_ms=ended), now_ms=100)
        is verdict
    )


def test_the_buyer_who_asks_on_friday_evening_waits_64_hours_and_the_clock_says_30_minutes() -> (
    None
):
    friday_17_20, monday_9_20 = 0, 64 * 60 * MINUTE
    acts = [
        HumanAct(kind="mail", occurred_at_ms=friday_17_20 + MINUTE, automatic=True),
        HumanAct(kind="call", occurred_at_ms=monday_9_20, outcome="voicemail"),
        HumanAct(kind="call", occurred_at_ms=monday_9_20 + 5 * MINUTE, outcome="reached"),
    ]
    found = waiting(friday_17_20, acts, now_ms=monday_9_20 + 60 * MINUTE)
    assert found.attempted_ms == 64 * 60 * MINUTE
    assert found.contacted_ms == 64 * 60 * MINUTE + 5 * MINUTE


def test_who_was_never_touched_is_in_the_figure() -> None:
    now = 10 * MINUTE
    touched = waiting(0, [HumanAct(kind="call", occurred_at_ms=4 * MINUTE)], now)
    untouched = waiting(0, [], now)
    found = attempts([touched, untouched])
    assert (found.ended, found.open, found.within(5 * MINUTE)) == (1, 1, Fraction(1, 2))
    assert found.quantile(0.9) is None
    assert contacts([touched, untouched]).ended == 0


def deal(amount: int | None, closes: date | None, currency: str | None = "EUR") -> OpenDeal:
    return OpenDeal(amount_minor=amount, currency=currency, expected_close=closes)


def test_coverage_counts_what_closes_in_the_period_and_is_not_past() -> None:
    deals = [
        deal(300_000_000, date(2026, 12, 1)),
        deal(180_000_000, date(2026, 12, 31)),
        deal(900, date(2026, 11, 1)),
        deal(900, None),
        deal(None, date(2026, 12, 1)),
        deal(900, date(2026, 12, 1), "USD"),
        deal(900, date(2027, 1, 1)),
    ]
    found = coverage(
        deals,
        quota_minor=200_000_000,
        won_minor=40_000_000,
        currency="EUR",
        today=date(2026, 11, 30),
        ends=date(2027, 1, 1),
    )
    assert found.ratio == 3
    assert (found.counted, found.stale, found.undated, found.foreign) == (2, 1, 2, 1)


@pytest.mark.parametrize("won", [200, 300])
def test_a_quota_that_is_won_is_done_and_not_infinite(won: int) -> None:
    found = coverage(
        [],
        quota_minor=200,
        won_minor=won,
        currency="EUR",
        today=date(2026, 1, 1),
        ends=date(2026, 2, 1),
    )
    assert found.done
    assert found.ratio is None


def test_pace_and_forecast_count_working_days() -> None:
    assert pace(achieved=18, target=40, days_gone=9, days=21) == Fraction(105, 100)
    assert linear_forecast(achieved=18, days_gone=9, days=21) == 42
    assert pace(achieved=0, target=40, days_gone=0, days=21) is None
    assert linear_forecast(achieved=0, days_gone=0, days=21) is None


def test_bands_of_the_score_with_lift_and_share_of_all_conversions() -> None:
    rows = ((10, 500, 5), (30, 300, 9), (50, 150, 15), (80, 50, 15))
    scored = [
        Scored(score=score, converted=n < converted)
        for score, total, converted in rows
        for n in range(total)
    ]
    found = by_band(scored, (0, 20, 40, 70, 100))
    assert [(percent(b.share.rate), round(b.lift or 0, 2), percent(b.of_all)) for b in found] == [
        (1.0, 0.23, 11.4),
        (3.0, 0.68, 20.5),
        (10.0, 2.27, 34.1),
        (30.0, 6.82, 34.1),
    ]


def test_equal_scores_are_in_one_band_and_the_last_band_has_its_upper_edge() -> None:
    scored = [Scored(score=score, converted=False) for score in (20, 20, 20, 100)]
    assert [band_figures.share.total for band_figures in by_band(scored, (0, 20, 100))] == [0, 4]


def test_no_rate_is_shown_of_few() -> None:
    assert [Share(count=1, total=n).shown for n in (19, 20)] == [False, True]
    assert [Share(count=1, total=n).firm for n in (99, 100)] == [False, True]
