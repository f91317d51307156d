"""Forgetting a lead: nothing of it stays but a tombstone that no later event brings back."""

from __future__ import annotations

from baton.contracts.intake import LeadPerson, Person
from baton.contracts.leads import Stage
from services.scorer.course import by_system, place
from services.scorer.lifecycle import Move
from services.scorer.rating import tell_account
from services.scorer.state_lead import ERASED, LeadHead
from services.scorer.turn import PERSONS, Turn
from services.scorer.waiting import stops_waiting


def erase(turn: Turn, *, cause: str) -> None:
    """Close what is open and forget the rest."""
    stops_waiting(turn, cause=cause)
    head = turn.head
    place(turn, Move.ERASED, by_system(turn, cause), Stage(head.stage))
    tell_account(turn, "remove", head.account_id, None, cause=cause)
    turn.forget_entries()
    turn.publish(PERSONS, LeadPerson(lead_id=turn.lead_id, event_id=cause, occurred_at_ms=turn.now, person=Person(), erased=True))
    turn.head = LeadHead(ended=ERASED, cycle=head.cycle, stage=head.stage)
