"""Where an identity belongs: a lead begins at it, or it follows the root of a group. Pure.

Every lead's own id is an identity too, and a member of the lead's group: whoever names a lead by
its id reaches all that belongs to it.
"""

from __future__ import annotations

from functools import lru_cache

from baton.contracts.identity import Identifier, IdentifierScheme, identifier_kind
from baton.contracts.intake import AliasKind, IdentityAlias
from baton.derived_ids import derived_id
from baton.evolve import evolve
from baton.intake.identifiers import identity_key
from services.ingest.identify.state import (
    MEMBER,
    Identity,
    Slots,
    has_left,
    is_separated,
    rank,
    slot_of,
    together,
)
from services.ingest.identify.step import IdentifyStep


@lru_cache(maxsize=4096)
def key_of_lead(lead_id: str) -> str:
    """The identity key of a lead's own id."""
    return identity_key(Identifier(scheme=IdentifierScheme.LEAD.value, value=lead_id))


def begin(step: IdentifyStep, identifier: Identifier) -> None:
    """A lead begins at this identity."""
    births = step.head.births if step.head else 0
    slot = slot_of(identifier)
    slots: Slots = {slot: (step.key,)} if slot else {}
    if identifier.scheme == IdentifierScheme.LEAD:
        _begin_named(step, identifier.value, births, slots)
    else:
        begin_anew(step, known=not identifier_kind(identifier.scheme).device, slots=slots)
    if births:
        step.report(AliasKind.RESOLVED)


def _begin_named(step: IdentifyStep, lead_id: str, births: int, slots: Slots) -> None:
    former = step.head or Identity(root=step.key)
    step.head = evolve(
        former,
        root=step.key,
        lead_id=lead_id if births == 0 else derived_id("lead", step.key, births),
        known=True,
        since_ms=step.now,
        own_lead_id=None,
        births=births + 1,
        slots=slots,
        parent=None,
        asks=(),
    )


def begin_anew(step: IdentifyStep, *, known: bool, slots: Slots) -> None:
    """A lead of this identity's own begins, the first or a further one."""
    former = step.head or Identity(root=step.key)
    parts = ("lead", step.key) if former.births == 0 else ("lead", step.key, former.births)
    lead_id = derived_id(*parts)
    step.head = evolve(
        former,
        root=step.key,
        lead_id=lead_id,
        known=known,
        since_ms=step.now,
        own_lead_id=lead_id,
        births=former.births + 1,
        slots=slots,
        parent=None,
        asks=(),
    )
    step.mark(MEMBER, key_of_lead(lead_id))
    step.send_as_group(key_of_lead(lead_id), AliasKind.NAMED)


def forwarded(step: IdentifyStep, message: IdentityAlias) -> bool:
    """Whether the message is for the group that this former root has left; it is passed on to the
    root of today."""
    head = step.head
    if head is None or head.root != step.key or head.parent is None:
        return False
    if message.lead_id == head.lead_id:
        return False
    step.pass_on(message, head.parent)
    return True


def follow(step: IdentifyStep, message: IdentityAlias, *, parent: str | None, slots: Slots) -> None:
    """Belong to the group of the message from now on, with all members. ``slots``: what this
    identity brings into it."""
    former = step.head or Identity(root=step.key)
    step.head = evolve(
        former,
        root=message.from_identity,
        lead_id=message.lead_id,
        known=message.known,
        since_ms=message.since_ms,
        slots=slots,
        parent=parent,
        asks=(),
    )
    step.report(AliasKind.RESOLVED)
    for member in step.marked(MEMBER):
        step.send_as_group(member, AliasKind.MOVED)


def on_named(step: IdentifyStep, message: IdentityAlias) -> None:
    """This identity is the id of the lead that began at ``from_identity``."""
    head = step.head
    if head is not None and head.forgets(message.occurred_at_ms):
        return
    if head is None or head.lead_id is None:
        step.head = evolve(
            head or Identity(root=step.key),
            root=message.from_identity,
            lead_id=message.lead_id,
            known=message.known,
            since_ms=message.since_ms,
            parent=message.from_identity,
        )
    elif head.root == step.key and head.lead_id == message.lead_id:
        # Somebody named the lead before this message came; what joined here joins the group.
        brought = {slot: keys for slot, keys in head.slots.items() if step.key not in keys}
        follow(step, message, parent=message.from_identity, slots=brought)
        step.send(message.from_identity, AliasKind.JOINED, message.lead_id, slots=brought)


def on_joined(step: IdentifyStep, message: IdentityAlias) -> None:
    """``from_identity`` has become a member here; where this group has moved on meanwhile, or is
    forgotten, it is notified."""
    head = step.head
    if head is None or head.lead_id is None:
        if head is not None and head.erased_at_ms is not None:
            step.occurred_at_ms = head.erased_at_ms
            step.send(message.from_identity, AliasKind.ERASED, message.lead_id)
        return
    if forwarded(step, message):
        return
    step.mark(MEMBER, message.from_identity)
    if head.root == step.key:
        step.head = evolve(head, slots=together(head.slots, message.slots))
        if is_separated(head.slots):
            # It may have joined the lead, or by the root, of before the separation.
            step.send_as_group(message.from_identity, AliasKind.RESETTLED)
    else:
        step.send_as_group(message.from_identity, AliasKind.MOVED)
        step.pass_on(message, head.root)


def on_moved(step: IdentifyStep, message: IdentityAlias) -> None:
    """The group this identity belongs to has joined another one. Who left does not follow."""
    head = step.head
    if message.from_identity == step.key or (
        head is not None and head.forgets(message.occurred_at_ms)
    ):
        return
    outranked = (
        head is None
        or head.lead_id is None
        or rank(message.known, message.since_ms, message.from_identity) > head.rank
    )
    if outranked and not (head and head.root == step.key and has_left(head.slots)):
        parent = head.parent if head else None
        follow(step, message, parent=parent, slots=head.slots if head else {})
