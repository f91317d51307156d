"""identify: each event of the outside is accepted once, under the one lead that its identifiers belong to.

Keyed by identity (the digest of an identifier). A record comes to the key of its strongest identifier. Where that key knows no lead
yet but a weaker identifier of the record might (an address that was known before the CRM was connected), the record asks there
first, key by key, and is taken by the first group that is not another person; only when nobody knows does a lead begin. So a lead
does not change its id because a stronger identifier turns up. What joins afterwards is in :mod:`.identity_graph`, what is forgotten in
:mod:`.erasure`, what is published in :mod:`.accepted_facts`.

Conflicts of two known people are reported (``conflict`` on ``intake.aliases.v1``), never merged. It looks at no agreement.
"""

from __future__ import annotations

from typing import Any, ClassVar

from baton.contracts.intake import AliasKind, EventKind, IdentifierScheme, IdentityAlias, IntakeRecord
from baton.contracts.topic_names import (
    INTAKE_ALIASES,
    INTAKE_KEYED,
    LEADS_ACCEPTED,
    LEADS_ACTS,
    LEADS_COMMANDS,
    LEADS_MERGES,
    LEADS_PERSONS,
)
from baton.engine.reducer import Event, Reducer, Reference, Step, View
from baton.evolve import evolve
from baton.intake.identifiers import identity_key
from baton.intake.lines import MAX_IDENTIFIERS
from services.ingest.identify import erasure, identity_graph
from services.ingest.identify.accepted_facts import publish
from services.ingest.identify.state import ENTRY_KINDS, Identity, Slots, clash, slot_of, together
from services.ingest.identify.step import Draft

_ASKS = (IdentifierScheme.CRM, IdentifierScheme.EMAIL, IdentifierScheme.USER)


class Identify(Reducer[Identity, Reference]):
    """The reducer of identities; see the module."""

    name: ClassVar[str] = "identify"
    service: ClassVar[str] = "ingest"
    inputs: ClassVar[tuple[str, ...]] = (INTAKE_KEYED, INTAKE_ALIASES)
    outputs: ClassVar[tuple[str, ...]] = (
        LEADS_ACCEPTED,
        LEADS_ACTS,
        LEADS_COMMANDS,
        LEADS_PERSONS,
        LEADS_MERGES,
        INTAKE_ALIASES,
        INTAKE_KEYED,
    )
    head_type: ClassVar[type[Any] | None] = Identity
    entry_kinds = ENTRY_KINDS

    def step(self, view: View[Identity], event: Event, *, now: int, reference: Reference) -> Step[Identity]:
        """Take a record of the outside, or a word of another identity."""
        if isinstance(event.value, IdentityAlias):
            return _hear(view, event.value, event.received_at_ms, now)
        record: IntakeRecord = event.value
        occurred = min(record.occurred_at_ms, event.received_at_ms)
        draft = Draft(view, now, record.event_id, occurred)
        _take(draft, record, event.received_at_ms)
        return draft.finish()

    def wake(self, view: View[Identity], *, now: int, reference: Reference) -> Step[Identity]:
        """Forget the ids of events that are too old to come twice."""
        draft = Draft(view, now, view.cause, now)
        draft.forget_old_events()
        return draft.finish()


def _hear(view: View[Identity], told: IdentityAlias, received_at_ms: int, now: int) -> Step[Identity]:
    draft = Draft(view, now, told.cause_id, told.occurred_at_ms)
    match AliasKind(told.kind):
        case AliasKind.LINK:
            identity_graph.on_link(draft, told)
        case AliasKind.ATTACH:
            identity_graph.on_attach(draft, told)
        case AliasKind.JOINED:
            identity_graph.on_joined(draft, told)
        case AliasKind.MOVED:
            identity_graph.on_moved(draft, told)
        case AliasKind.ERASE:
            erasure.on_erase(draft, told, received_at_ms)
        case AliasKind.ERASED:
            erasure.on_erased(draft, told, received_at_ms)
        case AliasKind.RESOLVED | AliasKind.CONFLICT | AliasKind.DUPLICATE | AliasKind.DROPPED:
            pass  # reports, for readers of the log
    return draft.finish()


