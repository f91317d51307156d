"""How identities come together: who joins whom, who is notified, and when it is a conflict
instead. Pure.

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
    IdentityAlias,
    LeadInput,
    LeadMerge,
)
from baton.contracts.topic_names import INTAKE_LEADS, LEADS_MERGES
from baton.derived_ids import derived_id
from baton.evolve import evolve
from baton.intake.identifiers import identity_key
from services.ingest.identify.erasure import is_revived
from services.ingest.identify.membership import follow, forwarded, key_of_lead
from services.ingest.identify.state import (
    LINKED,
    MEMBER,
    Identity,
    Slots,
    clash,
    covers,
    rank,
    separated,
    slot_of,
    together,
)
from services.ingest.identify.step import IdentifyStep


def attach(step: IdentifyStep, others: tuple[Identifier, ...], *, forced: bool = False) -> int:
    """Ask these identifiers, which are the same person, to join this identity's group; gives how
    many were asked. ``forced``: a person has decided it, so nothing that differs is a conflict."""
    asked = 0
    for other in others:
        key = identity_key(other)
        if key == step.key or not (step.mark(LINKED, key) or forced):
            continue
        _attach_one(step, key, slot_of(other), forced=forced)
        asked += 1
    return asked


def _attach_one(step: IdentifyStep, subject: str, slot: str | None, *, forced: bool) -> None:
    head = step.head
    assert head is not None
    if head.root != step.key:
        more = {"subject": subject, "subject_slot": slot, "forced": forced}
        step.send(head.root, AliasKind.ATTACH, step.lead_id, **more)
        return
    granted: Slots = {slot: (subject,)} if slot else {}
    if slot and not head.known:
        step.head = head = evolve(head, known=True)
    if not clash(head.slots, granted):
        step.head = evolve(head, slots=together(head.slots, granted))
    # Else it is a second address of one person, as a stronger identifier says. Whether it is a
    # person of its own already, the subject knows: it counts for the group when it has joined, not
    # before.
    step.send_as_group(subject, AliasKind.LINK, slots=head.slots, granted=granted, forced=forced)


def on_attach(step: IdentifyStep, message: IdentityAlias) -> None:
    """A member reports that ``subject`` belongs to the group."""
    head = step.head
    if message.subject is None or forwarded(step, message):
        return
    if (
        head is None
        or head.lead_id is None
        or (head.root == step.key and message.subject == step.key)
    ):
        _answer(step, message)
    elif head.root != step.key:
        step.pass_on(message, head.root)
    else:
        _attach_one(step, message.subject, message.subject_slot, forced=message.forced)


def on_link(step: IdentifyStep, message: IdentityAlias) -> None:
    """The group of ``from_identity`` is the same person as this one."""
    head = step.head
    if head is not None and is_revived(head, message):
        step.send(message.from_identity, AliasKind.REVIVED, message.lead_id)
        _answer(step, message)
    elif head is not None and head.forgets(message.occurred_at_ms):
        _answer(step, message)
    elif head is None or head.lead_id is None:
        _join(step, message)
    elif head.root == message.from_identity or head.lead_id == message.lead_id:
        _answer(step, message)
    elif head.root != step.key:
        step.pass_on(message, head.root)
    else:
        _meet(step, head, message)


def _meet(step: IdentifyStep, head: Identity, message: IdentityAlias) -> None:
    if not message.forced and _are_two_people(head, message):
        step.conflict(message.from_identity, message.lead_id)
        _answer(step, message)
    elif head.rank > rank(message.known, message.since_ms, message.from_identity):
        step.head = evolve(head, slots=together(head.slots, message.slots))
        step.send_as_group(
            message.from_identity,
            AliasKind.LINK,
            slots=head.slots,
            granted=message.slots,
            forced=message.forced,
        )
    elif covers(message.granted, head.slots):
        _join(step, message)
    else:
        step.send_as_group(
            message.from_identity, AliasKind.LINK, slots=head.slots, forced=message.forced
        )


def _are_two_people(head: Identity, message: IdentityAlias) -> bool:
    """Whether two groups must not become one: a person has separated them, or both are known and
    differ."""
    return separated(head.slots, message.slots) or (
        head.known and message.known and clash(head.slots, message.slots)
    )


def _join(step: IdentifyStep, message: IdentityAlias) -> None:
    former = step.head
    if former is not None and former.lead_id is not None:
        _answer(step, message, _merge(step, former.lead_id, message))
        brought = former.slots
    else:
        _answer(step, message)
        brought = {slot: keys for slot, keys in message.granted.items() if step.key in keys}
    follow(step, message, parent=message.from_identity, slots=brought)
    step.send(message.from_identity, AliasKind.JOINED, message.lead_id, slots=brought)


def _answer(step: IdentifyStep, message: IdentityAlias, merge: LeadMerge | None = None) -> None:
    """Answer the lead that asked: where there is a ``merge``, it is to take in another's book; else
    nothing."""
    answer = LeadInput(
        lead_id=message.lead_id,
        cause_id=message.cause_id,
        occurred_at_ms=message.occurred_at_ms,
        merge=merge,
        answers=message.cause_id,
    )
    step.publish(INTAKE_LEADS, answer, message.lead_id)


def _merge(step: IdentifyStep, loser: str, message: IdentityAlias) -> LeadMerge:
    """End ``loser`` in the lead that asks; the survivor learns it from its answer."""
    merge = LeadMerge(
        merge_id=derived_id("merge", loser, message.lead_id),
        loser=loser,
        survivor=message.lead_id,
        cause_id=message.cause_id,
        occurred_at_ms=message.occurred_at_ms,
    )
    for lead_id in (loser, message.lead_id):
        step.publish(LEADS_MERGES, merge, lead_id)
    at_loser = LeadInput(
        lead_id=loser, cause_id=merge.merge_id, occurred_at_ms=message.occurred_at_ms, merge=merge
    )
    step.publish(INTAKE_LEADS, at_loser, loser)
    # Whoever names the lead by its id is to reach the survivor.
    named = key_of_lead(loser)
    if named != step.key:
        step.mark(MEMBER, named)
    return merge
