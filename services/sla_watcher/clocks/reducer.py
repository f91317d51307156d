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
from services.sla_watcher.clocks.clock import adopt_agreement, adopt_ladder, find_clock
from services.sla_watcher.clocks.handlers import acts, handoffs, stages
from services.sla_watcher.clocks.state import BROKEN, LeadClocks
from services.sla_watcher.clocks.step import ClockStep


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
        step = ClockStep(view, now=now, reference=reference)
        if step.head.ended is None:
            _take(step, event, first=view.head is None)
        return step.finish()

    def wake(self, view: View[LeadClocks], *, now: int, reference: AgreementReference) -> Step[LeadClocks]:
        """Do what is due: warnings, breaches, ladders, and the return of a recycled lead."""
        step = ClockStep(view, now=now, reference=reference, proven=view.proven)
        for clock in sorted(step.head.clocks, key=lambda each: (each.next_at_ms or 0, each.clock_id)):
            standing = find_clock(step, clock.clock_id)
            if standing is not None and standing.next_at_ms is not None and standing.next_at_ms <= now:
                breaches.pass_time(step, standing, escalation_ladder.climb)
        rest = step.head.rest
        if rest is not None and rest.return_at_ms is not None and rest.return_at_ms <= now:
            recycling.return_from_rest(step)
        return step.finish()

    def adopt(self, view: View[LeadClocks], *, old: str, new: AgreementReference, now: int) -> Step[LeadClocks]:
        """Compute every running clock anew from its intervals."""
        step = ClockStep(view, now=now, reference=new)
        for clock in step.head.clocks:
            if clock.state == ClockState.RUNNING:
                adopt_agreement(step, clock)
            else:
                adopt_ladder(step, clock)
        return step.finish()


def _take(step: ClockStep, event: Event, *, first: bool) -> None:
    match event.value:
        case LeadQualified() as qualified:
            handoffs.on_qualified(step, event, qualified)
            if first:
                goal_tallies.announce_goals(step)
        case LeadRouted() as routed:
            handoffs.on_routed(step, event, routed)
        case LeadUnrouted() as unrouted:
            handoffs.on_unrouted(step, event, unrouted)
        case HandoffNoted() as noted:
            handoffs.on_noted(step, event, noted)
        case LeadStaged() as staged:
            stages.on_staged(step, event, staged)
        case LeadAct() as act:
            acts.on_act(step, event, act)
        case other:
            raise TypeError(f"clocks does not read {type(other).__name__}")
