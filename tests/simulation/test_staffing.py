"""A quarter on described demand: what is put in comes out, more people wait less, and a file that
does not fit the agreement is refused with its reasons."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.model.agreement import Agreement
from baton.agreement.source.read import agreement_of
from baton.simulation.staffing.demand import Demand, DemandWrong, read_demand
from baton.simulation.staffing.described_visits import visits_of
from baton.simulation.staffing.headcount import (
    Headcount,
    NobodyToCopy,
    NoSuchPool,
    headcount,
    with_people,
)
from baton.simulation.staffing.outcome import Outcome, PoolOutcome, Wait, outcome_of, spread
from baton.simulation.staffing.playing import play_quarter
from baton.simulation.staffing.seeds import play_seeds
from baton.simulation.staffing.staffing_report import headcount_lines, report_lines

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "examples" / "agreements" / "software.yaml").read_text()
HOUR_MS = 3_600_000
ONE_WEEK = """
begins: 2027-01-04
weeks: 1
segments:
  asks:
    per_week: {per_week}
    profile: {{country: DE, employees: 250, industry: logistics, role: Head of IT}}
    does: [{{share: 100%, acts: [demo_request]}}]
habits: {{answers_after: 5 minutes, works_for: {works_for}, never: 0%, rejects: 0%, recycles: 0%}}
"""


@cache
def model() -> Agreement:
    return agreement_of(TEXT)


def agreement() -> CompiledAgreement:
    return compiled_of(model())


def demand(tmp_path: Path, text: str) -> Demand:
    path = tmp_path / "demand.yaml"
    path.write_text(text)
    return read_demand(path, agreement())


def week(tmp_path: Path, per_week: int = 20, works_for: str = "30 minutes") -> Demand:
    return demand(tmp_path, ONE_WEEK.format(per_week=per_week, works_for=works_for))


def test_as_many_leads_come_as_were_asked_for_and_the_same_with_the_same_seed(
    tmp_path: Path,
) -> None:
    asked = week(tmp_path, per_week=2_000)
    lines = list(visits_of(asked, agreement(), 1))
    assert abs(len(lines) - 2_000) < 4 * 2_000**0.5
    assert lines == list(visits_of(asked, agreement(), 1))
    assert lines != list(visits_of(asked, agreement(), 2))


def test_a_season_and_a_week_end_scale_the_demand(tmp_path: Path) -> None:
    text = ONE_WEEK.format(per_week=2_000, works_for="1 hour")
    quiet = demand(tmp_path, text + 'seasons: {"1": 50%}\nweekend: 0%\n')
    lines = list(visits_of(quiet, agreement(), 1))
    assert abs(len(lines) - 1_000) < 4 * 1_000**0.5
    saturday_ms = 1_799_449_200_000  # 2027-01-09 00:00 in Berlin
    assert max(line.at_ms for line in lines) < saturday_ms


def test_whoever_asks_is_answered_and_nothing_is_out_of_turn(tmp_path: Path) -> None:
    played = play_quarter(week(tmp_path), agreement(), 1)
    found = outcome_of(played, agreement())
    assert found.qualified >= found.handed > 10  # who comes on the last week-end waits
    pool = found.pools["dach-sales"]
    assert len(pool.waits) == found.qualified
    assert pool.unfair == 0
    assert pool.within(4 * HOUR_MS) == 1.0
    assert 0 < found.busy["ae-greta"] < 1
    # half an hour on average for each lead, and nobody else's
    spent_h = sum(played.busy_ms.values()) / HOUR_MS
    assert 0.25 * found.handed < spent_h < 0.75 * found.handed


def test_the_same_seed_gives_the_same_outcome_in_one_process_and_in_two(tmp_path: Path) -> None:
    asked = week(tmp_path, per_week=6)
    alone = play_seeds(model(), asked, (1, 2), workers=1)
    assert play_seeds(model(), asked, (1, 2), workers=2) == alone
    assert alone[0] != alone[1]
    assert "2 is too few" in "\n".join(report_lines(alone, 4 * HOUR_MS))


def test_more_work_a_lead_keeps_leads_waiting_and_more_people_do_not(tmp_path: Path) -> None:
    asked = week(tmp_path, per_week=30, works_for="6 hours")

    def waited(people: int) -> float:
        one = compiled_of(with_people(model(), "dach-sales", people))
        found = outcome_of(play_quarter(asked, one, 1), one).pools["dach-sales"]
        share = found.within(4 * HOUR_MS)
        assert share is not None
        return share

    few, many = waited(1), waited(8)
    assert few < 0.5 < 0.9 < many


def planted(needed: int) -> Headcount:
    """A pool of which only the leads of ``needed`` people and more are answered in time."""

    def play(one: Agreement) -> list[Outcome]:
        number = len(one.pools["dach-sdr"].members)
        wait = Wait(ms=HOUR_MS if number >= needed else 9 * HOUR_MS, answered=True)
        pool = PoolOutcome(members=number, waits=(wait,))
        return [
            Outcome(qualified=1, handed=1, pools={"dach-sdr": pool}, promises={}, busy={}, leads={})
        ]

    return headcount(model(), "dach-sdr", within_ms=4 * HOUR_MS, share=0.9, play=play)


@pytest.mark.parametrize("needed", [1, 2, 3, 5, 17, 32])
def test_the_smallest_number_of_people_that_is_enough_is_found(needed: int) -> None:
    found = planted(needed)
    assert found.needed == needed
    assert headcount_lines(found).__next__().startswith(f"dach-sdr: {needed} ")


def test_where_no_number_is_enough_it_is_said() -> None:
    found = planted(33)
    assert found.needed is None
    assert "no number of people up to 32" in next(headcount_lines(found))


def test_a_lead_that_nobody_answered_counts_once_its_time_is_over() -> None:
    waits = (
        Wait(ms=HOUR_MS, answered=True),
        Wait(ms=9 * HOUR_MS, answered=False),
        Wait(ms=HOUR_MS, answered=False),  # too young to say
    )
    pool = PoolOutcome(members=1, waits=waits)
    assert pool.within(4 * HOUR_MS) == 0.5
    assert pool.quantile_ms(0.9) is None
    assert pool.quantile_ms(0.1) == HOUR_MS
    assert spread([None]) is None


def test_people_are_copied_or_left_out_and_the_agreement_still_compiles() -> None:
    more, fewer = with_people(model(), "dach-sdr", 4), with_people(model(), "dach-sdr", 1)
    assert list(more.pools["dach-sdr"].members) == [
        "sdr-anna",
        "sdr-ben",
        "dach-sdr-extra-3",
        "dach-sdr-extra-4",
    ]
    assert list(fewer.pools["dach-sdr"].members) == ["sdr-anna"]
    assert {compiled_of(more).version, compiled_of(fewer).version} != {agreement().version}
    with pytest.raises(NoSuchPool, match="dach-sdr"):
        with_people(model(), "dach", 1)
    with pytest.raises(NobodyToCopy):
        with_people(model(), "dach-sdr", 0)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("share: 100%", "share: 90%", "segments.asks.does: the shares are 90% together"),
        ("demo_request", "demo", '"demo" is no act of the agreement: it has'),
        ("never: 0%", "never: often", '"often" is no share'),
        ("never: 0%", "never: 101%", "no share"),
        ("never: 0%", "ever: 0%", "habits.ever"),
        ("works_for: 1h", "works_for: long", '"long" is not a duration'),
        ("per_week: 5", "per_week: -5", "per_week must be"),
        ("weeks: 1", "weeks: 0", "weeks must be at least 1"),
        ("weeks: 1", 'weeks: 1\nseasons: {"13": 50%}', "no month"),
        ("weeks: 1", "weeks: 1\npeople: {nobody: {}}", "people.nobody is not in the agreement"),
        ("begins: 2027-01-04", "", "begins is missing"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_its_reason(
    tmp_path: Path, before: str, after: str, says: str
) -> None:
    text = ONE_WEEK.format(per_week=5, works_for="1h")
    assert before in text
    with pytest.raises(DemandWrong, match="demand.yaml") as refused:
        demand(tmp_path, text.replace(before, after))
    assert says in str(refused.value)


def test_the_example_fits_its_agreement() -> None:
    found = read_demand(ROOT / "examples" / "demand.yaml", agreement())
    assert found.weeks == 13
