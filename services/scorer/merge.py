"""Two leads become one: the loser sends its book to the survivor and forwards whatever still comes to it.

The survivor's book is then the one it would have had, had all events come to it: ledgers, retractions, content, profile, consents and
history are joined by rules that know no order, so a book may come twice, in any order, and through a chain of merges. Where the
loser was somebody's work and the survivor is not, the survivor is handed on, first to who had the loser.

Two leads that were each told to end in the other would forward for ever. What has come full circle stays with the smallest lead id of
the circle, which takes up its life again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from baton.contracts.intake import EventKind, LeadInput, LeadMerge, LeadPerson, Person
from baton.contracts.leads import LeadTransfer, Stage
from baton.evolve import evolve
from baton.ids import derived_id
from services.scorer.content import ContentBook, together
from services.scorer.course import by_system, cycle_item, place, tell_consents
from services.scorer.events import acquainted, consent_given, profiled, settle, untold
from services.scorer.ledger import RECORD, retractions, with_retractions
from services.scorer.lifecycle import OPEN, Move
from services.scorer.rating import tell_account
from services.scorer.settling import note_book
from services.scorer.state_lead import CYCLE, MERGED, ONLY, PERSON, LeadHead
from services.scorer.taking_over import hands_raised, takes_over
from services.scorer.transferring import send_book, take_dates, take_deals
from services.scorer.turn import PERSONS, TRANSFERS, Turn
from services.scorer.waiting import stops_waiting

_MAX_ABSORBED: Final = 64
_OPEN: Final = frozenset(stage.value for stage in OPEN)


def on_merge(turn: Turn, told: LeadMerge) -> None:
    """At the loser: send the book, close what is open, leave a tombstone. The survivor hears of it by the book."""
    head = turn.head
    if told.loser != turn.lead_id or told.survivor == turn.lead_id or head.ended:
        return
    if turn.view.head is not None:
        stops_waiting(turn, cause=told.merge_id)
        send_book(turn, told.survivor, merge_id=told.merge_id)
        cause = by_system(turn, told.merge_id, occurred_at_ms=told.occurred_at_ms, reason=MERGED)
        place(turn, Move.MERGED, cause, Stage(head.stage))
        tell_account(turn, "remove", head.account_id, None, cause=told.merge_id)
        if turn.get(PERSON, ONLY) is not None:
            gone = LeadPerson(
                lead_id=turn.lead_id,
                event_id=told.merge_id,
                occurred_at_ms=told.occurred_at_ms,
                person=Person(),
                erased=True,
                survivor=told.survivor,
            )
            turn.publish(PERSONS, gone)
        turn.forget_entries()
    turn.head = LeadHead(ended=MERGED, survivor=told.survivor, cycle=head.cycle, stage=head.stage)


def forward(turn: Turn, late: LeadInput) -> None:
    """At the tombstone: what came late goes to the survivor as it came."""
    survivor = turn.head.survivor
    assert survivor is not None
    turn.publish(
        TRANSFERS,
        LeadTransfer(
            transfer_id=derived_id("late", turn.lead_id, late.cause_id, "answer" if late.answers else "event"),
            loser=turn.lead_id,
            survivor=survivor,
            part=1,
            parts=1,
            events=(),
            cycles=(),
            at_ms=turn.now,
            late=late,
            path=(turn.lead_id,),
        ),
        survivor,
    )


def passed_on(turn: Turn, told: LeadTransfer) -> bool:
    """At a tombstone in a chain: hand the transfer on. False where it has come full circle and stays here."""
    survivor = turn.head.survivor
    assert survivor is not None
    path = (*told.path, turn.lead_id)
    if survivor in path and turn.lead_id == min(path[path.index(survivor) :]):
        turn.head = LeadHead(cycle=turn.head.cycle)
        return False
    turn.publish(TRANSFERS, replace(told, survivor=survivor, path=tuple(dict.fromkeys(path))), survivor)
    return True


def on_transfer(turn: Turn, told: LeadTransfer, take: Callable[[Turn, object], None]) -> None:
    """At the survivor: a book is joined; what came late is taken by ``take`` as if it had come here."""
    late = told.late
    if late is None:
        absorbed(turn, told)
        return
    event = late.event and evolve(late.event, lead_id=turn.lead_id)
    act = late.act and evolve(late.act, lead_id=turn.lead_id)
    take(turn, evolve(late, lead_id=turn.lead_id, event=event, act=act))


def absorbed(turn: Turn, told: LeadTransfer) -> None:
    """At the survivor: join the book, then score, and take over what the loser was in."""
    course = turn.course
    mark = f"{told.transfer_id}:{told.part}"
    known = mark in course.absorbed
    _join_ledger(turn, told)
    untold(turn, cause=told.transfer_id)
    head = turn.head
    content = together(ContentBook(head.recent, head.origins), ContentBook(told.recent, told.origins))
    turn.head = evolve(head, recent=content.recent, origins=content.origins)
    _join_events(turn, told)
    if told.person is not None:
        acquainted(turn, told.person, told.person_times, cause=told.transfer_id)
    for cycle in told.cycles:
        turn.put(CYCLE, cycle_item(cycle, told.loser), cycle)
    take_dates(turn, told.dates)
    take_deals(turn, told.deals)
    turn.steer(
        rejecters=tuple(sorted({*course.rejecters, *told.rejecters})),
        recycles=max(course.recycles, told.recycles),
        absorbed=(*course.absorbed, mark)[-_MAX_ABSORBED:] if not known else course.absorbed,
    )
    if told.part == told.parts:
        note_book(turn, told.loser)
    if not known and told.stage and takes_over(turn, told):
        return
    raised_by = hands_raised(turn, told) if told.settling and not known else ()
    settle(turn, cause=told.transfer_id, occurred_at_ms=told.at_ms, raised_by=raised_by)


def _join_events(turn: Turn, told: LeadTransfer) -> None:
    changed = False
    for event in told.events:
        if event.kind == EventKind.PROFILE:
            profiled(turn, event)
        else:
            changed = consent_given(turn, event) or changed
    if changed:
        tell_consents(turn, told.transfer_id)


def _join_ledger(turn: Turn, told: LeadTransfer) -> None:
    head = turn.head
    by_id: dict[bytes, bytes] = {}
    for ledger in (head.ledger, told.ledger):
        for at in range(0, len(ledger), RECORD.size):
            record = ledger[at : at + RECORD.size]
            by_id[record[8:24]] = min(record, by_id.get(record[8:24], record))
    ledger = b"".join(sorted(by_id.values()))
    retracted = with_retractions(head.retracted, retractions(told.retractions), ledger)
    turn.head = replace(
        head,
        ledger=ledger,
        retracted=retracted,
        # Whoever works on the survivor speaks of the cycle it is in: that number stays until it ends.
        cycle=head.cycle if head.stage in _OPEN else max(head.cycle, told.cycle),
        since_ms=max(head.since_ms, told.since_ms),
    )
    turn.recount()
