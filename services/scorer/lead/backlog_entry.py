"""A lead in the backlog: ready by a new agreement, not by anything it did, so it waits its turn
(``backlog`` lets it go)."""

from __future__ import annotations

from baton.contracts.streams import BacklogPart
from baton.contracts.topic_names import SCORER_BACKLOG
from baton.evolve import evolve
from services.scorer.lead.step import LeadStep


def enter_backlog(
    step: LeadStep, queue: str, *, level: str, engagement_micro: int, cause: str
) -> None:
    """Join the backlog of a pool's ``queue``, once."""
    if step.head.waits == queue:
        return
    leave_backlog(step, cause=cause)
    step.head = evolve(step.head, waits=queue)
    _publish(step, "add", queue, level=level, engagement_micro=engagement_micro, cause=cause)


def leave_backlog(step: LeadStep, *, cause: str) -> None:
    """Leave the backlog: the lead qualified by itself, cooled, ended, or was let go."""
    queue = step.head.waits
    if queue:
        step.head = evolve(step.head, waits="")
        _publish(step, "remove", queue, level=step.head.level, engagement_micro=0, cause=cause)


def _publish(
    step: LeadStep, kind: str, queue: str, *, level: str, engagement_micro: int, cause: str
) -> None:
    part = BacklogPart(
        queue=queue,
        lead_id=step.lead_id,
        kind=kind,
        level=level,
        engagement_micro=engagement_micro,
        at_ms=step.now,
        cause_id=cause,
        agreement=step.agreement.version,
    )
    step.publish(SCORER_BACKLOG, part, queue)
