"""Slow reports are kept for a bounded while and for who asked; quick ones never."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.insights.board.kept import KeptReports
from services.insights.reports.context import Context, Role, Viewer, filters_of


class Made:
    """A report that takes ``seconds`` by the clock that the kept ones read."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now, self.times = seconds, 0.0, 0
        self.kept = KeptReports(lambda: self.now)

    def make(self, _: Context) -> dict[str, Any]:
        self.times += 1
        self.now += self.seconds
        return {"number": self.times}

    def ask(self, now_ms: int = 1_000, *, person: str = "ae-greta", **query: str) -> Any:
        context = Context(
            db=None,
            now_ms=now_ms,
            viewer=Viewer(role=Role.SALES, person=person),
            filters=filters_of(query, date(2026, 11, 30)),
        )
        return self.kept.report("/sla", self.make, context)


def test_a_quick_report_is_always_made_anew() -> None:
    made = Made(0.05)
    assert made.ask(1_000) == ({"number": 1}, 1_000)
    assert made.ask(2_000) == ({"number": 2}, 2_000)


@pytest.mark.parametrize(("seconds", "kept_s"), [(0.2, 3.0), (1.0, 15.0), (9.0, 30.0)])
def test_a_slow_one_is_kept_in_proportion_and_says_as_of_when_it_is(
    seconds: float, kept_s: float
) -> None:
    made = Made(seconds)
    assert made.ask(1_000) == ({"number": 1}, 1_000)
    made.now = kept_s - 0.01
    assert made.ask(9_000) == ({"number": 1}, 1_000)
    made.now = kept_s + 0.01
    assert made.ask(9_000) == ({"number": 2}, 9_000)


def test_it_is_kept_for_the_same_viewer_and_the_same_filters_only() -> None:
    made = Made(1.0)
    made.ask()
    assert made.ask(person="ae-hugo")[0] == {"number": 2}
    assert made.ask(pool="sales")[0] == {"number": 3}
    assert made.ask()[0] == {"number": 1}


def test_so_many_are_kept_and_no_more() -> None:
    made = Made(1.0)
    made.seconds = 0.2
    for number in range(200):
        made.ask(pool=f"pool-{number}")
        made.now = 0.0
    assert len(made.kept._kept) <= 64
