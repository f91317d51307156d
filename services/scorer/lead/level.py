"""From the ledger to what others see: number, level, grade, the next change by itself, and the
published result.

Only what itself raised the number, by its points or the fit, may raise a level (``rate_lead`` with
``raising``): not time, a consent, a refusal, a note, or an act that took points away. Time lowers a
level, and not before the dwell has passed. A result is published when something visible changed:
level, grade, fit, cycle, or the engagement by the step it is shown in.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from baton.agreement.compiled.levels import RANK
from baton.evolve import evolve
from services.scorer.lead.state import COLD
from services.scorer.lead.step import LeadStep
from services.scorer.score.engagement_sum import engagement_micro, standing
from services.scorer.score.group_totals import NEVER, group_sums, leaves_at
from services.scorer.score.threshold_crossing import falls_below

DWELLS: Final = "stays until the dwell has passed"


class Rating(NamedTuple):
    """The score at a moment. ``next_change_at_ms``: when the level falls by time alone. ``totals``:
    the sums it is made of."""

    engagement_micro: int
    level: str
    reason: str
    grade: str
    next_change_at_ms: int | None
    totals: bytes


class Raising(Enum):
    """Whether the level may rise."""

    NOT = "time alone raises no level"
    BY_NUMBER = "the level rises with the number only"
    ALWAYS = ""


def rate_lead(step: LeadStep, *, raising: Raising, cause: str = "", undone: bool = False) -> Rating:
    """Score the lead now and move its level.

    ``raising``: whether the level may rise; ``BY_NUMBER`` where this step made the number or the
    fit higher than it was, and ``ALWAYS`` under another agreement. ``cause``: the id of what raises
    it. ``undone``: the event that raised the level was retracted: the level is what it would be had
    it never been raised, at once.
    """
    head, levels = step.head, step.agreement.levels
    totals = standing(head.marks, step.table, step.now, head.totals)
    engagement = engagement_micro(totals, step.table, step.now)
    before = COLD if undone else head.level
    level, reason = levels.level_for(head.fit_micro, engagement, before)
    if RANK[level] > RANK[head.level] and not _may_rise(step, raising, engagement):
        level, reason = head.level, raising.value
    dwell_ends = head.level_since_ms + levels.dwell_ms
    if RANK[level] < RANK[head.level] and not undone and step.now < dwell_ends:
        level, reason = head.level, DWELLS
    grade = levels.grade(head.fit_micro, engagement)
    if level != head.level or undone:
        # What is left after a retraction holds from now on like any other level.
        raised_by = cause if undone or RANK[level] > RANK[head.level] else head.level_cause
        since_ms = step.now if level != head.level else head.level_since_ms
        cold = level == COLD
        step.head = evolve(
            head,
            level=level,
            level_since_ms=0 if cold else since_ms,
            level_cause="" if cold else raised_by,
        )
    rating = Rating(
        engagement_micro=engagement,
        level=level,
        reason=reason,
        grade=grade,
        next_change_at_ms=next_change(step, totals),
        totals=totals,
    )
    step.falls_at_ms, step.was_rated = _wakes_at(step, rating.next_change_at_ms), True
    return rating


def grade_now(step: LeadStep) -> str:
    """The grade at this moment."""
    totals = standing(step.head.marks, step.table, step.now, step.head.totals)
    return step.agreement.levels.grade(
        step.head.fit_micro, engagement_micro(totals, step.table, step.now)
    )


def _may_rise(step: LeadStep, raising: Raising, engagement: int) -> bool:
    """Whether this step raised the number: against what it would be at this moment without the
    step."""
    if raising is not Raising.BY_NUMBER:
        return raising is Raising.ALWAYS
    head, former = step.head, step.former
    if former is None or former.cycle != head.cycle or former.ended:
        return engagement > 0 or head.fit_micro > 0
    if head.fit_micro > former.fit_micro:
        return True
    return engagement > engagement_micro(
        standing(former.marks, step.table, step.now, former.totals), step.table, step.now
    )


def _wakes_at(step: LeadStep, falls_at_ms: int | None) -> int | None:
    """When the level falls, or before that an entry leaves its window: then what the account knows
    of the lead is too much."""
    leaves_at_ms = leaves_at(step.head.totals)
    if step.head.account_id is None or leaves_at_ms == NEVER:
        return falls_at_ms
    return leaves_at_ms if falls_at_ms is None else min(falls_at_ms, leaves_at_ms)


def next_change(step: LeadStep, totals: bytes) -> int | None:
    """When the level falls if nothing happens; None: never. ``totals`` are the sums now."""
    head, levels = step.head, step.agreement.levels
    if head.level == COLD:
        return None
    earliest = max(head.level_since_ms + levels.dwell_ms, step.now + 1)
    threshold = levels.exit_below_micro(head.fit_micro, head.level)
    if threshold is None:
        return earliest
    crossing = falls_below(
        head.marks, step.table, step.now, threshold, groups=group_sums(totals, step.table)
    )
    if crossing is None or crossing >= earliest:
        return crossing
    # Below before the dwell ends: a decaying negative may have raised the score above the threshold
    # again by then.
    return falls_below(head.marks, step.table, earliest - 1, threshold)
