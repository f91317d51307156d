"""How much is taken: events a second for each key (token bucket), requests at once in fair
shares."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from services.ingest.gateway.fair_shares import FairPool
from services.ingest.gateway.problem_details import Refused, not_now


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """A token bucket for each key name: ``rate`` tokens a second, at most ``burst``. ``clock`` in
    seconds."""

    def __init__(self, rate: int, burst: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, name: str, events: int) -> None:
        """Take a token for each event; raises 429 with the time until there are enough."""
        bucket = self._filled(name)
        if bucket.tokens < events:
            raise _too_many(math.ceil((events - bucket.tokens) / self._rate))
        bucket.tokens -= events

    def check(self, name: str) -> None:
        """Raise 429 where not even one event could be taken: before the body is read."""
        if self._filled(name).tokens < 1:
            raise _too_many(1)

    def _filled(self, name: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(name, _Bucket(self._burst, now))
        bucket.tokens = min(
            float(self._burst), bucket.tokens + max(0.0, now - bucket.at) * self._rate
        )
        bucket.at = now
        return bucket


def _too_many(seconds: int) -> Refused:
    return not_now(
        "rate_limited", "This key sends more events than it may; send them again later.", seconds
    )


class PublishingGate:
    """At most ``places`` requests wait for the brokers, shared fairly between keys.

    A place is taken when the body is there, never while it comes in, and held until the brokers
    have answered, also when the client has gone or was answered 503: what waits for the brokers
    takes memory.
    """

    def __init__(self, places: int, ack_timeout_ms: int) -> None:
        self._places = FairPool(places)
        self._ack_timeout_s = ack_timeout_ms / 1000
        self._left_behind: set[asyncio.Task[None]] = set()

    async def acknowledged(
        self, name: str, publish: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Publish in a place of this key and wait for the brokers.

        Raises 503 where there is no place, or the brokers do not answer in time.
        """
        if not self._places.take(name):
            raise not_now("busy", "Too many requests wait for the brokers.", 1)
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = loop.create_future()
        task = loop.create_task(publish())
        self._left_behind.add(task)
        task.add_done_callback(lambda done: self._settled(name, done, waiting))
        too_late = loop.call_later(self._ack_timeout_s, _end, waiting)
        try:
            await waiting  # not the task itself, which goes on whoever leaves
        finally:
            too_late.cancel()
        if not task.done():
            detail = "The brokers have not acknowledged in time; send the same again."
            raise not_now("not_acknowledged", detail, 2)
        task.result()

    def _settled(self, name: str, task: asyncio.Task[None], waiting: asyncio.Future[None]) -> None:
        self._left_behind.discard(task)
        self._places.give_back(name)
        if not waiting.done():
            waiting.set_result(None)
        elif not task.cancelled():
            task.exception()  # seen: nobody waits for it any more


def _end(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
