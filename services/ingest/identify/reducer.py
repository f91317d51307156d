"""identify: each event of the outside is accepted once, under the one lead that its identifiers
belong to.

Keyed by identity (the digest of an identifier). A record comes to the key of its strongest
identifier. Where that key knows no lead yet but a weaker identifier of the record might (an address
that was known before the CRM was connected), the record asks there first, key by key, and is taken
by the first group that is not another person; only when nobody knows does a lead begin. So a lead
does not change its id because a stronger identifier turns up. What joins afterwards is in
:mod:`.identity_graph`, what is forgotten in :mod:`.erasure`, what is published in
:mod:`.accepted_facts`.

Conflicts of two known people are reported (``conflict`` on ``intake.aliases.v1``), never merged. It
looks at no agreement.
"""

from __future__ import annotations

from typing import Any, ClassVar

from baton.contracts.identity import IdentifierScheme, identifier_kind
from baton.contracts.intake import (
    AliasKind,
    EventKind,
    IdentityAlias,
    IntakeRecord,
)
from baton.contracts.topic_names import (
    INTAKE_ALIASES,
    INTAKE_KEYED,
    INTAKE_LEADS,
    LEADS_ACCEPTED,
    LEADS_ACTS,
    LEADS_COMMANDS,
    LEADS_MERGES,
)
from baton.engine.reducer import Event, Reducer, Reference, Step, View
from baton.evolve import evolve
from baton.intake.identifiers import identity_key
from baton.intake.line_identifiers import MAX_IDENTIFIERS
from services.ingest.identify import erasure, identity_graph, membership, separation
from services.ingest.identify.accepted_facts import publish
from services.ingest.identify.state import (
    ENTRY_KINDS,
    SEEN,
    Identity,
    Slots,
    clash,
    slot_of,
    together,
)
from services.ingest.identify.step import IdentifyStep


class Identify(Reducer[Identity, Reference]):
    """The reducer of identities; see the module."""

    name: ClassVar[str] = "identify"
    service: ClassVar[str] = "ingest"
    inputs: ClassVar[tuple[str, ...]] = (INTAKE_KEYED, INTAKE_ALIASES)
    outputs: ClassVar[tuple[str, ...]] = (
        INTAKE_LEADS,
        LEADS_ACCEPTED,
        LEADS_ACTS,
        LEADS_COMMANDS,
        LEADS_MERGES,
        INTAKE_ALIASES,
        INTAKE_KEYED,
    )
    head_type: ClassVar[type[Any] | None] = Identity
    entry_kinds = ENTRY_KINDS

    def step(
        self, view: View[Identity], event: Event, *, now: int, reference: Reference
    ) -> Step[Identity]:
        """Take a record of the outside, or a word of another identity."""
        if isinstance(event.value, IdentityAlias):
            return _on_message(view, event.value, event.received_at_ms, now)
        record: IntakeRecord = event.value
        occurred = min(record.occurred_at_ms, event.received_at_ms)
        own_act = erasure.comes_back(record)
        step = IdentifyStep(view, now, record.event_id, occurred, own_act=own_act)
        _take(step, record, event.received_at_ms)
        return step.finish()

    def wake(self, view: View[Identity], *, now: int, reference: Reference) -> Step[Identity]:
        """Forget the ids of events that are too old to come twice."""
        step = IdentifyStep(view, now, view.cause, now)
        step.forget_old_events()
        return step.finish()


def _on_message(
    view: View[Identity], message: IdentityAlias, received_at_ms: int, now: int
) -> Step[Identity]:
    step = IdentifyStep(
        view, now, message.cause_id, message.occurred_at_ms, own_act=message.own_act
    )
    match AliasKind(message.kind):
        case AliasKind.LINK:
            identity_graph.on_link(step, message)
        case AliasKind.ATTACH:
            identity_graph.on_attach(step, message)
        case AliasKind.JOINED:
            membership.on_joined(step, message)
        case AliasKind.MOVED:
            membership.on_moved(step, message)
        case AliasKind.NAMED:
            membership.on_named(step, message)
        case AliasKind.SPLIT:
            separation.on_split(step, message)
        case AliasKind.LEFT:
            separation.on_left(step, message)
        case AliasKind.RESETTLED:
            separation.on_resettled(step, message)
        case AliasKind.ERASE:
            erasure.on_erase(step, message, received_at_ms)
        case AliasKind.ERASED:
            erasure.on_erased(step, message, received_at_ms)
        case AliasKind.REVIVED:
            erasure.on_revived(step, message, received_at_ms)
        case AliasKind.RESOLVED | AliasKind.CONFLICT | AliasKind.DUPLICATE | AliasKind.DROPPED:
            pass  # reports, for readers of the log
    return step.finish()


