"""How a task begins, in the one order that is safe: fence, read the committed offsets, restore, compare.

Were the offsets read before the former owner is fenced, it could still commit after that, and its records would be done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from baton.engine.changelog import POSITION_KEY
from baton.engine.core import Core
from baton.engine.errors import StateMismatch
from baton.engine.kafka.failpoints import Point, reached
from baton.engine.kafka.host_context import HostContext
from baton.engine.kafka.input_buffer import LostRange
from baton.engine.kafka.restore import read_changelog
from baton.engine.kafka.transaction import Transactions
from baton.engine.metrics import LOST_COMMITS, MENDED
from baton.engine.position import disagreement, rolled_back
from baton.engine.reducer import Reducer
from baton.logs import log_of

_POLL_S = 0.25


@dataclass(slots=True)
class Memory:
    """The state of a task and how far its changelog is in it: kept when the task ends, so that a return restores what is new."""

    core: Core
    next_offset: int | None = None
    own: bytes | None = None
    """The position record of the last batch that was committed since the changelog was read: the first at or after ``next_offset``."""


class StaleMemory(Exception):
    """What this process has kept is not what the log says: all of the changelog is to be read."""


class TaskStartup:
    """Brings one task from nothing to the offsets it has to fetch from. ``progress`` hears how a restore goes.

    ``mends``: the group has forgotten commits, and is to be told where the task stands.
    """

    def __init__(
        self,
        context: HostContext,
        reducer: Reducer[Any, Any],
        partition: int,
        memory: Memory,
        progress: Callable[[int, int], None],
    ) -> None:
        self._context, self._reducer, self._partition = context, reducer, partition
        self._memory, self._progress = memory, progress
        self._places = [(topic, partition) for topic in reducer.inputs]
        self._kept = memory.next_offset is not None
        self._log = log_of(__name__, reducer=reducer.name, partition=partition)
        self.mends = False

    async def run(self, transactions: Transactions, restoring: Callable[[], None]) -> dict[str, int]:
        """Give the first offset to fetch of each input; raises :class:`StaleMemory`, :class:`StateMismatch` or :class:`LostRange`."""
        await transactions.open()
        self._reached(Point.FENCED)
        restoring()
        committed, metadata = await self._committed()
        await self._restore()
        self._reached(Point.RESTORED)
        await self._agree(committed, metadata)
        self._reached(Point.CHECKED)
        return await self._starts()

    async def _committed(self) -> tuple[dict[str, int | None], dict[str, str]]:
        found = await self._context.cluster.committed(self._reducer.name, self._places)
        offsets: dict[str, int | None] = {topic: each.offset for (topic, _), each in found.items()}
        return offsets, {topic: each.metadata for (topic, _), each in found.items()}

    async def _restore(self) -> None:
        memory, kept = self._memory, self._memory.core.number

        def take(key: bytes, value: bytes | None) -> None:
            memory.core.restore(key, value)
            if key == POSITION_KEY:
                self._check(value, kept)

        memory.next_offset = await read_changelog(
            self._context.cluster,
            self._reducer.name,
            self._partition,
            since=memory.next_offset,
            take=take,
            progress=self._progress,
        )
        self._check(None, kept)

    def _check(self, met: bytes | None, kept: int) -> None:
        """The first position record of what is new must be that of our own last batch, number ``kept``; None: there is none.

        If it is not, the brokers have lost what they had acknowledged, and another owner may have done it again in other batches; or a
        later batch of another owner has let compaction remove ours.
        """
        memory = self._memory
        if memory.own is None:
            return
        if met == memory.own:
            memory.own = None
            return
        found = memory.core.restored() if met is not None else None
        if found is not None and found.batch > kept:
            raise StaleMemory(f"its last batch, {kept}, is not in what is left of its changelog")
        LOST_COMMITS.labels(self._reducer.name).inc()
        raise StaleMemory(f"it is ahead of its changelog: the brokers have lost batch {kept}, which they had acknowledged")

    async def _agree(self, committed: dict[str, int | None], metadata: dict[str, str]) -> None:
        """The restored state must be of the same batch as the committed offsets; it may take the brokers a moment to show it."""
        patience = monotonic() + self._context.settings.position_wait_s
        while wrong := disagreement(self._memory.core.restored(), self._reducer.inputs, committed, metadata):
            if monotonic() > patience:
                self._go_on_from_the_state(wrong, committed, metadata)
                return
            await asyncio.sleep(_POLL_S)
            committed, metadata = await self._committed()
            await self._restore()

    def _go_on_from_the_state(self, wrong: str, committed: dict[str, int | None], metadata: dict[str, str]) -> None:
        """Where only the group has forgotten something; else it is not known what is right."""
        position = self._memory.core.restored()
        batch = rolled_back(position, self._reducer.inputs, committed, metadata)
        if batch is None or position is None:
            if self._kept:
                raise StaleMemory(wrong)
            raise StateMismatch(f"{self._reducer.name}[{self._partition}] refuses to run: {wrong}")
        self._log.warning(
            "the brokers have lost committed offsets: the group stands at batch %d, the state at %d; going on from the state",
            batch,
            position.batch,
        )
        MENDED.labels(self._reducer.name).inc()
        self.mends = True

    async def _starts(self) -> dict[str, int]:
        """Where each input is to be read from: where the task stands, or the beginning where it never was."""
        firsts = await self._context.cluster.beginnings(self._places)
        skips = self._context.skips.places(self._reducer.name, self._partition)
        starts = {}
        for topic, _ in self._places:
            first, stands = firsts[topic, self._partition], self._memory.core.positions.get(topic)
            if stands is not None and stands < first:
                lost = LostRange(self._reducer.name, self._partition, topic, stands, first)
                if lost.place not in skips:
                    raise lost
                stands = None
            starts[topic] = first if stands is None else stands
        return starts

    def _reached(self, point: Point) -> None:
        reached(point, self._reducer.name, self._partition)
