"""Reads small topics whole and follows them: the reference topics, and the skip orders.

One consumer without a group per process. A caller that needs a topic up to a moment lists its ends
and waits until they are read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from baton.engine.kafka.cluster import Cluster, Place

log = logging.getLogger(__name__)

_WAIT_MS = 1_000
_RETRY_S = 1.0


class TopicFollower:
    """Passes every record of ``topics`` to ``take(topic, record)``, from the first on, in the order
    of its partition."""

    def __init__(
        self, cluster: Cluster, topics: tuple[str, ...], take: Callable[[str, Any], None]
    ) -> None:
        self._cluster = cluster
        self._topics = topics
        self._take = take
        self._places: list[Place] = []
        self._read: dict[Place, int] = {}
        self._moved = asyncio.Condition()

    @property
    def offsets(self) -> Mapping[str, int]:
        """The next offset of every topic, summed over its partitions."""
        read: dict[str, int] = {}
        for (topic, _), offset in self._read.items():
            read[topic] = read.get(topic, 0) + offset
        return read

    async def run(self) -> None:
        """Follow until cancelled; waits for brokers that go away. What ``take`` raises ends it."""
        if not self._topics:
            await asyncio.Event().wait()
        while True:
            try:
                await self._follow()
            except KafkaError as error:
                log.warning(
                    "cannot read %s: %s; retrying", ", ".join(self._topics), type(error).__name__
                )
                await asyncio.sleep(_RETRY_S)

    async def catch_up(self) -> None:
        """Return when everything that was appended before the call has been read."""
        places = await self._known_places()
        ends = await self._cluster.ends(places)
        async with self._moved:
            await self._moved.wait_for(
                lambda: all(self._read.get(place, 0) >= end for place, end in ends.items())
            )

    async def moved(self) -> None:
        """Return when something more has been read."""
        async with self._moved:
            await self._moved.wait()

    async def _known_places(self) -> list[Place]:
        if not self._places:
            self._places = [
                (topic, n)
                for topic in self._topics
                for n in range(await self._cluster.partitions(topic))
            ]
        return self._places

    async def _follow(self) -> None:
        places = await self._known_places()
        consumer = AIOKafkaConsumer(
            **self._cluster.client,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=500,
            consumer_timeout_ms=_WAIT_MS,
        )
        first = await self._cluster.beginnings(places)
        consumer.assign([self._cluster.at(place) for place in places])
        await consumer.start()
        try:
            for place in places:
                consumer.seek(self._cluster.at(place), max(self._read.get(place, 0), first[place]))
            while True:
                for at, records in (await consumer.getmany(timeout_ms=_WAIT_MS)).items():
                    for record in records:
                        self._take(self._cluster.place(at)[0], record)
                await self._update_positions(consumer)
        finally:
            await consumer.stop()

    async def _update_positions(self, consumer: AIOKafkaConsumer) -> None:
        positions = {
            place: await consumer.position(self._cluster.at(place)) for place in self._places
        }
        if positions != self._read:
            async with self._moved:
                self._read = positions
                self._moved.notify_all()
