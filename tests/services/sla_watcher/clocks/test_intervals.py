"""Pauses and split time: arithmetic that must not depend on the order in which things became
known."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from baton.agreement.quantities import LONGEST_WAIT_MS
from services.sla_watcher.clocks.intervals import PlainTime, disjoint, moment
from services.sla_watcher.clocks.state import ClockPause, TimeMark
from services.sla_watcher.clocks.time_split import split_time, with_mark
from tests.services.sla_watcher.sla_scene import agreement, law, ms

OFFICE = agreement().calendars["office"]
START = ms("Mon 10:00")
DAY = 86_400_000

moments = st.integers(0, 20 * DAY).map(lambda minute: START + minute)
pauses = st.lists(
    st.tuples(moments, moments).map(
        lambda bounds: ClockPause(reason="buyer", from_ms=min(bounds), until_ms=max(bounds))
    ),
    max_size=6,
)
targets = st.integers(1, 60).map(lambda hours: hours * 3_600_000)


@law(100)
@given(pauses)
def test_pauses_become_disjoint_intervals_that_cover_the_same_time(
    given_pauses: list[ClockPause],
) -> None:
    found = disjoint(given_pauses, START)
    assert all(before[1] < after[0] for before, after in pairwise(found))
    for at in {pause.from_ms for pause in given_pauses} | {
        (pause.until_ms or 0) - 1 for pause in given_pauses
    }:
        covered = any(pause.from_ms <= at < (pause.until_ms or 0) for pause in given_pauses)
        assert covered == any(begin <= at < end for begin, end in found)


@law(100)
@given(pauses, targets, st.randoms(use_true_random=False))
def test_the_order_in_which_pauses_became_known_does_not_matter(
    given_pauses: list[ClockPause], target: int, random: object
) -> None:
    shuffled = list(given_pauses)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    unpaused = OFFICE.add_business(START, target)
    assert moment(OFFICE, START, unpaused, shuffled) == moment(
        OFFICE, START, unpaused, given_pauses
    )


@law(100)
@given(pauses, targets)
def test_between_start_and_deadline_lies_exactly_the_target_and_the_pauses_apart(
    given_pauses: list[ClockPause], target: int
) -> None:
    for time in (PlainTime(), OFFICE):
        due = moment(time, START, time.add_business(START, target), given_pauses)
        paused = sum(
            time.business_between(begin, min(end, due))
            for begin, end in disjoint(given_pauses, START)
            if begin < due
        )
        assert time.business_between(START, due) - paused == target


@law(100)
@given(pauses, targets)
def test_a_pause_never_makes_a_deadline_earlier(
    given_pauses: list[ClockPause], target: int
) -> None:
    unpaused = OFFICE.add_business(START, target)
    assert moment(OFFICE, START, unpaused, given_pauses) >= unpaused


def test_a_pause_that_begins_at_the_deadline_comes_too_late() -> None:
    due = OFFICE.add_business(START, 3_600_000)
    assert (
        moment(OFFICE, START, due, [ClockPause(reason="buyer", from_ms=due, until_ms=due + DAY)])
        == due
    )


def test_marks_are_bounded_and_lose_only_detail() -> None:
    marks: tuple[TimeMark, ...] = ()
    for number in range(200):
        marks = with_mark(marks, ("human", "buyer")[number % 2], START + number * 60_000)
    assert len(marks) == 64
    assert sum(split_time(marks, START + 200 * 60_000).values()) == 200 * 60_000


def test_an_open_pause_counts_as_long_as_it_can_last() -> None:
    assert disjoint([ClockPause(reason="buyer", from_ms=START)], START) == (
        (START, START + LONGEST_WAIT_MS),
    )


@law(100)
@given(
    st.lists(
        st.tuples(st.sampled_from(["system", "queue", "human", "buyer"]), st.integers(0, DAY)),
        max_size=80,
    )
)
def test_the_parts_of_split_time_add_up_to_the_whole(steps: list[tuple[str, int]]) -> None:
    marks: tuple[TimeMark, ...] = ()
    at = START
    for kind, wait in steps:
        at += wait
        marks = with_mark(marks, kind, at)
    assert len(marks) <= 64
    spent = split_time(marks, at + DAY)
    assert sum(spent.values()) == (at + DAY - marks[0].from_ms if marks else 0)
