"""What counts towards the goals of both sides, told once each.

A tally's id names the goal, the lead and its cycle: a lead that comes to the same stage twice in a
cycle counts once, and a fact that is read twice changes nothing.
"""

from collections.abc import Iterator
from dataclasses import replace

from baton.agreement.model.goals import MONEY_METRICS
from baton.contracts.goals import JOINED_METRIC, GoalTally
from baton.contracts.topic_names import SLA_TALLIES
from baton.ids import derived_id
from services.sla_watcher.clocks.step import ClockStep


def count_towards_goals(
    step: ClockStep, metric: str, *, occurred_at_ms: int, cycle: int | None = None
) -> None:
    """Count one for every goal with this metric, once a cycle."""
    number = step.head.cycle if cycle is None else cycle
    mark = f"{number}/{metric}"
    if mark in step.head.tallied:
        return
    kept = tuple(each for each in step.head.tallied if each.startswith(f"{number}/"))
    step.head = replace(step.head, tallied=(*kept, mark))
    for goal in goals_for(step, metric):
        publish_tally(
            step,
            goal,
            metric,
            amount=1,
            occurred_at_ms=occurred_at_ms,
            subject=(step.lead_id, number),
            cycle=number,
        )


def goals_for(step: ClockStep, metric: str, currency: str | None = None) -> Iterator[str]:
    """Names of the goals that count ``metric`` for the lead's segment (and in ``currency``, where
    money is counted)."""
    for name, goal in step.reference.agreement.goals.items():
        if goal.metric != metric or goal.segment not in (None, step.head.segment):
            continue
        if currency is None or goal.currency == currency:
            yield name


def publish_tally(
    step: ClockStep,
    goal: str,
    metric: str,
    *,
    amount: int,
    occurred_at_ms: int,
    subject: tuple[str | int, ...],
    cycle: int = 0,
    into: str | None = None,
    due: str | None = None,
) -> None:
    """``sla.tallies.v1``, keyed by the goal. ``subject`` is what counts once. ``into``: see
    :class:`GoalTally`."""
    step.publish(
        SLA_TALLIES,
        GoalTally(
            goal=goal,
            tally_id=derived_id("tally", goal, metric, *subject),
            metric=metric,
            amount=amount,
            occurred_at_ms=occurred_at_ms,
            segment=step.head.segment,
            lead_id=step.lead_id,
            cause_id=step.cause,
            cycle=cycle,
            into=into,
            due=due,
        ),
        key=goal,
    )


def join_in_goals(step: ClockStep, survivor: str, *, occurred_at_ms: int) -> None:
    """Make known to the goals that count people that this lead and ``survivor`` are one person."""
    for name, goal in step.reference.agreement.goals.items():
        if goal.metric not in MONEY_METRICS:
            subject = (step.lead_id, survivor)
            publish_tally(
                step,
                name,
                JOINED_METRIC,
                amount=0,
                occurred_at_ms=occurred_at_ms,
                subject=subject,
                into=survivor,
            )
