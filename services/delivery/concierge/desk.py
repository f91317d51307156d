"""What the concierge knows and does: asks the view, keeps promises, sends claims to the inbox.

A peek writes nothing; whom a buyer was shown to is remembered in memory for an hour. A claim is one
transaction and one event under a derived id: the same token, and the same buyer within the hour,
are one claim and use one turn.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import apsw

from baton.ids import derived_id
from baton.intake.identifiers import company_domain
from baton.intake.identifiers import email as address_of
from baton.intake.profile_values import normalised_profile
from services.delivery.answers.inbox import Inbox
from services.delivery.concierge.choosing import Buyer, Choice, Known, choose
from services.delivery.concierge.tokens import NotValid, Promise, TokenMaker
from services.delivery.handoffs import Phase
from services.delivery.store.leads import References, handoffs_of, leads_by_email
from services.delivery.store.store import FILE, Store, reader, rows
from services.delivery.store.view import email_digest
from services.delivery.targets.people_model import ConciergeTarget

HOUR_S: Final = 3_600
_REMEMBERED: Final = 10_000
SOURCE: Final = "concierge"
_PERSON: Final = ("email", "phone", "first_name", "last_name", "company", "stated_problem")
_OPEN_WORK: Final = """SELECT person, count(*) FROM (
    SELECT owner AS person FROM handoff AS mine WHERE ended_ms IS NULL AND owner IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM handoff AS later WHERE later.lead_id = mine.lead_id
        AND later.qualification_id = mine.qualification_id AND later.attempt > mine.attempt
        AND later.routed_ms IS NOT NULL)
    UNION ALL SELECT person FROM promise WHERE claimed_ms > ?) GROUP BY person"""
_ON_ITS_WAY_MS: Final = 120_000
"""A promise counts as work for so long: its lead is routed a moment later."""
_COUNTED_EVERY_S: Final = 2.0
_COLLEAGUES: Final = "SELECT lead_id FROM lead WHERE account_id = ? ORDER BY lead_id LIMIT 50"


class FormWrong(ValueError):
    """The form cannot be answered; the text says why, without what was in it."""


class TooMany(RuntimeError):
    """No more turns are promised this hour; the form takes the normal route."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What the buyer is shown after the claim."""

    person: str | None
    booking: str | None