def _take(draft: Draft, record: IntakeRecord, received_at_ms: int) -> None:
    returned = draft.key in record.asked
    if not returned and not record.asked and not draft.see(record.event_id):
        draft.report(AliasKind.DUPLICATE)
    elif record.kind == EventKind.ERASURE:
        erasure.take_erasure(draft, record, received_at_ms)
    elif _is_forgotten(draft, record):
        draft.report(AliasKind.DROPPED)
    elif draft.head is not None and draft.head.lead_id is not None:
        _take_or_hand_on(draft, record, received_at_ms, home=returned or not record.asked)
    else:
        _ask_or_begin(draft, record, received_at_ms)


def _is_forgotten(draft: Draft, record: IntakeRecord) -> bool:
    head = draft.head
    if head is None or head.erased_at_ms is None:
        return False
    return head.forgets(draft.occurred_at_ms) or (head.lead_id is None and not erasure.comes_back(record))


def _take_or_hand_on(draft: Draft, record: IntakeRecord, received_at_ms: int, *, home: bool) -> None:
    head = draft.head
    assert head is not None
    if home:
        _accept(draft, record, received_at_ms)
    elif head.root != draft.key and head.root not in record.asked:
        _send(draft, record, head.root)  # the root knows whether it is the same person
    elif head.root != draft.key:
        _ask_or_begin(draft, record, received_at_ms)  # the root was asked already
    elif clash(head.slots, _slots_of(record)):
        draft.conflict(identity_key(record.identifiers[0]), draft.lead_id)
        _ask_or_begin(draft, record, received_at_ms)
    elif draft.see(record.event_id):
        _accept(draft, record, received_at_ms)
    else:
        draft.report(AliasKind.DUPLICATE)


def _ask_or_begin(draft: Draft, record: IntakeRecord, received_at_ms: int) -> None:
    home = identity_key(record.identifiers[0])
    if draft.key == home and not record.asked:
        record = evolve(record, to_ask=_asks(draft, record))
    left = (key for key in record.to_ask if key != draft.key and key not in record.asked)
    if next_one := next(left, None if draft.key == home else home):
        return _send(draft, record, next_one)
    identity_graph.begin(draft, record.identifiers[0])
    return _accept(draft, record, received_at_ms)


def _asks(draft: Draft, record: IntakeRecord) -> tuple[str, ...]:
    """Whom to ask for the lead of this identity: the weaker identifiers that name a person. It is kept, so that what comes before
    there is an answer takes the same way, behind this record, and does not begin a lead that would end in the other's."""
    if record.identifiers[0].scheme == IdentifierScheme.LEAD:
        return ()
    former = draft.head or Identity(root=draft.key)
    named = (identity_key(each) for each in record.identifiers if each.scheme in _ASKS)
    asks = tuple(dict.fromkeys((*former.asks, *(key for key in named if key != draft.key))))[:MAX_IDENTIFIERS]
    if asks != former.asks:
        draft.head = evolve(former, asks=asks)
    return asks


def _accept(draft: Draft, record: IntakeRecord, received_at_ms: int) -> None:
    publish(draft, record, received_at_ms)
    identity_graph.attach(draft, record.identifiers)


def _send(draft: Draft, record: IntakeRecord, to: str) -> None:
    draft.publish(INTAKE_KEYED, evolve(record, asked=(*record.asked, draft.key)), to)


def _slots_of(record: IntakeRecord) -> Slots:
    slots: Slots = {}
    for identifier in record.identifiers:
        slot = slot_of(identifier)
        if slot is not None:
            slots = together(slots, {slot: (identity_key(identifier),)})
    return slots
