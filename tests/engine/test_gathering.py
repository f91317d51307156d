"""A small batch waits as configured, and longer where transactions take long."""

from __future__ import annotations

import pytest

from baton.engine.kafka.gathering import Gathering


@pytest.mark.parametrize(
    ("took_ms", "waits_ms"),
    [(0, 30), (15, 30), (30, 30), (45, 60), (100, 170), (115, 200), (5_000, 200)],
)
def test_the_wait_follows_how_long_the_last_transaction_took(took_ms: int, waits_ms: int) -> None:
    gathering = Gathering(least_s=0.03, most_s=0.2)
    gathering.committed(took_ms / 1000)
    assert gathering.wait_s == pytest.approx(waits_ms / 1000)


def test_it_is_as_configured_before_the_first_and_after_a_quick_one() -> None:
    gathering = Gathering(least_s=0.03, most_s=0.2)
    assert gathering.wait_s == 0.03
    gathering.committed(3)
    gathering.committed(0.01)
    assert gathering.wait_s == 0.03


def test_a_limit_below_the_configured_wait_changes_nothing() -> None:
    gathering = Gathering(least_s=0.3, most_s=0.2)
    gathering.committed(3)
    assert gathering.wait_s == 0.3
