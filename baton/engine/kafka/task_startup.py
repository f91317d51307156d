"""How a task starts, in the one order that is safe: fence, read the committed offsets, restore,
compare.

If the offsets were read before the former owner is fenced, it could still commit afterwards, and
its records would be processed twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from baton.engine.changelog import POSITION_KEY
from baton.engine.core import Core
from baton.engine.errors import StateMismatch
from baton.engine.kafka.batch_size import BatchSize
from baton.engine.kafka.cluster import Place
from baton.engine.kafka.failpoints import Point
from baton.engine.kafka.host_context import TaskContext
from baton.engine.kafka.input_buffer import LostRange
from baton.engine.kafka.restore import read_changelog
from baton.engine.kafka.transaction import Transactions
from baton.engine.metrics import LOST_COMMITS, MENDED
from baton.engine.position import disagreement, forgotten_inputs, rolled_back

_POLL_S = 0.25
_SPILL = 20_000
"""After so many records of a restore a store on disk writes down what it was given."""


@dataclass(slots=True)
class Memory:
    """The state of a task and its place in the changelog: kept when the task ends, so that its
    return restores only what is new.

    ``size``: what the last batches say about how many records the next one may take.
    """

    core: Core
    size: BatchSize
    next_offset: int | None = None
    own: bytes | None = None
    """The position record of the last batch that was committed since the changelog was read: the
    first at or after ``next_offset``."""

    @classmethod
    def of(cls, core: Core, size: BatchSize) -> Memory:
        """That of a core whose store may have outlived a former process."""
        memory, bookmark = cls(core=core, size=size), core.store.bookmark
        if bookmark is not None:
            core.restored()
            memory.next_offset, memory.own = bookmark.at, bookmark.position
        return memory


class StaleMemory(Exception):
    """The kept state contradicts the log: the whole changelog has to be read."""


class TaskStartup:
    """Brings one task from nothing to the offsets to fetch from. ``progress`` is called as a
    restore goes on.

    ``records``: how many records of the changelog it read. ``recommits``: the brokers have lost
    committed offsets, and the first batch must commit them again. ``restarts``: the inputs that
    start over, at the offset given, because an operator said to skip what was lost.
    """

    def __init__(
        self, task: TaskContext, memory: Memory, progress: Callable[[int, int], None]
    ) -> None:
        self._task, self._cluster, self._memory, self._progress = (
            task,
            task.host.cluster,
            memory,
            progress,
        )
        self._kept = memory.next_offset is not None
        self._log = task.log(__name__)
        self._position_at: int | None = None
        self.records = 0
        self.recommits = False
        self.restarts: dict[str, int] = {}

    async def run(
        self, transactions: Transactions, restoring: Callable[[], None]
    ) -> dict[str, int]:
        """Give the first offset to fetch of every input; raises :class:`StaleMemory`,
        :class:`StateMismatch` or :class:`LostRange`."""
        await transactions.open()
        self._task.reached(Point.FENCED)
        restoring()
        committed, metadata = await self._committed()
        await self._restore()
        self._task.reached(Point.RESTORED)
        await self._agree(committed, metadata)
        self._memory.core.keep(self._position_at)
        self._task.reached(Point.CHECKED)
        return await self._starts()

    async def _committed(self) -> tuple[dict[str, int | None], dict[str, str]]:
        found = await self._cluster.committed(self._task.reducer.name, self._task.places)
        offsets: dict[str, int | None] = {
            topic: committed.offset for (topic, _), committed in found.items()
        }
        return offsets, {topic: committed.metadata for (topic, _), committed in found.items()}

    async def _restore(self) -> None:
        memory, kept = self._memory, self._memory.core.number

        def take(offset: int, key: bytes, value: bytes | None) -> None:
            memory.core.restore(key, value)
            self.records += 1
            if key == POSITION_KEY:
                self._position_at = offset
                self._check(value, kept)
            elif not self.records % _SPILL:
                memory.core.store.save(None)  # of no batch, until all is read

        memory.next_offset = await read_changelog(
            self._task,
            since=memory.next_offset,
            take=take,
            progress=self._progress,
        )
        self._check(None, kept)

    def _check(self, met: bytes | None, kept: int) -> None:
        """The first position record ``met`` in what is new must be that of our own last batch,
        number ``kept``; None: there is none.

        If it is not, the brokers have lost what they had acknowledged, and another owner may have
        processed it again in other batches; or compaction has removed our record after a later
        batch of another owner.
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
        LOST_COMMITS.labels(self._task.reducer.name).inc()
        raise StaleMemory(
            f"it is ahead of its changelog: the brokers have lost batch {kept}, which they had "
            "acknowledged"
        )

    async def _agree(self, committed: dict[str, int | None], metadata: dict[str, str]) -> None:
        """The restored state must be of the same batch as the committed offsets; it may take the
        brokers a moment to show it."""
        patience = monotonic() + self._task.host.settings.position_wait_s
        while wrong := disagreement(
            self._memory.core.restored(), self._task.reducer.inputs, committed, metadata
        ):
            if monotonic() > patience:
                if not await self._inputs_made_anew(committed, metadata):
                    self._resume_from_state(wrong, committed, metadata)
                return
            await asyncio.sleep(_POLL_S)
            committed, metadata = await self._committed()
            await self._restore()

    async def _inputs_made_anew(
        self, committed: dict[str, int | None], metadata: dict[str, str]
    ) -> bool:
        """Whether state and group differ only in inputs that now end before the task's position:
        :meth:`_starts` names these."""
        position = self._memory.core.restored()
        forgotten = forgotten_inputs(position, self._task.reducer.inputs, committed, metadata)
        if position is None or not forgotten:
            return False
        ends = await self._cluster.ends([(topic, self._task.partition) for topic in forgotten])
        return all(
            position.offsets[topic] == 0 or position.offsets[topic] > end
            for (topic, _), end in ends.items()
        )

    def _resume_from_state(
        self, wrong: str, committed: dict[str, int | None], metadata: dict[str, str]
    ) -> None:
        """Resume from the state if only the group has lost commits; else it is unknown what is
        right, and the task refuses."""
        position = self._memory.core.restored()
        batch = rolled_back(position, self._task.reducer.inputs, committed, metadata)
        if batch is None or position is None:
            if self._kept:
                raise StaleMemory(wrong)
            raise StateMismatch(f"{self._task.name} refuses to run: {wrong}")
        self._log.warning(
            "the brokers have lost committed offsets: the group is at batch %d, the state at %d; "
            "resuming from the state",
            batch,
            position.batch,
        )
        MENDED.labels(self._task.reducer.name).inc()
        self.recommits = True

    async def _starts(self) -> dict[str, int]:
        """The first offset to fetch of every input: the task's position, or the beginning of an
        input that it never read.

        Raises :class:`LostRange` for a position that does not exist, unless an operator ordered to
        skip it: then the input starts over at the first offset that exists."""
        firsts = await self._cluster.beginnings(self._task.places)
        ends = await self._ends_past_positions()
        skipped = self._task.skipped_places()
        starts = {}
        for place in self._task.places:
            topic, first, end = place[0], firsts[place], ends[place]
            position = self._memory.core.positions.get(topic)
            if position is not None and not first <= position <= end:
                lost = LostRange(self._task, topic, position, first, end)
                if lost.place not in skipped:
                    raise lost
                self.restarts[topic] = first
                position = None
            starts[topic] = first if position is None else position
        return starts

    async def _ends_past_positions(self) -> dict[Place, int]:
        """The ends of the inputs. A new partition leader may for a moment know less than the task
        has read."""
        positions = self._memory.core.positions
        patience = monotonic() + self._task.host.settings.position_wait_s
        while True:
            ends = await self._cluster.ends(self._task.places)
            if (
                all(positions.get(topic, 0) <= end for (topic, _), end in ends.items())
                or monotonic() > patience
            ):
                return ends
            await asyncio.sleep(_POLL_S)
