"""A lead in the backlog: ready by a new agreement, not by anything it did, so it waits its turn (``backlog`` lets it go)."""

from __future__ import annotations

from dataclasses import replace

from baton.contracts.leads import BacklogPart
from baton.contracts.topic_names import SCORER_BACKLOG
from services.scorer.lead.step import Turn


def begins_to_wait(turn: Turn, queue: str, *, level: str, engagement_micro: int, cause: str) -> None:
    """Join the backlog of a pool's ``queue``, once."""
    if turn.head.waits == queue:
        return
    stops_waiting(turn, cause=cause)
    turn.head = replace(turn.head, waits=queue)
    _tell(turn, "add", queue, level=level, engagement_micro=engagement_micro, cause=cause)


def stops_waiting(turn: Turn, *, cause: str) -> None:
    """Leave the backlog: the lead qualified by itself, cooled, ended, or was let go."""
    queue = turn.head.waits
    if queue:
        turn.head = replace(turn.head, waits="")
        _tell(turn, "remove", queue, level=turn.head.level, engagement_micro=0, cause=cause)


def _tell(turn: Turn, kind: str, queue: str, *, level: str, engagement_micro: int, cause: str) -> None:
    part = BacklogPart(
        queue=queue,
        lead_id=turn.lead_id,
        kind=kind,
        level=level,
        engagement_micro=engagement_micro,
        at_ms=turn.now,
        cause_id=cause,
        agreement=turn.agreement.version,
    )
    turn.publish(SCORER_BACKLOG, part, queue)
