"""Takes what is due from the outbox to its targets, and notes what came of it.

Targets do not wait for one another: each has its own number of requests in flight, one while it
keeps failing. An outcome is on the disk before the next deliveries are chosen; what was in flight
when the process died is sent again under the same id.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from services.delivery import metrics
from services.delivery.store import outbox
from services.delivery.store.outbox import Delivery, Settled
from services.delivery.store.outbox_store import Store
from services.delivery.webhooks.schedule import Health, Outcome, next_of, slots

log = logging.getLogger(__name__)

_IDLE_S: Final = 0.25
_PURGE_EVERY_MS: Final = 3_600_000


class Carrier(Protocol):
    """Brings deliveries to one target. ``batch``: how many at once; ``parallel``: how many calls at
    once; ``notes_begin``: whether the start of an attempt is written down, because the target does
    not recognise an id by itself."""

    batch: int
    parallel: int
    notes_begin: bool

    async def carry(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """One attempt; an outcome for each delivery, in order. Raises nothing that the target
        causes."""

    async def check(self) -> tuple[bool, str]:
        """Whether it could be delivered to, and why not; delivers nothing."""

    async def close(self) -> None:
        """Leave the target."""


def _now_ms() -> int:
    return int(time.time() * 1000)


class Sender:
    """``run`` until cancelled. ``clock``: milliseconds since the epoch. The store is used on a
    thread of its own."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        carriers: Mapping[str, Carrier],
        *,
        parallel: int = 256,
        keep_days: int = 7,
        clock: Callable[[], int] = _now_ms,
    ) -> None:
        self._open, self._carriers = open_store, dict(carriers)
        self._parallel, self._keep_days, self._clock = parallel, keep_days, clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._store: Store | None = None
        self._running: dict[asyncio.Task[list[Outcome]], list[Delivery]] = {}
        self._health: dict[str, Health] = {}
        self._purged_ms = 0
        self._first = 0
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Send until cancelled; what is in flight then is sent again by the next run."""
        loop = asyncio.get_running_loop()
        self._store = await loop.run_in_executor(self._thread, self._open)
        try:
            while True:
                await self._settle()
                self._launch(await loop.run_in_executor(self._thread, self._due))
                await self._wait()
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            await loop.run_in_executor(self._thread, self._store.close)
            self._thread.shutdown()
            for carrier in self._carriers.values():
                await carrier.close()

    async def _wait(self) -> None:
        waking = asyncio.create_task(self.wake.wait())
        await asyncio.wait(
            {waking, *self._running}, timeout=_IDLE_S, return_when=asyncio.FIRST_COMPLETED
        )
        waking.cancel()
        self.wake.clear()

    async def _settle(self) -> None:
        done = [task for task in self._running if task.done()]
        if not done:
            return
        now_ms, settled = self._clock(), []
        for task in done:
            deliveries = self._running.pop(task)
            for delivery, outcome in zip(deliveries, _outcomes(task, deliveries), strict=True):
                settled.append(self._settled(delivery, outcome, now_ms))
        assert self._store is not None
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, outbox.settle, self._store, settled, now_ms)

    def _settled(self, delivery: Delivery, outcome: Outcome, now_ms: int) -> Settled:
        before = self._health.get(delivery.target, Health())
        following, after = next_of(delivery.id, delivery.attempts, outcome, before, now_ms)
        counts = not delivery.resent and outcome.held_until_ms is None
        if counts:
            self._health[delivery.target] = after
        metrics.attempted(delivery.target, outcome, following.state)
        if following.disable:
            log.error("target %s was disabled: %s", delivery.target, following.disable)
        return Settled(
            delivery=delivery,
            outcome=outcome,
            following=following,
            health=after if counts else None,
        )

    def _due(self) -> list[list[Delivery]]:
        """What to start now, on the store's thread: calls of up to ``batch`` deliveries."""
        assert self._store is not None
        now_ms = self._clock()
        if now_ms - self._purged_ms > _PURGE_EVERY_MS:
            self._purged_ms = now_ms
            outbox.purge(self._store, now_ms, self._keep_days)
        self._health = outbox.healths(self._store, self._carriers.keys())
        names = [name for name in outbox.with_work(self._store) if name in self._health]
        flying = self._flying()
        free = self._parallel - len(self._running)
        calls: list[list[Delivery]] = []
        self._first += 1
        for number in range(len(names)):
            if free <= len(calls):
                break
            name = names[(number + self._first) % len(names)]
            calls += self._due_of(name, flying.get(name, []), now_ms)[: free - len(calls)]
        noting = [call for call in calls if self._carriers[call[0].target].notes_begin]
        if noting:
            outbox.begin(self._store, [item for call in noting for item in call], now_ms)
        return calls

    def _flying(self) -> dict[str, list[list[Delivery]]]:
        """The calls in flight, by target."""
        found: dict[str, list[list[Delivery]]] = {}
        for call in self._running.values():
            found.setdefault(call[0].target, []).append(call)
        return found

    def _due_of(self, name: str, flying: list[list[Delivery]], now_ms: int) -> list[list[Delivery]]:
        assert self._store is not None
        carrier = self._carriers[name]
        calls = slots(carrier.parallel, self._health[name], now_ms) - len(flying)
        if calls <= 0:
            return []
        ids = {item.id for call in flying for item in call}
        found = outbox.due(self._store, name, now_ms, calls * carrier.batch + len(ids))
        fresh = [item for item in found if item.id not in ids][: calls * carrier.batch]
        starts = range(0, len(fresh), carrier.batch)
        return [fresh[start : start + carrier.batch] for start in starts]

    def _launch(self, calls: list[list[Delivery]]) -> None:
        for call in calls:
            carrier = self._carriers[call[0].target]
            self._running[asyncio.create_task(carrier.carry(call))] = call


def _outcomes(
    task: asyncio.Task[list[Outcome]], deliveries: Sequence[Delivery]
) -> Sequence[Outcome]:
    """The outcomes of a call; where our own code raised, all have failed, and the log says where:
    this is the one place that catches it."""
    error = task.exception()
    if error is None:
        return task.result()
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error(
        "carrying to %s raised %s in %s, line %d; its text may name somebody and is not shown",
        deliveries[0].target,
        type(error).__name__,
        place.filename,
        place.lineno or 0,
    )
    failed = Outcome(ok=False, words=f"a fault of Baton's: {type(error).__name__}")
    return [failed] * len(deliveries)
