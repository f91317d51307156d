"""What a person decides about who is who: ``merge`` joins leads whatever differs, ``unmerge``
separates identities from a lead. Pure.

Both are on ``leads.commands.v1`` with who decided it and why. A separation holds: both sides carry
a slot that they fill differently, and so does every group that they join later; no event joins
them again, only a further ``merge``. What came under the identities that left, as far as their
events are remembered, goes with them to the lead that begins there, and what comes later belongs to
it; what came under the others stays. It does not look at the agreement:
whoever may send commands may decide this.
"""

from __future__ import annotations

from baton.contracts.identity import Identifier, identifier_kind
from baton.contracts.intake import (
    AliasKind,
    IdentityAlias,
    IdentityCommand,
    IntakeRecord,
    LeadCommand,
    LeadInput,
    LeadSeparation,
)
from baton.contracts.topic_names import INTAKE_LEADS, LEADS_COMMANDS
from baton.derived_ids import derived_id
from baton.evolve import evolve
from baton.intake.identifiers import identity_key
from services.ingest.identify import identity_graph
from services.ingest.identify.membership import begin_anew, forwarded
from services.ingest.identify.state import (
    LEAVES,
    LINKED,
    MEMBER,
    SEEN,
    STAYS,
    Identity,
    Slots,
    apart_slot,
    slot_of,
    together,
    without,
)
from services.ingest.identify.step import MAX_SEEN, IdentifyStep


def is_identity_command(record: IntakeRecord) -> bool:
    """Whether the record is one of these two."""
    return record.command is not None and record.command.kind in list(IdentityCommand)


def is_unmerge(record: IntakeRecord) -> bool:
    """Whether the record separates; it is carried out where its strongest identifier is known."""
    return record.command is not None and record.command.kind == IdentityCommand.UNMERGE


def take_command(step: IdentifyStep, record: IntakeRecord, received_at_ms: int) -> None:
    """Carry out the command for the lead that ``step.head`` knows."""
    assert record.command is not None
    command = LeadCommand(
        event_id=record.event_id,
        lead_id=step.lead_id,
        source=record.source,
        occurred_at_ms=step.occurred_at_ms,
        received_at_ms=received_at_ms,
        command=record.command,
    )
    step.publish(LEADS_COMMANDS, command, step.lead_id)
    if record.command.kind == IdentityCommand.MERGE:
        identity_graph.attach(step, record.identifiers, forced=True)
        return
    for other in record.identifiers[1:]:
        _ask_to_leave(step, other)


def _ask_to_leave(step: IdentifyStep, other: Identifier) -> None:
    key, slot = identity_key(other), slot_of(other)
    step.mark(LINKED, key)  # an event that names both again asks for no join
    step.send_message(
        evolve(
            step.group_message(key, AliasKind.SPLIT),
            from_identity=step.key,
            known=not identifier_kind(other.scheme).device,
            slots={slot: (key,)} if slot else {},
        )
    )


def on_split(step: IdentifyStep, message: IdentityAlias) -> None:
    """This identity is not the lead of the message: it leaves, with what joined when it did."""
    head = step.head
    if head is None or head.lead_id is None:
        return
    apart: Slots = {apart_slot(message.cause_id): (LEAVES,)}
    if head.lead_id != message.lead_id:
        _stay_apart(step, head, message, apart)
        return
    own: Slots = message.slots
    members, heir = step.marked(MEMBER), None
    if head.root == step.key:
        members, heir = [], message.from_identity
        _hand_over(step, head, message)
    else:
        own = together(head.slots, own)
        _notify_former_group(step, head.parent or head.root, message, own)
    begin_anew(step, known=message.known, slots=together(own, apart))
    step.head = evolve(step.head, parent=heir)
    step.report(AliasKind.RESOLVED)
    _take_along(step, message, leaver=step.lead_id)
    for member in members:
        step.send_as_group(member, AliasKind.RESETTLED)


