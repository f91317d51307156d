"""How identities come together: who joins whom, who is told, and when it is a conflict instead. Pure.

A root that is outranked joins by itself, but only once the other has taken in its slots (``granted``); otherwise it asks, and the other
answers with the same message. So at no moment does a group hold two people, whatever order messages come in.
"""

from __future__ import annotations

from baton.contracts.intake import AliasKind, Identifier, IdentifierScheme, IdentityAlias, LeadMerge
from baton.contracts.topic_names import LEADS_MERGES
from baton.evolve import evolve
from baton.ids import derived_id
from baton.intake.identifiers import identity_key
from services.ingest.identify.state import MEMBER, TOLD, Identity, Slots, clash, covers, rank, slot_of, together
from services.ingest.identify.step import Draft


def begin(draft: Draft, identifier: Identifier) -> None:
    """A lead begins at this identity."""
    former = draft.head or Identity(root=draft.key)
    slot = slot_of(identifier)
    named = identifier.scheme == IdentifierScheme.LEAD
    parts = ("lead", draft.key) if former.births == 0 else ("lead", draft.key, former.births)
    lead_id = identifier.value if named and former.births == 0 else derived_id(*parts)
    draft.head = evolve(
        former,
        root=draft.key,
        lead_id=lead_id,
        known=identifier.scheme != IdentifierScheme.ANONYMOUS,
        since_ms=draft.now,
        own_lead_id=None if named else lead_id,
        births=former.births + 1,
        slots={slot: (draft.key,)} if slot else {},
        asks=(),
    )
    if former.births:
        draft.report(AliasKind.RESOLVED)


def attach(draft: Draft, others: tuple[Identifier, ...]) -> None:
    """The record says that these identifiers are the same person as this identity."""
    for other in others:
        key = identity_key(other)
        if key == draft.key or not draft.mark(TOLD, key):
            continue
        _attach_one(draft, key, slot_of(other))


def _attach_one(draft: Draft, subject: str, slot: str | None) -> None:
    head = draft.head
    assert head is not None
    if head.root != draft.key:
        draft.say(head.root, AliasKind.ATTACH, draft.lead_id, subject=subject, subject_slot=slot)
        return
    granted: Slots = {slot: (subject,)} if slot else {}
    if not clash(head.slots, granted):
        draft.head = evolve(head, slots=together(head.slots, granted))
    # Else it is a second address of one person, as a stronger identifier says. Whether it is a person of its own already, the
    # subject knows: it counts for the group when it has joined, not before.
    draft.tell(subject, AliasKind.LINK, slots=head.slots, granted=granted)


def on_attach(draft: Draft, told: IdentityAlias) -> None:
    """A member says that ``subject`` belongs to the group."""
    head = draft.head
    if head is None or head.lead_id is None or told.subject is None:
        return
    if head.root != draft.key:
        draft.pass_on(told, head.root)
    elif told.subject != draft.key:
        _attach_one(draft, told.subject, told.subject_slot)


def on_link(draft: Draft, told: IdentityAlias) -> None:
    """The group of ``from_identity`` is the same person as this one."""
    head = draft.head
    if head is not None and head.forgets(told.occurred_at_ms):
        return
    if head is None or head.lead_id is None:
        _join(draft, told)
    elif head.root == told.from_identity or head.lead_id == told.lead_id:
        return
    elif head.root != draft.key:
        draft.pass_on(told, head.root)
    else:
        _meet(draft, head, told)


def _meet(draft: Draft, head: Identity, told: IdentityAlias) -> None:
    if head.known and told.known and clash(head.slots, told.slots):
        draft.conflict(told.from_identity, told.lead_id)
    elif head.rank > rank(told.known, told.since_ms, told.from_identity):
        draft.head = evolve(head, slots=together(head.slots, told.slots))
        draft.tell(told.from_identity, AliasKind.LINK, slots=head.slots, granted=told.slots)
    elif covers(told.granted, head.slots):
        _join(draft, told)
    else:
        draft.tell(told.from_identity, AliasKind.LINK, slots=head.slots)


def _join(draft: Draft, told: IdentityAlias) -> None:
    former = draft.head
    if former is not None and former.lead_id is not None:
        _merge(draft, former.lead_id, told)
        brought = former.slots
    else:
        brought = {slot: keys for slot, keys in told.granted.items() if draft.key in keys}
    _follow(draft, told)
    draft.say(told.from_identity, AliasKind.JOINED, told.lead_id, slots=brought)


def _merge(draft: Draft, loser: str, told: IdentityAlias) -> None:
    merge = LeadMerge(
        merge_id=derived_id("merge", loser, told.lead_id),
        loser=loser,
        survivor=told.lead_id,
        cause_id=told.cause_id,
        occurred_at_ms=told.occurred_at_ms,
    )
    for lead_id in (loser, told.lead_id):
        draft.publish(LEADS_MERGES, merge, lead_id)
    # Whoever names the lead by its id is to reach the survivor.
    named = identity_key(Identifier(scheme=IdentifierScheme.LEAD.value, value=loser))
    if named != draft.key:
        draft.mark(MEMBER, named)


def _follow(draft: Draft, told: IdentityAlias) -> None:
    former = draft.head or Identity(root=draft.key)
    draft.head = evolve(
        former, root=told.from_identity, lead_id=told.lead_id, known=told.known, since_ms=told.since_ms, slots={}, asks=()
    )
    draft.report(AliasKind.RESOLVED)
    for member in draft.marked(MEMBER):
        draft.tell(member, AliasKind.MOVED)


def on_joined(draft: Draft, told: IdentityAlias) -> None:
    """``from_identity`` has become a member here; where this group has moved on meanwhile, or is forgotten, it is told."""
    head = draft.head
    if head is None or head.lead_id is None:
        if head is not None and head.erased_at_ms is not None:
            draft.occurred_at_ms = head.erased_at_ms
            draft.say(told.from_identity, AliasKind.ERASED, told.lead_id)
        return
    draft.mark(MEMBER, told.from_identity)
    if head.root == draft.key:
        draft.head = evolve(head, slots=together(head.slots, told.slots))
    else:
        draft.tell(told.from_identity, AliasKind.MOVED)
        draft.pass_on(told, head.root)


def on_moved(draft: Draft, told: IdentityAlias) -> None:
    """The group this identity belongs to has joined another one."""
    head = draft.head
    if told.from_identity == draft.key or (head is not None and head.forgets(told.occurred_at_ms)):
        return
    if head is None or head.lead_id is None or rank(told.known, told.since_ms, told.from_identity) > head.rank:
        _follow(draft, told)
