"""What follows every change of the ledger or the profile: score the lead, then qualify or withdraw
it, then publish."""

from __future__ import annotations

from services.scorer.lead.level import Raising, rate_lead
from services.scorer.lead.publish_score import publish_score
from services.scorer.lead.qualification import consider_qualification
from services.scorer.lead.step import LeadStep
from services.scorer.lead.withdrawal import COOLED, RETRACTED, reconsider_qualification
from services.scorer.score.entry_status import Why, why_at
from services.scorer.score.ledger import find, id_bytes, retracted_ids


def rescore(
    step: LeadStep,
    *,
    cause: str,
    occurred_at_ms: int,
    raised_by: tuple[str, ...] = (),
    acted: bool = False,
    against: bool = False,
    retracts: bool = False,
) -> None:
    """After an event: score, qualify or withdraw, publish. ``acted``: it is something that the lead
    did. ``against``: it speaks against a contact (a refusal, points taken away), so it makes no
    lead ready. ``retracts``: it takes an earlier event back."""
    undone = is_level_undone(step) or (retracts and _fits_less(step))
    rating = rate_lead(step, raising=Raising.BY_NUMBER, cause=cause, undone=undone)
    reconsider_qualification(
        step, cause=cause, reason=RETRACTED if undone else COOLED, rating=rating
    )
    if against and step.head.settling is None:
        publish_score(step, rating, cause=cause)
        return
    consider_qualification(
        step, rating, cause=cause, occurred_at_ms=occurred_at_ms, raised_by=raised_by, acted=acted
    )


def _fits_less(step: LeadStep) -> bool:
    """Whether what was taken back had put the lead into a better band of fit."""
    former, levels = step.former, step.agreement.levels
    return (
        former is not None
        and step.head.fit_micro < former.fit_micro
        and levels.fit_band(step.head.fit_micro) != levels.fit_band(former.fit_micro)
    )


def is_level_undone(step: LeadStep) -> bool:
    """Whether the event that raised the level, by its points or its profile, has turned out
    not to count."""
    head = step.head
    if not head.level_cause:
        return False
    if id_bytes(head.level_cause) in retracted_ids(head.retracted):
        return True
    index = find(head.ledger, id_bytes(head.level_cause))
    return index >= 0 and why_at(head.marks, index) is Why.SCANNER
