"""Two leads become one: the loser sends its book to the survivor and forwards whatever still comes
to it.

The survivor's book is then the one it would have had, had all events come to it: ledgers,
retractions, content, profile, consents and history are joined by rules that know no order, so a
book may come twice, in any order, and through a chain of merges. Where the loser was somebody's
work and the survivor is not, the survivor is handed on, first to who had the loser.

Two leads of which either is to end in the other would forward for ever. What has come full circle
stays with the smallest lead id of the circle, which takes up its life again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from baton.contracts.intake import EventKind, LeadInput, LeadMerge, LeadPerson, Person
from baton.contracts.leads import Stage, StageEvent
from baton.contracts.topic_names import LEADS_PERSONS, SCORER_TRANSFERS
from baton.contracts.transfers import LeadTransfer
from baton.derived_ids import derived_id
from baton.evolve import evolve
from services.scorer.lead.backlog_entry import leave_backlog
from services.scorer.lead.handlers.events import (
    join_persons,
    record_consent,
    record_profile,
    undo_retracted,
    update_person,
)
from services.scorer.lead.lead_deals import take_deals
from services.scorer.lead.learnt import join_heard
from services.scorer.lead.merge_takeover import hands_raised, take_over
from services.scorer.lead.merge_transfer import send_book, take_dates
from services.scorer.lead.publish_score import publish_account_part
from services.scorer.lead.rescore import rescore
from services.scorer.lead.settling import note_book
from services.scorer.lead.stage_moves import by_system, cycle_item, place, publish_consents
from services.scorer.lead.state import CYCLE, MERGED, ONLY, PERSON, LeadHead
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import OPEN
from services.scorer.score.content_touches import ContentBook, together
from services.scorer.score.ledger import RECORD, retractions, with_retractions

_MAX_ABSORBED: Final = 64
_OPEN: Final = frozenset(stage.value for stage in OPEN)


def on_merge(step: LeadStep, merge: LeadMerge) -> None:
    """At the loser: send the book, close what is open, leave a tombstone. The survivor hears of it
    by the book."""
    head = step.head
    if merge.loser != step.lead_id or merge.survivor == step.lead_id or head.ended:
        return
    if step.former is not None:
        leave_backlog(step, cause=merge.merge_id)
        send_book(step, merge.survivor, merge_id=merge.merge_id)
        cause = by_system(step, merge.merge_id, occurred_at_ms=merge.occurred_at_ms, reason=MERGED)
        step.head = evolve(step.head, survivor=merge.survivor)
        place(step, StageEvent.MERGED, cause, Stage(head.stage))
        publish_account_part(step, "remove", head.account_id, None, cause=merge.merge_id)
        if step.get(PERSON, ONLY) is not None:
            gone = LeadPerson(
                lead_id=step.lead_id,
                event_id=merge.merge_id,
                occurred_at_ms=merge.occurred_at_ms,
                person=Person(),
                erased=True,
                survivor=merge.survivor,
            )
            step.publish(LEADS_PERSONS, gone)
        step.forget_entries()
    step.head = LeadHead(ended=MERGED, survivor=merge.survivor, cycle=head.cycle, stage=head.stage)


def forward(step: LeadStep, late: LeadInput) -> None:
    """At the tombstone: what came late goes to the survivor as it came."""
    survivor = step.head.survivor
    assert survivor is not None
    step.publish(
        SCORER_TRANSFERS,
        LeadTransfer(
            transfer_id=derived_id(
                "late", step.lead_id, late.cause_id, "answer" if late.answers else "event"
            ),
            loser=step.lead_id,
            survivor=survivor,
            part=1,
            parts=1,
            events=(),
            cycles=(),
            at_ms=step.now,
            late=late,
            path=(step.lead_id,),
        ),
        survivor,
    )


def passed_on(step: LeadStep, transfer: LeadTransfer) -> bool:
    """At a tombstone in a chain: hand the transfer on. False where it has come full circle and
    stays here."""
    survivor = step.head.survivor
    assert survivor is not None
    path = (*transfer.path, step.lead_id)
    if survivor in path and step.lead_id == min(path[path.index(survivor) :]):
        step.head = LeadHead(cycle=step.head.cycle)
        return False
    step.publish(
        SCORER_TRANSFERS,
        evolve(transfer, survivor=survivor, path=tuple(dict.fromkeys(path))),
        survivor,
    )
    return True


def on_transfer(
    step: LeadStep, transfer: LeadTransfer, take: Callable[[LeadStep, object], None]
) -> None:
    """At the survivor: a book is joined; what came late is taken by ``take`` as if it had come
    here."""
    late = transfer.late
    if late is None:
        absorbed(step, transfer)
        return
    event = late.event and evolve(late.event, lead_id=step.lead_id)
    act = late.act and evolve(late.act, lead_id=step.lead_id)
    command = late.command and evolve(late.command, lead_id=step.lead_id)
    take(step, evolve(late, lead_id=step.lead_id, event=event, act=act, command=command))


def absorbed(step: LeadStep, transfer: LeadTransfer) -> None:
    """At the survivor: join the book, then score, and take over what the loser was in."""
    cycle_state = step.cycle_state
    mark = f"{transfer.transfer_id}:{transfer.part}"
    known = mark in cycle_state.absorbed
    _join_ledger(step, transfer)
    undone = undo_retracted(step, cause=transfer.transfer_id)
    head = step.head
    content = together(
        ContentBook(head.recent, head.origins), ContentBook(transfer.recent, transfer.origins)
    )
    step.head = evolve(head, recent=content.recent, origins=content.origins)
    if _join_events(step, transfer) or undone:
        publish_consents(step, transfer.transfer_id)
    if transfer.person is not None:
        update_person(step, transfer.person, transfer.person_times, cause=transfer.transfer_id)
    join_persons(step, transfer.persons, cause=transfer.transfer_id)
    for cycle in transfer.cycles:
        step.put(CYCLE, cycle_item(cycle, transfer.loser), cycle)
    take_dates(step, transfer.dates)
    join_heard(step, transfer.heard)
    take_deals(step, transfer.deals, cause=transfer.transfer_id)
    step.update_cycle(
        rejecters=tuple(sorted({*cycle_state.rejecters, *transfer.rejecters})),
        recycles=max(cycle_state.recycles, transfer.recycles),
        absorbed=(*cycle_state.absorbed, mark)[-_MAX_ABSORBED:]
        if not known
        else cycle_state.absorbed,
    )
    if transfer.part == transfer.parts:
        note_book(step, transfer.loser)
    if not known and transfer.stage and take_over(step, transfer):
        return
    raised_by = hands_raised(step, transfer) if transfer.settling and not known else ()
    rescore(step, cause=transfer.transfer_id, occurred_at_ms=transfer.at_ms, raised_by=raised_by)


def _join_events(step: LeadStep, transfer: LeadTransfer) -> bool:
    """What profile and consents came from. Whether a consent is another than before."""
    changed = False
    for event in transfer.events:
        if event.kind == EventKind.PROFILE:
            record_profile(step, event)
        else:
            changed = record_consent(step, event) or changed
    return changed


def _join_ledger(step: LeadStep, transfer: LeadTransfer) -> None:
    head = step.head
    by_id: dict[bytes, bytes] = {}
    for ledger in (head.ledger, transfer.ledger):
        for at in range(0, len(ledger), RECORD.size):
            record = ledger[at : at + RECORD.size]
            by_id[record[8:24]] = min(record, by_id.get(record[8:24], record))
    ledger = b"".join(sorted(by_id.values()))
    retracted = with_retractions(head.retracted, retractions(transfer.retractions), ledger)
    step.head = evolve(
        head,
        ledger=ledger,
        retracted=retracted,
        # Whoever works on the survivor speaks of the cycle it is in: that number stays until it
        # ends.
        cycle=head.cycle if head.stage in _OPEN else max(head.cycle, transfer.cycle),
        since_ms=max(head.since_ms, transfer.since_ms),
    )
    step.recount()