class Desk:
    """Used by several threads. ``place``: the store's directory and namespace."""

    def __init__(
        self,
        target: ConciergeTarget,
        secret: str,
        place: tuple[Path, str],
        inbox: Inbox,
        counted_every_s: float = _COUNTED_EVERY_S,
    ) -> None:
        self._counted_every_s = counted_every_s
        self._target, self._inbox = target, inbox
        self._folder, self._namespace = place
        self._tokens = TokenMaker(secret)
        self._references, self._lock = References(), threading.Lock()
        self._work: tuple[float, Mapping[str, int]] = (-1e9, {})
        self._shown: OrderedDict[str, tuple[float, Choice]] = OrderedDict()

    def warm(self, now_s: float) -> None:
        """Do once what the first question would wait for: the agreement is compiled, the lists of
        domains are read."""
        db = reader(self._folder / FILE)
        try:
            self._chosen(db, _buyer({"email": "somebody@example.com"}), now_s)
        finally:
            db.close()

    def peek(self, fields: Mapping[str, str], now_s: float) -> tuple[str, str]:
        """``now`` or ``later``, and a token; moves nothing."""
        buyer, form = _buyer(fields), form_digest(fields)
        choice = self._choice(buyer, now_s)
        promise = Promise(buyer=buyer.digest, form=form, pool=choice.pool, person=choice.person)
        return "now" if choice.now else "later", self._tokens.make(promise, now_s)

    def claim(
        self, token: str, fields: Mapping[str, str], slot: str | None, now_s: float
    ) -> Claimed:
        """Make the promise true; raises :class:`NotValid`, :class:`TooMany`, and the inbox's
        error: then the same claim may be made again."""
        promise, buyer = self._tokens.read(token, now_s), _buyer(fields)
        if (promise.buyer, promise.form) != (buyer.digest, form_digest(fields)):
            raise NotValid("the token is for another form")
        person, since_ms = self._keep(promise, slot, now_s)
        self._inbox.send(self._line(promise.buyer, fields, since_ms))
        booking = self._target.booking.get(person or "")
        return Claimed(person=self._name(person, now_s), booking=booking)

    def _choice(self, buyer: Buyer, now_s: float) -> Choice:
        db = reader(self._folder / FILE)
        try:
            choice = self._chosen(db, buyer, now_s)
        finally:
            db.close()
        with self._lock:
            shown = self._shown.get(buyer.digest)
            if shown is not None and now_s - shown[0] < HOUR_S:
                return replace(choice, pool=shown[1].pool, person=shown[1].person)
            if choice.person is not None:
                self._shown[buyer.digest] = now_s, choice
                if len(self._shown) > _REMEMBERED:
                    self._shown.popitem(last=False)
        return choice

    def _chosen(self, db: apsw.Connection, buyer: Buyer, now_s: float) -> Choice:
        now_ms = int(now_s * 1000)
        with self._lock:
            reference, open_work = self._references.at(db, now_ms), self._work_now(db, now_ms)
        if reference is None:
            return Choice()
        choice = choose(reference, buyer, _known(db, buyer, open_work), now_ms)
        query = "SELECT person, pool FROM promise WHERE buyer = ? AND until_ms > ?"
        kept = rows(db, query, (buyer.digest, now_ms))
        if kept and choice.person is not None:
            return replace(choice, pool=kept[0]["pool"], person=kept[0]["person"] or None)
        return choice

    def _work_now(self, db: apsw.Connection, now_ms: int) -> Mapping[str, int]:
        """Open work by person, counted once in a while: it looks at every open hand-off."""
        counted_at, work = self._work
        if time.monotonic() - counted_at >= self._counted_every_s:
            work = dict(db.execute(_OPEN_WORK, (now_ms - _ON_ITS_WAY_MS,)))
            self._work = time.monotonic(), work
        return work

    def _keep(self, promise: Promise, slot: str | None, now_s: float) -> tuple[str | None, int]:
        """Whom the buyer comes to, and since when that is promised: of two claims within the hour
        the first one's."""
        now_ms = int(now_s * 1000)
        store = Store(self._folder, self._namespace)
        try:
            with store.transaction():
                query = "SELECT person, claimed_ms FROM promise WHERE buyer = ? AND until_ms > ?"
                kept = rows(store.db, query, (promise.buyer, now_ms))
                if kept:
                    return kept[0]["person"] or None, kept[0]["claimed_ms"]
                query = "SELECT count(*) AS n FROM promise WHERE claimed_ms > ?"
                if rows(store.db, query, (now_ms - HOUR_S * 1000,))[0]["n"] >= (
                    self._target.turns_per_hour
                ):
                    raise TooMany
                person, until_ms = promise.person or "", now_ms + HOUR_S * 1000
                store.db.execute(
                    "INSERT OR REPLACE INTO promise VALUES (?, ?, ?, ?, ?, ?)",
                    (promise.buyer, person, promise.pool, until_ms, now_ms, slot),
                )
        finally:
            store.close()
        with self._lock:
            _, work = self._work
            self._work = self._work[0], {**work, person: work.get(person, 0) + 1}
        return promise.person, now_ms

    def _line(self, buyer: str, fields: Mapping[str, str], since_ms: int) -> dict[str, Any]:
        person = {name: fields[name] for name in _PERSON if fields.get(name) and name != "email"}
        profile = {name: text for name, text in fields.items() if name not in _PERSON}
        at = datetime.fromtimestamp(since_ms / 1000, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "id": derived_id(SOURCE, buyer, since_ms),
            "source": SOURCE,
            "kind": "engagement",
            "occurred_at": at,
            "identifiers": {"email": fields["email"]},
            "engagement": {"act": self._target.act},
        }
        parts = {"person": person, "profile": profile}
        return line | {name: part for name, part in parts.items() if part}

    def _name(self, person: str | None, now_s: float) -> str | None:
        if person is None:
            return None
        db = reader(self._folder / FILE)
        try:
            with self._lock:
                found = self._references.at(db, int(now_s * 1000))
        finally:
            db.close()
        known = found.agreement.people.get(person) if found else None
        return known.name if known else None


def _buyer(fields: Mapping[str, str]) -> Buyer:
    try:
        address = address_of(fields.get("email", ""))
    except ValueError:
        raise FormWrong("the form needs a mail address") from None
    given = {name: text for name, text in fields.items() if name not in _PERSON}
    domain = company_domain(address)
    if domain is not None:
        given.setdefault("domain", domain)
    profile, _ = normalised_profile(given)
    return Buyer(digest=email_digest(address), account_id=domain, profile=profile)


def form_digest(fields: Mapping[str, str]) -> str:
    """Of what was filled in."""
    return derived_id("form", json.dumps(dict(sorted(fields.items()))))


def _known(db: apsw.Connection, buyer: Buyer, open_work: Mapping[str, int]) -> Known:
    holder = colleague = None
    for lead in leads_by_email(db, buyer.digest):
        holder = holder or _holder(db, lead["lead_id"])
    if buyer.account_id is not None and holder is None:
        for (lead_id,) in list(db.execute(_COLLEAGUES, (buyer.account_id,))):
            colleague = colleague or _holder(db, lead_id)
    return Known(holder=holder, colleague=colleague, open_work=open_work)


def _holder(db: apsw.Connection, lead_id: str) -> str | None:
    standing = [
        one for one in handoffs_of(db, lead_id) if one.phase in (Phase.OFFERED, Phase.ACCEPTED)
    ]
    return standing[-1].holder if standing else None
