"""How much is taken: events a second for each key (token bucket), requests at once for all."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.ingest.gateway.problem_details import Refused, not_now


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """A token bucket for each key name: ``rate`` tokens a second, at most ``burst``. ``clock`` in seconds."""

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
        bucket.tokens = min(float(self._burst), bucket.tokens + max(0.0, now - bucket.at) * self._rate)
        bucket.at = now
        return bucket


def _too_many(seconds: int) -> Refused:
    return not_now("rate_limited", "This key sends more events than it may; send them again later.", seconds)


class Gate:
    """At most ``places`` requests are worked on. A place is held until the brokers have answered, also when the client has gone or
    was told to come again: what waits for the brokers takes memory."""

    def __init__(self, places: int, ack_timeout_ms: int) -> None:
        self._free = places
        self._ack_timeout_s = ack_timeout_ms / 1000
        self._left_behind: set[asyncio.Task[None]] = set()

    def enter(self) -> None:
        """Take a place; raises 503 where there is none."""
        if self._free <= 0:
            raise not_now("busy", "Too many requests are being worked on.", 1)
        self._free -= 1

    def leave(self) -> None:
        """Give the place back."""
        self._free += 1

    async def acknowledged(self, publishing: Awaitable[None]) -> None:
        """Wait for the brokers; raises 503 where they do not answer in time. The place is given back when they have."""
        task = asyncio.ensure_future(_as_coroutine(publishing))
        self._left_behind.add(task)
        task.add_done_callback(self._settled)
        try:
            async with asyncio.timeout(self._ack_timeout_s):
                await asyncio.shield(task)
        except TimeoutError:
            raise not_now("not_acknowledged", "The brokers have not acknowledged in time; send the same again.", 2) from None

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._left_behind.discard(task)
        self.leave()
        if not task.cancelled():
            task.exception()  # seen: where the request still waits it was raised there


async def _as_coroutine(waiting: Awaitable[None]) -> None:
    await waiting