def _take(step: IdentifyStep, record: IntakeRecord, received_at_ms: int) -> None:
    returned = step.key in record.asked
    if not returned and not record.asked and not step.see(record.event_id):
        step.report(AliasKind.DUPLICATE)
    elif record.kind == EventKind.ERASURE:
        erasure.take_erasure(step, record, received_at_ms)
    elif _is_forgotten(step, record):
        step.report(AliasKind.DROPPED)
    elif step.head is not None and step.head.lead_id is not None:
        _take_or_hand_on(step, record, received_at_ms, home=returned or not record.asked)
    else:
        _ask_or_begin(step, record, received_at_ms)


def _is_forgotten(step: IdentifyStep, record: IntakeRecord) -> bool:
    head = step.head
    if head is None or head.erased_at_ms is None:
        return False
    return head.forgets(step.occurred_at_ms) or (
        head.lead_id is None and not erasure.comes_back(record)
    )


def _take_or_hand_on(
    step: IdentifyStep, record: IntakeRecord, received_at_ms: int, *, home: bool
) -> None:
    head = step.head
    assert head is not None
    if home:
        _accept(step, record, received_at_ms)
    elif head.root != step.key and head.root not in record.asked:
        _send(step, record, head.root)  # the root knows whether it is the same person
    elif head.root != step.key:
        _ask_or_begin(step, record, received_at_ms)  # the root was asked already
    elif clash(head.slots, _slots_of(record)):
        step.conflict(identity_key(record.identifiers[0]), step.lead_id)
        _ask_or_begin(step, record, received_at_ms)
    elif step.see(record.event_id):
        _accept(step, record, received_at_ms)
    else:
        step.report(AliasKind.DUPLICATE)


def _ask_or_begin(step: IdentifyStep, record: IntakeRecord, received_at_ms: int) -> None:
    home = identity_key(record.identifiers[0])
    if separation.is_unmerge(record):
        step.drop(SEEN, record.event_id)
        return step.report(AliasKind.DROPPED)  # nobody is known whom the others could leave
    if step.key == home and not record.asked:
        record = evolve(record, to_ask=_asks(step, record))
    left = (key for key in record.to_ask if key != step.key and key not in record.asked)
    if next_one := next(left, None if step.key == home else home):
        return _send(step, record, next_one)
    if record.update_only or separation.is_identity_command(record):
        step.drop(SEEN, record.event_id)  # once the person is known, the same event counts
        return step.report(AliasKind.DROPPED)
    membership.begin(step, record.identifiers[0])
    return _accept(step, record, received_at_ms)


def _asks(step: IdentifyStep, record: IntakeRecord) -> tuple[str, ...]:
    """Whom to ask for the lead of this identity: the weaker identifiers of a person. It is
    kept, so that what comes before there is an answer takes the same way, behind this record, and
    does not begin a lead that would end in the other's."""
    if record.identifiers[0].scheme == IdentifierScheme.LEAD:
        return ()
    former = step.head or Identity(root=step.key)
    named = (
        identity_key(other)
        for other in record.identifiers
        if identifier_kind(other.scheme).asked_for_lead
    )
    asks = tuple(dict.fromkeys((*former.asks, *(key for key in named if key != step.key))))[
        :MAX_IDENTIFIERS
    ]
    if asks != former.asks:
        step.head = evolve(former, asks=asks)
    return asks


def _accept(step: IdentifyStep, record: IntakeRecord, received_at_ms: int) -> None:
    if separation.is_identity_command(record):
        separation.take_command(step, record, received_at_ms)
        return
    if step.own_act and step.head is not None and not step.head.acted:
        step.head = evolve(step.head, acted=True)
    publish(step, record, received_at_ms, joins=identity_graph.attach(step, record.identifiers))


def _send(step: IdentifyStep, record: IntakeRecord, to: str) -> None:
    step.publish(INTAKE_KEYED, evolve(record, asked=(*record.asked, step.key)), to)


def _slots_of(record: IntakeRecord) -> Slots:
    slots: Slots = {}
    for identifier in record.identifiers:
        slot = slot_of(identifier)
        if slot is not None:
            slots = together(slots, {slot: (identity_key(identifier),)})
    return slots
