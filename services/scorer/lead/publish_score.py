"""Publishes the score of a lead, and what the lead contributes to its account.

A result is published when something visible changed: level, grade, fit, cycle, the engagement by
the step it is shown in, or the moment at which the level falls by itself, so that the one published
last is right whenever it is read.
"""

from __future__ import annotations

from typing import Final

from baton.contracts.accounts import AccountPart
from baton.contracts.leads import LeadScored
from baton.contracts.topic_names import LEADS_SCORED, SCORER_ACCOUNTS
from baton.evolve import evolve, maker
from services.scorer.lead.handoff_brief import criteria_of
from services.scorer.lead.level import Rating
from services.scorer.lead.state import LeadHead
from services.scorer.lead.step import LeadStep
from services.scorer.score.account_contribution import SHOWN_STEP_MICRO, packed
from services.scorer.score.entry_status import beyond_limit
from services.scorer.score.explanation import explanation
from services.scorer.score.group_totals import NEVER, leaves_at, sums_differ

_account_part: Final = maker(AccountPart)
_lead_scored: Final = maker(LeadScored)


def publish_score(
    step: LeadStep, rating: Rating, *, cause: str, note: str = "", always: bool = False
) -> None:
    """Publish the result if it changed visibly; so is its part of the account."""
    if not step.explains:
        return
    head, former = step.head, step.former
    same = not always and former is not None and _looks_the_same(former, head, rating)
    if (
        same
        and former is not None
        and not _limit_begins(head.marks, former.marks)
        and (rating.next_change_at_ms or 0) == head.published_change_ms
    ):
        _publish_changed_part(step, rating, cause=cause)
        return
    step.head = evolve(
        head,
        shown=rating.engagement_micro // SHOWN_STEP_MICRO,
        grade=rating.grade,
        published_change_ms=rating.next_change_at_ms or 0,
    )
    step.publish(LEADS_SCORED, _scored(step, rating, cause=cause, note=note))
    if same:  # the score is published again, with a line or a date that moved
        _publish_changed_part(step, rating, cause=cause)
    else:
        publish_account_part(step, "add", head.account_id, rating, cause=cause)


def _looks_the_same(former: LeadHead, head: LeadHead, rating: Rating) -> bool:
    """Whether nothing that people read has changed."""
    before = (
        former.shown,
        former.grade,
        former.level,
        former.fit_micro,
        former.cycle,
        former.account_id,
    )
    return before == (
        rating.engagement_micro // SHOWN_STEP_MICRO,
        rating.grade,
        rating.level,
        head.fit_micro,
        head.cycle,
        head.account_id,
    )


def _scored(step: LeadStep, rating: Rating, *, cause: str, note: str) -> LeadScored:
    head = step.head
    result = explanation(head.ledger, head.marks, step.table, step.now, totals=rating.totals)
    return _lead_scored(
        lead_id=step.lead_id,
        cycle=head.cycle,
        scored_at_ms=step.now,
        fit_micro=head.fit_micro,
        engagement_micro=result.engagement_micro,
        grade=rating.grade,
        level=rating.level,
        level_reason=f"{rating.reason}; {note}" if note else rating.reason,
        contributions=result.lines,
        criteria=criteria_of(step),
        next_change_at_ms=rating.next_change_at_ms,
        cause_id=cause,
        agreement=step.agreement.version,
        trace_cut=result.cut,
    )


def _publish_changed_part(step: LeadStep, rating: Rating, *, cause: str) -> None:
    """Publish what the lead is worth to its account, if that changed though nothing visible did."""
    head, former = step.head, step.former
    if step.role_moved:
        publish_account_part(step, "add", head.account_id, rating, cause=cause)
    elif (
        former is not None
        and head.account_id is not None
        and sums_differ(head.totals, former.totals)
    ):
        publish_account_part(step, "score", head.account_id, rating, cause=cause)


def _limit_begins(marks: bytes, former: bytes) -> bool:
    """Whether an act goes beyond a daily limit, and none did before: the explanation has a line for
    it."""
    return marks is not former and bool(beyond_limit(marks)) and not beyond_limit(former)


def publish_account_part(
    step: LeadStep, kind: str, account_id: str | None, rating: Rating | None, *, cause: str
) -> None:
    """What the lead contributes to its account, if it has one; without a ``rating``, nothing any
    more."""
    if account_id is None or not step.explains:
        return
    part = _account_part(
        account_id=account_id,
        lead_id=step.lead_id,
        kind=kind,
        engagement_micro=rating.engagement_micro if rating else 0,
        role=step.agreement.role_of(step.profile) if kind != "score" else None,
        at_ms=step.now,
        cause_id=cause,
        sums=packed(rating.totals, step.table) if rating else b"",
        until_ms=0
        if rating is None or (until_ms := leaves_at(step.head.totals)) == NEVER
        else until_ms,
    )
    step.publish(SCORER_ACCOUNTS, part, account_id)