def _take_along(step: IdentifyStep, message: IdentityAlias, *, leaver: str) -> None:
    """What came under this identity goes from the lead that it leaves to ``leaver``. Only the lead
    knows what that was; here are the ids of the events."""
    former = _former_lead(step, message)
    parting = LeadSeparation(
        separation_id=derived_id("separation", message.cause_id, step.key),
        lead_id=former,
        leaver=leaver,
        occurred_at_ms=message.occurred_at_ms,
        event_ids=tuple(item for item, _ in step.view.scan(SEEN, limit=MAX_SEEN)),
    )
    begins = evolve(parting, event_ids=(), begins=True)
    for lead_id, record in ((former, parting), (leaver, begins)):
        input_of_lead = LeadInput(
            lead_id=lead_id,
            cause_id=parting.separation_id,
            separation=record,
            occurred_at_ms=message.occurred_at_ms,
        )
        step.publish(INTAKE_LEADS, input_of_lead, lead_id)


def _former_lead(step: IdentifyStep, message: IdentityAlias) -> str:
    """The lead that this identity belonged to before this step."""
    former: Identity | None = step.view.head
    return (former.lead_id if former else None) or message.lead_id


def _stay_apart(step: IdentifyStep, head: Identity, message: IdentityAlias, apart: Slots) -> None:
    """Two leads that are two already are not to become one."""
    if head.root != step.key:
        step.pass_on(message, head.root)
        return
    step.head = evolve(head, slots=together(head.slots, apart))
    _notify_former_group(step, message.from_identity, message, {})


def _notify_former_group(
    step: IdentifyStep, to: str, message: IdentityAlias, brought: Slots
) -> None:
    slot = apart_slot(message.cause_id)
    step.send(to, AliasKind.LEFT, message.lead_id, slots=brought, subject_slot=slot)


def _hand_over(step: IdentifyStep, head: Identity, message: IdentityAlias) -> None:
    """The root leaves alone: the identity that asked it to becomes the root of all others."""
    heir = message.from_identity
    others = tuple(member for member in step.marked(MEMBER) if member != heir)
    staying = {apart_slot(message.cause_id): (STAYS,)}
    step.send_message(
        evolve(
            step.group_message(heir, AliasKind.RESETTLED),
            from_identity=heir,
            slots=together(without(head.slots, (step.key,)), staying),
            granted={MEMBER.name: others},
            subject=step.key,
        )
    )
    step.forget(MEMBER)


def on_left(step: IdentifyStep, message: IdentityAlias) -> None:
    """``from_identity`` is no member any more, and what it brought is not the group's."""
    head = step.head
    if head is None or head.lead_id is None:
        return
    if message.slots:
        step.drop(MEMBER, message.from_identity)
    if forwarded(step, message):
        return
    if head.root != step.key:
        step.pass_on(message, head.root)
        return
    gone = {key for keys in message.slots.values() for key in keys} | {message.from_identity}
    left = without(head.slots, gone) if message.slots else head.slots
    if message.subject_slot:
        left = together(left, {message.subject_slot: (STAYS,)})
    step.head = evolve(head, slots=left)


def on_resettled(step: IdentifyStep, message: IdentityAlias) -> None:
    """After a separation this identity belongs to another root, or is the root."""
    # It may come before the message that first said where this identity belongs.
    head = step.head or Identity(root=message.subject or "", lead_id=message.lead_id)
    if head.lead_id is None:
        return
    if message.from_identity == step.key:
        if message.subject is not None:
            _inherit(step, head, message)
    elif head.root != step.key and (head.root, head.lead_id) != (
        message.from_identity,
        message.lead_id,
    ):
        moves = head.parent in (None, message.subject)
        step.head = evolve(
            head,
            root=message.from_identity,
            lead_id=message.lead_id,
            known=message.known,
            since_ms=message.since_ms,
            parent=message.from_identity if moves else head.parent,
        )
        if message.lead_id != head.lead_id:
            step.report(AliasKind.RESOLVED)
            _take_along(step, message, leaver=message.lead_id)
        for member in step.marked(MEMBER):
            step.pass_on(message, member)


def _inherit(step: IdentifyStep, head: Identity, message: IdentityAlias) -> None:
    """This identity is the root from now on."""
    step.head = evolve(
        head,
        root=step.key,
        lead_id=message.lead_id,
        known=message.known,
        since_ms=message.since_ms,
        slots=message.slots,
        parent=None,
    )
    for member in message.granted.get(MEMBER.name, ()):
        step.mark(MEMBER, member)
    for member in step.marked(MEMBER):
        step.send_as_group(member, AliasKind.RESETTLED, subject=message.subject)
