"""Forgetting a lead: nothing of it stays but a tombstone that no later event brings back."""

from __future__ import annotations

from baton.contracts.leads import Stage, StageEvent
from services.scorer.lead.backlog_entry import stops_waiting
from services.scorer.lead.publish_score import tell_account
from services.scorer.lead.stage_moves import by_system, place
from services.scorer.lead.state import ERASED, LeadHead
from services.scorer.lead.step import Turn


def erase(turn: Turn, *, cause: str) -> None:
    """Close what is open and forget the rest."""
    stops_waiting(turn, cause=cause)
    head = turn.head
    place(turn, StageEvent.ERASED, by_system(turn, cause), Stage(head.stage))
    tell_account(turn, "remove", head.account_id, None, cause=cause)
    turn.forget_entries()
    turn.head = LeadHead(ended=ERASED, cycle=head.cycle, stage=head.stage)
