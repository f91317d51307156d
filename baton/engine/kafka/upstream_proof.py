"""The proof that nothing appended before a deadline is still on its way: one for all tasks of a reducer in this process.

Hop by hop, in the order of the flow. The first group must have committed past everything that was appended to its inputs by the
moment asked for; each later one past everything that is in its inputs by then, since that holds all that the former have made of
it. A group that reads what its own service writes may read what it wrote itself, and is asked twice. Committed offsets become visible when a transaction is decided, and
what it wrote lies in the log by then, so ends that are listed afterwards, open transactions included, leave nothing out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aiokafka.errors import KafkaError

from baton.engine.kafka.cluster import Cluster, Place

log = logging.getLogger(__name__)

_FIRST_WAIT_S = 0.02
_LONGEST_WAIT_S = 0.25
_RETRY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One group upstream and what it reads. ``again``: it may have written some of that itself."""

    reducer: str
    inputs: tuple[str, ...]
    again: bool = False


class UpstreamProof:
    """Proves for any number of tasks at once; a proof for a moment covers every earlier one."""

    def __init__(self, cluster: Cluster, hops: tuple[Hop, ...]) -> None:
        self._cluster = cluster
        self._hops = [each for hop in hops for each in ((hop, hop) if hop.again else (hop,))]
        self._places: dict[str, list[Place]] = {}
        self._proven_ms = -1
        self._wanted_ms = -1
        self._round: asyncio.Task[None] | None = None

    async def prove(self, up_to_ms: int) -> None:
        """Return when everything upstream that was appended by ``up_to_ms`` is through; may never. To be given a time limit."""
        self._wanted_ms = max(self._wanted_ms, up_to_ms)
        while self._proven_ms < up_to_ms:
            if self._round is None or self._round.done():
                self._round = asyncio.create_task(self._prove(self._wanted_ms))
            await asyncio.shield(self._round)

    async def close(self) -> None:
        """Give up what is under way."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    async def _prove(self, up_to_ms: int) -> None:
        try:
            for number, hop in enumerate(self._hops):
                places = await self._places_of(hop)
                ends = await (self._cluster.ends(places) if number else self._cluster.ends_at(places, up_to_ms))
                await self._committed_past(hop.reducer, ends)
            self._proven_ms = max(self._proven_ms, up_to_ms)
        except KafkaError as error:
            log.warning("asking how far the groups upstream are: %s; trying again", type(error).__name__)
            await asyncio.sleep(_RETRY_S)

    async def _committed_past(self, reducer: str, ends: Mapping[Place, int]) -> None:
        wait_s = _FIRST_WAIT_S
        left: Collection[Place] = [place for place, end in ends.items() if end > 0]
        while left:
            committed = await self._cluster.committed(reducer, left)
            left = [place for place in left if place not in committed or committed[place].offset < ends[place]]
            if left:
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _places_of(self, hop: Hop) -> list[Place]:
        if hop.reducer not in self._places:
            counts = {topic: await self._cluster.partitions(topic) for topic in hop.inputs}
            self._places[hop.reducer] = [(topic, number) for topic, count in counts.items() for number in range(count)]
        return self._places[hop.reducer]
