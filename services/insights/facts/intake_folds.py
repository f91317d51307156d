"""Rows of what comes in: touches, acts, persons, merges, agreements, dead letters. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from baton.contracts.codec import codec_for
from baton.contracts.intake import Act, LeadAct, LeadEvent, LeadMerge, LeadPerson, Person
from baton.contracts.public_record import PublicRecord
from baton.contracts.reference_records import AgreementRecord, PeopleRecord
from services.insights.facts.change import Change, Forget, Put, Touched, row_of
from services.insights.facts.intake_tables import (
    ACT,
    DEAD_LETTER,
    MEMBERSHIP,
    MENTION,
    MERGE,
    PERSON,
    REFERENCE,
    RETRACTION,
    TOUCH,
)

ACCOUNT_FIELD: Final = "domain"
"""The field of a profile that names the account."""


def fold_accepted(taken: PublicRecord, event: LeadEvent) -> Iterator[Change]:
    touch = event.engagement
    if touch is not None:
        at = {"event_id": event.event_id, "lead_id": event.lead_id, "source": event.source}
        moments = {
            "occurred_at_ms": event.occurred_at_ms,
            "received_at_ms": event.received_at_ms,
            "backfill": event.backfill,
            "clamped": event.clamped,
        }
        yield row_of(TOUCH, taken, touch, **at, **moments)
    if event.retracts is not None:
        yield row_of(RETRACTION, taken, event, event_id=event.retracts)
    if ACCOUNT_FIELD in event.profile:
        yield row_of(MEMBERSHIP, taken, event, account_id=event.profile[ACCOUNT_FIELD] or None)
    yield Touched(event.lead_id)


def fold_acted(taken: PublicRecord, done: LeadAct) -> Iterator[Change]:
    at = {
        "event_id": done.event_id,
        "lead_id": done.lead_id,
        "source": done.source,
        "occurred_at_ms": done.occurred_at_ms,
        "received_at_ms": done.received_at_ms,
    }
    yield row_of(ACT, taken, done.act, by_person=done.act.by, **at)
    for kind, word in _mentioned(done.act):
        yield row_of(MENTION, taken, done, kind=kind, word=word)
    yield Touched(done.lead_id)


def _mentioned(act: Act) -> Iterator[tuple[str, str]]:
    for word in act.objections:
        yield "objection", word
    named = (
        ("competitor", act.competitor),
        ("sent", act.content_sent),
        ("asked", act.content_asked),
    )
    yield from ((kind, word) for kind, word in named if word)


def fold_person_known(taken: PublicRecord, known: LeadPerson) -> Iterator[Change]:
    """The whole person, as known by now. Under a lead that was merged there is none any more."""
    if known.erased and known.survivor is None:
        yield Forget(known.lead_id)
        return
    person = Person() if known.erased else known.person
    at = {
        "lead_id": known.lead_id,
        "event_id": known.event_id,
        "occurred_at_ms": known.occurred_at_ms,
    }
    yield row_of(PERSON, taken, person, **at)


def fold_merged(taken: PublicRecord, merge: LeadMerge) -> Iterator[Change]:
    yield row_of(MERGE, taken, merge)
    yield Touched(merge.loser)
    yield Touched(merge.survivor)


def fold_referenced(
    taken: PublicRecord, record: AgreementRecord | PeopleRecord
) -> Iterator[Change]:
    kind: Any = type(record)
    value = codec_for(kind).encode(record)
    yield row_of(REFERENCE, taken, record, topic=taken.topic, value=value)


def dead_letter(taken: PublicRecord, code: str) -> Put:
    """The row of a dead letter; its bytes are left where they are."""
    return row_of(DEAD_LETTER, taken, None, topic=taken.topic, partition=taken.partition, code=code)
