"""When a delivery is tried again, and when a target is disabled: rules as tables."""

from __future__ import annotations

import pytest

from services.delivery.webhooks.schedule import (
    DISABLE_AFTER_MS,
    SCHEDULE_MS,
    Health,
    Outcome,
    next_of,
    slots,
)

NOW = 1_790_000_000_000
FAILED = Outcome(ok=False, words="500", status=500)
HOUR = 3_600_000


def test_the_schedule_is_the_specification_s() -> None:
    assert len(SCHEDULE_MS) + 1 == 10
    assert sum(SCHEDULE_MS) == (75 * 3600 + 35 * 60 + 5) * 1000


def test_attempts_wait_as_the_schedule_says_and_at_most_a_tenth_more() -> None:
    for attempts, wait in enumerate(SCHEDULE_MS):
        following, _ = next_of("msg_1", attempts, FAILED, Health(), NOW)
        assert following.state == "waiting"
        assert NOW + wait <= following.at_ms <= NOW + wait * 1.1


def test_many_that_failed_at_once_do_not_come_back_at_once() -> None:
    times = {next_of(f"msg_{n}", 1, FAILED, Health(), NOW)[0].at_ms for n in range(100)}
    assert len(times) > 90


def test_after_the_last_attempt_it_is_a_dead_letter() -> None:
    assert next_of("msg_1", 9, FAILED, Health(), NOW)[0].state == "dead"
    assert next_of("msg_1", 8, FAILED, Health(), NOW)[0].state == "waiting"


@pytest.mark.parametrize(
    ("asked_ms", "attempts", "at_least", "at_most"),
    [
        (60_000, 0, 60_000, 60_000),  # longer than the schedule: as asked
        (1_000, 1, SCHEDULE_MS[1], SCHEDULE_MS[1] * 1.1),  # shorter: as the schedule says
        (9 * HOUR, 0, HOUR, HOUR),  # an hour at most
    ],
)
def test_retry_after_is_honoured_up_to_an_hour(
    asked_ms: int, attempts: int, at_least: float, at_most: float
) -> None:
    outcome = Outcome(ok=False, words="503", status=503, retry_after_ms=asked_ms)
    following, health = next_of("msg_1", attempts, outcome, Health(), NOW)
    assert at_least <= following.at_ms - NOW <= at_most
    assert health.not_before_ms > NOW, "the target is left alone, not only this delivery"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_who_asks_to_slow_down_gets_nothing_for_a_while(status: int) -> None:
    _, health = next_of("a", 0, Outcome(ok=False, words="", status=status), Health(), NOW)
    assert slots(8, health, NOW) == 0
    assert slots(8, health, health.not_before_ms) == 8


def test_410_disables_at_once_and_loses_nothing() -> None:
    gone = Outcome(ok=False, words="410", status=410)
    following, _ = next_of("a", 0, gone, Health(), NOW)
    assert (following.state, following.disable) == ("waiting", "it answered 410 Gone")


@pytest.mark.parametrize(
    ("failures", "lasted_ms", "disabled"),
    [
        (19, DISABLE_AFTER_MS, True),
        (18, DISABLE_AFTER_MS, False),  # too few: a quiet endpoint
        (500, DISABLE_AFTER_MS - 1, False),  # too short: an outage of a weekend
    ],
)
def test_a_target_is_disabled_by_failures_that_are_many_and_last_long(
    failures: int, lasted_ms: int, disabled: bool
) -> None:
    before = Health(failures=failures, failing_since_ms=NOW - lasted_ms)
    following, after = next_of("a", 3, FAILED, before, NOW)
    assert (following.disable is not None) is disabled
    assert after.failing_since_ms == NOW - lasted_ms


def test_one_success_and_it_is_healthy_again() -> None:
    before = Health(failures=400, failing_since_ms=1)
    ok = Outcome(ok=True, words="200", status=200)
    assert next_of("a", 3, ok, before, NOW)[1] == Health()


def test_a_failing_target_gets_one_request_at_a_time() -> None:
    assert slots(8, Health(failures=4), NOW) == 8
    assert slots(8, Health(failures=5), NOW) == 1


def test_what_was_held_back_is_no_attempt() -> None:
    held = Outcome(ok=False, words="", held_until_ms=NOW + 5)
    following, health = next_of("a", 0, held, Health(failures=2), NOW)
    assert (following.state, following.at_ms, health.failures) == ("waiting", NOW + 5, 2)
