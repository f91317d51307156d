"""What the concierge knows and does: asks the view, keeps promises, sends claims to the inbox.

A peek writes nothing; whom a buyer was shown to is remembered in memory for an hour. A claim is one
transaction and one event under a derived id: the same token, and the same buyer within the hour,
are one claim and use one turn.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import apsw

from baton.agreement.reference import AgreementReference
from services.delivery.answers.inbox import Inbox
from services.delivery.concierge import promises
from services.delivery.concierge.buyer import (
    Buyer,
    buyer_of,
    check_form,
    claim_line,
    form_digest,
)
from services.delivery.concierge.choosing import Binding, Choice, Known, best_of, choose, has_room
from services.delivery.concierge.known_leads import known_of, standing_of
from services.delivery.concierge.openings import Openings
from services.delivery.concierge.peek_tokens import NotValid, Promise, TokenMaker
from services.delivery.concierge.promise_keeping import booked_line
from services.delivery.concierge.promises import Promised, Wish
from services.delivery.concierge.slots import Busy, slot_text
from services.delivery.concierge.work_count import WorkCount
from services.delivery.store.lead_view import References, leads_by_email
from services.delivery.store.outbox_store import FILE, Store, reader
from services.delivery.targets.people_model import ConciergeTarget

HOUR_S: Final = 3_600
_REMEMBERED: Final = 10_000
_COUNTED_EVERY_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Peeked:
    """``queue``: ``now`` or ``later``; ``slots``: times that somebody of the pool has."""

    queue: str
    token: str
    slots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What the buyer is shown after the claim. ``slot``: the time that is theirs; ``slots``: the
    person's free times where they have none yet."""

    person: str | None
    booking: str | None
    slot: str | None = None
    slots: tuple[str, ...] = ()


