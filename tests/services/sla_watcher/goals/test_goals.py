"""Goals of both sides: counted once, in their period, with pace; a forecast in mid-month; the
verdict at its end."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.agreement.compiled.goals import Goal
from baton.agreement.quantities import DAY_MS
from baton.contracts.goals import GoalProgress, GoalTally
from services.sla_watcher.goals.periods import period_named, period_of
from services.sla_watcher.goals.progress import PPM, OwedDays, standing, will_be_missed
from tests.services.sla_watcher.sla_scene import BERLIN, Scene, agreement, law, ms, words

GOALS = """
  mqls: {side: marketing, metric: mql, target: 4}
  mqls-small: {side: marketing, metric: mql, segment: small, target: 4}
"""
ONE = "  mqls: {side: marketing, metric: mql, target: 4}"
MONTH = ms("2026-03-02 10:00")


def _scene(goals: str, *, start: str = "Mon 10:00") -> Scene:
    return Scene(agreement(goals=goals), start=start)


def _tally(
    scene: Scene,
    goal: str,
    name: str,
    *,
    amount: int = 1,
    metric: str = "mql",
    occurred: str | None = None,
) -> None:
    record = GoalTally(
        goal=goal,
        tally_id=name,
        metric=metric,
        amount=amount,
        segment=None,
        lead_id=f"lead-{name}",
        cause_id="c",
        occurred_at_ms=ms(occurred) if occurred else scene.host.log.now,
    )
    scene.host.send("sla.tallies.v1", goal, record)
    scene.host.settle()


def _progress(scene: Scene) -> list[GoalProgress]:
    return [progress for progress in scene.facts() if isinstance(progress, GoalProgress)]


def test_a_lead_counts_once_a_cycle_for_each_goal_it_belongs_to() -> None:
    scene = _scene(GOALS).qualified().qualified("q1b")
    scene.routed("ann").staged("accepted", "sal").qualified("q2", cycle=2)
    assert [line for line in scene.lines(tallies=True) if line.startswith("tally")] == [
        "tally mqls: 1 mql",
        "tally mqls: 1 mql",
    ]


@pytest.mark.parametrize(
    ("metric", "target", "counted"),
    [("sal", 1, 1), ("sql", 1, 1), ("won", 1, 1), ("opportunity", 1, 1), ("follow_up", 1, 1)],
)
def test_what_sales_owes_is_counted_from_the_moves_inferred_ones_too(
    metric: str, target: int, counted: int
) -> None:
    scene = (
        _scene(f"  g: {{side: sales, metric: {metric}, target: {target}}}")
        .qualified()
        .routed("ann")
        .act("call")
    )
    scene.staged("won", "customer", inferred=("sal", "sql", "opportunity")).staged(
        "accepted", "sal"
    )
    assert sum(tally.amount for tally in scene.facts() if isinstance(tally, GoalTally)) == counted


def test_a_tally_that_comes_twice_counts_once() -> None:
    scene = _scene(ONE)
    for _ in range(3):
        _tally(scene, "mqls", "same")
    assert [(progress.achieved, progress.target) for progress in _progress(scene)] == [(1, 4)]


def test_pace_is_what_was_achieved_against_the_share_of_working_days_gone() -> None:
    scene = _scene(ONE)
    _tally(scene, "mqls", "a")
    _tally(scene, "mqls", "b")
    scene.at("2026-03-17 12:00")
    last = _progress(scene)[-1]
    assert (last.working_days_gone, last.working_days) == (11, 22)
    assert last.pace_ppm == 2 * PPM * 22 // (4 * 11)


def test_a_goal_that_is_going_to_be_missed_is_said_once_in_mid_month() -> None:
    scene = _scene(ONE)
    _tally(scene, "mqls", "a")
    assert scene.at("2026-04-01 12:00").lines() == [
        "Tue+2 09:00 breach of mqls by marketing: forecast"
    ]


def test_a_forecast_that_turned_out_wrong_is_withdrawn_at_the_end() -> None:
    scene = _scene(ONE)
    _tally(scene, "mqls", "a")
    scene.at("2026-03-30 12:00")
    for name in "bcd":
        _tally(scene, "mqls", name)
    assert scene.at("2026-04-01 12:00").lines() == [
        "Tue+2 09:00 breach of mqls by marketing: forecast",
        "2026-04-01 00:00 withdrawn of mqls by marketing: reached",
    ]


def test_a_goal_that_is_missed_on_the_last_days_is_said_at_the_turn_of_the_month() -> None:
    scene = _scene("  g: {side: sales, metric: won, target: 100, warn_below: 1}")
    for number in range(60):
        _tally(scene, "g", f"t{number}", metric="won")
    assert scene.at("2026-04-01 12:00").lines() == ["2026-04-01 00:00 breach of g by sales: missed"]


def test_nothing_at_all_is_missed_aloud() -> None:
    """A goal is there from the agreement on, whether or not any lead ever counts towards it."""
    scene = _scene("  won: {side: sales, metric: won, target: 8}")
    assert scene.at("2026-05-02 12:00").lines()[-2:] == [
        "Tue+2 09:00 breach of won by sales: forecast",
        "2026-04-16 09:00 breach of won by sales: forecast",
    ]


def test_the_month_turns_in_the_agreements_zone_and_what_former_months_gave_stands_beside_the_goal() -> (
    None
):
    scene = _scene("  g: {side: sales, metric: won, target: 1}", start="2026-03-31 23:00")
    _tally(scene, "g", "a", metric="won")
    scene.at("2026-04-01 00:30")
    _tally(scene, "g", "b", metric="won")
    _tally(scene, "g", "c", metric="won", occurred="2026-03-31 23:59")
    said = [
        (
            words(progress.at_ms),
            progress.period,
            progress.achieved,
            progress.state,
            dict(progress.last_periods),
        )
        for progress in _progress(scene)
    ]
    assert said == [
        ("2026-03-31 23:00", "2026-03", 1, "running", {}),
        ("2026-04-01 00:00", "2026-03", 1, "met", {}),
        ("2026-04-01 00:00", "2026-04", 0, "running", {"2026-03": 1}),
        ("2026-04-01 00:30", "2026-04", 1, "running", {"2026-03": 1}),
        ("2026-04-01 00:30", "2026-03", 2, "met", {}),
    ]


COVERAGE = (
    "  cover: {side: marketing, metric: coverage, per: quarter, target: 3, quota: 1000, currency: "
    "EUR}"
)


def test_coverage_is_what_is_open_against_what_is_left_of_the_quota() -> None:
    scene = _scene(COVERAGE).qualified().routed("ann")
    deal = {
        "currency": "EUR",
        "opportunity_id": "o1",
        "from_stage": "sql",
        "expected_close": "2026-03-31",
    }
    scene.staged("opportunity", "opportunity", amount_minor=150_000, **deal)
    scene.staged("opportunity", "opportunity", amount_minor=120_000, **deal)
    scene.staged(
        "opportunity", "opportunity", amount_minor=50_000, **deal | {"opportunity_id": "o2"}
    )
    scene.staged("won", "customer", amount_minor=50_000, **deal | {"opportunity_id": "o2"})
    assert [(progress.achieved, progress.target) for progress in _progress(scene)] == [
        (0, 300),
        (150, 300),
        (120, 300),
        (170, 300),
        (340, 300),
        (240, 300),
    ]


@pytest.mark.parametrize(
    ("due", "achieved", "beside"),
    [
        ("2026-03-20", 150, (0, 0, 0)),
        ("2026-03-01", 0, (1500, 0, 0)),
        ("2026-04-01", 0, (0, 1500, 0)),
        (None, 0, (0, 0, 1500)),
        ("in spring", 0, (0, 0, 1500)),
    ],
)
def test_coverage_counts_deals_that_are_due_in_the_period_and_shows_the_others_beside_it(
    due: str | None, achieved: int, beside: tuple[int, int, int]
) -> None:
    scene = _scene(COVERAGE).qualified().routed("ann")
    more = {"currency": "EUR", "opportunity_id": "o1", "from_stage": "sql", "expected_close": due}
    scene.staged("opportunity", "opportunity", amount_minor=150_000, **more)
    last = _progress(scene)[-1]
    assert last.achieved == achieved
    assert (last.open_overdue, last.open_later, last.open_undated) == beside


def test_a_deal_that_is_put_off_leaves_the_period_and_one_that_is_overdue_leaves_the_next_morning() -> (
    None
):
    scene = _scene(COVERAGE).qualified().routed("ann")
    deal = {"currency": "EUR", "opportunity_id": "o1", "from_stage": "sql"}
    scene.staged(
        "opportunity", "opportunity", amount_minor=150_000, expected_close="2026-03-03", **deal
    )
    assert _progress(scene)[-1].achieved == 150
    last = _progress(scene.at("2026-03-04 12:00"))[-1]
    assert (last.achieved, last.open_overdue) == (0, 1500)
    scene.staged(
        "opportunity", "opportunity", amount_minor=150_000, expected_close="2026-05-03", **deal
    )
    last = _progress(scene)[-1]
    assert (last.achieved, last.open_overdue, last.open_later) == (0, 0, 1500)


def test_money_in_another_currency_is_not_counted_by_a_guessed_rate() -> None:
    scene = _scene(COVERAGE).qualified().routed("ann")
    scene.staged(
        "opportunity",
        "opportunity",
        amount_minor=150_000,
        currency="USD",
        opportunity_id="o1",
        from_stage="sql",
    )
    assert [progress.achieved for progress in _progress(scene)] == [0]


def test_won_amounts_are_whole_units_of_the_goals_currency() -> None:
    scene = (
        _scene("  g: {side: sales, metric: won_amount, target: 5000, currency: EUR}")
        .qualified()
        .routed("ann")
    )
    scene.staged("won", "customer", amount_minor=123_456, currency="EUR", opportunity_id="o1")
    assert [progress.achieved for progress in _progress(scene)] == [0, 1234]


def test_an_amount_that_is_reported_again_says_nothing_new() -> None:
    scene = _scene(COVERAGE).qualified().routed("ann")
    for _ in range(2):
        scene.staged(
            "opportunity",
            "opportunity",
            amount_minor=150_000,
            currency="EUR",
            opportunity_id="o1",
            expected_close="2026-03-20",
            from_stage="sql",
        )
    assert [progress.achieved for progress in _progress(scene)] == [0, 150]


def test_a_goal_that_is_agreed_again_begins_with_the_period_of_then() -> None:
    scene = _scene(ONE)
    _tally(scene, "mqls", "a")
    scene.adopt(agreement(goals="{}")).at("2026-05-04 12:00").facts()
    scene.adopt(agreement(goals=ONE))
    said = [
        (progress.period, progress.achieved, dict(progress.last_periods))
        for progress in _progress(scene)
    ]
    assert said == [("2026-05", 0, {"2026-03": 1})]


def test_what_was_lost_is_no_pipeline_any_more() -> None:
    scene = _scene(COVERAGE).qualified().routed("ann")
    scene.staged(
        "opportunity",
        "opportunity",
        amount_minor=150_000,
        currency="EUR",
        opportunity_id="o1",
        from_stage="sql",
        expected_close="2026-03-20",
    )
    scene.staged("lost", "recycled", from_stage="opportunity", reason="not_ready")
    assert [progress.achieved for progress in _progress(scene)] == [0, 150, 0]


def test_a_changed_goal_counts_on_from_what_was_achieved() -> None:
    scene = _scene(ONE)
    _tally(scene, "mqls", "a")
    _progress(scene)
    scene.adopt(agreement(goals="  mqls: {side: marketing, metric: mql, target: 10}"))
    assert [(progress.achieved, progress.target) for progress in _progress(scene)] == [(1, 10)]


def test_a_goal_that_was_dropped_says_so_once_and_nothing_more() -> None:
    scene = _scene(ONE)
    _tally(scene, "mqls", "a")
    _progress(scene)
    scene.adopt(agreement(goals="{}"))
    assert [
        (progress.goal, progress.achieved, progress.state) for progress in _progress(scene)
    ] == [("mqls", 1, "ended")]
    assert scene.at("2026-05-02 12:00").facts() == []


GOAL = Goal(
    name="g",
    label="",
    side="sales",
    metric="won",
    target=10,
    per="month",
    segment=None,
    calendar="office",
    quota=None,
    currency=None,
    warn_below_ppm=900_000,
)


@law(100)
@given(total=st.integers(0, 1000), days=st.integers(1, 23), data=st.data())
def test_pace_is_exact_and_a_goal_reached_is_never_forecast_to_be_missed(
    total: int, days: int, data: st.DataObject
) -> None:
    gone = data.draw(st.integers(1, days))
    owed = OwedDays(gone=gone, days=days, whole=days)
    now = standing(GOAL, total=total, open_minor=0, owed=owed)
    exact = Fraction(total * PPM) / (Fraction(GOAL.target * gone, days))
    assert now.pace_ppm == exact.numerator // exact.denominator
    missed = will_be_missed(GOAL, now, owed)
    assert missed == (
        2 * gone >= days and total < 10 and exact < 900_000 and now.pace_ppm < 900_000
    )


@law(100)
@given(
    at=st.integers(ms("2026-01-01 00:00"), ms("2030-01-01 00:00")),
    per=st.sampled_from(["month", "quarter"]),
)
def test_periods_follow_one_another_without_a_gap(at: int, per: str) -> None:
    period = period_of(at, per, BERLIN)
    assert period_named(period.name) == period
    assert period.ends_ms(BERLIN) > at
    following = period_of(period.ends_ms(BERLIN), per, BERLIN)
    assert following.first == period.end


# ---------------------------------------------------------------------- people, merged and erased


def test_a_goal_is_there_from_the_agreement_on_and_missed_aloud_without_a_single_lead() -> None:
    scene = _scene(ONE)
    scene.host.settle()
    assert [
        (progress.goal, progress.achieved, progress.state) for progress in _progress(scene)
    ] == [("mqls", 0, "running")]
    assert scene.at("2026-04-01 12:00").lines() == [
        "Tue+2 09:00 breach of mqls by marketing: forecast"
    ]


def test_a_goal_that_comes_with_a_later_agreement_is_there_from_then_on() -> None:
    scene = _scene("{}").at("2026-03-10 12:00").adopt(agreement(goals=ONE))
    assert [(progress.goal, words(progress.at_ms)) for progress in _progress(scene)] == [
        ("mqls", "Tue+1 12:00")
    ]


NO_MOVES = ("erased", "merged", "consent_changed", "taken_over", "hand_raised")


@pytest.mark.parametrize("event", NO_MOVES)
def test_what_is_no_move_counts_towards_nothing(event: str) -> None:
    scene = _scene("  won: {side: sales, metric: won, target: 1}").qualified().routed("ann")
    scene.facts()
    scene.staged(event, "customer", from_stage="customer", actor="system", cycle=2)
    assert [
        tally for tally in scene.facts() if isinstance(tally, GoalTally) and tally.into is None
    ] == []


def test_an_erased_customer_stays_one_customer() -> None:
    scene = _scene("  won: {side: sales, metric: won, target: 1}").qualified().routed("ann")
    scene.staged("won", "customer").staged(
        "erased", "customer", from_stage="customer", actor="system"
    )
    assert [progress.achieved for progress in _progress(scene)][-1] == 1


PEOPLE = ("a", "b", "c", "d")
Move = tuple[str, str, int, int]
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("won"), st.sampled_from(PEOPLE), st.integers(1, 2), st.integers(0, 50)),
        st.tuples(st.just("join"), st.sampled_from(PEOPLE), st.integers(0, 3), st.just(0)),
    ),
    max_size=10,
)


def _survivors(joins: dict[str, str]) -> dict[str, str]:
    def end(lead: str) -> str:
        return end(joins[lead]) if lead in joins else lead

    return {lead: end(lead) for lead in PEOPLE}


@law(150)
@given(moves=MOVES, shuffle=st.randoms(use_true_random=False))
def test_the_sum_over_a_goal_is_what_distinct_people_give_whatever_was_merged_in_any_order(
    moves: list[Move], shuffle: random.Random
) -> None:
    joins: dict[str, str] = {}
    tallies: list[GoalTally] = []
    for kind, lead, number, day in moves:
        if kind == "won":
            tallies.append(_won(lead, number, MONTH - 25 * DAY_MS + day * DAY_MS))
        elif lead not in joins and _survivors(joins)[PEOPLE[number]] != lead:
            joins[lead] = PEOPLE[number]
            tallies.append(_joined(lead, PEOPLE[number]))
    first: dict[tuple[str, int], int] = {}
    for tally in tallies:
        if tally.into is None:
            who = (_survivors(joins)[tally.lead_id], tally.cycle)
            first[who] = min(first.get(who, tally.occurred_at_ms), tally.occurred_at_ms)
    shuffle.shuffle(tallies)
    scene = _scene("  g: {side: sales, metric: won, target: 1}")
    for tally in tallies * 2:
        scene.host.send("sla.tallies.v1", "g", tally)
    scene.host.settle()
    expected = Counter(period_of(at, "month", BERLIN).name for at in first.values())
    latest = {progress.period: progress.achieved for progress in _progress(scene)}
    assert {name: count for name, count in latest.items() if count} == expected


def _won(lead: str, cycle: int, occurred_at_ms: int) -> GoalTally:
    return GoalTally(
        goal="g",
        tally_id=f"{lead}/{cycle}",
        metric="won",
        amount=1,
        segment=None,
        lead_id=lead,
        cause_id="c",
        occurred_at_ms=occurred_at_ms,
        cycle=cycle,
    )


def _joined(lead: str, into: str) -> GoalTally:
    return GoalTally(
        goal="g",
        tally_id=f"{lead}>{into}",
        metric="joined",
        amount=0,
        segment=None,
        lead_id=lead,
        cause_id="c",
        occurred_at_ms=MONTH,
        into=into,
    )


# ---------------------------------------------------------------------- a period that is not whole

PARTS: list[tuple[str, int, tuple[int, int, str | None]]] = [
    ("2026-03-02 10:00", 22, (22, 22, None)),  # the first working day: all of the month
    ("2026-03-16 10:00", 22, (12, 12, "2026-03-16")),
    ("2026-03-31 10:00", 22, (1, 1, "2026-03-31")),
    ("2026-03-31 10:00", 4, (0, 1, "2026-03-31")),
]
"""When the goal comes into force, its target; what it owes, of how many working days, from when."""


@pytest.mark.parametrize(("start", "target", "right"), PARTS)
def test_a_goal_owes_the_share_of_its_first_period_that_is_left(
    start: str, target: int, right: tuple[int, int, str | None]
) -> None:
    scene = _scene(f"  mqls: {{side: marketing, metric: mql, target: {target}}}", start=start)
    scene.host.settle()
    [first] = _progress(scene)
    assert (first.target, first.working_days, first.owed_from) == right
    scene.at("2026-04-01 12:00")
    after = _progress(scene)[-1]
    assert (after.period, after.target, after.owed_from) == ("2026-04", target, None)


def test_a_first_period_is_met_by_its_share_and_stays_so_when_it_is_corrected_later() -> None:
    scene = _scene("  mqls: {side: marketing, metric: mql, target: 22}", start="2026-03-30 10:00")
    for name in ("a", "b"):
        _tally(scene, "mqls", name)
    scene.at("2026-04-02 12:00")
    _tally(scene, "mqls", "c", occurred="2026-03-31 10:00")
    march = [(goal.target, goal.state) for goal in _progress(scene) if goal.period == "2026-03"]
    assert march[-2:] == [(2, "met"), (2, "met")]
    assert [line for line in scene.lines() if "missed" in line] == []


def test_the_pace_of_a_first_period_is_that_of_the_days_since_it_began() -> None:
    scene = _scene("  mqls: {side: marketing, metric: mql, target: 22}", start="2026-03-16 10:00")
    _tally(scene, "mqls", "a")
    scene.at("2026-03-17 12:00")
    latest = _progress(scene)[-1]
    assert (latest.working_days_gone, latest.pace_ppm) == (1, 1_000_000)
