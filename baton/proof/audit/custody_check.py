"""Who holds a lead at the end of the log, by a small model of its own: the public topics alone,
each in its own order.

It shares no code with the service that watches custody: topics are joined by the ids in their
records (qualification, hand-off, rest), never by which came first. Pure: all records of one lead go
in, findings come out. Since a record may be on its way, what began less than ``grace_ms`` before
the end is no finding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from baton.contracts.leads import LeadQualified, LeadStaged, Stage, StageEvent
from baton.contracts.routing import REINSTATED, HandoffKind, HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.contracts.topics import SHORT_MS
from baton.proof.audit.findings import Add, Dated, Finding, Invariant

_IN_WORK = frozenset({Stage.MQL, Stage.TAL, Stage.TQL, Stage.SAL, Stage.SQL, Stage.OPPORTUNITY})
_RESTS = frozenset({Stage.RECYCLED, Stage.INQUIRY})
_GONE = frozenset({StageEvent.MERGED, StageEvent.ERASED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """Where a lead is. ``last``: the move that says so. ``missing``: what it lacks, in words; empty
    where somebody has it."""

    last: Dated
    missing: str = ""


def check_custody(records: Sequence[Dated], *, until_ms: int, grace_ms: int, add: Add) -> None:
    """Whoever ever qualified has a person, a queue, a return date or an end with its reason."""
    moves = [record for record in records if isinstance(record.value, LeadStaged)]
    if not any(move.value.to_stage != Stage.INQUIRY for move in moves):
        return
    custody = _custody(moves, records, until_ms - grace_ms)
    since = max((record.at_ms for record in records if _concerns(record)), default=0)
    if not custody.missing or not until_ms - SHORT_MS <= since < until_ms - grace_ms:
        # held; or on its way; or so long ago that what came of it may have been deleted by
        # retention
        return
    words = f"nobody holds the lead: {custody.missing}"
    add(Finding(invariant=Invariant.HELD, words=words, place=custody.last.place))


def _concerns(record: Dated) -> bool:
    """Whether the record changes who has the lead."""
    return isinstance(
        record.value,
        LeadStaged | LeadRouted | LeadUnrouted | HandoffNoted | LeadRecycled | LeadReactivated,
    )


def _custody(moves: Sequence[Dated], records: Sequence[Dated], overdue_ms: int) -> Custody:
    last = moves[-1]
    if any(move.value.event == StageEvent.ERASED for move in moves) or last.value.event in _GONE:
        return Custody(last=last)
    stage = last.value.to_stage
    if stage in _IN_WORK:
        return _in_work(last, moves, records)
    if stage in _RESTS:
        return _at_rest(last, records, overdue_ms)
    if stage == Stage.DISQUALIFIED and not any(
        move.value.reason for move in moves if move.value.to_stage == stage
    ):
        return Custody(last=last, missing="ended without a reason")
    return Custody(last=last)


def _in_work(last: Dated, moves: Sequence[Dated], records: Sequence[Dated]) -> Custody:
    """Some hand-off of the qualification stands: routed or waiting, and neither withdrawn nor
    rejected since."""
    stands = _qualification(moves, records)
    if stands is None:
        return Custody(last=last, missing="in work and never qualified")
    handed = [
        record
        for record in records
        if isinstance(record.value, LeadRouted | LeadUnrouted)
        and record.value.qualification_id == stands
    ]
    lost = lost_handoffs(records)
    lost |= {move.value.handoff_id for move in moves if move.value.event == StageEvent.REJECTED}
    if any(_stands(record) and record.value.handoff_id not in lost for record in handed):
        return Custody(last=last)
    if any(
        move.value.event == StageEvent.ACCEPTED and move.value.qualification_id == stands
        for move in moves
    ):
        return Custody(last=last)  # taken up by a person; the records of its routing may be gone
    if _taken_up(moves):
        return Custody(last=last)
    missing = "taken back and not routed again" if handed else "qualified and not routed"
    return Custody(last=handed[-1] if handed else last, missing=missing)


def _qualification(moves: Sequence[Dated], records: Sequence[Dated]) -> str | None:
    """The qualification that stands. The verdict that passes a lead on to sales names the one it
    was given on; the one it begins is in the record of its own, of the same cause."""
    named = [move.value for move in moves if move.value.qualification_id is not None]
    if not named:
        return None
    begun = [
        record.value.qualification_id
        for record in records
        if named[-1].event == StageEvent.QUALIFIED
        and isinstance(record.value, LeadQualified)
        and record.value.cause_id == named[-1].cause_id
    ]
    return (begun or [named[-1].qualification_id])[-1]


def _taken_up(moves: Sequence[Dated]) -> bool:
    """Whether a person took the lead up where it rested, without being handed it."""
    began = [
        move.value
        for move in moves
        if move.value.to_stage in _IN_WORK and move.value.from_stage not in _IN_WORK
    ]
    by_oneself = (StageEvent.OPPORTUNITY, StageEvent.REOPENED)
    return bool(began) and began[-1].event in by_oneself and began[-1].by is not None


def lost_handoffs(records: Sequence[Dated]) -> set[str]:
    """The hand-offs that were withdrawn and do not stand again."""
    lost: set[str] = set()
    for record in records:
        match record.value:
            case HandoffNoted(kind=HandoffKind.WITHDRAWN):
                lost.add(record.value.handoff_id)
            case HandoffNoted(kind=HandoffKind.NOTED, reason=reason) if reason == REINSTATED:
                lost.discard(record.value.handoff_id)
    return lost


def _stands(record: Dated) -> bool:
    return isinstance(record.value, LeadRouted) or record.value.outcome in ("held", "watch")


def _at_rest(last: Dated, records: Sequence[Dated], overdue_ms: int) -> Custody:
    rests = [record for record in records if isinstance(record.value, LeadRecycled)]
    if not rests:
        return Custody(last=last, missing="rests without a return date")
    rest = rests[-1]
    if rest.value.outcome != "recycle":
        return Custody(last=rest)
    back = [
        record
        for record in records
        if isinstance(record.value, LeadReactivated)
        and record.value.recycle_id == rest.value.recycle_id
    ]
    due = back[-1].value.return_at_ms if back else rest.value.return_at_ms
    if due is None:
        return Custody(last=rest, missing="rests without a return date")
    return Custody(last=rest, missing="return date is past" if due < overdue_ms else "")
