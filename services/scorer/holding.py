"""The promise over all: every lead that ever qualified has a holder and a next date (DOMAIN 1).

``holder_of`` reads it off the state; ``orphan`` says what is missing where it is broken. Both are pure, so that the metric and the
audit count the same. Between a verdict and the SLA watcher's word on it a lead is nobody's for the time records take to travel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from baton.contracts.leads import Stage
from services.scorer.lifecycle import OPEN
from services.scorer.state_lead import ERASED, MERGED, Course, LeadHead


class HolderKind(StrEnum):
    """Who can hold a lead."""

    PERSON = "person"
    QUEUE = "queue"
    NURTURE = "nurture"
    END = "end"
    LEAD = "lead"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """``who`` is a person, a kind of queue, a track, an end or a lead; ``next_at_ms`` when the lead comes back by itself;
    ``missing`` what keeps the promise from holding."""

    kind: HolderKind
    who: str = ""
    next_at_ms: int | None = None
    missing: str = ""


def holder_of(head: LeadHead, course: Course) -> Holder | None:
    """Who holds the lead; None for one that never qualified."""
    if head.ended == MERGED:
        return Holder(kind=HolderKind.LEAD, who=head.survivor or "")
    if head.ended == ERASED:
        return Holder(kind=HolderKind.END, who=ERASED)
    stage = Stage(head.stage)
    if stage in OPEN:
        return _in_work(stage, course)
    if stage is Stage.RECYCLED:
        missing = "" if course.return_at_ms is not None else "no return date" if course.rest_id else "no word on its return yet"
        return Holder(kind=HolderKind.NURTURE, who=course.rest_track or "", next_at_ms=course.return_at_ms, missing=missing)
    if stage in (Stage.DISQUALIFIED, Stage.CUSTOMER):
        return Holder(kind=HolderKind.END, who=stage.value)
    if course.return_at_ms is not None:
        return Holder(kind=HolderKind.NURTURE, who=course.rest_track or "", next_at_ms=course.return_at_ms)
    never = head.cycle == 1 and not course.qualified_at_ms
    return None if never else Holder(kind=HolderKind.NOBODY, missing="at inquiry without a date")


def _in_work(stage: Stage, course: Course) -> Holder:
    if course.owner is not None:
        return Holder(kind=HolderKind.PERSON, who=course.owner)
    if course.accepted or stage not in (Stage.MQL, Stage.TQL):
        return Holder(kind=HolderKind.NOBODY, missing=f"at {stage.value} without a person")
    if course.rejected:
        return Holder(kind=HolderKind.NOBODY, missing="rejected, and nothing was decided yet")
    return Holder(kind=HolderKind.QUEUE, who=course.leg)


def orphan(head: LeadHead, course: Course) -> str | None:
    """What is missing, in words; None where the promise holds."""
    holder = holder_of(head, course)
    return holder.missing or None if holder is not None else None


def orphans(leads: Iterable[tuple[str, LeadHead, Course]]) -> Iterator[tuple[str, str]]:
    """Every orphan with its cause."""
    for lead_id, head, course in leads:
        missing = orphan(head, course)
        if missing is not None:
            yield lead_id, missing