class Desk:
    """Used by several threads. ``place``: the store's directory and namespace; ``openings`` None:
    no calendars are known, and a time is the booking page's affair."""

    def __init__(
        self,
        target: ConciergeTarget,
        secret: str,
        place: tuple[Path, str],
        inbox: Inbox,
        *,
        openings: Openings | None = None,
        counted_every_s: float = _COUNTED_EVERY_S,
    ) -> None:
        self._target, self._inbox, self._openings = target, inbox, openings
        self._folder, self._namespace = place
        self._tokens = TokenMaker(secret)
        self._references, self._lock = References(), threading.Lock()
        self._store: Store | None = None
        self._keeping, self._own = threading.Lock(), threading.local()
        self._work = WorkCount(counted_every_s, self._keeping)
        self._shown: OrderedDict[str, tuple[float, Choice]] = OrderedDict()

    def warm(self, now_s: float) -> None:
        """Do once what the first question would wait for: the agreement is compiled, the lists of
        domains are read, the free times are computed."""
        with self._reading() as db:
            choice = self._chosen(db, buyer_of({"email": "somebody@example.com"}), now_s)
            self._slots_of_pool(db, choice.shown_pool, now_s)

    def zone_of(self, person: str) -> str:
        """Where the person's days are meant; UTC while no agreement is in force."""
        try:
            with self._reading() as db:
                found = self._reference(db, int(time.time() * 1000))
        except apsw.CantOpenError:
            found = None  # nothing was read yet: a check before the first start
        if found is None:
            return "UTC"
        return str(found.agreement.calendar_for(person=person).zone)

    def peek(self, fields: Mapping[str, str], now_s: float) -> Peeked:
        """Moves nothing."""
        buyer, form = buyer_of(fields), form_digest(fields)
        check_form(fields, self._target.act, int(now_s * 1000))
        with self._reading() as db:
            choice = self._remembered(buyer, self._chosen(db, buyer, now_s), now_s)
            slots = self._slots_of_pool(db, choice.shown_pool, now_s)
        promise = Promise(
            buyer=buyer.digest,
            form=form,
            pool=choice.pool,
            person=choice.person,
            binding=choice.binding.value,
        )
        token = self._tokens.make(promise, now_s)
        return Peeked(queue="now" if choice.now else "later", token=token, slots=slots)

    def claim(
        self, token: str, fields: Mapping[str, str], slot: datetime | None, now_s: float
    ) -> Claimed:
        """Make the promise true; raises :class:`NotValid`,
        :class:`~services.delivery.concierge.promises.TooMany`, and the inbox's error: then the same
        claim may be made again."""
        promise, buyer = self._tokens.read(token, now_s), buyer_of(fields)
        if (promise.buyer, promise.form) != (buyer.digest, form_digest(fields)):
            raise NotValid("the token is for another form")
        check_form(fields, self._target.act, int(now_s * 1000))
        found = self._keep(promise, slot, now_s)
        self._inbox.send(claim_line(buyer.digest, fields, self._target.act, found.since_ms))
        with self._reading() as db:
            self._book_standing(db, buyer, found, now_s)
            free = () if found.slot else self._slots_of(db, promise.pool, found.person, now_s)
            name = self._name(db, found.person, now_s)
        booking = self._target.booking.get(found.person or "")
        return Claimed(person=name, booking=booking, slot=found.slot, slots=free)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        """A connection of the thread's own, kept: opening one reads the whole schema."""
        if not hasattr(self._own, "db"):
            self._own.db = reader(self._folder / FILE)
        yield self._own.db

    def _reference(self, db: apsw.Connection, now_ms: int) -> AgreementReference | None:
        with self._lock:
            return self._references.at(db, now_ms)

    def _remembered(self, buyer: Buyer, choice: Choice, now_s: float) -> Choice:
        """The same buyer is shown to the same person for an hour."""
        with self._lock:
            shown = self._shown.get(buyer.digest)
            if shown is not None and now_s - shown[0] < HOUR_S:
                before = shown[1]
                return replace(
                    choice, pool=before.pool, person=before.person, binding=before.binding
                )
            if choice.person is not None:
                self._shown[buyer.digest] = now_s, choice
                if len(self._shown) > _REMEMBERED:
                    self._shown.popitem(last=False)
        return choice

    def _chosen(self, db: apsw.Connection, buyer: Buyer, now_s: float) -> Choice:
        now_ms = int(now_s * 1000)
        reference, work = self._reference(db, now_ms), self._work.at(db, now_ms)
        if reference is None:
            return Choice()
        choice = choose(reference, buyer, known_of(db, buyer, work), now_ms)
        kept = promises.kept_of(db, buyer.digest, now_ms)
        if kept is not None and choice.person is not None:
            return replace(choice, pool=kept["pool"], person=kept["person"] or None)
        return choice

    # --- times

    def _slots_of_pool(self, db: apsw.Connection, pool: str, now_s: float) -> tuple[str, ...]:
        """Of a pool by its name, whoever asks: they show nothing of the buyer."""
        now_ms = int(now_s * 1000)
        reference = self._reference(db, now_ms)
        if self._openings is None or reference is None or pool not in reference.agreement.pools:
            return ()
        work = self._work.at(db, now_ms)
        people = [
            member.person
            for member in reference.agreement.pools[pool].members
            if has_room(reference.agreement, member, work)
        ]
        given = promises.given_away(db, people, now_ms)
        found = self._openings.of_pool(reference, pool, people, given, now_ms)
        return tuple(slot_text(start) for start in found)

    def _slots_of(
        self, db: apsw.Connection, pool: str, person: str | None, now_s: float
    ) -> tuple[str, ...]:
        """Of a person who has been named."""
        now_ms = int(now_s * 1000)
        reference = self._reference(db, now_ms)
        if self._openings is None or reference is None or person is None:
            return ()
        given = promises.given_away(db, [person], now_ms)
        found = self._openings.of_pool(reference, pool, [person], given, now_ms)
        return tuple(slot_text(start) for start in found)

    def _keep(self, promise: Promise, slot: datetime | None, now_s: float) -> Promised:
        now_ms = int(now_s * 1000)
        slot_ms = int(slot.timestamp() * 1000) if slot is not None else None
        with self._reading() as db:
            reference, work = self._reference(db, now_ms), self._work.at(db, now_ms)
        others = self._others(reference, promise, work, now_ms) if slot is not None else ()
        wish = Wish(
            buyer=promise.buyer,
            pool=promise.pool,
            person=promise.person,
            others=others,
            slot=slot.isoformat() if slot is not None else None,
            slot_ms=slot_ms,
            minutes=self._target.slots.minutes,
            free_at=self._free_at(reference, promise.pool, now_ms),
        )
        with self._keeping:  # one claim at a time asks for the file; the others do not poll for it
            self._store = self._store or Store(self._folder, self._namespace)
            found = promises.keep(self._store, wish, self._target.turns_per_hour, now_ms)
            if found.is_new and found.person:  # before the next count, which includes it
                self._work.add(found.person)
        return found

    def _others(
        self,
        reference: AgreementReference | None,
        promise: Promise,
        work: Mapping[str, int],
        now_ms: int,
    ) -> tuple[str, ...]:
        """Who else of the pool may take the buyer at the time they chose, the best one first."""
        if (
            self._openings is None
            or reference is None
            or promise.binding != Binding.POOL
            or promise.pool not in reference.agreement.pools
        ):
            return ()
        pool, known = reference.agreement.pools[promise.pool], Known(open_work=work)
        left = [one for one in pool.members if has_room(reference.agreement, one, work)]
        found = []
        while left:
            best = best_of(reference, left, known, promise.buyer, now_ms)
            found.append(best)
            left = [one for one in left if one.person != best]
        return tuple(found)

    def _free_at(self, reference: AgreementReference | None, pool: str, now_ms: int) -> Any:
        openings = self._openings
        if openings is None or reference is None:
            return None

        def free_at(person: str, start_ms: int, given: Busy) -> bool:
            return openings.is_free(reference, pool, person, start_ms, given, now_ms)

        return free_at

    def _book_standing(
        self, db: apsw.Connection, buyer: Buyer, found: Promised, now_s: float
    ) -> None:
        """Record the meeting where the person has the lead already; else it is recorded when the
        lead is routed."""
        if found.slot is None or found.person is None:
            return
        for lead in leads_by_email(db, buyer.digest):
            standing = standing_of(db, lead["lead_id"])
            if standing is not None and standing.holder == found.person:
                line = booked_line(standing, found.person, found.slot, int(now_s * 1000))
                self._inbox.send(line)

    def _name(self, db: apsw.Connection, person: str | None, now_s: float) -> str | None:
        found = self._reference(db, int(now_s * 1000)) if person is not None else None
        known = found.agreement.people.get(person or "") if found else None
        return known.name if known else None
