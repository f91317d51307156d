"""What is published of a record once its lead is known. Pure.

All that a record says of its lead is one record on ``intake.leads.v1``: the event, the person and
the joins that it asks for. What the outside may read of it is published beside it, without the
person: nothing personal goes on ``leads.accepted.v1`` or ``leads.acts.v1``.
"""

from __future__ import annotations

from baton.contracts.intake import (
    EventKind,
    IntakeRecord,
    LeadAct,
    LeadCommand,
    LeadEvent,
    LeadInput,
)
from baton.contracts.topic_names import INTAKE_LEADS, LEADS_ACCEPTED, LEADS_ACTS, LEADS_COMMANDS
from baton.derived_ids import derived_id
from baton.evolve import evolve, maker
from services.ingest.identify.step import IdentifyStep

_lead_event, _lead_input = maker(LeadEvent), maker(LeadInput)


def publish(step: IdentifyStep, record: IntakeRecord, received_at_ms: int, *, joins: int) -> None:
    """The facts of one record under the lead of ``step.head``. ``joins``: how many other identities
    it has asked to join."""
    lead_id = step.lead_id
    event, act, command = _parts(step, record, lead_id, received_at_ms)
    step.publish(
        INTAKE_LEADS,
        _lead_input(
            lead_id=lead_id,
            cause_id=record.event_id,
            event=event,
            act=act,
            command=command,
            person=record.person,
            occurred_at_ms=step.occurred_at_ms,
            joins=joins,
            body=record.body,
            body_events=record.body_events,
        ),
        lead_id,
    )
    for topic, value in ((LEADS_ACCEPTED, event), (LEADS_ACTS, act), (LEADS_COMMANDS, command)):
        if value is not None:
            step.publish(topic, value, lead_id)


def _parts(
    step: IdentifyStep, record: IntakeRecord, lead_id: str, received_at_ms: int
) -> tuple[LeadEvent | None, LeadAct | None, LeadCommand | None]:
    """The one of the three that the record is; an act with a profile is an event too."""
    clamped = record.clamped or step.occurred_at_ms != record.occurred_at_ms
    if record.act is not None:
        act = LeadAct(
            event_id=record.event_id,
            lead_id=lead_id,
            source=record.source,
            occurred_at_ms=step.occurred_at_ms,
            received_at_ms=received_at_ms,
            act=record.act,
            clamped=clamped,
        )
        event = _event(step, record, lead_id, received_at_ms, clamped)
        rides = evolve(
            event, event_id=derived_id(record.event_id, "profile"), kind=EventKind.PROFILE.value
        )
        return rides if record.profile else None, act, None
    if record.command is not None:
        command = LeadCommand(
            event_id=record.event_id,
            lead_id=lead_id,
            source=record.source,
            occurred_at_ms=step.occurred_at_ms,
            received_at_ms=received_at_ms,
            command=record.command,
        )
        return None, None, command
    return _event(step, record, lead_id, received_at_ms, clamped), None, None


def _event(
    step: IdentifyStep, record: IntakeRecord, lead_id: str, received_at_ms: int, clamped: bool
) -> LeadEvent:
    event: LeadEvent = _lead_event(
        event_id=record.event_id,
        lead_id=lead_id,
        source=record.source,
        kind=record.kind,
        occurred_at_ms=step.occurred_at_ms,
        received_at_ms=received_at_ms,
        clamped=clamped,
        backfill=record.backfill,
        engagement=record.engagement,
        profile={} if record.kind == EventKind.RETRACTION else record.profile,
        consent=record.consent,
        retracts=record.retracts,
        derived=record.derived,
    )
    return event
