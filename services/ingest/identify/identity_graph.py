"""How identities come together: who joins whom, who is told, and when it is a conflict instead.
Pure.

A root that is outranked joins by itself, but only once the other has taken in its slots
(``granted``); otherwise it asks, and the other answers with the same message. So at no moment does
a group hold two people, whatever order messages come in.

Whatever comes of an identity that was asked to join, the lead it was asked for gets an answer on
``intake.leads.v1``, so that a decision can wait for the join that its own event asks for.
"""

from __future__ import annotations

from baton.contracts.intake import (
    AliasKind,
    Identifier,
    IdentifierScheme,
    IdentityAlias,
    LeadInput,
    LeadMerge,
)
from baton.contracts.topic_names import INTAKE_LEADS, LEADS_MERGES
from baton.evolve import evolve
from baton.ids import derived_id
from baton.intake.identifiers import identity_key
from services.ingest.identify.state import (
    MEMBER,
    TOLD,
    Identity,
    Slots,
    clash,
    covers,
    rank,
    slot_of,
    together,
)
from services.ingest.identify.step import IdentifyStep


def begin(step: IdentifyStep, identifier: Identifier) -> None:
    """A lead begins at this identity."""
    former = step.head or Identity(root=step.key)
    slot = slot_of(identifier)
    named = identifier.scheme == IdentifierScheme.LEAD
    parts = ("lead", step.key) if former.births == 0 else ("lead", step.key, former.births)
    lead_id = identifier.value if named and former.births == 0 else derived_id(*parts)
    step.head = evolve(
        former,
        root=step.key,
        lead_id=lead_id,
        known=identifier.scheme != IdentifierScheme.ANONYMOUS,
        since_ms=step.now,
        own_lead_id=None if named else lead_id,
        births=former.births + 1,
        slots={slot: (step.key,)} if slot else {},
        asks=(),
    )
    if former.births:
        step.report(AliasKind.RESOLVED)


def attach(step: IdentifyStep, others: tuple[Identifier, ...]) -> int:
    """The record says that these identifiers are the same person as this identity. Gives how many
    were asked, who will answer."""
    asked = 0
    for other in others:
        key = identity_key(other)
        if key == step.key or not step.mark(TOLD, key):
            continue
        _attach_one(step, key, slot_of(other))
        asked += 1
    return asked


def _attach_one(step: IdentifyStep, subject: str, slot: str | None) -> None:
    head = step.head
    assert head is not None
    if head.root != step.key:
        step.say(head.root, AliasKind.ATTACH, step.lead_id, subject=subject, subject_slot=slot)
        return
    granted: Slots = {slot: (subject,)} if slot else {}
    if not clash(head.slots, granted):
        step.head = evolve(head, slots=together(head.slots, granted))
    # Else it is a second address of one person, as a stronger identifier says. Whether it is a
    # person of its own already, the subject knows: it counts for the group when it has joined, not
    # before.
    step.tell(subject, AliasKind.LINK, slots=head.slots, granted=granted)


def on_attach(step: IdentifyStep, told: IdentityAlias) -> None:
    """A member says that ``subject`` belongs to the group."""
    head = step.head
    if told.subject is None:
        return
    if head is None or head.lead_id is None or (head.root == step.key and told.subject == step.key):
        _answer(step, told)
    elif head.root != step.key:
        step.pass_on(told, head.root)
    else:
        _attach_one(step, told.subject, told.subject_slot)


def on_link(step: IdentifyStep, told: IdentityAlias) -> None:
    """The group of ``from_identity`` is the same person as this one."""
    head = step.head
    if head is not None and head.forgets(told.occurred_at_ms):
        _answer(step, told)
    elif head is None or head.lead_id is None:
        _join(step, told)
    elif head.root == told.from_identity or head.lead_id == told.lead_id:
        _answer(step, told)
    elif head.root != step.key:
        step.pass_on(told, head.root)
    else:
        _meet(step, head, told)


