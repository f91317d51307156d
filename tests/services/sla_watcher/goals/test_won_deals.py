"""Money of deals through clocks and goals: corrected, taken back, several of a lead at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from baton.contracts.deals import LeadDeal
from baton.contracts.goals import GoalProgress
from tests.services.sla_watcher.sla_scene import Scene, agreement, law, ms

GOALS = """
  won: {side: sales, metric: won, target: 9}
  amount: {side: sales, metric: won_amount, target: 9000, currency: EUR}
  dollars: {side: sales, metric: won_amount, target: 9000, currency: USD}
  cover: {side: sales, metric: coverage, target: 3, quota: 100000, currency: EUR}
"""
STAGES = {"won": "customer", "reopened": "opportunity", "opportunity": "opportunity"}


def sales() -> Scene:
    """A lead in the hands of sales, under goals that count its deals."""
    scene = Scene(agreement(goals=GOALS)).qualified().routed("ann")
    scene.facts()
    return scene


def says(
    scene: Scene,
    event: str,
    name: str = "o1",
    amount: int = 0,
    *,
    currency: str = "EUR",
    cycle: int = 1,
    state: str = "open",
    **more: Any,
) -> None:
    """A move about a deal as the lead reducer publishes it."""
    deal = LeadDeal(
        opportunity_id=name, state=state, amount_minor=amount, currency=currency, **more
    )
    scene.staged(
        event,
        STAGES.get(event, "customer"),
        from_stage="opportunity",
        opportunity_id=name,
        amount_minor=amount,
        currency=currency,
        cycle=cycle,
        deal=deal,
        expected_close="2026-03-31",
    )


def standing(scene: Scene) -> dict[str, int]:
    """What was published last of each goal, by goal and period."""
    return {
        f"{fact.goal} {fact.period}": fact.achieved
        for fact in scene.facts()
        if isinstance(fact, GoalProgress)
    }


def test_a_corrected_amount_changes_the_period_that_the_win_was_counted_in() -> None:
    scene = sales()
    says(scene, "won", amount=120_000, state="won")
    assert standing(scene) == {"won 2026-03": 1, "amount 2026-03": 1200, "cover 2026-03": 0}
    scene.at("2026-04-02 10:00").facts()
    says(scene, "deal_changed", amount=90_000, state="won", cycle=2)
    said = standing(scene)
    assert said["amount 2026-03"] == 900
    assert "amount 2026-04" not in said


def test_a_win_that_is_taken_back_counts_nowhere_and_its_deal_is_open_again() -> None:
    scene = sales()
    says(scene, "opportunity", amount=120_000)
    says(scene, "won", amount=120_000, state="won")
    scene.facts()
    says(scene, "reopened", amount=120_000, cycle=2)
    assert standing(scene) == {"won 2026-03": 0, "amount 2026-03": 0, "cover 2026-03": 1}
    says(scene, "won", amount=50_000, state="won", cycle=2)
    said = standing(scene)
    assert (said["won 2026-03"], said["amount 2026-03"]) == (1, 500)


def test_a_win_that_was_counted_for_another_segment_is_taken_back_there() -> None:
    goals = "  g: {side: sales, metric: won, target: 9, segment: big}"
    scene = Scene(agreement(goals=goals)).qualified().routed("ann")
    says(scene, "won", amount=100, state="won")
    assert standing(scene) == {"g 2026-03": 1}
    scene.qualified("q2", cycle=2, segment=None)
    says(scene, "reopened", amount=100, cycle=2)
    assert standing(scene) == {"g 2026-03": 0}


def test_a_correction_into_another_currency_moves_the_amount_between_goals() -> None:
    scene = sales()
    says(scene, "won", amount=120_000, state="won")
    scene.facts()
    says(scene, "deal_changed", amount=130_000, currency="USD", state="won", cycle=2)
    said = standing(scene)
    assert (said["amount 2026-03"], said["dollars 2026-03"]) == (0, 1300)


def test_a_goal_that_is_newer_than_a_win_is_not_changed_by_its_correction() -> None:
    scene = Scene(agreement(goals="{}")).qualified().routed("ann")
    says(scene, "won", amount=120_000, state="won")
    scene.adopt(agreement(goals=GOALS)).facts()
    says(scene, "deal_changed", amount=90_000, state="won", cycle=2)
    says(scene, "reopened", amount=90_000, cycle=2)
    assert {name: value for name, value in standing(scene).items() if value} == {}


def test_the_loss_of_one_of_two_deals_takes_that_one_out_of_the_pipeline() -> None:
    scene = sales()
    says(scene, "opportunity", "o1", 3_000_000)
    says(scene, "opportunity", "o2", 2_000_000)
    assert standing(scene)["cover 2026-03"] == 50
    says(scene, "deal_changed", "o1", 3_000_000, state="lost")
    assert standing(scene)["cover 2026-03"] == 20


def test_a_change_of_currency_takes_an_open_deal_out_of_the_former_pipeline() -> None:
    scene = sales()
    says(scene, "opportunity", "o1", 3_000_000)
    says(scene, "deal_changed", "o1", 3_000_000, currency="USD")
    assert standing(scene)["cover 2026-03"] == 0


def test_what_is_said_of_a_deal_moves_no_clock() -> None:
    scene = Scene(agreement(goals=GOALS)).qualified().routed("ann")
    scene.lines()
    says(scene, "deal_changed", amount=5)
    assert scene.lines() == []


NAMES = ("o1", "o2", "o3")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "change", "win", "lose", "reopen"]),
        st.sampled_from(NAMES),
        st.integers(1, 9),
    ),
    max_size=12,
)


@law(40)
@given(steps=STEPS)
def test_the_goals_are_what_the_deals_are_worth_whatever_happens_to_them(
    steps: list[tuple[str, str, int]],
) -> None:
    scene = sales()
    states: dict[str, str] = {}
    worth: dict[str, int] = {}
    cycle = 1
    for event, name, states_of in _moves(steps, states, worth):
        says(scene, event, name, worth[name], state=states_of, cycle=cycle)
        cycle += event == "won"
    achieved = _latest(scene)
    won = [name for name, state in states.items() if state == "won"]
    assert achieved.get("won", 0) == len(won)
    assert achieved.get("amount", 0) == sum(worth[name] for name in won) // 100
    book = {deal.opportunity_id: deal.amount_minor for deal in scene.head().deals}
    assert book == {name: worth[name] for name, state in states.items() if state == "open"}


def _moves(
    steps: list[tuple[str, str, int]], states: dict[str, str], worth: dict[str, int]
) -> Iterator[tuple[str, str, str]]:
    """The steps that the lead reducer lets through, as its moves."""
    for step, name, amount in steps:
        state = states.get(name)
        if step == "open" and state in (None, "lost"):
            event, states[name] = "opportunity", "open"
        elif step == "change" and state is not None:
            event = "deal_changed"
        elif step == "win" and state == "open":
            event, states[name] = "won", "won"
        elif step == "lose" and state == "open":
            event, states[name] = "deal_changed", "lost"
        elif step == "reopen" and state == "won":
            event, states[name] = "reopened", "open"
        else:
            continue
        if step != "reopen":
            worth[name] = amount * 100_000
        yield event, name, states[name]


def _latest(scene: Scene) -> dict[str, int]:
    assert scene.host.log.now < ms("2026-04-01 00:00")
    return {name.split()[0]: value for name, value in standing(scene).items()}
