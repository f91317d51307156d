"""Every violation of the quarter with its cause, found in the acts and hand-offs themselves.

It does not ask the clocks why they ran out: it looks for an act that would have met the promise
between its start and its deadline, by who owed it and about that hand-off. Where there is one, the
violation is not explained. What would have met a promise is what the row of its kind says.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from baton.contracts.clock_kinds import ACTS_OF, ClockKind, Scope, kind_of
from baton.contracts.intake import ActKind
from baton.contracts.slas import ClockState, SlaClock, SlaViolation
from baton.simulation.quarter.kept_facts import History

UNEXPLAINED: Final = "NOT EXPLAINED"
_ATTEMPTS: Final = 5


def causes(history: History) -> Counter[tuple[str, str]]:
    """How many breaches have which cause, by clock and cause."""
    withdrawn = {said.violation_id for said in history.violations if said.kind == "withdrawn"}
    found: Counter[tuple[str, str]] = Counter()
    for said in history.violations:
        if said.kind != "breach":
            continue
        cause = _cause(history, said) if said.violation_id not in withdrawn else "taken back"
        found[said.goal or said.clock, cause] += 1
    return found


def acts_that_meet(kind: ClockKind) -> frozenset[ActKind]:
    """The acts by which a promise of the kind is kept, said or inferred."""
    occasions = kind.met_by | kind.inferred_by
    return frozenset().union(*(ACTS_OF.get(occasion, ()) for occasion in occasions))


def _cause(history: History, said: SlaViolation) -> str:
    if said.clock_id is None:
        return f"goal {said.reason}"
    clocks = history.clocks[said.clock_id]
    if said.at_ms < said.deadline_ms:
        return UNEXPLAINED
    kind = kind_of(said.clock)
    if kind.scope is Scope.QUALIFICATION:
        return _unrouted(history, said, clocks)
    if kind.by_track:
        return "the track lasted too long"
    return _by_acts(history, said, clocks)


def _unrouted(history: History, said: SlaViolation, clocks: list[SlaClock]) -> str:
    """A lead waited where nobody could take it."""
    waits = [one for one in history.unrouted[said.lead_id or ""] if one.at_ms <= said.deadline_ms]
    started = clocks[0].started_at_ms
    if not any(one.at_ms >= started - 60_000 for one in waits):
        return UNEXPLAINED
    return f"waited: {waits[-1].reason}"


def _by_acts(history: History, said: SlaViolation, clocks: list[SlaClock]) -> str:
    started, state = clocks[0].started_at_ms, clocks[-1].state
    kind = kind_of(said.clock)
    wanted = acts_that_meet(kind)
    acts = [
        act
        for act in history.acts[said.lead_id or ""]
        if act.act.kind in wanted
        and act.received_at_ms >= started
        and (said.owner is None or act.act.by == said.owner)
        and (said.handoff_id is None or act.act.handoff_id in (None, said.handoff_id))
    ]
    in_time = [act for act in acts if act.received_at_ms <= said.deadline_ms]
    by_attempts = "attempts" in kind.takes
    needed = _ATTEMPTS if by_attempts else 1
    if len(in_time) >= needed:
        return UNEXPLAINED
    if by_attempts:
        return f"too few attempts in time ({len(in_time)} of {needed})"
    late = "done late" if len(acts) > len(in_time) else "not done"
    return f"{late}, ended {state}" if state != ClockState.BREACHED else f"{late}, still waited for"
