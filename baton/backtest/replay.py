"""The lean replay: when each lead first qualifies under an agreement, by the scorer's own reducer.

A group of merged leads is one run: its facts in order, timers in between, and what its leads send
to each other. State stays in memory as it is, nothing is published, no turn is taken; the pool is
the one the agreement's rules choose. What follows a qualification is people's and not replayed:
whoever is handed over stays in hand until history ends that cycle, or cools where nobody accepted
it in history either, and may qualify again then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from baton.agreement.compiled.agreement import context_of_qualified
from baton.backtest.cycle_keys import cycle_key
from baton.backtest.group_run import GroupRun
from baton.backtest.in_force import InForce
from baton.backtest.out_of_reach import Reach
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadInput
from baton.contracts.leads import LeadQualified
from baton.engine.key_state import Shape
from baton.engine.reducer import Event, Reducer
from baton.flow import service_of

SUPPRESSED: Final = "(suppressed)"


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
        self._in_force, self._until_ms = in_force, until_ms
        lead: Any = next(
            type(reducer) for reducer in service_of("scorer").reducers if reducer.name == "lead"
        )
        # nobody reads scores here; in the one, who is handed over stays in hand until the end
        self._reducer: Reducer[Any, Any] = lead(explains=False)
        self._holding: Reducer[Any, Any] = lead(explains=False, holds=True)
        self._shape = Shape(self._reducer, codec_for)
        self._reaches = [Reach.of(agreement) for agreement in in_force.agreements()]
        self._skips = skips

    def group(self, facts: Sequence[Event]) -> list[FirstQualification]:
        """The first qualification in every cycle of the leads of the group."""
        alone = facts[0].key if all(fact.key == facts[0].key for fact in facts) else None
        lone = self._skips and alone is not None
        if lone and all(reach.excludes(facts) for reach in self._reaches):
            return []
        run = GroupRun((self._reducer, self._holding), self._shape, self._in_force, facts)
        for fact in facts:
            if fact.at_ms > self._until_ms:
                break
            run.pass_time(fact.at_ms)
            run.take(fact)
            if alone is not None and run.is_done(alone):
                break  # nothing later is asked of it
        else:
            run.pass_time(self._until_ms)
        sources = {
            fact.value.event.event_id: fact.value.event.source
            for fact in facts
            if isinstance(fact.value, LeadInput) and fact.value.event is not None
        }
        return [
            replace(self._first(one, cycle, sources), adopted=(lead_id, cycle) in run.adopted)
            for (lead_id, cycle), one in run.qualified.items()
        ]

    def _first(self, one: LeadQualified, cycle: int, sources: dict[str, str]) -> FirstQualification:
        agreement = self._in_force.at(one.qualified_at_ms).agreement
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
        )
