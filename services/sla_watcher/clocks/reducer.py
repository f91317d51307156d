"""clocks, per lead: the service levels of a lead, and what follows a breach, a rejection, an end.

The reducer only hands each record to the rule that knows it; the rules are :mod:`passing` (hand-offs), :mod:`acting` (people's
acts), :mod:`staging` (moves in the cycle), :mod:`running` and :mod:`timing` (one clock), :mod:`ladder` (what is done about a
breach) and :mod:`recycle` (the end of a cycle and the way back). An erased or merged lead is a tombstone: nothing starts it again.
"""

from baton.agreement.reference import AgreementReference
from baton.contracts.intake import LeadAct
from baton.contracts.leads import LeadQualified, LeadStaged
from baton.contracts.routing import HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import ClockState
from baton.contracts.topic_names import (
    LEADS_ACTS,
    LEADS_HANDOFFS,
    LEADS_QUALIFIED,
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SLA_ACTIONS,
    LEADS_SLA_CLOCKS,
    LEADS_SLA_VIOLATIONS,
    LEADS_STAGES,
    LEADS_UNROUTED,
    SLA_TALLIES,
)
from baton.engine.reducer import Event, Reducer, Step, View
from services.sla_watcher.clocks import breaches, escalation_ladder, goal_tallies, recycling
from services.sla_watcher.clocks import clock as running
from services.sla_watcher.clocks.handlers import acts, handoffs, stages
from services.sla_watcher.clocks.state import BROKEN, LeadClocks
from services.sla_watcher.clocks.step import Turn


class Clocks(Reducer[LeadClocks, AgreementReference]):
    """The reducer; see the module."""

    name = "clocks"
    service = "sla_watcher"
    inputs = (
        LEADS_QUALIFIED,
        LEADS_ROUTED_SDR,
        LEADS_ROUTED_SALES,
        LEADS_UNROUTED,
        LEADS_HANDOFFS,
        LEADS_STAGES,
        LEADS_ACTS,
    )
    outputs = (LEADS_SLA_CLOCKS, LEADS_SLA_VIOLATIONS, LEADS_SLA_ACTIONS, LEADS_RECYCLED, LEADS_REACTIVATED, SLA_TALLIES)
    head_type = LeadClocks
    entry_kinds = (BROKEN,)
    upstream = ("admit", "identify", "lead", "dispatch", "matching", "assignment")
    adopts = True

    def step(self, view: View[LeadClocks], event: Event, *, now: int, reference: AgreementReference) -> Step[LeadClocks]:
        """Take one input record."""
        turn = Turn(view, now=now, reference=reference)
        if turn.head.ended is None:
            _take(turn, event, first=view.head is None)
        return turn.finish()

    def wake(self, view: View[LeadClocks], *, now: int, reference: AgreementReference) -> Step[LeadClocks]:
        """Do what is due: warnings, breaches, ladders, and the return of a recycled lead."""
        turn = Turn(view, now=now, reference=reference, proven=view.proven)
        for clock in sorted(turn.head.clocks, key=lambda each: (each.next_at_ms or 0, each.clock_id)):
            standing = running.find(turn, clock.clock_id)
            if standing is not None and standing.next_at_ms is not None and standing.next_at_ms <= now:
                breaches.pass_time(turn, standing, escalation_ladder.climb)
        rest = turn.head.rest
        if rest is not None and rest.return_at_ms is not None and rest.return_at_ms <= now:
            recycling.come_back(turn)
        return turn.finish()

    def adopt(self, view: View[LeadClocks], *, old: str, new: AgreementReference, now: int) -> Step[LeadClocks]:
        """Compute every running clock anew from its intervals."""
        turn = Turn(view, now=now, reference=new)
        for clock in turn.head.clocks:
            if clock.state == ClockState.RUNNING:
                running.adopt(turn, clock)
            else:
                running.adopt_broken(turn, clock)
        return turn.finish()


def _take(turn: Turn, event: Event, *, first: bool) -> None:
    match event.value:
        case LeadQualified() as qualified:
            handoffs.on_qualified(turn, event, qualified)
            if first:
                goal_tallies.announce(turn)
        case LeadRouted() as routed:
            handoffs.on_routed(turn, event, routed)
        case LeadUnrouted() as unrouted:
            handoffs.on_unrouted(turn, event, unrouted)
        case HandoffNoted() as noted:
            handoffs.on_noted(turn, event, noted)
        case LeadStaged() as staged:
            stages.on_staged(turn, event, staged)
        case LeadAct() as act:
            acts.on_act(turn, event, act)
        case other:
            raise TypeError(f"clocks does not read {type(other).__name__}")
