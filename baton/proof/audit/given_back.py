"""What ended is given back: a lead whose qualification ended is in no queue and on nobody's load.

Pure: all records of one lead go in, findings come out.
"""

from collections.abc import Sequence

from baton.contracts.leads import LeadQualified, LeadStaged, StageEvent
from baton.contracts.routing import LeadRouted, LeadUnrouted, QueueItem, RequestKind
from baton.proof.audit.findings import Add, Dated, Finding, Invariant

_ENDS = frozenset(
    {
        StageEvent.WITHDRAWN,
        StageEvent.RECYCLED,
        StageEvent.DISQUALIFIED,
        StageEvent.WON,
        StageEvent.LOST,
        StageEvent.MERGED,
        StageEvent.ERASED,
    }
)


def check_releases(records: Sequence[Dated], *, until_ms: int, add: Add) -> None:
    """A lead whose qualification ended is in no queue and on nobody's load: each of its hand-offs
    was given back to its pool."""
    released = {
        record.value.handoff_id
        for record in records
        if isinstance(record.value, QueueItem) and record.value.kind == RequestKind.RELEASE
    }
    ended = _ended_qualifications(records, until_ms)
    for record in records:
        handed = record.value
        if (
            not isinstance(handed, LeadRouted | LeadUnrouted)
            or handed.qualification_id not in ended
        ):
            continue
        if isinstance(handed, LeadUnrouted) and handed.outcome not in ("held", "watch"):
            continue
        if handed.handoff_id not in released and record.at_ms < until_ms:
            end = ended[handed.qualification_id].value.event
            words = f"the lead was {end}, and its hand-off was never given back to {handed.pool}"
            add(Finding(invariant=Invariant.RELEASED, words=words, place=record.place))


def _ended_qualifications(records: Sequence[Dated], until_ms: int) -> dict[str, Dated]:
    """By id: the move that ended each. A merge or an erasure ends all that the lead ever had."""
    ended: dict[str, Dated] = {}
    known: set[str] = set()
    for record in records:
        staged = record.value
        if isinstance(staged, LeadQualified):
            known.add(staged.qualification_id)
        if not isinstance(staged, LeadStaged) or record.at_ms >= until_ms:
            continue
        if staged.qualification_id and staged.event in _ENDS:
            ended.setdefault(staged.qualification_id, record)
        if staged.event in (StageEvent.MERGED, StageEvent.ERASED):
            ended = dict.fromkeys(known, record) | ended
    return ended
