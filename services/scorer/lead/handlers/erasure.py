"""Forgetting a lead: nothing of it stays but a tombstone that no later event brings back."""

from __future__ import annotations

from baton.contracts.leads import Stage
from services.scorer.lead.backlog_entry import stops_waiting
from services.scorer.lead.level import tell_account
from services.scorer.lead.stage_moves import by_system, place
from services.scorer.lead.state import ERASED, LeadHead
from services.scorer.lead.step import Turn
from services.scorer.lead.transitions import Move


def erase(turn: Turn, *, cause: str) -> None:
    """Close what is open and forget the rest."""
    stops_waiting(turn, cause=cause)
    head = turn.head
    place(turn, Move.ERASED, by_system(turn, cause), Stage(head.stage))
    tell_account(turn, "remove", head.account_id, None, cause=cause)
    turn.forget_entries()
    turn.head = LeadHead(ended=ERASED, cycle=head.cycle, stage=head.stage)
