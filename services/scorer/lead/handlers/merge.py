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

from baton.contracts.intake import EventKind, LeadAct, LeadEvent, LeadMerge, LeadPerson, Person
from baton.contracts.leads import LeadTransfer, Stage, StageEvent
from baton.contracts.topic_names import SCORER_TRANSFERS
from baton.evolve import evolve
from baton.ids import derived_id
from services.scorer.lead.backlog_entry import stops_waiting
from services.scorer.lead.handlers.events import acquainted, consent_given, profiled, untold
from services.scorer.lead.merge_takeover import takes_over
from services.scorer.lead.merge_transfer import send_book, take_dates, take_deals
from services.scorer.lead.publish_score import tell_account
from services.scorer.lead.rescore import settle
from services.scorer.lead.stage_moves import by_system, cycle_item, place, tell_consents
from services.scorer.lead.state import CYCLE, MERGED, LeadHead
from services.scorer.lead.step import Turn
from services.scorer.lead.transitions import OPEN
from services.scorer.score.content_touches import ContentBook, together
from services.scorer.score.ledger import RECORD, retractions, with_retractions

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
        place(turn, StageEvent.MERGED, cause, Stage(head.stage))
        tell_account(turn, "remove", head.account_id, None, cause=told.merge_id)
        turn.forget_entries()
    turn.head = LeadHead(ended=MERGED, survivor=told.survivor, cycle=head.cycle, stage=head.stage)


def forward(turn: Turn, value: LeadEvent | LeadAct | LeadPerson) -> None:
    """At the tombstone: what came late goes to the survivor as it came."""
    survivor = turn.head.survivor
    assert survivor is not None
    person = value if isinstance(value, LeadPerson) else None
    turn.publish(
        SCORER_TRANSFERS,
        LeadTransfer(
            transfer_id=derived_id("late", turn.lead_id, value.event_id, type(value).__name__),
            loser=turn.lead_id,
            survivor=survivor,
            part=1,
            parts=1,
            events=(value,) if isinstance(value, LeadEvent) else (),
            cycles=(),
            at_ms=turn.now,
            person=person.person if person else None,
            person_times=dict.fromkeys(Person.__dataclass_fields__, person.occurred_at_ms) if person else {},
            late=True,
            acts=(value,) if isinstance(value, LeadAct) else (),
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
    turn.publish(SCORER_TRANSFERS, replace(told, survivor=survivor, path=tuple(dict.fromkeys(path))), survivor)
    return True


def on_transfer(turn: Turn, told: LeadTransfer, take: Callable[[Turn, object], None]) -> None:
    """At the survivor: a book is joined; what came late is taken by ``take`` as if it had come here."""
    if not told.late:
        absorbed(turn, told)
        return
    if told.person is not None:
        acquainted(turn, told.person, dict(told.person_times))
    for event in told.events:
        take(turn, replace(event, lead_id=turn.lead_id))
    for act in told.acts:
        take(turn, replace(act, lead_id=turn.lead_id))


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
        acquainted(turn, told.person, dict(told.person_times))
    for cycle in told.cycles:
        turn.put(CYCLE, cycle_item(cycle, told.loser), cycle)
    take_dates(turn, told.dates)
    take_deals(turn, told.deals)
    turn.steer(
        rejecters=tuple(sorted({*course.rejecters, *told.rejecters})),
        recycles=max(course.recycles, told.recycles),
        absorbed=(*course.absorbed, mark)[-_MAX_ABSORBED:] if not known else course.absorbed,
    )
    if not known and told.stage and takes_over(turn, told):
        return
    settle(turn, cause=told.transfer_id, occurred_at_ms=told.at_ms)


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
