"""Forgetting a lead: nothing of it stays but a tombstone that no later event brings back."""

from __future__ import annotations

from baton.contracts.intake import LeadPerson, Person
from baton.contracts.leads import Stage, StageEvent
from baton.contracts.topic_names import LEADS_PERSONS
from services.scorer.lead.backlog_entry import leave_backlog
from services.scorer.lead.publish_score import publish_account_part
from services.scorer.lead.stage_moves import by_system, place
from services.scorer.lead.state import ERASED, LeadHead
from services.scorer.lead.step import LeadStep


def erase(step: LeadStep, *, cause: str) -> None:
    """Close what is open and forget the rest."""
    leave_backlog(step, cause=cause)
    head = step.head
    place(step, StageEvent.ERASED, by_system(step, cause), Stage(head.stage))
    publish_account_part(step, "remove", head.account_id, None, cause=cause)
    step.forget_entries()
    gone = LeadPerson(
        lead_id=step.lead_id, event_id=cause, occurred_at_ms=step.now, person=Person(), erased=True
    )
    step.publish(LEADS_PERSONS, gone)
    step.head = LeadHead(ended=ERASED, cycle=head.cycle, stage=head.stage)
