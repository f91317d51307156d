"""The lean replay: when each lead first qualifies under an agreement, by the scorer's own reducer.

A group of merged leads is one run: its facts in order, timers in between, and what its leads send
to each other. State stays in memory as it is, nothing is published, no turn is taken; the pool is
the one the agreement's rules choose. What follows a qualification is people's and not replayed:
whoever is handed over stays in hand until history ends that cycle, or cools where nobody accepted
it in history either, and may qualify again then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from baton.agreement.compiled.agreement import context_of_qualified
from baton.backtest.alike import Alike
from baton.backtest.cycle_keys import cycle_key
from baton.backtest.group_run import GroupRun
from baton.backtest.in_force import InForce
from baton.backtest.out_of_reach import Reach
from baton.contracts.intake import LeadInput
from baton.contracts.leads import LeadQualified
from baton.engine.reducer import Event, Reducer
from baton.flow import service_of

SUPPRESSED: Final = "(suppressed)"
_POOLS: Final = ("people", "pools")
"""Sections that the choice of a pool asks, and nothing before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstQualification:
    """When a lead first became ready in a cycle. ``source``: who sent what made it ready;
    ``account``: its company then, None where it has none; ``pool``: by the rules alone.
    ``adopted``: a new agreement made it ready, so a running Baton hands it over when its turn
    comes, and not at this moment."""

    lead_id: str
    account: str | None
    at_ms: int
    level: str
    leg: str
    pool: str
    segment: str | None
    source: str
    hand_raised: bool
    cycle: int = 1
    adopted: bool = False

    @property
    def key(self) -> str:
        """Names the lead and the cycle."""
        return cycle_key(self.lead_id, self.cycle)


class Replay:
    """Replays groups under what is in force, up to ``until_ms``. ``skips``: leads that cannot
    become ready are not replayed, which changes no result."""

    def __init__(self, in_force: InForce, until_ms: int, *, skips: bool = True) -> None:
        self.in_force, self._until_ms = in_force, until_ms
        lead: Any = next(
            type(reducer) for reducer in service_of("scorer").reducers if reducer.name == "lead"
        )
        # nobody reads scores here; in the one, who is handed over stays in hand until the end
        self._reducer: Reducer[Any, Any] = lead(explains=False)
        self._holding: Reducer[Any, Any] = lead(explains=False, holds=True)
        self._reaches = [Reach.of(agreement) for agreement in in_force.agreements()]
        self._skips = skips

    def group(self, facts: Sequence[Event]) -> list[FirstQualification]:
        """The first qualification in every cycle of the leads of the group."""
        run = self.run(facts)
        return [] if run is None else self.found(run, facts)

    def run(self, facts: Sequence[Event]) -> GroupRun | None:
        """Replay the leads of the group; None: none of them can become ready."""
        if self.excludes(facts):
            return None
        run = self.begun(facts)
        self.go_on(run, facts)
        return run

    def excludes(self, facts: Sequence[Event]) -> bool:
        """Whether it is one lead, which cannot become ready."""
        return (
            self._skips
            and _alone(facts) is not None
            and all(reach.excludes(facts) for reach in self._reaches)
        )

    def begun(self, facts: Sequence[Event]) -> GroupRun:
        """The leads of the group before any of their facts."""
        return GroupRun((self._reducer, self._holding), self.in_force, facts)

    def go_on(
        self, run: GroupRun, facts: Sequence[Event], first: int = 0, below: int | None = None
    ) -> bool:
        """Replay the group's facts from ``first`` to ``below``, or all to the end. False: more is
        to come."""
        alone = _alone(facts)
        for fact in facts[first:below]:
            if fact.at_ms > self._until_ms:
                break
            run.pass_time(fact.at_ms)
            run.take(fact)
            if alone is not None and run.is_done(alone):
                return True  # nothing later is asked of it
        else:
            if below is not None and below < len(facts):
                return False
        run.pass_time(self._until_ms)
        return True

    def found(self, run: GroupRun, facts: Sequence[Event]) -> list[FirstQualification]:
        """What a run found, with the pools that this agreement chooses."""
        if not run.qualified:
            return []
        sources = {
            fact.value.event.event_id: fact.value.event.source
            for fact in facts
            if isinstance(fact.value, LeadInput) and fact.value.event is not None
        }
        return [
            self._first(one, cycle, sources, adopted=(lead_id, cycle) in run.adopted)
            for (lead_id, cycle), one in run.qualified.items()
        ]

    def runs_alone(self, facts: Sequence[Event]) -> bool:
        """Whether one agreement holds as long as these leads are replayed, and no challenger."""
        last = len(self.in_force.references) - 1
        return (
            self.in_force.place(facts[0].at_ms) == last
            and self.in_force.references[last][1].challenger is None
        )

    def _first(
        self, one: LeadQualified, cycle: int, sources: dict[str, str], *, adopted: bool
    ) -> FirstQualification:
        agreement = self.in_force.at(one.qualified_at_ms).agreement
        context = context_of_qualified(one, now_ms=one.qualified_at_ms)
        if agreement.routing.suppressed(context).reason is not None:
            pool = SUPPRESSED
        else:
            pool = agreement.routing.expected(context)[0]
        return FirstQualification(
            lead_id=one.lead_id,
            account=one.story.account_id,
            at_ms=one.qualified_at_ms,
            level=one.level,
            leg=one.leg,
            pool=pool,
            segment=one.segment,
            source=sources.get(one.cause_id, "(time)"),
            hand_raised=one.hand_raised,
            cycle=cycle,
            adopted=adopted,
        )


def _alone(facts: Sequence[Event]) -> str | None:
    """The lead that all facts are of, if it is one."""
    first = facts[0].key
    return first if all(fact.key == first for fact in facts) else None


class BothReplays:
    """Replays groups under what was in force and under the new agreement: once, as far as the two
    treat their leads alike."""

    def __init__(self, old: Replay, new: Replay) -> None:
        self._old, self._new = old, new
        agreements = [one.in_force.references[-1][1].agreement for one in (old, new)]
        self._same = agreements[0].version == agreements[1].version
        self._alike = None if self._same else Alike.of(*agreements)
        self._pools_alike = all(
            getattr(agreements[0].raw, section) == getattr(agreements[1].raw, section)
            for section in _POOLS
        )

    def group(
        self, facts: Sequence[Event]
    ) -> tuple[list[FirstQualification], list[FirstQualification]]:
        """What either finds; the same object where it is the same."""
        old, new = self._old, self._new
        shared = self._shared(facts) if old.runs_alone(facts) else 0
        excluded = [one.excludes(facts) for one in (old, new)] if shared else [False]
        if all(excluded):
            nothing: list[FirstQualification] = []
            return nothing, nothing
        if any(excluded) or not shared:
            return old.group(facts), new.group(facts)
        run = other = new.begun(facts)
        if not new.go_on(run, facts, below=shared):
            other = run.under(old.in_force)
            new.go_on(run, facts, first=shared)
            old.go_on(other, facts, first=shared)
        found = new.found(run, facts)
        return found if other is run and self._pools_alike else old.found(other, facts), found

    def _shared(self, facts: Sequence[Event]) -> int:
        if self._same:
            return len(facts)
        return 0 if self._alike is None else self._alike.prefix(facts)
