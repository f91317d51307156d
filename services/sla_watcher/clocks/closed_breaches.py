"""Promises that were broken and closed: late evidence from before the deadline still takes the
violation back.

A clock has one end and keeps it; what is taken back is the violation, so the verdict does not
depend on which news came first.
"""

from typing import Final

from baton.contracts.clock_kinds import Occasion, kind_of
from services.sla_watcher.clocks.evidence import Evidence
from services.sla_watcher.clocks.sla_facts import publish_violation
from services.sla_watcher.clocks.state import BROKEN, BrokenPromise, OpenClock
from services.sla_watcher.clocks.step import ClockStep

_MOST: Final = 24
_KEPT_MS: Final = 90 * 86_400_000


def remember_breach(step: ClockStep, clock: OpenClock) -> None:
    """Keep what late evidence can still excuse: bounded in number and age."""
    if not kind_of(clock.clock).excused_late:
        return
    known = step.view.scan(BROKEN, limit=_MOST)
    surplus = len(known) - _MOST + 1
    for number, (item, promise) in enumerate(known):
        if number < surplus or promise.ended_at_ms < step.now - _KEPT_MS:
            step.drop(BROKEN, item)
    step.store(
        BROKEN,
        f"{step.now:014d}-{clock.clock_id}",
        BrokenPromise(clock=clock, ended_at_ms=step.now),
    )


def excuse_breaches(step: ClockStep, evidence: Evidence, *, accepts: bool) -> None:
    """Take back the violations of closed clocks that this evidence answered in time. ``accepts``:
    it is an acceptance, no touch."""
    for item, promise in step.view.scan(BROKEN, limit=_MOST):
        clock = promise.clock
        if accepts and Occasion.ACCEPTED not in kind_of(clock.clock).met_by:
            continue
        answers = evidence.answers(clock.handoff_id, clock.owner, clock.started_at_ms)
        if answers and evidence.at_ms <= clock.deadline_ms:
            publish_violation(step, clock, "withdrawn", reason="evidence_in_time")
            step.drop(BROKEN, item)
