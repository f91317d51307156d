"""Durations, targets, points and percentages as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.agreement.model.recycling import When, _when
from baton.agreement.quantities import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    WEEK_MS,
    TargetKind,
    TargetWords,
    duration_words,
    micro_of,
    parse_duration_ms,
    parse_target,
    points_words,
)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("90d", 90 * DAY_MS),
        ("14 days", 14 * DAY_MS),
        ("1 day", DAY_MS),
        ("2 weeks", 2 * WEEK_MS),
        ("8 hours", 8 * HOUR_MS),
        ("1 hour 30 minutes", 90 * MINUTE_MS),
        ("45m", 45 * MINUTE_MS),
        ("3 seconds", 3 * SECOND_MS),
        ("250ms", 250),
        ("  7  Days ", 7 * DAY_MS),
        ("0 days", 0),
    ],
)
def test_a_duration_is_read(text: str, ms: int) -> None:
    assert parse_duration_ms(text) == ms


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("90", "is not a duration: write a number and a unit"),
        ("1:30", "is not a duration: write a number and a unit"),
        ("days", "is not a duration: write a number and a unit"),
        ("-3 days", "is not a duration: write a number and a unit"),
        ("1.5 days", "is not a duration: write a number and a unit"),
        ("3 fortnights", '"fortnights" is not a unit of time'),
        ("3 months", '"months" is not a unit of time'),
        ("99999 weeks", "is longer than a hundred years"),
    ],
)
def test_what_is_no_duration_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse_duration_ms(text)
    assert words in str(raised.value)


@given(st.integers(0, 36_525 * DAY_MS))
def test_a_duration_in_words_reads_back(ms: int) -> None:
    assert parse_duration_ms(duration_words(ms)) == ms


@pytest.mark.parametrize(
    ("text", "kind", "amount", "words"),
    [
        ("4 business hours", TargetKind.BUSINESS, 4 * HOUR_MS, "4 business hours"),
        ("1 business hour", TargetKind.BUSINESS, HOUR_MS, "1 business hour"),
        ("90 business minutes", TargetKind.BUSINESS, 90 * MINUTE_MS, "1 business hour 30 minutes"),
        (
            "1 business hour 30 minutes",
            TargetKind.BUSINESS,
            90 * MINUTE_MS,
            "1 business hour 30 minutes",
        ),
        ("45 business minutes", TargetKind.BUSINESS, 45 * MINUTE_MS, "45 business minutes"),
        ("2 working days", TargetKind.WORKING_DAYS, 2, "2 working days"),
        ("1 working day", TargetKind.WORKING_DAYS, 1, "1 working day"),
        ("30 minutes elapsed", TargetKind.ELAPSED, 30 * MINUTE_MS, "30 minutes elapsed"),
        ("4 seconds elapsed", TargetKind.ELAPSED, 4 * SECOND_MS, "4 seconds elapsed"),
        ("2 days elapsed", TargetKind.ELAPSED, 2 * DAY_MS, "2 days elapsed"),
    ],
)
def test_a_target_has_one_of_three_forms(
    text: str, kind: TargetKind, amount: int, words: str
) -> None:
    target = parse_target(text)
    assert (target, target.words) == (TargetWords(kind=kind, amount=amount), words)
    assert parse_target(words) == target


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "4 hours",
            (
                'does not say whether closed hours count: write "4 business hours" or "4 hours '
                'elapsed"'
            ),
        ),
        (
            "30 seconds",
            (
                'does not say whether closed hours count: write business minutes or "30 seconds '
                'elapsed"'
            ),
        ),
        ("2 days", 'does not say which days: write "2 working days" or "2 days elapsed"'),
        (
            "2 business days",
            'can be taken two ways: write "2 working days", or the hours as "8 business hours"',
        ),
        ("8 working hours", 'write "8 business hours"'),
        ("4", "is not a target"),
        ("soon", "is not a target"),
        ("0 working days", "a target must be longer than nothing"),
        ("0 minutes elapsed", "a target must be longer than nothing"),
        ("5 business minutes 3 minutes", "names minutes twice"),
    ],
)
def test_a_target_that_could_be_mistaken_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse_target(text)
    assert words in str(raised.value)


@given(st.sampled_from(TargetKind), st.integers(1, 5_000))
def test_a_target_in_words_reads_back(kind: TargetKind, amount: int) -> None:
    amounts = {TargetKind.WORKING_DAYS: amount, TargetKind.END_OF_DAY: amount % 2}
    target = TargetWords(kind=kind, amount=amounts.get(kind, amount * MINUTE_MS))
    assert parse_target(target.words) == target


@given(st.integers(-10_000_000_000, 10_000_000_000))
def test_points_in_words_are_the_same_millionths(micro: int) -> None:
    assert micro_of(Decimal(points_words(micro))) == micro


def test_points_finer_than_a_millionth_are_not_rounded_away() -> None:
    with pytest.raises(ValueError, match="more than six decimals"):
        micro_of(Decimal("0.0000001"))


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("after 90d", When(after_ms=90 * DAY_MS)),
        ("after 8 seconds", When(after_ms=8 * SECOND_MS)),
        ("contract_end - 60d", When(before_end_ms=60 * DAY_MS)),
        ("contract_end - 8 weeks", When(before_end_ms=56 * DAY_MS)),
    ],
)
def test_a_return_date_is_read_and_reads_back(text: str, when: When) -> None:
    assert _when(text) == when
    assert _when(when.words) == when


@pytest.mark.parametrize(
    "text", ["90d", "contract_end", "contract_end - 5 hours", "contract_end + 5 days", "after", 90]
)
def test_what_is_no_return_date_is_refused(text: object) -> None:
    with pytest.raises(Exception, match="return date|whole days"):
        _when(text)
