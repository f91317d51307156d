"""workload, per person: limits over all pools, kept exactly.

A pool alone says whose turn it is. Where that person has a limit over several pools, its answer
goes to dispatch by way of here, with what the person has from the pool. The numbers of all pools
meet in one log, in its order: a proposal within the limits is passed on, any other goes back to its
pool, which puts the lead where it was in its queue. Pools that were denied hear of it when there is
room again.

Nothing is reserved and nothing can leak: a pool reports absolute numbers, and each report replaces
the former one. Whose turn it is, and which pool is served first, is not decided here.
"""

from dataclasses import replace
from datetime import timedelta

from baton.agreement.compiled.pools import PersonRule
from baton.agreement.reference import AgreementReference
from baton.agreement.wall_time import local_date, zone_named
from baton.contracts.routing import (
    LeadRouted,
    LeadUnrouted,
    QueueItem,
    RequestKind,
    UnroutedOutcome,
)
from baton.contracts.streams import answer
from baton.contracts.topic_names import ROUTER_ANSWERS, ROUTER_PEOPLE, ROUTER_QUEUE
from baton.contracts.workload import Keeps, PersonNote
from baton.engine.reducer import Event, Fact, Reducer, Step, View
from services.router.workload.person_limits import limit_reached, sums_of, unreported
from services.router.workload.state import Denial, PersonLoad, PoolShare

_OF_AN_OFFER = frozenset({UnroutedOutcome.RECALLED, UnroutedOutcome.RELIEVED})
"""Answers that take away what was offered, and mean nothing where the offer was denied."""


class Workload(Reducer[PersonLoad, AgreementReference]):
    """The reducer; see the module."""

    name = "workload"
    service = "router"
    inputs = (ROUTER_PEOPLE,)
    outputs = (ROUTER_ANSWERS, ROUTER_QUEUE)
    head_type = PersonLoad
    adopts = True

    def step(
        self, view: View[PersonLoad], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[PersonLoad]:
        """Take one note of a pool."""
        note: PersonNote = event.value
        rule = _shared(reference, view.key)
        if rule is None:
            # The limits are over; the pool said this before it knew.
            return Step(head=None, facts=_answers(note))
        book = _Book(view.head or PersonLoad(person=view.key), rule, reference, now)
        facts = (*book.take(note), *book.room_again(view.cause))
        return Step(head=book.load, facts=facts)

    def adopt(
        self, view: View[PersonLoad], *, old: str, new: AgreementReference, now: int
    ) -> Step[PersonLoad]:
        """Other limits may have room; without limits there is nothing to keep."""
        rule = _shared(new, view.key)
        if rule is None or view.head is None:
            return Step(head=None)
        book = _Book(view.head, rule, new, now)
        facts = book.room_again(view.cause)
        return Step(head=book.load, facts=facts)


class _Book:
    """What a person has, while one step runs."""

    def __init__(
        self, load: PersonLoad, rule: PersonRule, reference: AgreementReference, now: int
    ) -> None:
        day = local_date(now, zone_named(reference.agreement.timezone))
        self.load = load
        self._rule = rule
        self._now = now
        self._day = day.isoformat()
        self._monday = (day - timedelta(days=day.weekday())).isoformat()

    def take(self, note: PersonNote) -> tuple[Fact, ...]:
        """The pool's numbers from now on, and what becomes of what it proposes or answers."""
        before = next((share for share in self.load.shares if share.pool == note.pool), None)
        denied = before.denied if before is not None else ()
        share = PoolShare(
            pool=note.pool,
            day=note.day,
            offered=note.offered,
            accepted=note.accepted,
            today=note.today,
            this_week=note.this_week,
            denied=tuple(denial for denial in denied if denial.handoff_id != note.handoff_id),
        )
        self._put(share)
        if note.routed is None or note.item is None:
            return _answers(note, denied)
        if note.keeps != Keeps.NONE:
            limit = self._limit(note.keeps)
            if limit is not None or note.day != self._day:
                return (self._deny(note, note.item, share, limit),)
        return _answers(note)

    def room_again(self, cause: str) -> tuple[Fact, ...]:
        """Publishes to the pools that were denied that there is room, if there is."""
        if not self.load.waiting or self._limit(Keeps.ALL, more=1) is not None:
            return ()
        waiting = self.load.waiting
        self.load = replace(self.load, waiting=())
        return tuple(
            Fact(ROUTER_QUEUE, pool, _room(self.load.person, pool, cause, self._now))
            for pool in waiting
        )

    def _limit(self, keeps: str, *, more: int = 0) -> str | None:
        shares = self.load.shares
        sums = sums_of(shares, day=self._day, monday=self._monday)
        missing = unreported(shares, self._rule.pools)
        return missing or limit_reached(sums, self._rule.limits, keeps, more=more)

    def _deny(self, note: PersonNote, item: QueueItem, share: PoolShare, limit: str | None) -> Fact:
        denial = Denial(handoff_id=item.handoff_id, day=note.day)
        self._put(replace(share, denied=(*share.denied, denial)))
        if limit is not None:
            waiting = tuple(sorted({*self.load.waiting, note.pool}))
            self.load = replace(self.load, waiting=waiting)
        back = replace(
            item,
            kind=RequestKind.DENIED,
            limited=self.load.person,
            limit=limit,
            at_ms=note.at_ms,
            took_turn=note.routed is not None and note.routed.turn_used,
        )
        return Fact(ROUTER_QUEUE, note.pool, back)

    def _put(self, share: PoolShare) -> None:
        others = (known for known in self.load.shares if known.pool != share.pool)
        shares = tuple(sorted((*others, share), key=lambda known: known.pool))
        self.load = replace(self.load, shares=shares)


def _shared(reference: AgreementReference, person: str) -> PersonRule | None:
    rule = reference.agreement.people.get(person)
    return rule if rule is not None and rule.shared else None


def _answers(note: PersonNote, denied: tuple[Denial, ...] = ()) -> tuple[Fact, ...]:
    """What the note has for dispatch. Nothing is taken away that was not given."""
    value: LeadRouted | LeadUnrouted | None = note.routed or note.unrouted
    if value is None:
        return ()
    never = value.handoff_id in {denial.handoff_id for denial in denied}
    if never and isinstance(value, LeadUnrouted) and value.outcome in _OF_AN_OFFER:
        return ()
    return (Fact(ROUTER_ANSWERS, value.lead_id, answer(value)),)


def _room(person: str, pool: str, cause: str, now: int) -> QueueItem:
    return QueueItem(
        kind=RequestKind.ROOM,
        handoff_id="",
        qualification_id="",
        attempt=0,
        lead_id="",
        pool=pool,
        cause_id=cause,
        at_ms=now,
        limited=person,
    )
