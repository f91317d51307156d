"""What the command line does with deliveries: list, show, send again, pause, check. Found by
:mod:`baton.flow`. It works on the file beside a running worker."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from baton.settings import Settings
from services.delivery.answers.inbox import NotTaken
from services.delivery.carriers import Surroundings
from services.delivery.outbox_file import folder_of
from services.delivery.settings import DeliverySettings
from services.delivery.store import outbox
from services.delivery.store.outbox_store import FILE, Store, rows
from services.delivery.target_checking import check_targets
from services.delivery.targets.target_reading import read_secrets, read_targets

_SHOWN = (
    "SELECT id, target, kind, topic, fact_id, lead_id, state, attempts, created_ms, next_at_ms, "
    "done_ms, outcome FROM delivery"
)


class NoDelivery(RuntimeError):
    """There is nothing here yet, or no such delivery or target; the text says what to do."""


@contextlib.contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    folder = folder_of(settings, DeliverySettings())
    if not (folder / FILE).exists():
        raise NoDelivery("nothing was delivered from here yet; start a worker with: baton up")
    store = Store(folder, settings.namespace)
    try:
        yield store
    finally:
        store.close()


def listed(
    settings: Settings, *, state: str | None, target: str | None, limit: int
) -> list[dict[str, Any]]:
    """Deliveries, the newest first, without what is in them; raises :class:`NoDelivery`."""
    with _store(settings) as store:
        return rows(
            store.db,
            f"{_SHOWN} WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR target = ?2) "
            "ORDER BY seq DESC LIMIT ?3",
            (state, target, limit),
        )


def targets(settings: Settings) -> list[dict[str, Any]]:
    """How every target is, with what waits for it; raises :class:`NoDelivery`."""
    with _store(settings) as store:
        counts = outbox.counts(store.db)
        found = rows(store.db, "SELECT * FROM target ORDER BY name")
    for row in found:
        for state in ("waiting", "dead"):
            row[state] = counts.get((row["name"], state), 0)
    return found


def shown(settings: Settings, name: str) -> dict[str, Any]:
    """One delivery with its payload; raises :class:`NoDelivery`."""
    with _store(settings) as store:
        found = rows(store.db, "SELECT * FROM delivery WHERE id = ?", (name,))
    if not found:
        raise NoDelivery(f"there is no delivery {name}; see: baton delivery list")
    return found[0]


def resend(settings: Settings, ids: Sequence[str], dead_of: str | None) -> list[str]:
    """Make deliveries due again, or all dead ones of a target; gives the ids of those that are."""
    with _store(settings) as store:
        wanted = list(ids)
        if dead_of is not None:
            query = "SELECT id FROM delivery WHERE target = ? AND state = 'dead' ORDER BY seq"
            wanted += [name for (name,) in store.db.execute(query, (dead_of,))]
        return outbox.resend(store, wanted, int(time.time() * 1000))


def pause(settings: Settings, name: str, paused: bool) -> None:
    """Pause a target, or let it go on; raises :class:`NoDelivery`."""
    with _store(settings) as store:
        if not outbox.set_paused(store, name, paused):
            raise NoDelivery(f"there is no target {name}; see: baton delivery targets")


def cancel(settings: Settings, name: str) -> int:
    """Cancel what waits for a target; gives how many deliveries. Raises :class:`NoDelivery`."""
    with _store(settings) as store:
        number = outbox.cancel(store, name, int(time.time() * 1000))
    if number is None:
        raise NoDelivery(f"there is no target {name}; see: baton delivery targets")
    return number


class _Nowhere:
    """A check sends nothing."""

    def send(self, line: Mapping[str, Any]) -> None:
        """Never called."""
        raise NotTaken("a check sends nothing")


def check(settings: Settings) -> list[tuple[str, bool, str]]:
    """Ask every target of the file whether it could be delivered to; gives name, verdict and
    words. Raises what is wrong with the file."""
    own = DeliverySettings()
    found = read_targets(own.targets)
    secrets = read_secrets(found)
    folder = folder_of(settings, own)
    around = Surroundings(
        secrets=secrets, own=own, folder=folder, namespace=settings.namespace, inbox=_Nowhere()
    )
    return asyncio.run(check_targets(found, around))
