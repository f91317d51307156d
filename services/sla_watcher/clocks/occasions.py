"""What an occasion does to the clocks of a lead, as the table of kinds has it: start, meet, end,
pause, resume.

It knows no record and no kind by name; who calls it says which clocks are meant (of a hand-off, of
all) and hands in the evidence.
"""

from collections.abc import Callable, Iterator

from baton.contracts.clock_kinds import CLOCK_KINDS, Occasion, Scope, kind_of
from baton.contracts.slas import ClockState
from baton.evolve import evolve
from services.sla_watcher.clocks.clock import close_clock, record_evidence
from services.sla_watcher.clocks.evidence import Evidence
from services.sla_watcher.clocks.state import OpenClock
from services.sla_watcher.clocks.step import ClockStep

Meant = Callable[[OpenClock], bool]


def started_by(occasion: Occasion) -> Iterator[str]:
    """The kinds that begin with the occasion, in the order of the table."""
    return (name for name, kind in CLOCK_KINDS.items() if occasion in kind.starts_on)


def is_met_by(clock: OpenClock, occasion: Occasion) -> bool:
    """Whether the occasion is what the clock waits for, said or inferred."""
    kind = kind_of(clock.clock)
    return occasion in kind.met_by or occasion in kind.inferred_by


def every(clock: OpenClock) -> bool:
    """All clocks of the lead are meant."""
    return True


def of_handoff(handoff_id: str | None) -> Meant:
    """The clocks of one hand-off are meant, and those of the qualification that it belongs to."""
    return lambda clock: (
        clock.handoff_id == handoff_id or kind_of(clock.clock).scope is Scope.QUALIFICATION
    )


def of_scope(scope: Scope) -> Meant:
    """The clocks of one scope are meant."""
    return lambda clock: kind_of(clock.clock).scope is scope


def meet(
    step: ClockStep, clock: OpenClock, occasion: Occasion, evidence: Evidence
) -> ClockState | None:
    """What this clock waits for has been done; the state in which it ended, None if it has not."""
    inferred = occasion in kind_of(clock.clock).inferred_by
    return record_evidence(step, clock, evolve(evidence, inferred=True) if inferred else evidence)


def apply_occasion(
    step: ClockStep, occasion: Occasion, evidence: Evidence, *, meant: Meant = every
) -> None:
    """Meet the clocks that wait for the occasion; end those that nothing is to be waited for after
    it."""
    for clock in step.head.clocks:
        if not meant(clock):
            continue
        if is_met_by(clock, occasion):
            meet(step, clock, occasion, evidence)
        elif occasion in kind_of(clock.clock).ended_by:
            close_clock(step, clock, evidence.reason or occasion.value, at_ms=evidence.at_ms)
