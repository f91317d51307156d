"""Open clocks and goals: the board's file and the compacted changelog give the same answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from baton.contracts.codec import codec_for
from baton.contracts.public_record import PublicRecord
from baton.contracts.topic_names import (
    GOALS_PROGRESS,
    LEADS_ROUTED_SALES,
    LEADS_SLA_CLOCKS,
)
from baton.contracts.topics import TOPICS
from baton.screens.clocks import ClockQuestion, clocks_of_board, clocks_of_changelog
from baton.screens.goals import goals_of_board, goals_of_records
from tests.screens.company import HOUR_MS, MINUTE_MS, START_MS, Company, demo, line
from tests.services.insights.stores import fill


@pytest.fixture(scope="module")
def company() -> Company:
    """Four ask; one is accepted; an hour and a half goes by."""
    found = Company().run(
        [demo(number, START_MS + number * MINUTE_MS) for number in range(1, 5)],
        START_MS + 5 * MINUTE_MS,
    )
    routed = found.values(LEADS_ROUTED_SALES)[0]
    act = line(
        found.now_ms + MINUTE_MS,
        id="a1",
        kind="act",
        identifiers={"lead": routed.lead_id},
        act={"kind": "accepted", "by": routed.owner},
    )
    return found.run([act], START_MS + 90 * MINUTE_MS)


@pytest.fixture(scope="module")
def board(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The board's file of the same company."""
    taken = []
    for record in company.records([LEADS_SLA_CLOCKS, GOALS_PROGRESS]):
        spec = TOPICS[record.topic].record
        assert spec is not None
        assert record.value is not None
        taken.append(
            PublicRecord(
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                id=record.header("ce_id") or "",
                key=(record.key or b"").decode(),
                value=codec_for(spec).decode(record.value),
                at_ms=record.at_ms,
            )
        )
    return fill(tmp_path_factory.mktemp("board") / "board.sqlite", taken)


QUESTIONS = [
    ClockQuestion(),
    ClockQuestion(until_ms=START_MS + 90 * MINUTE_MS),
    ClockQuestion(until_ms=START_MS + 6 * HOUR_MS, pool="sales"),
    ClockQuestion(person="ae-greta"),
    ClockQuestion(pool="sdr"),
    ClockQuestion(limit=2),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_board_and_the_changelog_answer_alike(
    company: Company, board: Path, question: ClockQuestion
) -> None:
    now = company.now_ms
    of_log = clocks_of_changelog(company.changelog("clocks"), question, now_ms=now)
    of_board = clocks_of_board(board, question, now_ms=now)
    assert (of_board.rows, of_board.total) == (of_log.rows, of_log.total)


def test_open_clocks_come_by_deadline_and_ended_ones_do_not(company: Company) -> None:
    found = clocks_of_changelog(company.changelog("clocks"), ClockQuestion(), now_ms=company.now_ms)
    latest = {clock.clock_id: clock for clock in company.values(LEADS_SLA_CLOCKS)}
    open_now = {name for name, clock in latest.items() if clock.state in ("running", "breached")}
    assert {row.clock_id for row in found.rows} == open_now
    assert len(open_now) < len(latest), "one at least has been met"
    deadlines = [row.deadline_ms for row in found.rows]
    assert deadlines == sorted(deadlines)
    assert all(row.left_ms == row.deadline_ms - company.now_ms for row in found.rows)


def test_goals_are_the_latest_of_each_whichever_source(company: Company, board: Path) -> None:
    of_log = goals_of_records(company.values(GOALS_PROGRESS))
    of_board = goals_of_board(board)
    assert {row.goal for row in of_log} == set(company.reference.agreement.goals)
    key = [(row.goal, row.period, row.achieved, row.target, row.state) for row in of_board]
    assert key == [(row.goal, row.period, row.achieved, row.target, row.state) for row in of_log]
    qualified = next(row for row in of_log if row.goal == "mqls")
    assert qualified.achieved == 4
    # the goal began today: no working day has gone, so there is no pace yet
    assert (qualified.working_days_gone, qualified.expected) == (0, None)
