"""Whether what the gateway publishes is processed: a success must not be said for long to events
that nobody looks at.

Every few seconds the ends of ``intake.keyed.v1`` are held against what the group of ``identify``
has committed. Where events wait and not one more is committed anywhere for :attr:`limit_s`, the
gateway halts: 503 with Retry-After, until something moves again. A partition that stands still
while others go on is not this watch's; the service's own readiness shows it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from aiokafka.errors import KafkaError

from baton.contracts.topic_names import INTAKE_KEYED
from baton.engine.kafka.cluster import Cluster, Place
from services.ingest.gateway import metrics

log = logging.getLogger(__name__)

READER = "identify"
_EVERY_S = 2.0
_ANSWER_S = 10.0


class Progress:
    """How long events have waited without any being processed. Pure: it is given ends, commits and
    moments."""

    def __init__(self) -> None:
        self._committed: dict[Place, int] = {}
        self._still_since: float | None = None

    def observe(
        self, ends: Mapping[Place, int], committed: Mapping[Place, int], now: float
    ) -> float:
        """For how many seconds nothing has moved while something waited; 0 where all is well."""
        waiting = any(end > committed.get(place, 0) for place, end in ends.items())
        moved = dict(committed) != self._committed
        self._committed = dict(committed)
        if not waiting or moved:
            self._still_since = None
        if waiting and self._still_since is None:
            self._still_since = now
        return 0.0 if self._still_since is None else now - self._still_since


class BacklogWatch:
    """Asks the brokers, and says whether the gateway is to halt."""

    def __init__(
        self, cluster: Cluster, *, limit_s: float, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster = cluster
        self._limit_s = limit_s
        self._seconds = seconds
        self._progress = Progress()
        self._stalled_s = 0.0
        self._answered_at: float | None = None

    def halted(self) -> str | None:
        """Why nothing is taken now; None while it is."""
        if self._stalled_s > self._limit_s:
            return "What was taken before is not being processed; send the same again later."
        return None

    def unanswered(self) -> bool:
        """Whether the brokers have not answered for the limit, or not yet."""
        return self._answered_at is None or self._seconds() - self._answered_at > self._limit_s

    async def watch(self) -> None:
        """Look every few seconds, until cancelled."""
        await self._cluster.start()
        try:
            places = [
                (INTAKE_KEYED, number)
                for number in range(await self._cluster.partitions(INTAKE_KEYED))
            ]
            while True:
                await self._look(places)
                await asyncio.sleep(_EVERY_S)
        finally:
            await self._cluster.stop()

    async def _look(self, places: list[Place]) -> None:
        try:
            async with asyncio.timeout(_ANSWER_S):
                ends = await self._cluster.ends(places)
                committed = await self._cluster.committed(READER, places)
        except (KafkaError, TimeoutError) as error:
            log.warning("asking how far %s is: %s; trying again", READER, type(error).__name__)
            return
        self._answered_at = self._seconds()
        was_halted = self.halted() is not None
        offsets = {place: position.offset for place, position in committed.items()}
        self._stalled_s = self._progress.observe(ends, offsets, self._answered_at)
        metrics.STALLED_SECONDS.set(self._stalled_s)
        if (self.halted() is not None) != was_halted:
            log.warning(
                "%s",
                "takes events again"
                if was_halted
                else f"halted: {READER} has processed nothing for {self._stalled_s:.0f} s",
            )
