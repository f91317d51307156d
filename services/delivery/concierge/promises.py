"""Promises in the store: whom a buyer was promised, and which times were given away.

One transaction a claim: of two claims within the hour, and of two buyers of one time, the first
one stands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import apsw

from services.delivery.concierge.slots import Busy
from services.delivery.store.outbox_store import Store, rows

HOUR_MS: Final = 3_600_000
_KEPT: Final = "SELECT person, pool, claimed_ms, slot FROM promise WHERE buyer = ? AND until_ms > ?"


class TooMany(RuntimeError):
    """No more turns are promised this hour; the form takes the normal route."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A claim. ``person``: who was shown to the buyer, or nobody; ``others``: who else may take
    them at ``slot_ms``, the best one first; ``free_at``: whether a person can, given the times that
    were given away already, or None where no calendar is asked. ``minutes``: how long a slot is."""

    buyer: str
    pool: str
    person: str | None
    others: Sequence[str] = ()
    slot: str | None = None
    slot_ms: int | None = None
    minutes: int = 0
    free_at: Callable[[str, int, Busy], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """Whom the buyer comes to, since when that is promised, and at which time."""

    person: str | None
    since_ms: int
    slot: str | None
    is_new: bool


def kept_of(db: apsw.Connection, buyer: str, now_ms: int) -> dict[str, Any] | None:
    """The promise that still holds."""
    found = rows(db, _KEPT, (buyer, now_ms))
    return found[0] if found else None


def given_away(db: apsw.Connection, persons: Collection[str], now_ms: int) -> Mapping[str, Busy]:
    """The times to come that buyers have, by person."""
    query = (
        "SELECT from_ms, until_ms FROM booking WHERE person = ? AND until_ms > ? ORDER BY from_ms"
    )
    return {person: list(db.execute(query, (person, now_ms))) for person in persons}


def keep(store: Store, wish: Wish, turns_per_hour: int, now_ms: int) -> Promised:
    """Write the promise down, or find the one that holds already: then only a time may be added to
    it, once. Raises :class:`TooMany`."""
    with store.transaction():
        kept = kept_of(store.db, wish.buyer, now_ms)
        if kept is not None:
            return _kept(store, wish, kept, now_ms)
        query = "SELECT count(*) AS n FROM promise WHERE claimed_ms > ?"
        if rows(store.db, query, (now_ms - HOUR_MS,))[0]["n"] >= turns_per_hour:
            raise TooMany
        asked = filter(None, (wish.person, *wish.others))
        person = _free_one(store.db, wish, asked, now_ms)
        slot = wish.slot if person is not None else None
        person = person or wish.person
        store.db.execute(
            "INSERT OR REPLACE INTO promise VALUES (?, ?, ?, ?, ?, ?)",
            (wish.buyer, person or "", wish.pool, now_ms + HOUR_MS, now_ms, slot),
        )
        if slot is not None:
            _book(store.db, wish, person or "")
        return Promised(person=person, since_ms=now_ms, slot=slot, is_new=True)


def _kept(store: Store, wish: Wish, kept: Mapping[str, Any], now_ms: int) -> Promised:
    person, slot = kept["person"] or None, kept["slot"]
    if slot is None and person and _free_one(store.db, wish, [person], now_ms) is not None:
        slot = wish.slot
        store.db.execute("UPDATE promise SET slot = ? WHERE buyer = ?", (slot, wish.buyer))
        _book(store.db, wish, person)
    return Promised(person=person, since_ms=kept["claimed_ms"], slot=slot, is_new=False)


def _free_one(db: apsw.Connection, wish: Wish, persons: Iterable[str], now_ms: int) -> str | None:
    if wish.slot_ms is None:
        return None
    asked = list(persons)
    if wish.free_at is None:
        return asked[0] if asked else None
    taken = given_away(db, asked, now_ms)
    for person in asked:
        if wish.free_at(person, wish.slot_ms, taken.get(person, ())):
            return person
    return None


def _book(db: apsw.Connection, wish: Wish, person: str) -> None:
    assert wish.slot_ms is not None
    until_ms = wish.slot_ms + max(wish.minutes, 1) * 60_000
    db.execute(
        "INSERT INTO booking VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (person, wish.slot_ms, until_ms, wish.buyer),
    )