def _meet(step: IdentifyStep, head: Identity, told: IdentityAlias) -> None:
    if head.known and told.known and clash(head.slots, told.slots):
        step.conflict(told.from_identity, told.lead_id)
        _answer(step, told)
    elif head.rank > rank(told.known, told.since_ms, told.from_identity):
        step.head = evolve(head, slots=together(head.slots, told.slots))
        step.tell(told.from_identity, AliasKind.LINK, slots=head.slots, granted=told.slots)
    elif covers(told.granted, head.slots):
        _join(step, told)
    else:
        step.tell(told.from_identity, AliasKind.LINK, slots=head.slots)


def _join(step: IdentifyStep, told: IdentityAlias) -> None:
    former = step.head
    if former is not None and former.lead_id is not None:
        _answer(step, told, _merge(step, former.lead_id, told))
        brought = former.slots
    else:
        _answer(step, told)
        brought = {slot: keys for slot, keys in told.granted.items() if step.key in keys}
    _follow(step, told)
    step.say(told.from_identity, AliasKind.JOINED, told.lead_id, slots=brought)


def _answer(step: IdentifyStep, told: IdentityAlias, merge: LeadMerge | None = None) -> None:
    """Tell the lead that asked what came of it: where there is a ``merge``, that lead is to take in
    another's book; else nothing."""
    answer = LeadInput(
        lead_id=told.lead_id,
        cause_id=told.cause_id,
        occurred_at_ms=told.occurred_at_ms,
        merge=merge,
        answers=told.cause_id,
    )
    step.publish(INTAKE_LEADS, answer, told.lead_id)


def _merge(step: IdentifyStep, loser: str, told: IdentityAlias) -> LeadMerge:
    """End ``loser`` in the lead that asks; the survivor is told by the answer to what it asked."""
    merge = LeadMerge(
        merge_id=derived_id("merge", loser, told.lead_id),
        loser=loser,
        survivor=told.lead_id,
        cause_id=told.cause_id,
        occurred_at_ms=told.occurred_at_ms,
    )
    for lead_id in (loser, told.lead_id):
        step.publish(LEADS_MERGES, merge, lead_id)
    at_loser = LeadInput(
        lead_id=loser, cause_id=merge.merge_id, occurred_at_ms=told.occurred_at_ms, merge=merge
    )
    step.publish(INTAKE_LEADS, at_loser, loser)
    # Whoever names the lead by its id is to reach the survivor.
    named = identity_key(Identifier(scheme=IdentifierScheme.LEAD.value, value=loser))
    if named != step.key:
        step.mark(MEMBER, named)
    return merge


def _follow(step: IdentifyStep, told: IdentityAlias) -> None:
    former = step.head or Identity(root=step.key)
    step.head = evolve(
        former,
        root=told.from_identity,
        lead_id=told.lead_id,
        known=told.known,
        since_ms=told.since_ms,
        slots={},
        asks=(),
    )
    step.report(AliasKind.RESOLVED)
    for member in step.marked(MEMBER):
        step.tell(member, AliasKind.MOVED)


def on_joined(step: IdentifyStep, told: IdentityAlias) -> None:
    """``from_identity`` has become a member here; where this group has moved on meanwhile, or is
    forgotten, it is told."""
    head = step.head
    if head is None or head.lead_id is None:
        if head is not None and head.erased_at_ms is not None:
            step.occurred_at_ms = head.erased_at_ms
            step.say(told.from_identity, AliasKind.ERASED, told.lead_id)
        return
    step.mark(MEMBER, told.from_identity)
    if head.root == step.key:
        step.head = evolve(head, slots=together(head.slots, told.slots))
    else:
        step.tell(told.from_identity, AliasKind.MOVED)
        step.pass_on(told, head.root)


def on_moved(step: IdentifyStep, told: IdentityAlias) -> None:
    """The group this identity belongs to has joined another one."""
    head = step.head
    if told.from_identity == step.key or (head is not None and head.forgets(told.occurred_at_ms)):
        return
    if (
        head is None
        or head.lead_id is None
        or rank(told.known, told.since_ms, told.from_identity) > head.rank
    ):
        _follow(step, told)
