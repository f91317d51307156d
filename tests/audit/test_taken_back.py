"""A win that was taken back: the goal has it no more, and somebody said so."""

from __future__ import annotations

from baton.contracts.goals import GoalTally
from baton.proof.audit.findings import Dated, Finding, Place
from baton.proof.audit.groups import Achieved, Tally, check_goal
from baton.proof.audit.verdicts import check_verdicts
from tests.streams import move_of

HERE = ("sla.tallies.v1", 0, 1)
WON = Tally(1, HERE, "t1", "lead", 1, "2026-03")
BACK = Tally(5, HERE, "t2", "lead", 1, "2026-03", taken_back=True)


def findings_of(tallies: list[Tally], achieved: int) -> list[Finding]:
    found: list[Finding] = []
    reported = [Achieved(9, HERE, achieved, "2026-03")]
    check_goal("won", tallies, [], reported, until_ms=100, whole=True, add=found.append)
    return found


def test_a_win_that_was_taken_back_does_not_count() -> None:
    assert findings_of([WON, BACK], 0) == []


def test_a_goal_that_still_has_a_win_that_was_taken_back_is_found() -> None:
    assert len(findings_of([WON, BACK], 1)) == 1


def test_a_goal_that_lost_a_win_that_nobody_took_back_is_found() -> None:
    assert len(findings_of([WON], 0)) == 1


def records_of(event: str) -> list[Dated]:
    moved = move_of("lead", event, before="customer", after="opportunity", at_ms=5, cycle=2)
    tally = GoalTally(
        goal="won",
        tally_id="t2",
        metric="won",
        amount=-1,
        occurred_at_ms=1,
        segment=None,
        lead_id="lead",
        cause_id="c",
        cycle=1,
    )
    place = Place.of(HERE)
    return [Dated(at_ms=5, place=place, value=value) for value in (moved, tally)]


def taken_back_findings(event: str) -> list[str]:
    found: list[Finding] = []
    check_verdicts(records_of(event), lambda version: None, until_ms=0, add=found.append)
    return [finding.words for finding in found]


def test_a_win_is_taken_back_by_somebodys_word() -> None:
    assert taken_back_findings("reopened") == []


def test_a_win_that_is_taken_back_without_anybodys_word_is_found() -> None:
    assert taken_back_findings("deal_changed") == [
        "a win is taken out of won, and nobody said that it was none"
    ]
