"""Trials of agreements on the board: shown as they were made, escaped, small counts hidden from who
may not see names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from baton.contracts.public_record import PublicRecord
from services.insights.projection.dialect import StorePlace
from services.insights.trials.kept_trials import Trial, Trials, TrialTable
from tests.services.insights.boards import Board, board_with
from tests.services.insights.stores import fill

Company = tuple[tuple[PublicRecord, ...], int]
NOW_MS = 1_795_392_000_000
TRIAL = Trial(
    kind="backtest",
    version="0123456789abcdef",
    made_ms=NOW_MS - 60_000,
    title="Agreement 0123 against 4567",
    facts=("219 accounts",),
    warnings=("PARTIAL: differs",),
    tables=(
        TrialTable(
            title="By source",
            headings=("source", "both", "only the new one"),
            rows=(("<script>alert(1)</script>", "114", "3"),),
            note="not evaluable",
        ),
    ),
)


@pytest.fixture
def board(place: StorePlace, tmp_path: Path) -> Board:
    return board_with(fill(place, []), tmp_path / "board", NOW_MS)


def test_a_trial_is_a_page_beside_the_agreement_and_everything_in_it_is_escaped(
    board: Board,
) -> None:
    visitor = board.visitor()
    assert "baton board trial" in visitor.get("/agreement").text
    Trials(board.files.folder).keep(TRIAL)
    assert f"/trials/{TRIAL.name}" in visitor.get("/agreement").text
    page = visitor.get(f"/trials/{TRIAL.name}")
    assert page.status_code == 200
    for words in ("PARTIAL: differs", "219 accounts", "By source", "114", "not evaluable"):
        assert words in page.text, words
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


def test_who_may_not_see_names_reads_no_count_below_five(
    store: StorePlace, company: Company, tmp_path: Path
) -> None:
    board = board_with(store, tmp_path / "board", company[1])
    Trials(board.files.folder).keep(TRIAL)
    seen = {
        person: "&lt; 5" in board.visitor(person).get(f"/trials/{TRIAL.name}").text
        for person in ("sdr-anna", "mgr-ines")
    }
    assert seen == {"sdr-anna": True, "mgr-ines": False}
    assert TRIAL.shown(named=True) is TRIAL
    (table,) = TRIAL.shown(named=False).tables
    assert table.rows == [["<script>alert(1)</script>", "114", "< 5"]]


def test_a_later_trial_of_the_same_agreement_replaces_the_earlier_and_the_latest_comes_first(
    tmp_path: Path,
) -> None:
    trials = Trials(tmp_path)
    other = replace(TRIAL, kind="calibration", made_ms=NOW_MS - 90_000)
    for trial in (TRIAL, other, replace(TRIAL, title="again", made_ms=NOW_MS)):
        trials.keep(trial)
    assert [trial.title for trial in trials.latest()] == ["again", TRIAL.title]


@pytest.mark.parametrize("name", ["backtest-zz", "..%2f..%2fcurrent", "link-0123456789abcdef", "x"])
def test_what_is_no_trial_is_not_found_and_not_kept(board: Board, name: str) -> None:
    assert board.visitor().get(f"/trials/{name}").status_code == 404
    with pytest.raises(ValueError, match="no name of a trial"):
        Trials(board.files.folder).keep(replace(TRIAL, kind="x", version="../../current"))
