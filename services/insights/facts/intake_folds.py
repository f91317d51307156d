"""Rows of what comes in: touches, acts, persons, merges, agreements, dead letters. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadAct, LeadEvent, LeadMerge, LeadPerson, Person
from baton.contracts.reference import AgreementRecord, PeopleRecord
from services.insights.facts.change import Change, Forget, Put, Taken, Touched, put
from services.insights.facts.intake_tables import (
    ACT,
    DEAD_LETTER,
    MEMBERSHIP,
    MERGE,
    PERSON,
    REFERENCE,
    RETRACTION,
    TOUCH,
)

ACCOUNT_FIELD: Final = "domain"
"""The field of a profile that names the account."""


def fold_accepted(taken: Taken, event: LeadEvent) -> Iterator[Change]:
    engagement = event.engagement
    if engagement is not None:
        yield put(
            TOUCH,
            event_id=event.event_id,
            lead_id=event.lead_id,
            occurred_at_ms=event.occurred_at_ms,
            received_at_ms=event.received_at_ms,
            source=event.source,
            act=engagement.act,
            campaign=engagement.campaign,
            content_id=engagement.content_id,
            content_title=engagement.content_title,
            content_stage=engagement.content_stage,
            topics=";".join(engagement.topics),
            automatic=engagement.automatic,
            backfill=event.backfill,
            clamped=event.clamped,
            log_ms=taken.at_ms,
        )
    if event.retracts is not None:
        yield put(RETRACTION, event_id=event.retracts, lead_id=event.lead_id, log_ms=taken.at_ms)
    if ACCOUNT_FIELD in event.profile:
        yield put(
            MEMBERSHIP,
            event_id=event.event_id,
            lead_id=event.lead_id,
            occurred_at_ms=event.occurred_at_ms,
            account_id=event.profile[ACCOUNT_FIELD] or None,
        )
    yield Touched(event.lead_id)


def fold_acted(taken: Taken, told: LeadAct) -> Iterator[Change]:
    act = told.act
    yield put(
        ACT,
        event_id=told.event_id,
        lead_id=told.lead_id,
        kind=act.kind,
        by_person=act.by,
        actor=act.actor,
        handoff_id=act.handoff_id,
        occurred_at_ms=told.occurred_at_ms,
        received_at_ms=told.received_at_ms,
        source=told.source,
        reason=act.reason,
        outcome=act.outcome,
        automatic=act.automatic,
        opportunity_id=act.opportunity_id,
        amount_minor=act.amount_minor,
        currency=act.currency,
        expected_close=act.expected_close,
        contract_end=act.contract_end,
        log_ms=taken.at_ms,
    )
    yield Touched(told.lead_id)


def fold_person_known(taken: Taken, told: LeadPerson) -> Iterator[Change]:
    """The whole person, as known by now. Under a lead that was merged there is none any more."""
    if told.erased and told.survivor is None:
        yield Forget(told.lead_id)
        return
    person = Person() if told.erased else told.person
    yield put(
        PERSON,
        lead_id=told.lead_id,
        event_id=told.event_id,
        occurred_at_ms=told.occurred_at_ms,
        first_name=person.first_name,
        last_name=person.last_name,
        company=person.company,
        email=person.email,
        phone=person.phone,
        log_ms=taken.at_ms,
        log_offset=taken.offset,
    )


def fold_merged(_: Taken, merge: LeadMerge) -> Iterator[Change]:
    yield put(
        MERGE, loser=merge.loser, survivor=merge.survivor, occurred_at_ms=merge.occurred_at_ms
    )
    yield Touched(merge.loser)
    yield Touched(merge.survivor)


def fold_referenced(taken: Taken, record: AgreementRecord | PeopleRecord) -> Iterator[Change]:
    kind: Any = type(record)
    encoded = codec_for(kind).encode(record)
    yield put(
        REFERENCE, topic=taken.topic, log_offset=taken.offset, log_ms=taken.at_ms, value=encoded
    )


def dead_letter(taken: Taken, code: str) -> Put:
    """The row of a dead letter; its bytes are left where they are."""
    return put(
        DEAD_LETTER,
        topic=taken.topic,
        partition=taken.partition,
        log_offset=taken.offset,
        code=code,
        log_ms=taken.at_ms,
    )
