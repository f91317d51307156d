"""A small batch waits for the rest of the pause after the one before, and the pause is longer where
transactions take long."""

from __future__ import annotations

import pytest

from baton.engine.kafka.batch_pause import Gathering


@pytest.mark.parametrize(
    ("came_ms", "begun_ms"),
    [
        (-20, 10),  # while the last transaction was under way
        (-40, -10),  # at once: it has waited for long enough
        (0, 30),
        (10, 30),
        (29, 30),
        (30, 30),
        (31, 30),  # after the pause: at once
        (5_000, 30),
    ],
)
def test_a_record_waits_for_the_rest_of_the_pause_and_after_it_not_at_all(
    came_ms: int, begun_ms: int
) -> None:
    gathering = Gathering(least_s=0.03, most_s=0)
    gathering.committed(100.0, 0.01)
    assert gathering.until(100.0 + came_ms / 1000) == pytest.approx(100.0 + begun_ms / 1000)


def test_the_first_record_of_a_task_does_not_wait() -> None:
    assert Gathering(least_s=0.03, most_s=0).until(7.0) == 7.0


@pytest.mark.parametrize(
    ("took_ms", "pause_ms"),
    [(0, 30), (15, 30), (30, 30), (45, 60), (100, 170), (115, 200), (5_000, 200)],
)
def test_the_pause_follows_how_long_the_last_transaction_took(took_ms: int, pause_ms: int) -> None:
    gathering = Gathering(least_s=0.03, most_s=0.2)
    gathering.committed(1.0, took_ms / 1000)
    assert gathering.pause_s == pytest.approx(pause_ms / 1000)


def test_it_is_as_configured_before_the_first_and_after_a_quick_one() -> None:
    gathering = Gathering(least_s=0.03, most_s=0.2)
    assert gathering.pause_s == 0.03
    gathering.committed(1.0, 3)
    gathering.committed(2.0, 0.01)
    assert gathering.pause_s == 0.03


def test_a_limit_below_the_configured_pause_changes_nothing() -> None:
    gathering = Gathering(least_s=0.3, most_s=0.2)
    gathering.committed(1.0, 3)
    assert gathering.pause_s == 0.3
