"""What follows every change of the ledger or the profile: score the lead, then qualify or withdraw it, then publish."""

from __future__ import annotations

from services.scorer.lead.level import rated
from services.scorer.lead.qualification import COOLED, RETRACTED, considered, reconsidered
from services.scorer.lead.step import Turn
from services.scorer.score.entry_status import Why, why_at
from services.scorer.score.ledger import find, id_bytes


def settle(turn: Turn, *, cause: str, occurred_at_ms: int, raised: bool = False, acted: bool = False) -> None:
    """After an event: score, qualify or withdraw, tell. ``acted``: it is something that the lead did."""
    undone = level_undone(turn)
    rating = rated(turn, raising=True, cause=cause, undone=undone)
    reconsidered(turn, cause=cause, reason=RETRACTED if undone else COOLED, rating=rating)
    considered(turn, rating, cause=cause, occurred_at_ms=occurred_at_ms, raised=raised, acted=acted)


def level_undone(turn: Turn) -> bool:
    """Whether the act that raised the level has turned out not to count."""
    head = turn.head
    if not head.level_cause:
        return False
    index = find(head.ledger, id_bytes(head.level_cause))
    return index >= 0 and why_at(head.marks, index) in (Why.RETRACTED, Why.SCANNER)
