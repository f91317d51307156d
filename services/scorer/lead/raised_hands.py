"""Which raised hands (fast-track acts) of a lead still count: what was retracted does not, nor what
is of a former cycle or too old."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from services.scorer.lead.step import LeadStep
from services.scorer.score.entry_status import MARK, MARK_SIZE, Why, why_at
from services.scorer.score.ledger import find, id_bytes, retracted_ids

_COUNTS: Final = (Why.COUNTS, Why.DAILY_LIMIT)


def not_retracted(step: LeadStep, raised_by: Iterable[str]) -> tuple[str, ...]:
    """Those that were not taken back."""
    gone = retracted_ids(step.head.retracted) if step.head.retracted else frozenset()
    return tuple(event_id for event_id in raised_by if id_bytes(event_id) not in gone)


def hands_since(step: LeadStep, raised_by: Iterable[str]) -> tuple[str, ...]:
    """Those that belong to the cycle that has just begun."""
    head = step.head
    indexes = {event_id: find(head.ledger, id_bytes(event_id)) for event_id in raised_by}
    return tuple(
        event_id
        for event_id, index in indexes.items()
        if index >= 0 and why_at(head.marks, index) in _COUNTS
    )


def young_hands(step: LeadStep, raised_by: Iterable[str]) -> tuple[str, ...]:
    """Those of this cycle that are young enough to qualify the lead now."""
    ledger, marks = step.head.ledger, step.head.marks
    young = []
    for event_id in dict.fromkeys(raised_by):
        index = find(ledger, id_bytes(event_id))
        if index < 0:
            continue
        at_ms, _, _, _, why, number = MARK.unpack_from(marks, index * MARK_SIZE)
        rule = step.table.rules[number].rule
        if rule is not None and why in _COUNTS and step.now - at_ms <= rule.max_age_ms:
            young.append(event_id)
    return tuple(young)
