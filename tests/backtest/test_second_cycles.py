"""A lead that history brought to rest qualifies again: both hand-offs are compared, and outcomes
belong to the one they were about."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from baton.backtest.backtest import Backtest, backtest
from baton.backtest.cycle_keys import cycle_key
from baton.backtest.question import Question
from baton.backtest.replayed_facts import facts_of_lines
from baton.backtest.report import report_of, text_lines
from baton.simulation.input_lines import Arrival
from tests.backtest.year import BEGINS, DAY_MS, agreement_with, arrival, documents_of, history_with

ENTER_20 = "3: {enter: 20, exit: 12}"
WEBINARS, WORKED = 8, 6


def said(index: int, at: datetime, kind: str, by: str, **more: str) -> Arrival:
    """Somebody of sales does something with the lead; of whom it is not is refused."""
    body = {
        "id": f"s{index}-{kind}-{by}-{at.isoformat()}",
        "source": "crm",
        "kind": "act",
        "occurred_at": at.isoformat(),
        "identifiers": {"email": f"p{index}@firm{index}.example"},
        "act": {"kind": kind, "by": by} | more,
    }
    return Arrival(at_ms=int(at.timestamp() * 1000), line=json.dumps(body).encode())


def lines() -> list[Arrival]:
    """Webinars that nobody accepts cool, and come again after 200 days, half of them with a
    demonstration. Demonstrations are worked on, recycled, asked for again, and become a deal."""
    found = []
    for index in range(WEBINARS):
        at, email = BEGINS + timedelta(hours=7 * index), f"p{index}@firm{index}.example"
        again = "demo_request" if index % 2 else "webinar"
        found += [
            arrival(index, 0, "webinar", at, email),
            arrival(index, 1, again, at + timedelta(days=200), email),
        ]
    for index in range(WEBINARS, WEBINARS + WORKED):
        at, email = BEGINS + timedelta(hours=7 * index), f"p{index}@firm{index}.example"
        later = at + timedelta(days=60)
        found += [
            arrival(index, 0, "demo_request", at, email),
            arrival(index, 1, "demo_request", later, email),
        ]
        for by in ("ae-hugo", "ae-greta"):
            found += [
                said(index, at + timedelta(minutes=30), "accepted", by),
                said(index, at + timedelta(days=1), "recycled", by, reason="not_ready"),
                said(index, later + timedelta(minutes=30), "accepted", by),
                said(index, later + timedelta(days=2), "qualified", by),
            ]
    return sorted(found, key=lambda one: one.at_ms)


class World:
    def __init__(self, tmp: Path) -> None:
        self.tmp, self.arrivals = tmp, lines()
        self.until_ms = self.arrivals[-1].at_ms + DAY_MS
        self.old = agreement_with(tmp, {})
        year: Any = SimpleNamespace(arrivals=self.arrivals, until_ms=self.until_ms)
        self.documents = list(documents_of(year, self.old))
        self.history = history_with(self.documents)

    def ask(self, *changes: tuple[str, str], outcome: str = "sql") -> tuple[Question, Backtest]:
        question = Question(
            old=self.old,
            new=agreement_with(self.tmp, dict(changes)),
            since_ms=self.arrivals[0].at_ms,
            until_ms=self.until_ms,
            outcome=outcome,
        )
        found = backtest(
            question,
            lambda: facts_of_lines(self.arrivals, self.old),
            self.history,
            self.tmp / "work",
            workers=1,
        )
        return question, found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("cycles"))


def test_the_same_agreement_replayed_gives_both_cycles_of_history(world: World) -> None:
    question, found = world.ask()
    assert found.check is not None
    leads = WEBINARS + WORKED
    assert (found.check.compared, found.check.later) == (leads, leads)
    assert found.check.passed
    assert not found.check.left_out
    assert found.comparison.cells == {
        "both": 2 * leads,
        "only_old": 0,
        "only_new": 0,
        "neither": 0,
    }
    assert (found.comparison.units, found.comparison.later) == (2 * leads, leads)
    assert any(
        f"{leads} of later cycles" in line for line in text_lines(report_of(question, found))
    )


def test_a_raised_threshold_loses_the_webinars_of_either_cycle(world: World) -> None:
    _, found = world.ask((ENTER_20, "3: {enter: 22, exit: 12}"))
    again = WEBINARS // 2
    assert found.comparison.cells["only_old"] == WEBINARS + again
    assert found.comparison.cells["both"] == WEBINARS // 2 + 2 * WORKED
    assert found.comparison.cells["neither"] == 0, "there is no cycle that nobody began"


def test_an_outcome_belongs_to_the_cycle_in_which_it_was_reached(world: World) -> None:
    reached = {key for key, outcomes in world.history.reached.items() if "sql" in outcomes}
    assert len(reached) == WORKED
    assert all(key == cycle_key(key.partition("/")[0], 2) for key in reached)
    _, found = world.ask()
    both, _ = found.comparison.precision
    assert (both.units, both.reached) == (2 * (WEBINARS + WORKED), WORKED)
    _, accepted = world.ask(outcome="accepted")
    assert accepted.comparison.precision[0].reached == 2 * WORKED


def test_a_later_cycle_that_the_replay_does_not_give_is_left_out_and_counted(world: World) -> None:
    key = next(key for key in world.history.first if key.endswith("/2"))
    altered = [
        one
        for one in world.documents
        if not (
            one["topic"] == "leads.recycled.v1" and one["value"]["lead_id"] == key.partition("/")[0]
        )
    ]
    whole, world.history = world.history, history_with(altered)
    try:
        question, found = world.ask()
    finally:
        world.history = whole
    assert found.check is not None
    assert found.check.passed, "the first cycles are as they were"
    assert found.comparison.units == 2 * (WEBINARS + WORKED) - 1
    assert not found.check.left_out, "a qualification after one that never ended is not followed"
    assert question.partial is False
