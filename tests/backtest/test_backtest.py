"""A backtest finds planted differences with the right sign and size, gives the same numbers twice,
and stops where the old agreement does not give history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from baton.backtest import backtest_run
from baton.backtest.backtest import Backtest, HistoryDiffers, backtest
from baton.backtest.history import History
from baton.backtest.question import Question
from baton.backtest.replayed_facts import facts_of_lines
from baton.backtest.report import html_page, report_of, text_lines
from tests.backtest.year import DAY_MS, Year, agreement_with, documents_of, history_with

ENTER_20 = "3: {enter: 20, exit: 12}"


class World:
    """The year, the old agreement, and its history by the whole system."""

    def __init__(self, tmp: Path) -> None:
        self.tmp, self.year = tmp, Year()
        self.old = agreement_with(tmp, {})
        self.documents = list(documents_of(self.year, self.old))
        self.history = history_with(self.documents)
        self.reads = 0

    def question(self, changes: Mapping[str, str], **more: Any) -> Question:
        asked = Question(
            old=self.old,
            new=agreement_with(self.tmp, changes),
            since_ms=self.year.arrivals[0].at_ms,
            until_ms=self.year.until_ms,
        )
        return replace(asked, **more)

    def ask(self, question: Question, history: History | None = None, workers: int = 1) -> Backtest:
        def facts() -> Any:
            self.reads += 1
            return facts_of_lines(self.year.arrivals, self.old)

        folder = self.tmp / "work"
        return backtest(question, facts, history, folder, workers=workers)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("year"))


def test_the_same_agreement_replayed_gives_history_and_changes_nothing(world: World) -> None:
    found = world.ask(world.question({}), world.history)
    assert found.check is not None
    assert found.check.passed
    # a form is 12 points, and two acts, a webinar or a demonstration are 20 at least
    ready = 3 * len(world.year.truths) // 4
    assert (found.check.compared, found.check.pools) == (ready, ready)
    assert found.comparison.cells == {
        "both": ready,
        "only_old": 0,
        "only_new": 0,
        "neither": len(world.year.truths) - ready,
    }
    assert (found.comparison.shift.same, found.comparison.moved["pool"]) == (ready, 0)


def test_a_raised_threshold_loses_exactly_those_whose_points_lie_between(world: World) -> None:
    found = world.ask(world.question({ENTER_20: "3: {enter: 22, exit: 12}"}), world.history)
    webinars = len(world.year.of_kind("webinar"))
    cells = found.comparison.cells
    assert (cells["only_old"], cells["only_new"]) == (webinars, 0)
    assert found.comparison.by["level"]["warm"]["only_old"] == webinars
    demos, two = (len(world.year.of_kind(kind)) for kind in ("demo", "two"))
    assert cells["both"] == demos + two
    loads = {load.pool: (load.old, load.new) for load in found.comparison.loads}
    assert loads == {"sdr": (webinars + two, two), "sales": (demos, demos)}


def test_a_lowered_threshold_gains_those_below_and_finds_others_earlier(world: World) -> None:
    found = world.ask(world.question({ENTER_20: "3: {enter: 12, exit: 8}"}), world.history)
    forms, two = (len(world.year.of_kind(kind)) for kind in ("forms", "two"))
    assert found.comparison.cells["only_new"] == forms
    assert (found.comparison.shift.earlier, found.comparison.shift.later) == (two, 0)
    assert found.comparison.shift.median_earlier_ms == DAY_MS, "the second act came a day later"
    assert (found.comparison.not_evaluable, found.comparison.not_evaluable_share) == (forms, 1.0)


def test_one_altered_fact_of_history_stops_it_and_is_named(world: World) -> None:
    altered = json.loads(json.dumps(world.documents))
    reported = next(one for one in altered if one["topic"] == "leads.qualified.v1")
    reported["value"]["level"] = "hot" if reported["value"]["level"] == "warm" else "warm"
    question = world.question({})
    with pytest.raises(HistoryDiffers, match="differs from history in 1 of") as caught:
        world.ask(question, history_with(altered))
    (found,) = caught.value.check.shown
    assert (found.lead_id, found.what) == (reported["value"]["lead_id"], "level")
    partial = world.ask(replace(question, partial=True), history_with(altered))
    assert partial.check is not None
    assert not partial.check.passed
    assert any("PARTIAL" in line for line in text_lines(report_of(question, partial)))


@pytest.mark.parametrize(
    ("alter", "what"),
    [
        (lambda value: value.update(qualified_at_ms=value["qualified_at_ms"] + 60_000), "when"),
        (lambda value: value.update(leg="sales" if value["leg"] == "sdr" else "sdr"), "leg"),
    ],
)
def test_what_differs_is_said(world: World, alter: Any, what: str) -> None:
    altered = json.loads(json.dumps(world.documents))
    # a stage says the same moment: without it only the altered record does
    reported = next(one for one in altered if one["topic"] == "leads.qualified.v1")
    lead_id = reported["value"]["lead_id"]
    altered = [
        one
        for one in altered
        if one["topic"] != "leads.stages.v1" or one["value"]["lead_id"] != lead_id
    ]
    alter(reported["value"])
    with pytest.raises(HistoryDiffers) as caught:
        world.ask(world.question({}), history_with(altered))
    assert [(one.lead_id, one.what) for one in caught.value.check.shown] == [(lead_id, what)]


def test_a_lead_that_history_does_not_know_is_said(world: World) -> None:
    lead_id = next(iter(world.history.first))
    less = [one for one in world.documents if (one["value"] or {}).get("lead_id") != lead_id]
    with pytest.raises(HistoryDiffers) as caught:
        world.ask(world.question({}), history_with(less))
    (found,) = caught.value.check.shown
    assert (found.lead_id, found.what, found.history) == (lead_id, "qualified", None)


def test_a_sample_is_by_account_gives_the_same_twice_and_lies_within_the_whole(
    world: World,
) -> None:
    question = world.question({ENTER_20: "3: {enter: 22, exit: 12}"}, sample=0.4)
    first, again = (world.ask(question, world.history) for _ in range(2))
    whole = world.ask(replace(question, sample=1.0), world.history)
    assert first == again
    assert 0.2 < first.comparison.units / whole.comparison.units < 0.6
    assert all(
        first.comparison.cells[cell] <= count for cell, count in whole.comparison.cells.items()
    )


def test_two_processes_give_the_numbers_of_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest_run, "FEW_FACTS", 0)
    question = world.question({ENTER_20: "3: {enter: 22, exit: 12}"})
    alone, together = (world.ask(question, world.history, workers) for workers in (1, 2))
    assert alone == together


def test_an_interrupted_run_goes_on_without_reading_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = world.question({ENTER_20: "3: {enter: 22, exit: 12}"})
    whole = world.ask(question, world.history)
    done, real = [], backtest_run._replay_file

    def breaks(path: Path) -> None:
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(path)
        real(path)

    monkeypatch.setattr(backtest_run, "_replay_file", breaks)
    with pytest.raises(KeyboardInterrupt):
        world.ask(question, world.history)
    reads = world.reads
    monkeypatch.setattr(backtest_run, "_replay_file", real)
    assert world.ask(question, world.history) == whole
    assert world.reads == reads, "the facts were in the folder"
    assert not (world.tmp / "work").exists()


def test_an_interrupted_run_goes_on_with_its_own_facts_for_a_day_and_then_begins_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    question, real = world.question({}), backtest_run._replay_file

    def breaks(path: Path) -> None:
        raise KeyboardInterrupt

    def interrupted() -> None:
        monkeypatch.setattr(backtest_run, "_replay_file", breaks)
        with pytest.raises(KeyboardInterrupt):
            world.ask(question, world.history)
        monkeypatch.setattr(backtest_run, "_replay_file", real)

    interrupted()
    soon = replace(question, until_ms=question.until_ms + DAY_MS // 2)
    reads = world.reads
    assert world.ask(soon, world.history).until_ms == question.until_ms
    assert world.reads == reads
    interrupted()
    later = replace(question, until_ms=question.until_ms + 2 * DAY_MS)
    reads = world.reads
    assert world.ask(later, world.history).until_ms == later.until_ms
    assert world.reads == reads + 1


def test_outcomes_are_joined_with_intervals_and_no_rate_below_twenty(world: World) -> None:
    history = history_with(world.documents)
    demos = {truth.email for truth in world.year.of_kind("demo")}
    assert len(demos) == 30
    sales = [lead for lead, one in history.first.items() if one.leg == "sales"]
    for lead in sorted(sales)[:12]:
        history.reached[lead] = {"accepted", "sql", "opportunity"}
    found = world.ask(world.question({ENTER_20: "3: {enter: 70, exit: 12}"} | _MATRIX), history)
    both, only_old = found.comparison.precision
    assert (both.cell, both.units, both.reached) == ("both", 30, 12)
    assert both.rate == pytest.approx(0.4)
    assert both.low == pytest.approx(0.246, abs=0.001)
    assert both.high == pytest.approx(0.577, abs=0.001)
    assert (only_old.units, only_old.reached, only_old.rate) == (60, 0, 0.0)
    small = world.ask(world.question({}, sample=0.2), history)
    assert 0 < small.comparison.precision[1].units + small.comparison.precision[0].units < 30
    for one in small.comparison.precision:
        assert (one.rate is None) == (one.units < 20)


_MATRIX = {
    "1: {enter: 60, exit: 45}": "1: {enter: 90, exit: 45}",
    "2: {enter: 40, exit: 28}": "2: {enter: 80, exit: 28}",
}


def test_what_qualified_before_the_window_is_left_out_and_counted(world: World) -> None:
    middle = world.year.arrivals[len(world.year.arrivals) // 2].at_ms
    found = world.ask(world.question({}, since_ms=middle), world.history)
    early = sum(one.at_ms < middle for one in world.history.first.values())
    assert found.comparison.warm_up == early
    assert found.check is not None
    assert found.check.compared == len(world.history.first) - early


def test_facts_that_begin_too_late_for_the_warm_up_are_said(world: World) -> None:
    found = world.ask(world.question({}), world.history)
    assert any("days too late" in note for note in found.comparison.notes)


def test_the_report_escapes_what_came_from_outside(world: World) -> None:
    question = world.question({})
    found = world.ask(question, world.history)
    hostile = {"<script>alert(1)</script>": {"both": 1, "only_old": 0, "only_new": 0}}
    comparison = replace(found.comparison, by={"source": hostile})
    page = html_page(report_of(question, replace(found, comparison=comparison)))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_without_history_the_report_says_that_nothing_was_checked(world: World) -> None:
    question = world.question({ENTER_20: "3: {enter: 22, exit: 12}"})
    found = world.ask(question)
    assert found.check is None
    assert found.comparison.cells["only_old"] == len(world.year.of_kind("webinar"))
    assert any("no history" in line for line in text_lines(report_of(question, found)))


def test_books_of_named_accounts_go_with_the_agreement_into_every_process(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest_run, "FEW_FACTS", 0)
    (world.tmp / "accounts.csv").write_text("account,owner\nfirm3.example,ae-hugo\n")
    routing = "routing:\n"
    book = {routing: "books:\n  accounts: accounts.csv\n\nrouting:\n"}
    question = world.question(book)
    assert question.new.raw.attached.by_hash
    found = world.ask(question, world.history, workers=2)
    assert found.check is not None
    assert found.check.passed
    assert found.comparison.cells["only_old"] == 0
    asked = replace(question, old=question.new)
    folder = world.tmp / "work"
    same = backtest(
        asked, lambda: facts_of_lines(world.year.arrivals, question.new), None, folder, workers=1
    )
    assert same.comparison.cells["both"] == found.comparison.cells["both"]
