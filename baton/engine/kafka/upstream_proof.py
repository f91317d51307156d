"""The proof that nothing appended before a deadline is still on its way: one for all tasks of a
reducer in this process.

Group by group, in the order of the flow. The first group must have committed past everything that
was appended to its inputs by the moment in question; a later one past everything that its inputs
hold by the time the former has, since that includes all that the former made of it. A group whose
service writes one of its own inputs is asked twice. Committed offsets become visible when a
transaction is decided, and its records are in the log by then; so ends that are listed afterwards,
open transactions included, leave nothing out.
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
class UpstreamGroup:
    """One group upstream and its inputs. ``again``: its own service writes some of them, so it is
    asked twice."""

    reducer: str
    inputs: tuple[str, ...]
    again: bool = False


class UpstreamProof:
    """Proves for any number of tasks at once; a proof for a moment covers every earlier one."""

    def __init__(self, cluster: Cluster, groups: tuple[UpstreamGroup, ...]) -> None:
        self._cluster = cluster
        self._groups = [
            asked for group in groups for asked in ((group, group) if group.again else (group,))
        ]
        self._places: dict[str, list[Place]] = {}
        self._proven_ms = -1
        self._wanted_ms = -1
        self._round: asyncio.Task[None] | None = None

    async def prove(self, up_to_ms: int) -> None:
        """Return when everything upstream that was appended by ``up_to_ms`` is processed. That may
        never be: set a time limit."""
        self._wanted_ms = max(self._wanted_ms, up_to_ms)
        while self._proven_ms < up_to_ms:
            if self._round is None or self._round.done():
                self._round = asyncio.create_task(self._prove(self._wanted_ms))
            await asyncio.shield(self._round)

    async def close(self) -> None:
        """Cancel a running proof."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    async def _prove(self, up_to_ms: int) -> None:
        try:
            for number, group in enumerate(self._groups):
                places = await self._places_of(group)
                ends = await (
                    self._cluster.ends(places)
                    if number
                    else self._cluster.ends_at(places, up_to_ms)
                )
                await self._wait_until_committed(group.reducer, ends)
            self._proven_ms = max(self._proven_ms, up_to_ms)
        except KafkaError as error:
            log.warning(
                "cannot list the offsets of the groups upstream: %s; retrying", type(error).__name__
            )
            await asyncio.sleep(_RETRY_S)

    async def _wait_until_committed(self, reducer: str, ends: Mapping[Place, int]) -> None:
        wait_s = _FIRST_WAIT_S
        left: Collection[Place] = [place for place, end in ends.items() if end > 0]
        while left:
            committed = await self._cluster.committed(reducer, left)
            left = [
                place
                for place in left
                if place not in committed or committed[place].offset < ends[place]
            ]
            if left:
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _places_of(self, group: UpstreamGroup) -> list[Place]:
        if group.reducer not in self._places:
            counts = {topic: await self._cluster.partitions(topic) for topic in group.inputs}
            self._places[group.reducer] = [
                (topic, number) for topic, count in counts.items() for number in range(count)
            ]
        return self._places[group.reducer]
