"""What must hold of a quarter: goals have what the facts come to, turns are fair after every single
hand-out. Each is counted from the public facts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.goals import Goal
from baton.agreement.wall_time import local_date, zone_named
from baton.contracts.leads import LeadStaged, StageEvent
from baton.contracts.routing import Candidate
from baton.simulation.quarter.kept_facts import History

_STAGES: Final = {"sal": "sal", "sql": "sql", "opportunity": "opportunity", "customer": "won"}
_VERDICTS: Final = frozenset(
    {StageEvent.ACCEPTED, StageEvent.QUALIFIED, StageEvent.OPPORTUNITY, StageEvent.WON}
)

Reached = tuple[str, str, int]
"""A metric, a lead, and the cycle in which it came there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A goal in a period: what was published last, and what the facts come to."""

    goal: str
    period: str
    published: int
    counted: int


def sums(history: History, agreement: CompiledAgreement) -> list[Sum]:
    """Every goal that counts people, in each of its periods."""
    zone = agreement.timezone
    counted: Counter[tuple[str, str]] = Counter()
    reached = _reached(history)
    segments = {
        (said.lead_id, said.cycle): said.segment
        for said in history.qualified
        if said.stage == "mql"
    }
    for (metric, lead, cycle), at_ms in reached.items():
        for goal in agreement.goals.values():
            mine = goal.segment in (None, segments.get((lead, cycle)))
            if goal.metric == metric and mine:
                counted[goal.name, _period(goal, at_ms, zone)] += 1
    people = [name for name, goal in agreement.goals.items() if goal.currency is None]
    return [
        Sum(goal=goal, period=period, published=said.achieved, counted=counted[goal, period])
        for (goal, period), said in sorted(history.progress.items())
        if goal in people
    ]


def _reached(history: History) -> dict[Reached, int]:
    """When a lead first came to what counts, once a cycle; wins that were taken back are none."""
    found: dict[Reached, int] = {}
    for said in history.qualified:
        if said.stage == "mql":
            key = ("mql", said.lead_id, said.cycle)
            found[key] = min(found.get(key, said.qualified_at_ms), said.qualified_at_ms)
    for lead, stages in history.stages.items():
        won: dict[str | None, Reached] = {}
        for staged in stages:
            if staged.event == StageEvent.REOPENED and staged.opportunity_id in won:
                found.pop(won.pop(staged.opportunity_id), None)
            for metric in _metrics(staged):
                key = (metric, lead, staged.cycle)
                found[key] = min(found.get(key, staged.occurred_at_ms), staged.occurred_at_ms)
                if metric == "won":
                    won[staged.opportunity_id] = key
    return found


def _metrics(staged: LeadStaged) -> Iterator[str]:
    if staged.event in _VERDICTS:
        for stage in (*staged.inferred, staged.to_stage):
            if stage in _STAGES:
                yield _STAGES[stage]


def _period(goal: Goal, at_ms: int, zone: str) -> str:
    day: date = local_date(at_ms, zone_named(zone))
    quarter = f"{day.year}-Q{(day.month + 2) // 3}"
    return quarter if goal.per == "quarter" else f"{day.year}-{day.month:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """The hand-outs in turn of one pool: ``furthest``, how many leads anybody who could have been
    chosen was from their share after any of them; ``unfair``, how many went to somebody whose turn
    it was not."""

    pool: str
    turns: int
    furthest: Fraction
    unfair: int


FURTHEST: Final = 2
"""So far from their share nobody may be. Less than one lead while the same people can be chosen; an
absence or a turn that is given back moves it."""


def fairness(history: History) -> list[Fairness]:
    """After every single hand-out in turn, by pool."""
    turns: Counter[str] = Counter()
    unfair: Counter[str] = Counter()
    furthest: dict[str, Fraction] = {}
    for routed in history.routed:
        if not routed.rule.endswith("in_turn"):
            continue
        turns[routed.pool] += 1
        could = [one for one in routed.candidates if one.excluded is None and one.score]
        unfair[routed.pool] += not _was_their_turn(routed.owner, could)
        for one in could:
            off = abs(Fraction(one.target) - one.turns - (one.person == routed.owner))
            furthest[routed.pool] = max(furthest.get(routed.pool, Fraction(0)), off)
    return [
        Fairness(
            pool=pool,
            turns=count,
            furthest=furthest.get(pool, Fraction(0)),
            unfair=unfair[pool],
        )
        for pool, count in sorted(turns.items())
    ]


def _was_their_turn(owner: str, could: Sequence[Candidate]) -> bool:
    """Of those below their share (all, if none is) the smallest score."""
    below = [one for one in could if Fraction(one.target) > one.turns] or could
    least = min((Fraction(one.score) for one in below), default=None)
    return any(one.person == owner and Fraction(one.score) == least for one in below)
