"""clocks, per lead: the service levels of a lead, and what follows a breach, a rejection, an end.

The reducer hands a record to the rule that knows it: :mod:`.handlers` has one module a kind of
input; :mod:`.clock`, :mod:`.breaches` and :mod:`.escalation_ladder` are what happens to one clock,
:mod:`.recycling` the end of a cycle and the way back, :mod:`.pipeline` the money. An erased or
merged lead is a tombstone: nothing starts it again.
"""

from baton.agreement.reference import AgreementReference
from baton.contracts.intake import LeadAct, LeadCommand
from baton.contracts.leads import LeadAmended, LeadQualified, LeadStaged, StageEvent
from baton.contracts.slas import ClockState
from baton.contracts.streams import HandoffChange, LeadDecision, parts_of
from baton.contracts.topic_names import (
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
    LEADS_SLA_ACTIONS,
    LEADS_SLA_CLOCKS,
    LEADS_SLA_VIOLATIONS,
    ROUTER_HANDOFFS,
    SCORER_LEADS,
    SLA_ESCALATIONS,
    SLA_LEADS,
    SLA_TALLIES,
)
from baton.engine.reducer import Event, Reducer, Step, View
from baton.evolve import evolve
from services.sla_watcher.clocks import breaches, escalation_ladder, recycling
from services.sla_watcher.clocks.clock import adopt_ladder, adopt_reference, find_clock
from services.sla_watcher.clocks.handlers import acts, ahead, handoffs, stages
from services.sla_watcher.clocks.handlers.raised_hands import on_hotter
from services.sla_watcher.clocks.state import BROKEN, LeadClocks
from services.sla_watcher.clocks.step import ClockStep


class Clocks(Reducer[LeadClocks, AgreementReference]):
    """The reducer; see the module."""

    name = "clocks"
    service = "sla_watcher"
    inputs = (SCORER_LEADS, ROUTER_HANDOFFS)
    outputs = (
        SLA_LEADS,
        LEADS_SLA_CLOCKS,
        LEADS_SLA_VIOLATIONS,
        LEADS_SLA_ACTIONS,
        LEADS_RECYCLED,
        LEADS_REACTIVATED,
        SLA_TALLIES,
        SLA_ESCALATIONS,
    )
    head_type = LeadClocks
    entry_kinds = (BROKEN,)
    upstream = (
        "admit",
        "identify",
        "lead",
        "dispatch",
        "matching",
        "assignment",
        "workload",
        "dispatch",
    )
    adopts = True

    def editions(self, reference: AgreementReference) -> tuple[str, ...]:
        """The agreement; and with the absences, for a lead that somebody's clock runs for."""
        return reference.version, reference.edition

    def edition_of(self, head: LeadClocks | None, reference: AgreementReference) -> str:
        """Only where a clock has an owner can an absence move anything."""
        owned = head is not None and any(clock.owner is not None for clock in head.clocks)
        return reference.edition if owned else reference.version

    def step(
        self, view: View[LeadClocks], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[LeadClocks]:
        """Take one input record."""
        step = ClockStep(view, now=now, reference=reference)
        assert isinstance(event.value, LeadDecision | HandoffChange), (
            f"clocks does not read {type(event.value).__name__}"
        )
        if isinstance(event.value, HandoffChange):
            if ahead.is_ahead(step, event.value):
                ahead.keep(step, event.value)
            if step.head.ended is None:
                handoffs.on_change(step, event, event.value)
            return step.finish()
        for part in parts_of(event.value):
            if step.head.ended == StageEvent.MERGED and isinstance(part, LeadQualified):
                step.head = LeadClocks()  # its merges went full circle: it lives again
            if step.head.ended is None:
                _take(step, event, part)
        return step.finish()

    def wake(
        self, view: View[LeadClocks], *, now: int, reference: AgreementReference
    ) -> Step[LeadClocks]:
        """Do what is due: warnings, breaches, ladders, and the return of a recycled lead."""
        step = ClockStep(view, now=now, reference=reference, proven=view.proven)
        for clock in sorted(
            step.head.clocks, key=lambda clock: (clock.next_at_ms or 0, clock.clock_id)
        ):
            standing = find_clock(step, clock.clock_id)
            if (
                standing is not None
                and standing.next_at_ms is not None
                and standing.next_at_ms <= now
            ):
                breaches.pass_time(step, standing, escalation_ladder.climb)
        rest = step.head.rest
        if rest is not None and rest.return_at_ms is not None and rest.return_at_ms <= now:
            recycling.return_from_rest(step)
        return step.finish()

    def adopt(
        self, view: View[LeadClocks], *, old: str, new: AgreementReference, now: int
    ) -> Step[LeadClocks]:
        """Compute every open clock anew from its intervals: the agreement has changed, or who is
        away."""
        step = ClockStep(view, now=now, reference=new)
        reason = "absence" if new.version in (old, old.partition("+")[0]) else "agreement"
        for clock in step.head.clocks:
            if clock.state == ClockState.RUNNING:
                adopt_reference(step, clock, reason=reason)
            else:
                adopt_ladder(step, clock)
        return step.finish()


def _take(step: ClockStep, event: Event, part: object) -> None:
    match part:
        case LeadQualified() as qualified:
            handoffs.on_qualified(step, event, qualified)
            for change in ahead.take(step, qualified.qualification_id):
                late = evolve(event, at_ms=max(event.at_ms, change.at_ms))
                handoffs.on_change(step, late, change)
        case LeadStaged() as staged:
            stages.on_staged(step, event, staged)
        case LeadAct() as act:
            acts.on_act(step, event, act)
        case LeadCommand():
            pass  # dispatch says what becomes of it
        case LeadAmended() as amended:
            # the brief is the holder's to read; of a raised hand its move says what is promised
            on_hotter(step, event, amended)
        case other:
            raise TypeError(f"clocks does not read {type(other).__name__}")
