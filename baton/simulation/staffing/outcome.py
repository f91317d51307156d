"""What a played quarter came to: waiting, promises, load and fairness, from the public facts. Pure.

Waiting is of the pool's open hours, from when a lead was ready until somebody of a pool answered
it; a manager who takes over what was let lie is no answer. Who was never answered waits until the
end: in the share within a limit they count as missed once the limit is over, and before that not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.contracts.slas import ClockState
from baton.simulation.quarter.kept_facts import History
from baton.simulation.quarter.quarter_sums import fairness
from baton.simulation.staffing.playing import Played

_IN_TIME: Final = frozenset({ClockState.MET, ClockState.WITHDRAWN})
_NOT_DUE: Final = frozenset({ClockState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long one qualification waited for an answer; ``answered`` False: until the end."""

    ms: int
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolOutcome:
    """``waits`` of the leads that came to the pool; ``members``: its active people; ``furthest``:
    how many leads anybody was from their share at worst; ``unfair``: leads out of turn."""

    members: int
    waits: tuple[Wait, ...]
    turns: int = 0
    furthest: float = 0.0
    unfair: int = 0

    def within(self, limit_ms: int) -> float | None:
        """The share answered within so much open time; None where nothing can be said."""
        judged = [one for one in self.waits if one.answered or one.ms > limit_ms]
        if not judged:
            return None
        return sum(one.answered and one.ms <= limit_ms for one in judged) / len(judged)

    def quantile_ms(self, share: float) -> int | None:
        """What so many waited at most; None where it was not reached by the end."""
        ordered = sorted(self.waits, key=lambda one: (not one.answered, one.ms))
        if not ordered:
            return None
        found = ordered[min(int(len(ordered) * share), len(ordered) - 1)]
        return found.ms if found.answered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One quarter. ``promises``: clock -> (due, kept). ``busy``: by person, the share of their open
    hours spent on leads. ``leads``: by person, how many they were handed."""

    qualified: int
    handed: int
    pools: Mapping[str, PoolOutcome]
    promises: Mapping[str, tuple[int, int]]
    busy: Mapping[str, float]
    leads: Mapping[str, int]


def outcome_of(played: Played, agreement: CompiledAgreement) -> Outcome:
    """Count it."""
    history = played.history
    waits = _waits(played, agreement)
    fair = {one.pool: one for one in fairness(history)}
    return Outcome(
        qualified=len(history.qualified),
        handed=len({routed.qualification_id for routed in history.routed}),
        pools={
            name: PoolOutcome(
                members=len(_members(agreement, name)),
                waits=tuple(waits.get(name, ())),
                turns=fair[name].turns if name in fair else 0,
                furthest=float(fair[name].furthest) if name in fair else 0.0,
                unfair=fair[name].unfair if name in fair else 0,
            )
            for name in agreement.pools
        },
        promises=_promises(history, played.until_ms),
        busy=_busy(played, agreement),
        leads=dict(Counter(routed.owner for routed in history.routed)),
    )


def _members(agreement: CompiledAgreement, pool: str) -> list[str]:
    return [
        member.person
        for member in agreement.pools[pool].members
        if agreement.people[member.person].active
    ]


def _waits(played: Played, agreement: CompiledAgreement) -> dict[str, list[Wait]]:
    history, found = played.history, defaultdict[str, list[Wait]](list)
    pools: dict[str, str] = {}
    for routed in history.routed:
        pools.setdefault(routed.qualification_id, routed.pool)
    for held in (one for lead in history.unrouted.values() for one in lead):
        if held.pool is not None:
            pools.setdefault(held.qualification_id, held.pool)
    answered = _answers(
        history, {name for pool in agreement.pools for name in _members(agreement, pool)}
    )
    for one in history.qualified:
        pool = pools.get(one.qualification_id)
        if pool is None:
            continue
        at_ms = answered.get(one.qualification_id)
        hours = agreement.calendar_for(pool=pool)
        until_ms = max(played.until_ms if at_ms is None else at_ms, one.qualified_at_ms)
        spent_ms = hours.business_between(one.qualified_at_ms, until_ms)
        found[pool].append(Wait(ms=spent_ms, answered=at_ms is not None))
    return found


def _answers(history: History, members: Set[str]) -> dict[str, int]:
    """When one of the members of pools first did something about a qualification."""
    of = {routed.handoff_id: routed.qualification_id for routed in history.routed}
    found: dict[str, int] = {}
    for act in (one for acts in history.acts.values() for one in acts):
        qualification = of.get(act.act.handoff_id or "")
        if qualification is not None and act.act.by in members:
            at_ms = act.occurred_at_ms
            found[qualification] = min(found.get(qualification, at_ms), at_ms)
    return found


def _promises(history: History, until_ms: int) -> dict[str, tuple[int, int]]:
    """Of the clocks whose deadline passed, how many were kept; cancelled ones are outside."""
    due: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for states in history.clocks.values():
        last = states[-1]
        if last.state in _NOT_DUE or last.deadline_ms > until_ms:
            continue
        due[last.clock] += 1
        kept[last.clock] += last.state in _IN_TIME
    return {clock: (count, kept[clock]) for clock, count in sorted(due.items())}


def _busy(played: Played, agreement: CompiledAgreement) -> dict[str, float]:
    found: dict[str, float] = {}
    for pool in agreement.pools:
        for person in _members(agreement, pool):
            hours = agreement.calendar_for(person=person, pool=pool)
            open_ms = hours.business_between(played.begins_ms, played.until_ms)
            spent_ms = played.busy_ms.get(person, 0)
            found[person] = spent_ms / open_ms if open_ms else 0.0
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A figure over the seeds."""

    mean: float
    low: float
    high: float


def spread(values: Iterable[float | None]) -> Spread | None:
    """Of those that are known; None where none is."""
    known: Sequence[float] = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(mean=sum(known) / len(known), low=min(known), high=max(known))
