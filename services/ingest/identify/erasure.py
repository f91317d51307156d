"""Forgetting a person: the whole group, down to every identity, each leaving a tombstone that late
events do not get past. Pure.

What occurred up to the erasure is gone and stays gone. Who comes back afterwards by an act of their
own begins a new lead.
"""

from __future__ import annotations

from baton.contracts.intake import (
    AliasKind,
    EventKind,
    IdentifierScheme,
    IdentityAlias,
    IntakeRecord,
    LeadEvent,
    LeadInput,
)
from baton.contracts.topic_names import INTAKE_LEADS, LEADS_ACCEPTED
from baton.derived_ids import derived_id
from baton.evolve import evolve
from baton.intake.identifiers import identity_key
from services.ingest.identify.membership import key_of_lead
from services.ingest.identify.state import CONFLICT, LINKED, MEMBER, Identity
from services.ingest.identify.step import IdentifyStep


def take_erasure(step: IdentifyStep, record: IntakeRecord, received_at_ms: int) -> None:
    """The record asks to forget whoever has its identifiers. It is written down under the lead that
    its key belonged to."""
    lead_id = (step.head.lead_id if step.head else None) or _unknown_lead(record)
    _write_down(step, lead_id, record.event_id, record.source, received_at_ms)
    # All that occurred until the wish reached us goes, also what came between: the whole lead is
    # forgotten.
    step.occurred_at_ms = received_at_ms
    for other in record.identifiers[1:]:
        step.send(identity_key(other), AliasKind.ERASE, lead_id)
    if step.head is not None and step.head.lead_id is not None and step.head.root != step.key:
        step.send(step.head.root, AliasKind.ERASE, lead_id)
    _forget(step, lead_id, received_at_ms, written=lead_id)


def _unknown_lead(record: IntakeRecord) -> str:
    """The lead that an identity which knows none would have, or that is named by its id."""
    strongest = record.identifiers[0]
    if strongest.scheme == IdentifierScheme.LEAD:
        return strongest.value
    return derived_id("lead", identity_key(strongest))


def on_erase(step: IdentifyStep, message: IdentityAlias, received_at_ms: int) -> None:
    """Forget the person behind this identity: the root does it, and all its members."""
    head = step.head
    if head is not None and head.lead_id is not None and head.root != step.key:
        step.pass_on(message, head.root)
    _forget(step, message.lead_id, received_at_ms, written=None)


def on_erased(step: IdentifyStep, message: IdentityAlias, received_at_ms: int) -> None:
    """The group has been forgotten; so is this member."""
    _forget(step, message.lead_id, received_at_ms, written=None)


def _forget(step: IdentifyStep, lead_id: str, received_at_ms: int, *, written: str | None) -> None:
    former = step.head or Identity(root=step.key)
    if former.forgets(step.occurred_at_ms):
        return
    for own in dict.fromkeys(
        (former.own_lead_id, former.lead_id if former.root == step.key else None)
    ):
        if own is not None and own != written:
            # Several identities may know the lead as theirs: each forgets it once, by a word of its
            # own.
            _write_down(
                step,
                own,
                derived_id(step.cause_id, "erased", own, step.key),
                "baton",
                received_at_ms,
            )
    for member in step.marked(MEMBER):
        step.send(member, AliasKind.ERASED, lead_id)
    for kind in (MEMBER, LINKED, CONFLICT):
        step.forget(kind)
    step.head = evolve(
        former,
        root=step.key,
        lead_id=None,
        own_lead_id=None,
        known=False,
        slots={},
        parent=None,
        erased_at_ms=step.occurred_at_ms,
    )


def _write_down(
    step: IdentifyStep, lead_id: str, event_id: str, source: str, received_at_ms: int
) -> None:
    event = LeadEvent(
        event_id=event_id,
        lead_id=lead_id,
        source=source,
        kind=EventKind.ERASURE.value,
        occurred_at_ms=step.occurred_at_ms,
        received_at_ms=received_at_ms,
    )
    whole = LeadInput(
        lead_id=lead_id, cause_id=event_id, event=event, occurred_at_ms=step.occurred_at_ms
    )
    step.publish(INTAKE_LEADS, whole, lead_id)
    step.publish(LEADS_ACCEPTED, event, lead_id)


def is_revived(head: Identity, message: IdentityAlias) -> bool:
    """Whether the message would have a forgotten identity join a group, and neither an act of the
    person's own nor somebody's decision is behind it."""
    forgotten = head.lead_id is None and head.erased_at_ms is not None
    return forgotten and not message.own_act and not message.forced


def on_revived(step: IdentifyStep, message: IdentityAlias, received_at_ms: int) -> None:
    """A system's row named an identifier of somebody who is forgotten (``from_identity``): whom it
    is about is that person, and forgotten too, unless more is known of them than what systems say
    of this very identity. Then an act of their own may still join the two."""
    head = step.head
    if head is None or head.lead_id is None or head.root != step.key:
        return
    if head.acted or set(step.marked(MEMBER)) - {key_of_lead(head.lead_id)}:
        step.drop(LINKED, message.from_identity)
        return
    step.occurred_at_ms = received_at_ms
    step.send(step.key, AliasKind.ERASED, head.lead_id)
    _forget(step, head.lead_id, received_at_ms, written=None)


def comes_back(record: IntakeRecord) -> bool:
    """Whether the record is an act of the person's own, which may begin a new lead after an
    erasure; a system that still has the person on its list may not."""
    granted = record.consent is not None and record.consent.granted
    return (record.kind == EventKind.ENGAGEMENT and not record.backfill) or granted
