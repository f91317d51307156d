"""The outbox: which deliveries are due, and what became of them. SQL over the store's connection.

States: ``waiting`` (to be sent, now or later), ``sent``, ``dead`` (given up), ``cancelled`` (its
person was forgotten). Only an outcome that was written ends a delivery: whatever was in flight when
the process died is sent again under the same id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.delivery.store.outbox_store import Store, rows
from services.delivery.webhooks.schedule import Health, Next, Outcome

WAITING: Final = "waiting"
"""A delivery waits, or it is ``sent``, ``dead`` or ``cancelled``."""
DAY_MS: Final = 86_400_000
BRIEF_DAYS: Final = 30
"""As long as the topics of hand-offs keep what a person reads of a lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery as it is handed to who carries it. ``begun_ms``: when an attempt began whose
    outcome is not known; ``attempts``: those whose outcome is."""

    seq: int
    id: str
    target: str
    kind: str
    topic: str
    lead_id: str | None
    payload: str
    attempts: int
    begun_ms: int | None
    resent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A delivery with its outcome, and what follows from it for the delivery and its target."""

    delivery: Delivery
    outcome: Outcome
    following: Next
    health: Health | None


def due(store: Store, target: str, now_ms: int, at_most: int) -> list[Delivery]:
    """The target's next deliveries, earliest first; of those with one order key only the first."""
    found = rows(
        store.db,
        """SELECT seq, id, target, kind, topic, lead_id, payload, attempts, begun_ms, resent
           FROM delivery AS mine WHERE target = ? AND state = 'waiting' AND next_at_ms <= ?
           AND (order_key IS NULL OR NOT EXISTS (
               SELECT 1 FROM delivery AS other WHERE other.target = mine.target
               AND other.order_key = mine.order_key AND other.state = 'waiting'
               AND other.seq < mine.seq))
           ORDER BY next_at_ms, seq LIMIT ?""",
        (target, now_ms, at_most),
    )
    return [Delivery(**{**row, "resent": bool(row["resent"])}) for row in found]


def healths(store: Store, names: Collection[str]) -> dict[str, Health]:
    """How the targets are; those that are paused or disabled are not among them."""
    found = rows(
        store.db,
        "SELECT name, failures, failing_since_ms, not_before_ms FROM target "
        "WHERE NOT paused AND disabled IS NULL",
    )
    return {row.pop("name"): Health(**row) for row in found if row["name"] in names}


_WITH_WORK: Final = """WITH RECURSIVE found(name) AS (
    SELECT min(target) FROM delivery WHERE state = 'waiting'
    UNION ALL SELECT (SELECT min(target) FROM delivery WHERE state = 'waiting' AND target > name)
    FROM found WHERE name IS NOT NULL)
    SELECT name FROM found WHERE name IS NOT NULL"""


def with_work(store: Store) -> list[str]:
    """The targets for which something waits, whether it is due or not: by steps through the index,
    however much waits."""
    return [name for (name,) in store.db.execute(_WITH_WORK)]


def begin(store: Store, deliveries: Iterable[Delivery], now_ms: int) -> None:
    """Note that attempts begin, for targets that cannot recognise an id by themselves."""
    with store.transaction():
        store.db.executemany(
            "UPDATE delivery SET begun_ms = ? WHERE seq = ?",
            [(now_ms, delivery.seq) for delivery in deliveries],
        )


def settle(store: Store, settled: Iterable[Settled], now_ms: int) -> None:
    """Note outcomes, all in one transaction."""
    with store.transaction():
        for item in settled:
            _settle_one(store, item, now_ms)


def _settle_one(store: Store, item: Settled, now_ms: int) -> None:
    done = now_ms if item.following.state != WAITING else None
    words = item.outcome.words
    store.db.execute(
        "UPDATE delivery SET state = ?, next_at_ms = ?, attempts = attempts + ?, begun_ms = NULL, "
        "done_ms = ?, outcome = ? WHERE seq = ? AND state = 'waiting'",
        (
            item.following.state,
            item.following.at_ms,
            item.outcome.held_until_ms is None,  # what was held back was not attempted
            done,
            words,
            item.delivery.seq,
        ),
    )
    if item.health is None:
        return
    store.db.execute(
        """UPDATE target SET failures = ?, failing_since_ms = ?,
           not_before_ms = max(not_before_ms, ?), disabled = coalesce(?, disabled),
           last_outcome = ?, last_ok_ms = CASE WHEN ? THEN ? ELSE last_ok_ms END
           WHERE name = ?""",
        (
            item.health.failures,
            item.health.failing_since_ms,
            item.health.not_before_ms,
            item.following.disable,
            words,
            item.outcome.ok,
            now_ms,
            item.delivery.target,
        ),
    )


def purge(store: Store, now_ms: int, keep_days: int) -> int:
    """Remove what was sent or cancelled longer ago; dead letters stay until they are sent again."""
    with store.transaction():
        store.db.execute(
            "DELETE FROM delivery WHERE done_ms < ? AND state IN ('sent', 'cancelled')",
            (now_ms - keep_days * DAY_MS,),
        )
        removed = store.db.changes()
        store.db.execute(
            "UPDATE handoff SET brief = NULL WHERE ended_ms < ? AND brief IS NOT NULL",
            (now_ms - BRIEF_DAYS * DAY_MS,),
        )
        store.db.execute("DELETE FROM promise WHERE until_ms < ?", (now_ms - DAY_MS,))
        store.db.execute("DELETE FROM booking WHERE until_ms < ?", (now_ms,))
    return removed


def resend(store: Store, ids: Collection[str], now_ms: int) -> list[str]:
    """Make deliveries due again under the same id; gives those that could be."""
    found = []
    with store.transaction():
        for name in ids:
            store.db.execute(
                "UPDATE delivery SET state = 'waiting', next_at_ms = ?, attempts = 0, resent = 1, "
                "done_ms = NULL WHERE id = ? AND state IN ('dead', 'sent') AND payload IS NOT NULL",
                (now_ms, name),
            )
            if store.db.changes():
                found.append(name)
    return found


def set_paused(store: Store, name: str, paused: bool) -> bool:
    """Pause a target, or let it go on: then it counts as healthy again. False: there is none."""
    with store.transaction():
        store.db.execute(
            "UPDATE target SET paused = ?, not_before_ms = 0, "
            "disabled = CASE WHEN ? THEN disabled ELSE NULL END, "
            "failures = CASE WHEN ? THEN failures ELSE 0 END, "
            "failing_since_ms = CASE WHEN ? THEN failing_since_ms ELSE NULL END WHERE name = ?",
            (paused, paused, paused, paused, name),
        )
        return bool(store.db.changes())


def cancel(store: Store, name: str, now_ms: int) -> int | None:
    """Cancel what waits for a target, with its payload; gives how many, None where there is no
    such target."""
    with store.transaction():
        if not store.db.execute("SELECT 1 FROM target WHERE name = ?", (name,)).fetchall():
            return None
        store.db.execute(
            "UPDATE delivery SET state = 'cancelled', payload = NULL, done_ms = ? "
            "WHERE target = ? AND state = 'waiting'",
            (now_ms, name),
        )
        return store.db.changes()


def counts(db: Any) -> Mapping[tuple[str, str], int]:
    """How many deliveries there are, by target and state."""
    query = "SELECT target, state, count(*) FROM delivery GROUP BY 1, 2"
    return {(target, state): number for target, state, number in db.execute(query)}
