"""Orders to skip what stops a task: ``baton.skips.v1``, one record per order, read whole by every
worker.

An order survives restarts and reaches the task wherever it runs. It takes effect when the task
comes to that place again, and the journal records it; an order for a place that never comes up does
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from baton.contracts.skip_orders import SkipOrder
from baton.contracts.topic_names import BATON_SKIPS
from baton.contracts.topics import TOPICS, TopicSpec
from baton.engine.kafka.cluster import Cluster
from baton.engine.kafka.topic_follower import TopicFollower
from baton.engine.record_headers import RecordDecoder

SKIPS: TopicSpec = TOPICS[BATON_SKIPS]


class SkipOrders:
    """The orders known to this process."""

    def __init__(self, cluster: Cluster, codecs: Callable[[type], Any]) -> None:
        self._follower = TopicFollower(cluster, (SKIPS.name,), self._take)
        self._decoder = RecordDecoder(SKIPS, 0, codecs)
        self._places: dict[tuple[str, int], set[str]] = {}

    async def run(self) -> None:
        """Follow the orders until cancelled."""
        await self._follower.run()

    async def known(self) -> None:
        """Return when every order given before the call is known."""
        await self._follower.catch_up()

    def places(self, reducer: str, partition: int) -> frozenset[str]:
        """The places that this task has to skip."""
        return frozenset(self._places.get((reducer, partition), ()))

    async def ordered(self, reducer: str, partition: int, place: str) -> None:
        """Return when there is an order to skip ``place``."""
        while place not in self._places.get((reducer, partition), ()):
            await self._follower.moved()

    def _take(self, topic: str, record: Any) -> None:
        order: SkipOrder = self._decoder.event(record).value
        self._places.setdefault((order.reducer, order.partition), set()).add(order.place)
