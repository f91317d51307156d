"""What counts towards the goals of both sides, told once each.

A tally's id names the goal, the lead and its cycle: a lead that comes to the same stage twice in a cycle counts once, and a fact
that is read twice changes nothing.
"""

from collections.abc import Iterator
from dataclasses import replace

from baton.contracts.goals import OPENED, GoalTally
from baton.contracts.topic_names import SLA_TALLIES
from baton.ids import derived_id
from services.sla_watcher.clocks.step import Turn


def tally(turn: Turn, metric: str, *, occurred_at_ms: int, cycle: int | None = None) -> None:
    """Count one for every goal with this metric, once a cycle."""
    number = turn.head.cycle if cycle is None else cycle
    mark = f"{number}/{metric}"
    if mark in turn.head.tallied:
        return
    kept = tuple(each for each in turn.head.tallied if each.startswith(f"{number}/"))
    turn.head = replace(turn.head, tallied=(*kept, mark))
    for goal in goals_for(turn, metric):
        tell_tally(turn, goal, metric, amount=1, occurred_at_ms=occurred_at_ms, subject=(turn.lead_id, number))


def goals_for(turn: Turn, metric: str, currency: str | None = None) -> Iterator[str]:
    """Names of the goals that count ``metric`` for the lead's segment (and in ``currency``, where money is counted)."""
    for name, goal in turn.reference.agreement.goals.items():
        if goal.metric != metric or goal.segment not in (None, turn.head.segment):
            continue
        if currency is None or goal.currency == currency:
            yield name


def tell_tally(turn: Turn, goal: str, metric: str, *, amount: int, occurred_at_ms: int, subject: tuple[str | int, ...]) -> None:
    """``sla.tallies.v1``, keyed by the goal. ``subject`` is what counts once."""
    turn.publish(
        SLA_TALLIES,
        GoalTally(
            goal=goal,
            tally_id=derived_id("tally", goal, metric, *subject),
            metric=metric,
            amount=amount,
            occurred_at_ms=occurred_at_ms,
            segment=turn.head.segment,
            lead_id=turn.lead_id,
            cause_id=turn.cause,
        ),
        key=goal,
    )


def announce(turn: Turn) -> None:
    """Make every goal known to the goals reducer: a goal that nothing counts towards must be missed aloud."""
    for name in turn.reference.agreement.goals:
        tell_tally(turn, name, OPENED, amount=0, occurred_at_ms=turn.now, subject=(OPENED, turn.version))
