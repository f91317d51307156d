"""What is promised of each lead: its moves connect, one person holds it at a time and somebody
always does, its clocks end once and in time.

Pure: everything about one lead goes in, in the order it was appended; findings come out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from baton.contracts.leads import LeadScored, LeadStaged
from baton.contracts.routing import ACCEPTED_BEFORE, HandoffKind, HandoffNoted, LeadRouted
from baton.contracts.slas import ClockState, SlaClock, SlaViolation
from baton.contracts.streams import RoutingAnswer
from baton.proof.audit.custody_check import check_custody
from baton.proof.audit.findings import Add, Dated, Finding, Invariant, Place

_ENDS_HANDOFF = {
    "rejected",
    "withdrawn",
    "recycled",
    "disqualified",
    "merged",
    "erased",
    "won",
    "lost",
    "tql",
}
_AFTER_HANDOFF = ("tql", "recycled", "disqualified", "customer")
_FIRST_ENDS = {ClockState.MET, ClockState.CANCELLED, ClockState.BREACHED}
_LAST_ENDS = {ClockState.MET_LATE, ClockState.ABANDONED, ClockState.WITHDRAWN}


def check_lead(records: Sequence[Dated], *, until_ms: int, grace_ms: int, add: Add) -> None:
    """All records of one lead, but for its scores. ``until_ms``: the log's end; ``grace_ms``: how
    long after its deadline a clock may still be reported."""
    _check_stages(records, add)
    _check_routing(records, add)
    _check_holders(records, add)
    _check_clocks(records, until_ms=until_ms, grace_ms=grace_ms, add=add)
    check_custody(records, until_ms=until_ms, grace_ms=grace_ms, add=add)


def check_scores(records: Sequence[Dated], add: Add) -> None:
    """The lines of each explanation add up."""
    for record in records:
        match record.value:
            case LeadScored(trace_cut=False) as scored:
                total = sum(
                    line.points_micro for line in scored.contributions if line.kind != "fit"
                )
                if total != scored.engagement_micro:
                    words = (
                        f"the lines add up to {total} micro points, the score says "
                        f"{scored.engagement_micro}"
                    )
                    add(Finding(invariant=Invariant.SUMS, words=words, place=record.place))


def _check_stages(records: Sequence[Dated], add: Add) -> None:
    stood: dict[int, str] = {}
    for record in records:
        if not isinstance(record.value, LeadStaged):
            continue
        moved = record.value
        before = stood.get(moved.cycle)
        if before is not None and moved.from_stage != before:
            words = f"cycle {moved.cycle} moves on from {moved.from_stage}, but stood at {before}"
            add(Finding(invariant=Invariant.STAGES, words=words, place=record.place))
        stood[moved.cycle] = moved.to_stage


def _check_routing(records: Sequence[Dated], add: Add) -> None:
    """A hand-off is routed once, to whom the pool answered or to who had taken it up before."""
    routed: dict[str, Place] = {}
    answered = {
        record.value.routed.handoff_id: record.value.routed
        for record in records
        if isinstance(record.value, RoutingAnswer) and record.value.routed is not None
    }
    for record in records:
        if not isinstance(record.value, LeadRouted):
            continue
        former = routed.setdefault(record.value.handoff_id, record.place)
        if former != record.place:
            words = f"hand-off {record.value.handoff_id} was routed before at {former}"
            add(Finding(invariant=Invariant.ROUTED_ONCE, words=words, place=record.place))
        answer = answered.get(record.value.handoff_id)
        if answer != record.value and record.value.rule != ACCEPTED_BEFORE:
            words = f"hand-off {record.value.handoff_id} is published as no pool has answered it"
            add(Finding(invariant=Invariant.ROUTED_ONCE, words=words, place=record.place))


def _check_holders(records: Sequence[Dated], add: Add) -> None:
    """Every hand-off that was routed must have ended when the next one is routed. Ends may carry
    the same append time, and of two topics nobody knows the order within it: of two hand-offs that
    were routed in one moment, the one that ended in it was the first."""
    ended: dict[str, int] = {}
    for record in records:
        handoff_id = _ended_handoff(record.value)
        if handoff_id is not None:
            ended.setdefault(handoff_id, record.at_ms)
    holding: list[Dated] = []
    for record in records:
        if not isinstance(record.value, LeadRouted):
            continue
        for former in holding:
            if former.value.handoff_id == record.value.handoff_id:
                continue
            if former.at_ms == record.at_ms and _has_ended(ended, record, record.at_ms):
                continue
            if not _has_ended(ended, former, record.at_ms):
                words = (
                    f"routed to {record.value.owner} while {former.value.owner} holds the lead by "
                    f"{former.place}"
                )
                add(Finding(invariant=Invariant.ONE_HOLDER, words=words, place=record.place))
        holding = [dated for dated in holding if dated.value.handoff_id not in ended]
        holding.append(record)


def _has_ended(ended: Mapping[str, int], routed: Dated, by_ms: int) -> bool:
    end = ended.get(routed.value.handoff_id)
    return end is not None and end <= by_ms


def _ended_handoff(value: Any) -> str | None:
    match value:
        case HandoffNoted(kind=HandoffKind.WITHDRAWN):
            return value.handoff_id
        case LeadStaged() if value.event in _ENDS_HANDOFF:
            return value.handoff_id
        case LeadStaged() if (
            value.from_stage != value.to_stage and value.to_stage in _AFTER_HANDOFF
        ):
            return value.handoff_id
    return None


def _check_clocks(records: Sequence[Dated], *, until_ms: int, grace_ms: int, add: Add) -> None:
    clocks: dict[str, list[Dated]] = {}
    for record in records:
        match record.value:
            case SlaClock():
                clocks.setdefault(record.value.clock_id, []).append(record)
            case SlaViolation(kind="breach", reason="forecast"):
                pass  # a goal that will be missed is said before its period ends
            case SlaViolation(kind="breach") if _decided_ms(record) < record.value.deadline_ms:
                early_ms = record.value.deadline_ms - _decided_ms(record)
                words = f"{record.value.clock} is broken {early_ms} ms before its deadline"
                add(Finding(invariant=Invariant.CLOCKS, words=words, place=record.place))
    for states in clocks.values():
        _check_clock(states, until_ms=until_ms, grace_ms=grace_ms, add=add)


def _decided_ms(record: Dated) -> int:
    """When a breach was decided: by its own word, or by its place in the log if that is earlier."""
    decided_ms: int = record.value.at_ms
    return min(record.at_ms, decided_ms)


def _check_clock(states: Sequence[Dated], *, until_ms: int, grace_ms: int, add: Add) -> None:
    last = ClockState.RUNNING
    for record in states:
        state = ClockState(record.value.state)
        if state is ClockState.RUNNING and last is ClockState.RUNNING:
            continue
        fine = (last is ClockState.RUNNING and state in _FIRST_ENDS) or (
            last is ClockState.BREACHED and state in _LAST_ENDS
        )
        if not fine:
            words = (
                f"clock {record.value.clock_id} ({record.value.clock}) goes from {last} to {state}"
            )
            add(Finding(invariant=Invariant.CLOCKS, words=words, place=record.place))
        if state is ClockState.BREACHED and record.at_ms < record.value.deadline_ms:
            words = (
                f"clock {record.value.clock} is broken {record.value.deadline_ms - record.at_ms} "
                "ms before its deadline"
            )
            add(Finding(invariant=Invariant.CLOCKS, words=words, place=record.place))
        last = state
    final = states[-1]
    if last is ClockState.RUNNING and final.value.deadline_ms + grace_ms < until_ms:
        words = (
            f"clock {final.value.clock} was due {until_ms - final.value.deadline_ms} ms before the "
            "end of the log and still runs"
        )
        add(Finding(invariant=Invariant.OVERDUE, words=words, place=final.place))
