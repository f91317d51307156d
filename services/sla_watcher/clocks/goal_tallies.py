"""What counts towards the goals of both sides.

A tally's id names the goal, the lead and its cycle: a lead that comes to the same stage twice in a
cycle counts once, and a fact that is read twice changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from baton.agreement.model.goals import MONEY_METRICS, Metric
from baton.contracts.goals import JOINED_METRIC, GoalTally
from baton.contracts.topic_names import SLA_TALLIES
from baton.derived_ids import derived_id
from baton.evolve import evolve
from services.sla_watcher.clocks.step import ClockStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Something that counts. ``subject`` is what counts once; the other fields are those of
    :class:`GoalTally`."""

    metric: str
    amount: int
    occurred_at_ms: int
    subject: tuple[str | int, ...]
    cycle: int = 0
    into: str | None = None
    due: str | None = None
    replaces: str | None = None


def count_towards_goals(
    step: ClockStep, metric: str, *, occurred_at_ms: int, cycle: int | None = None
) -> None:
    """Count one for every goal with this metric, once a cycle."""
    number = step.head.cycle if cycle is None else cycle
    mark = f"{number}/{metric}"
    if mark in step.head.tallied:
        return
    kept = tuple(known for known in step.head.tallied if known.startswith(f"{number}/"))
    step.head = evolve(step.head, tallied=(*kept, mark))
    for goal in goals_for(step, metric):
        counted = Counted(
            metric=metric,
            amount=1,
            occurred_at_ms=occurred_at_ms,
            subject=(step.lead_id, number),
            cycle=number,
        )
        publish_tally(step, goal, counted)


def take_back_win(step: ClockStep, *, occurred_at_ms: int, cycle: int) -> None:
    """The customer of ``cycle`` counts no longer, in whichever goal they were counted: their
    segment may be another by now."""
    for goal in goals_for(step, Metric.WON.value, everywhere=True):
        counted = Counted(
            metric=Metric.WON.value,
            amount=-1,
            occurred_at_ms=occurred_at_ms,
            subject=(step.lead_id, cycle, "taken back", step.cause),
            cycle=cycle,
        )
        publish_tally(step, goal, counted)


def goals_for(
    step: ClockStep, metric: str, currency: str | None = None, *, everywhere: bool = False
) -> Iterator[str]:
    """Names of the goals that count ``metric`` for the lead's segment (``everywhere``: for any) and
    in ``currency``, where money is counted."""
    for name, goal in step.reference.agreement.goals.items():
        if goal.metric != metric:
            continue
        if not everywhere and goal.segment not in (None, step.head.segment):
            continue
        if currency is None or goal.currency == currency:
            yield name


def tally_id_of(goal: str, metric: str, subject: tuple[str | int, ...]) -> str:
    """The id under which ``subject`` counts towards ``goal``."""
    return derived_id("tally", goal, metric, *subject)


def publish_tally(step: ClockStep, goal: str, counted: Counted) -> None:
    """``sla.tallies.v1``, keyed by the goal."""
    step.publish(
        SLA_TALLIES,
        GoalTally(
            goal=goal,
            tally_id=tally_id_of(goal, counted.metric, counted.subject),
            metric=counted.metric,
            amount=counted.amount,
            occurred_at_ms=counted.occurred_at_ms,
            segment=step.head.segment,
            lead_id=step.lead_id,
            cause_id=step.cause,
            cycle=counted.cycle,
            into=counted.into,
            due=counted.due,
            replaces=counted.replaces,
        ),
        key=goal,
    )


def join_in_goals(step: ClockStep, survivor: str, *, occurred_at_ms: int) -> None:
    """Make known to the goals that count people that this lead and ``survivor`` are one person."""
    for name, goal in step.reference.agreement.goals.items():
        if goal.metric not in MONEY_METRICS:
            joined = Counted(
                metric=JOINED_METRIC,
                amount=0,
                occurred_at_ms=occurred_at_ms,
                subject=(step.lead_id, survivor),
                into=survivor,
            )
            publish_tally(step, name, joined)
