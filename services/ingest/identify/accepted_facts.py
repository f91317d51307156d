"""What is published of a record once its lead is known: the event, and apart from it the person. Pure.

Nothing personal goes on ``leads.accepted.v1`` or ``leads.acts.v1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from baton.contracts.intake import EventKind, IntakeRecord, LeadAct, LeadCommand, LeadEvent, LeadPerson, Person
from baton.contracts.topic_names import LEADS_ACCEPTED, LEADS_ACTS, LEADS_COMMANDS, LEADS_PERSONS
from baton.evolve import evolve, maker
from baton.ids import derived_id
from services.ingest.identify.state import PERSON, THE_PERSON, KnownPerson
from services.ingest.identify.step import IdentifyStep

_PERSON_FIELDS = tuple(each.name for each in fields(Person))
_NOBODY = KnownPerson(person=Person())
_NEVER = -(1 << 62)
_lead_event, _known_person = maker(LeadEvent), maker(KnownPerson)


def publish(step: IdentifyStep, record: IntakeRecord, received_at_ms: int) -> None:
    """The facts of one record under the lead of ``step.head``: person first, then the profile that rides on it, then the event, so that
    whoever reads in order knows who it is before the event counts."""
    lead_id = step.lead_id
    if record.kind not in (EventKind.RETRACTION, EventKind.COMMAND):
        _publish_person(step, record, lead_id, received_at_ms)
    clamped = record.clamped or step.occurred_at_ms != record.occurred_at_ms
    if record.act is not None:
        step.publish(
            LEADS_ACTS,
            LeadAct(
                event_id=record.event_id,
                lead_id=lead_id,
                source=record.source,
                occurred_at_ms=step.occurred_at_ms,
                received_at_ms=received_at_ms,
                act=record.act,
                clamped=clamped,
            ),
            lead_id,
        )
    elif record.command is not None:
        step.publish(
            LEADS_COMMANDS,
            LeadCommand(
                event_id=record.event_id,
                lead_id=lead_id,
                source=record.source,
                occurred_at_ms=step.occurred_at_ms,
                received_at_ms=received_at_ms,
                command=record.command,
            ),
            lead_id,
        )
    else:
        step.publish(LEADS_ACCEPTED, _event(step, record, lead_id, received_at_ms, clamped), lead_id)


def _event(step: IdentifyStep, record: IntakeRecord, lead_id: str, received_at_ms: int, clamped: bool) -> LeadEvent:
    return _lead_event(
        event_id=record.event_id,
        lead_id=lead_id,
        source=record.source,
        kind=record.kind,
        occurred_at_ms=step.occurred_at_ms,
        received_at_ms=received_at_ms,
        clamped=clamped,
        backfill=record.backfill,
        engagement=record.engagement,
        profile=record.profile if record.kind == EventKind.PROFILE else {},
        consent=record.consent,
        retracts=record.retracts,
    )


def _publish_person(step: IdentifyStep, record: IntakeRecord, lead_id: str, received_at_ms: int) -> None:
    former: KnownPerson = step.get(PERSON, THE_PERSON) or _NOBODY
    rides = record.kind != EventKind.PROFILE and bool(record.profile)
    profile = _digest(record.profile) if rides else former.told_profile
    known = learnt(former, record.person or _NOBODY.person, step.occurred_at_ms, profile)
    if known.person is not former.person:
        step.publish(
            LEADS_PERSONS,
            LeadPerson(lead_id=lead_id, event_id=record.event_id, occurred_at_ms=step.occurred_at_ms, person=known.person),
            lead_id,
        )
    if profile != former.told_profile:
        event = LeadEvent(
            event_id=derived_id(record.event_id, "profile"),
            lead_id=lead_id,
            source=record.source,
            kind=EventKind.PROFILE.value,
            occurred_at_ms=step.occurred_at_ms,
            received_at_ms=received_at_ms,
            profile=record.profile,
            backfill=record.backfill,
        )
        step.publish(LEADS_ACCEPTED, event, lead_id)
    if known is not former:
        step.store(PERSON, THE_PERSON, known)


def learnt(former: KnownPerson, told: Person, occurred_at_ms: int, told_profile: str) -> KnownPerson:
    """The person with what is newer: per field the latest by event time; of the same moment the greater text, so that the order of
    arrival does not matter. Where nothing is new it is the very same one, and where no field changes it has the very same ``person``."""
    newer = {
        name: new
        for name in _PERSON_FIELDS
        if (new := getattr(told, name)) is not None and _is_newer(former, name, new, occurred_at_ms)
    }
    if not newer and told_profile == former.told_profile:
        return former
    person = former.person
    if any(getattr(person, name) != new for name, new in newer.items()):
        person = evolve(person, **newer)
    return _known_person(person=person, times={**former.times, **dict.fromkeys(newer, occurred_at_ms)}, told_profile=told_profile)


def _is_newer(former: KnownPerson, name: str, new: str, occurred_at_ms: int) -> bool:
    return (occurred_at_ms, new) > (former.times.get(name, _NEVER), getattr(former.person, name) or "")


def _digest(profile: Mapping[str, str]) -> str:
    return derived_id(*(part for name in sorted(profile) for part in (name, profile[name])))
