"""Levels: the matrix, thresholds for the way up and down, and where the next change lies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.agreement.compiled.levels import RANK, Band, LevelTable

P = 1_000_000
TABLE = LevelTable(
    fit_bands=[
        Band(name="A", enter_micro=60 * P, exit_micro=50 * P),
        Band(name="B", enter_micro=30 * P, exit_micro=30 * P),
        Band(name="C", enter_micro=0, exit_micro=0),
    ],
    engagement_bands=[
        Band(name="1", enter_micro=50 * P, exit_micro=35 * P),
        Band(name="2", enter_micro=20 * P, exit_micro=12 * P),
        Band(name="3", enter_micro=0, exit_micro=0),
    ],
    matrix={
        "A": {"1": "hot", "2": "warm", "3": "cold"},
        "B": {"1": "warm", "2": "warm", "3": "cold"},
        "C": {"1": "cold", "2": "cold", "3": "cold"},
    },
    dwell_ms=0,
)


@pytest.mark.parametrize(
    ("fit", "engagement", "current", "level", "why"),
    [
        (60, 50, None, "hot", "at both thresholds"),
        (59, 50, None, "warm", "fit just below A"),
        (60, 49, None, "warm", "engagement just below 1"),
        (100, 0, None, "cold", "a perfect fit that does nothing"),
        (0, 1000, None, "cold", "a busy student"),
        (60, 35, "hot", "hot", "kept at the exit threshold"),
        (60, 34, "hot", "warm", "left below it"),
        (60, 12, "warm", "warm", "kept"),
        (60, 11, "warm", "cold", "left"),
        (50, 50, "hot", "hot", "a fit that fell is kept down to its exit"),
        (49, 50, "hot", "warm", "and left below it"),
        (60, 35, "warm", "warm", "the exit of hot makes nobody hot"),
        (60, 12, "cold", "cold", "the exit of warm makes nobody warm"),
        (60, 11, "hot", "cold", "two levels at once"),
        (29, 1000, "hot", "cold", "no fit, no level"),
        (60, 19.95, "cold", "warm", "read as 20: entered"),
        (60, 19.949999, "cold", "cold", "read as 19.9: not entered"),
        (59.95, 50, "cold", "hot", "a fit read as 60"),
        (60, 11.999999, "warm", "cold", "leaving is exact"),
        (29.95, 50, "warm", "warm", "a band without an exit of its own is kept by what enters it"),
        (29.949999, 50, "warm", "cold", "and left below that"),
    ],
)
def test_a_level(fit: float, engagement: float, current: str | None, level: str, why: str) -> None:
    assert TABLE.level_for(round(fit * P), round(engagement * P), current).level == level, why


@pytest.mark.parametrize(
    ("fit", "engagement", "grade"),
    [(60, 50, "A1"), (59, 50, "B1"), (60, 49, "A2"), (0, 0, "C3"), (100, 19, "A3"), (30, 20, "B2")],
)
def test_a_grade_is_read_by_the_enter_thresholds(fit: int, engagement: int, grade: str) -> None:
    assert TABLE.grade(fit * P, engagement * P) == grade
    assert (TABLE.fit_band(fit * P), TABLE.engagement_band(engagement * P)) == (grade[0], grade[1])


def test_the_reason_says_which_cell_and_its_thresholds() -> None:
    assert (
        TABLE.level_for(70 * P, 21 * P, None).reason == "A2: fit from 60, engagement from 20: warm"
    )
    assert TABLE.level_for(70 * P, 15 * P, "warm").reason == "kept: not below the exit of A2"


FITS, ENGAGEMENTS, LEVELS = (
    st.integers(0, 100 * P),
    st.integers(0, 120 * P),
    st.sampled_from(list(RANK)),
)


@given(FITS, ENGAGEMENTS, LEVELS)
def test_deciding_twice_changes_nothing(fit: int, engagement: int, current: str) -> None:
    once = TABLE.level_for(fit, engagement, current).level
    assert TABLE.level_for(fit, engagement, once).level == once


@given(FITS, ENGAGEMENTS, ENGAGEMENTS, LEVELS)
def test_more_engagement_never_lowers_a_level(fit: int, one: int, other: int, current: str) -> None:
    low, high = sorted((one, other))
    assert (
        RANK[TABLE.level_for(fit, low, current).level]
        <= RANK[TABLE.level_for(fit, high, current).level]
    )


@given(FITS, LEVELS)
def test_the_way_out_is_where_it_is_said_to_be(fit: int, level: str) -> None:
    kept_from = TABLE.exit_below_micro(fit, level)
    if kept_from is None:
        assert RANK[TABLE.level_for(fit, 10**12, level).level] < RANK[level]
        return
    assert RANK[TABLE.level_for(fit, kept_from, level).level] >= RANK[level]
    if kept_from > 0:
        assert RANK[TABLE.level_for(fit, kept_from - 1, level).level] < RANK[level]


@given(FITS, LEVELS)
def test_the_way_in_is_where_it_is_said_to_be(fit: int, level: str) -> None:
    entered_at = TABLE.enter_at_micro(fit, level)
    if entered_at is None:
        assert RANK[TABLE.level_for(fit, 10**12, None).level] < RANK[level]
        return
    assert RANK[TABLE.level_for(fit, entered_at, None).level] >= RANK[level]
    if entered_at > 0:
        assert RANK[TABLE.level_for(fit, entered_at - 1, None).level] < RANK[level]


@given(FITS, st.lists(st.integers(36 * P, 49 * P), max_size=30), LEVELS)
def test_a_score_that_trembles_between_exit_and_enter_changes_nothing(
    fit: int, scores: list[int], current: str
) -> None:
    level = TABLE.level_for(fit, 49 * P, current).level
    for score in scores:
        assert TABLE.level_for(fit, score, level).level == level
