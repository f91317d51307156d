"""Promises and goals of a backtest: a queue worked by hand, and what nobody can say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.source.read import read_agreement
from baton.backtest.goal_outlook import MET, MISSED, OPEN, GoalOutlook, goal_outlooks
from baton.backtest.history import History, history_of
from baton.backtest.promises_at_load import Missed, promises_at_load
from baton.backtest.replay import FirstQualification
from tests.backtest.year import FIRST, agreement_with

SOFTWARE = FIRST.with_name("software.yaml")
HOUR_MS = 3_600_000
MONDAY_MS = int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp() * 1000)  # 10:00 in Berlin


@pytest.fixture(scope="module")
def agreement() -> CompiledAgreement:
    return compiled_of(read_agreement(SOFTWARE))


def lead(number: int, at_ms: int = MONDAY_MS, **more: object) -> FirstQualification:
    values: dict[str, object] = {
        "lead_id": f"lead-{number:03}",
        "account": None,
        "at_ms": at_ms,
        "level": "warm",
        "leg": "sdr",
        "pool": "dach-sdr",
        "segment": None,
        "source": "web",
        "hand_raised": False,
    }
    return FirstQualification(**(values | more))  # type: ignore[arg-type]


def missed(
    agreement: CompiledAgreement, leads: Sequence[FirstQualification], works_for_ms: int
) -> Missed:
    (found,) = promises_at_load(
        (agreement, []), (agreement, leads), works_for_ms=works_for_ms, history=None
    )
    assert (found.people_old, found.people_new, found.history) == (2, 2, None)
    return found.new


def test_two_people_who_need_an_hour_a_lead_open_ten_in_four_hours(
    agreement: CompiledAgreement,
) -> None:
    # ten o'clock, and four business hours are due at three: lunch is from half past twelve on;
    # at ten, eleven, twelve, one and a half hours after that, ... two leads are opened at a time
    found = missed(agreement, [lead(number) for number in range(14)], HOUR_MS)
    assert found == Missed(leads=14, missed=4, longest_queue=14)


def test_less_work_a_lead_misses_nothing(agreement: CompiledAgreement) -> None:
    leads = [lead(number) for number in range(14)]
    assert missed(agreement, leads, HOUR_MS // 4).missed == 0


def test_the_urgent_are_opened_first(agreement: CompiledAgreement) -> None:
    waiting = [lead(number) for number in range(10)]
    hot = [lead(900 + number, level="hot") for number in range(4)]  # due in one business hour
    assert missed(agreement, [*waiting, *hot], HOUR_MS).missed == 4
    # two of them are opened at once and two as the hour ends, which is in time
    assert missed(agreement, hot, HOUR_MS).missed == 0


def test_a_pool_without_people_misses_everything(agreement: CompiledAgreement) -> None:
    gone = lead(1, pool="no-such-pool")
    (found,) = promises_at_load(
        (agreement, []), (agreement, [gone]), works_for_ms=HOUR_MS, history=None
    )
    assert found.new == Missed(leads=1, missed=1, longest_queue=1)


def test_accept_clocks_of_history_stand_beside_by_their_latest_state(
    agreement: CompiledAgreement,
) -> None:
    def clock(name: str, at_ms: int, state: str, deadline_ms: int) -> dict[str, object]:
        value = {
            "clock_id": name,
            "clock": "accept",
            "pool": "dach-sdr",
            "state": state,
            "at_ms": at_ms,
            "deadline_ms": deadline_ms,
        }
        return {"topic": "leads.sla-clocks.v1", "at_ms": at_ms, "value": value}

    history = history_of(
        [
            clock("a", 2, "met", 10),
            clock("a", 1, "running", 10),  # later in the file, earlier in time
            clock("b", 11, "breached", 10),
            clock("c", 11, "breached", 10),
            clock("c", 12, "withdrawn", 10),
            clock("d", 3, "cancelled", 10),
            clock("e", 3, "running", 10),  # still open past its deadline
            clock("f", 15, "running", 99),  # not due yet
        ]
    )
    (found,) = promises_at_load(
        (agreement, []), (agreement, [lead(1)]), works_for_ms=HOUR_MS, history=history
    )
    assert found.history == (4, 2)


def outlooks(
    agreement: CompiledAgreement,
    old: Sequence[FirstQualification],
    new: Sequence[FirstQualification],
    history: History,
) -> dict[str, GoalOutlook]:
    found = goal_outlooks(
        agreement,
        {one.lead_id: one for one in old},
        {one.lead_id: one for one in new},
        history=history,
        since_ms=int(datetime(2026, 2, 15, tzinfo=UTC).timestamp() * 1000),
        until_ms=int(datetime(2026, 4, 10, tzinfo=UTC).timestamp() * 1000),
    )
    assert {one.period for one in found} == {"2026-03"}, "the only whole month"
    return {one.goal: one for one in found}


def test_goals_of_what_is_ready_are_known_and_of_what_people_made_are_bounded(
    agreement: CompiledAgreement,
) -> None:
    old = [lead(number, segment="mid_market") for number in range(70)]
    new = [lead(number, segment="mid_market") for number in range(20, 80)]
    history = History()
    for number in range(70):
        name = f"lead-{number:03}"
        history.handed.add(name)
        history.reached_at[name] = {"accepted": MONDAY_MS + HOUR_MS}
    found = outlooks(agreement, old, new, history)
    mqls, accepted = found["mqls-mid-market"], found["accepted"]
    assert (mqls.target, mqls.old, mqls.new_least, mqls.verdict) == (60, 70, 60, MET)
    assert (accepted.old, accepted.new_least, accepted.not_evaluable) == (70, 50, 10)
    assert (accepted.target, accepted.verdict) == (60, OPEN)
    assert found["won"].verdict == OPEN, "ten that nobody had might all have been won"
    fewer = outlooks(agreement, old, new[:55], history)
    assert (fewer["accepted"].not_evaluable, fewer["accepted"].verdict) == (5, MISSED)
    assert fewer["mqls-mid-market"].verdict == MISSED


def test_a_quarter_that_is_cut_off_is_no_period(
    tmp_path: Path, agreement: CompiledAgreement
) -> None:
    assert (
        goal_outlooks(
            agreement, {}, {}, history=None, since_ms=MONDAY_MS, until_ms=MONDAY_MS + 9 * HOUR_MS
        )
        == ()
    )
    assert agreement_with(tmp_path, {}).goals is not None


def test_a_queue_that_grows_all_year_is_played_in_one_pass(agreement: CompiledAgreement) -> None:
    """Each lead once, and not each with all that wait: half a million looks, or five milliards."""
    waiting = [lead(number, MONDAY_MS + number * 1_000) for number in range(100_000)]
    found = missed(agreement, waiting, HOUR_MS)
    assert found.leads == 100_000
    assert found.longest_queue > 99_000


def test_two_cycles_of_a_lead_are_two_in_the_queue(agreement: CompiledAgreement) -> None:
    twice = [lead(1), lead(1, MONDAY_MS + 30 * 86_400_000, cycle=2)]
    assert missed(agreement, twice, HOUR_MS).leads == 2


def test_an_agreement_that_says_the_same_of_promises_is_played_once_and_reads_alike(
    agreement: CompiledAgreement,
) -> None:
    leads = [lead(number) for number in range(14)]
    (found,) = promises_at_load(
        (agreement, leads), (agreement, leads), works_for_ms=HOUR_MS, history=None
    )
    assert found.old == found.new == missed(agreement, leads, HOUR_MS)
