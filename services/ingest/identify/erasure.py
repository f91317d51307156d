"""Forgetting a person: the whole group, down to every identity, each leaving a tombstone that late events do not get past. Pure.

What occurred up to the erasure is gone and stays gone. Who comes back afterwards by an act of their own begins a new lead.
"""

from __future__ import annotations

from baton.contracts.intake import AliasKind, EventKind, IdentityAlias, IntakeRecord, LeadEvent, LeadPerson, Person
from baton.contracts.topic_names import LEADS_ACCEPTED, LEADS_PERSONS
from baton.evolve import evolve
from baton.ids import derived_id
from baton.intake.identifiers import identity_key
from services.ingest.identify.state import CONFLICT, MEMBER, PERSON, THE_PERSON, TOLD, Identity
from services.ingest.identify.step import Draft


def take_erasure(draft: Draft, record: IntakeRecord, received_at_ms: int) -> None:
    """The record asks to forget whoever has its identifiers. It is written down under the lead that its key belonged to."""
    lead_id = (draft.head.lead_id if draft.head else None) or derived_id("lead", draft.key)
    _write_down(draft, lead_id, record.event_id, record.source, received_at_ms)
    # All that occurred until the wish reached us goes, also what came between: the whole lead is forgotten.
    draft.occurred_at_ms = received_at_ms
    for other in record.identifiers[1:]:
        draft.say(identity_key(other), AliasKind.ERASE, lead_id)
    if draft.head is not None and draft.head.lead_id is not None and draft.head.root != draft.key:
        draft.say(draft.head.root, AliasKind.ERASE, lead_id)
    _forget(draft, lead_id, received_at_ms, written=lead_id)


def on_erase(draft: Draft, told: IdentityAlias, received_at_ms: int) -> None:
    """Forget the person behind this identity: the root does it, and all its members."""
    head = draft.head
    if head is not None and head.lead_id is not None and head.root != draft.key:
        draft.pass_on(told, head.root)
    _forget(draft, told.lead_id, received_at_ms, written=None)


def on_erased(draft: Draft, told: IdentityAlias, received_at_ms: int) -> None:
    """The group has been forgotten; so is this member."""
    _forget(draft, told.lead_id, received_at_ms, written=None)


def _forget(draft: Draft, lead_id: str, received_at_ms: int, *, written: str | None) -> None:
    former = draft.head or Identity(root=draft.key)
    if former.forgets(draft.occurred_at_ms):
        return
    for own in dict.fromkeys((former.own_lead_id, former.lead_id if former.root == draft.key else None)):
        if own is not None and own != written:
            # Several identities may know the lead as theirs: each forgets it once, by a word of its own.
            _write_down(draft, own, derived_id(draft.cause_id, "erased", own, draft.key), "baton", received_at_ms)
    for member in draft.marked(MEMBER):
        draft.say(member, AliasKind.ERASED, lead_id)
    for kind in (MEMBER, TOLD, CONFLICT):
        draft.forget(kind)
    if draft.get(PERSON, THE_PERSON) is not None:
        draft.forget(PERSON)
    draft.head = evolve(
        former, root=draft.key, lead_id=None, own_lead_id=None, known=False, slots={}, erased_at_ms=draft.occurred_at_ms
    )


def _write_down(draft: Draft, lead_id: str, event_id: str, source: str, received_at_ms: int) -> None:
    draft.publish(
        LEADS_ACCEPTED,
        LeadEvent(
            event_id=event_id,
            lead_id=lead_id,
            source=source,
            kind=EventKind.ERASURE.value,
            occurred_at_ms=draft.occurred_at_ms,
            received_at_ms=received_at_ms,
        ),
        lead_id,
    )
    draft.publish(
        LEADS_PERSONS,
        LeadPerson(lead_id=lead_id, event_id=event_id, occurred_at_ms=draft.occurred_at_ms, person=Person(), erased=True),
        lead_id,
    )


def comes_back(record: IntakeRecord) -> bool:
    """Whether the record is an act of the person's own, which may begin a new lead after an erasure; a system that still has the
    person on its list may not."""
    granted = record.consent is not None and record.consent.granted
    return (record.kind == EventKind.ENGAGEMENT and not record.backfill) or granted
