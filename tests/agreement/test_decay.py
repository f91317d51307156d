"""Decay: rows that anybody can check by hand, and laws against ``2^(-age/half_life)`` in fifty
digits."""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import inf, isclose, ldexp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.agreement.compiled.decay import (
    Decay,
    DecayMoment,
    FadingSum,
    about_when,
    rebased,
    worth,
)

DAY = 86_400_000
NOW = 1_793_606_400_000
TEN_DAYS = Decay(10 * DAY)
CENTURY = 100 * 365 * DAY

half_lives = st.integers(60_000, CENTURY)
moments = st.integers(0, NOW)
ages = st.integers(0, 5 * 365 * DAY)
points = st.integers(1, 1_000_000_000)


def tolerance(half_life_ms: int) -> float:
    """The documented bound: of the power, and of the quotient it is taken of, at both moments."""
    return 1e-12 + 4e-16 * (NOW + 5 * 365 * DAY) / half_life_ms


def directly(amount: float, age_ms: int, half_life_ms: int) -> Decimal:
    """The formula as it is written down."""
    with localcontext() as context:
        context.prec = 50
        return Decimal(amount) * Decimal(2) ** (-Decimal(age_ms) / Decimal(half_life_ms))


@pytest.mark.parametrize(
    ("decay", "age_ms", "left"),
    [
        (TEN_DAYS, 0, 40_000_000),
        (TEN_DAYS, 10 * DAY, 20_000_000),
        (TEN_DAYS, 5 * DAY, 28_284_271),
        (TEN_DAYS, 30 * DAY, 5_000_000),
        (TEN_DAYS, 100 * DAY, 39_062),
        (Decay(), 0, 40_000_000),
        (Decay(), 1000 * DAY, 40_000_000),
    ],
)
def test_points_halve_with_every_half_life_and_stay_without_one(
    decay: Decay, age_ms: int, left: int
) -> None:
    total, base = decay.grown(40_000_000.0, NOW)
    assert int(decay.at(total, base, NOW + age_ms) + 1e-6) == left


@pytest.mark.parametrize(
    ("decay", "amount", "threshold", "crossing_ms"),
    [
        (TEN_DAYS, 40.0, 20.0, 10 * DAY),
        (TEN_DAYS, 40.0, 5.0, 30 * DAY),
        (TEN_DAYS, 40.0, 40.0, 0),
        (TEN_DAYS, 40.0, 0.0, inf),
        (TEN_DAYS, 40.0, -1.0, inf),
        (Decay(), 40.0, 20.0, inf),
    ],
)
def test_it_crosses_a_threshold_after_the_half_lives_between_the_two(
    decay: Decay, amount: float, threshold: float, crossing_ms: float
) -> None:
    assert decay.crossing_ms(amount, threshold) == pytest.approx(crossing_ms)


@pytest.mark.parametrize(
    ("decay", "total", "least", "holds_for_ms"),
    [
        (TEN_DAYS, 40.0, 20.0, 10 * DAY),
        (TEN_DAYS, 40.0, 40.0, 0),
        (TEN_DAYS, 10.0, 40.0, 0),
        (TEN_DAYS, 40.0, 0.0, None),
        (Decay(), 40.0, 20.0, None),
    ],
)
def test_how_long_a_sum_surely_stays_above_a_number(
    decay: Decay, total: float, least: float, holds_for_ms: int | None
) -> None:
    assert decay.holds_for_ms(total, least) == holds_for_ms


def test_an_entry_has_faded_after_ten_half_lives() -> None:
    assert (TEN_DAYS.faded_ms, Decay().faded_ms) == (100 * DAY, 0)


@given(points, moments, ages, half_lives)
def test_the_value_at_a_time_is_the_formula(
    amount: int, at_ms: int, age_ms: int, half_life_ms: int
) -> None:
    decay = Decay(half_life_ms)
    total, base = decay.grown(float(amount), at_ms)
    exact = float(directly(amount, age_ms, half_life_ms))
    assert isclose(
        decay.at(total, base, at_ms + age_ms), exact, rel_tol=tolerance(half_life_ms), abs_tol=0.0
    )


@given(points, moments, ages, st.integers(0, 1000), half_lives)
def test_a_value_never_rises(
    amount: int, at_ms: int, age_ms: int, later_ms: int, half_life_ms: int
) -> None:
    decay = Decay(half_life_ms)
    total, base = decay.grown(float(amount), at_ms)
    then = at_ms + age_ms
    assert decay.at(total, base, then + later_ms) <= decay.at(total, base, then)


@given(st.lists(st.tuples(points, st.integers(0, 90 * DAY)), min_size=1, max_size=20), half_lives)
def test_the_shares_of_the_entries_add_up_to_the_value_of_their_sum(
    entries: list[tuple[int, int]], half_life_ms: int
) -> None:
    decay, now = Decay(half_life_ms), NOW
    divisor = decay.divisor(now)
    shares = [worth(*decay.grown(float(amount), now - age), divisor) for amount, age in entries]
    exact = sum(directly(amount, age, half_life_ms) for amount, age in entries)
    assert isclose(sum(shares), float(exact), rel_tol=tolerance(half_life_ms))


