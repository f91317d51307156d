"""No unfair verdict: what reached Baton by a deadline is not judged late, however the clocks
learned of it.

Pure: all records of one lead go in, findings come out. It looks at the two promises whose evidence
is a record of its own: ``route`` (the routed record) and ``accept`` (the verdict about the
hand-off).
"""

from collections.abc import Sequence
from typing import Final

from baton.contracts.leads import LeadStaged, StageEvent
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import ClockState, SlaClock
from baton.proof.audit.findings import Add, Dated, Finding, Invariant

_ANSWERS: Final = frozenset({StageEvent.ACCEPTED, StageEvent.REJECTED})
_JUDGED_LATE: Final = frozenset({ClockState.BREACHED, ClockState.MET_LATE, ClockState.ABANDONED})


def check_lateness(records: Sequence[Dated], *, until_ms: int, add: Add) -> None:
    """``until_ms``: evidence that came later may not be known to the clock yet."""
    clocks: dict[str, list[Dated]] = {}
    for record in records:
        if isinstance(record.value, SlaClock) and record.value.clock in ("route", "accept"):
            clocks.setdefault(record.value.clock_id, []).append(record)
    for states in clocks.values():
        last = states[-1]
        if last.value.state not in _JUDGED_LATE:
            continue
        deadline_ms = next(
            (
                record.value.deadline_ms
                for record in states
                if record.value.state == ClockState.BREACHED
            ),
            0,
        )
        for record in records:
            at_ms = _evidence_ms(record, last.value)
            if (
                at_ms is not None
                and last.value.started_at_ms <= at_ms <= deadline_ms
                and record.at_ms < until_ms
            ):
                words = (
                    f"{last.value.clock} is {last.value.state}, and {record.place} came "
                    f"{deadline_ms - at_ms} ms before its deadline"
                )
                add(Finding(invariant=Invariant.LATENESS, words=words, place=last.place))
                break


def _evidence_ms(record: Dated, clock: SlaClock) -> int | None:
    """When the record, if it is evidence for the clock, reached Baton."""
    match record.value:
        case LeadRouted() as routed if (
            clock.clock == "route" and routed.qualification_id == clock.qualification_id
        ):
            return min(routed.routed_at_ms, record.at_ms)
        case LeadStaged() as staged if clock.clock == "accept" and staged.event in _ANSWERS:
            return (
                staged.evidence_at_ms
                if clock.handoff_id is not None and staged.handoff_id == clock.handoff_id
                else None
            )
    return None