@given(points, st.integers(1, 999), half_lives)
def test_a_sum_holds_as_long_as_it_is_said_to_and_crosses_soon_after(
    amount: int, per_mille: int, half_life_ms: int
) -> None:
    decay, least = Decay(half_life_ms), amount * per_mille / 1000
    holds = decay.holds_for_ms(float(amount), least)
    assert holds is not None
    slack = Decimal("1e-9")
    assert directly(amount, holds, half_life_ms) >= Decimal(least) * (1 - slack)
    after = holds + half_life_ms // 1024 + 2
    assert directly(amount, after, half_life_ms) < Decimal(least) * (1 + slack)
    assert holds <= decay.crossing_ms(amount, least) + 1 <= after + 1


@given(
    st.floats(0, 1e12), st.floats(1e-6, 1e12), st.sampled_from([1_000, DAY, 10 * DAY, 10_000 * DAY])
)
def test_how_long_a_sum_holds_is_the_last_thousandth_at_which_it_does(
    total: float, least: float, half_life_ms: int
) -> None:
    def left(step: int) -> float:
        whole, rest = divmod(step, 1024)
        return ldexp(total / Decay(1024).divisor(rest)[0], -whole)

    low, high = 0, 128 * 1024
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if left(middle) >= least else (low, middle - 1)
    assert Decay(half_life_ms).holds_for_ms(total, least) == low * half_life_ms // 1024


@given(points, st.floats(0, 1e10), half_lives)
def test_the_estimate_of_what_is_left_is_close_and_its_slope_is_that_of_the_next_moment(
    amount: int, after_ms: float, half_life_ms: int
) -> None:
    left, slope = Decay(half_life_ms).falling(float(amount), after_ms)
    exact = float(directly(amount, round(after_ms), half_life_ms))
    # below a double's smallest normal number digits are few
    assert isclose(left, exact, rel_tol=1e-4, abs_tol=1e-300)
    assert slope == pytest.approx(left * 0.6931471805599453 / half_life_ms)


@pytest.mark.parametrize(
    ("amounts", "wanted", "after_ms"),
    [
        ([(40.0, TEN_DAYS, -1.0)], 20.0, 10 * DAY),
        ([(40.0, TEN_DAYS, -1.0), (10.0, Decay(), -1.0)], 20.0, 20 * DAY),
        ([(40.0, TEN_DAYS, -1.0), (30.0, Decay(), 10.0)], 20.0, 20 * DAY),
        ([(80.0, TEN_DAYS, 20.0)], 10.0, 30 * DAY),
        ([(80.0, TEN_DAYS, 20.0), (40.0, Decay(20 * DAY), -1.0)], 40.0, 20 * DAY),
        ([(40.0, TEN_DAYS, -1.0)], 50.0, 0.0),
        ([(40.0, TEN_DAYS, -1.0), (30.0, Decay(), -1.0)], 30.0, inf),
        ([(40.0, Decay(), -1.0)], 20.0, inf),
    ],
)
def test_about_when_amounts_with_caps_have_fallen_to_a_number(
    amounts: list[tuple[float, Decay, float]], wanted: float, after_ms: float
) -> None:
    found = about_when(amounts, wanted)
    if after_ms == inf and any(decay.half_life_ms for _, decay, _ in amounts):
        assert found > 100 * DAY  # it comes as near as one likes, and the search ends somewhere
    else:
        assert found == pytest.approx(after_ms, abs=2.0)


@pytest.mark.parametrize("closely", [True, False])
def test_a_sum_of_several_half_lives_holds_no_longer_than_it_does(closely: bool) -> None:
    total = FadingSum()
    total.value, total.decays, total.stays = 45, {10 * DAY: 20.0, 40 * DAY: 20.0}, 5.0
    holds = total.holds_for_ms(30, closely=closely)
    assert holds is not None
    left = 20.0 * 2 ** (-holds / (10 * DAY)) + 20.0 * 2 ** (-holds / (40 * DAY)) + 5.0
    assert left >= 30.0
    assert closely is (left < 30.1)


def test_a_sum_that_is_above_the_number_by_what_stays_holds_for_ever() -> None:
    total = FadingSum()
    total.value, total.decays, total.stays = 60, {10 * DAY: 20.0}, 40.0
    assert total.holds_for_ms(40, closely=True) is None


def test_a_moment_weighs_sums_of_any_half_life_as_each_decay_does() -> None:
    moment = DecayMoment(NOW + 3 * DAY)
    for half_life_ms in (0, DAY, 10 * DAY, DAY):
        decay = Decay(half_life_ms)
        total, base = decay.grown(40.0, NOW)
        assert moment.left(total, base, half_life_ms) == decay.at(total, base, NOW + 3 * DAY)


def test_sums_in_another_unit_are_worth_the_same_to_the_bit() -> None:
    gained, base = TEN_DAYS.grown(40.3, NOW)
    lost, _ = TEN_DAYS.grown(-7.1, NOW)
    more, less = rebased(gained, lost, base, base + 3)
    assert TEN_DAYS.at(more, base + 3, NOW + DAY) == TEN_DAYS.at(gained, base, NOW + DAY)
    assert TEN_DAYS.at(less, base + 3, NOW + DAY) == TEN_DAYS.at(lost, base, NOW + DAY)


@pytest.mark.parametrize(("decay", "days", "sum_"), [(Decay(DAY), 3, 17.5), (Decay(), 3, 30.0)])
def test_what_is_earned_every_day_adds_up(decay: Decay, days: int, sum_: float) -> None:
    assert decay.of_every_day(10.0, days) == pytest.approx(sum_)
