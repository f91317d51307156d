"""The flow in memory without what only a restart needs: no changelog, no journal, no positions, and
no record is kept that every reader has taken.

The reducers, the core and the order of everything are those of :mod:`baton.engine.memory`, so the
facts are the same, with the same ids, at the same offsets; a test compares them. A task cannot
crash here, and there is nothing to audit afterwards. Records go straight to who reads them, and
only tasks that have something to read or a timer due are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from baton.contracts.topics import TopicSpec
from baton.engine.batch import Outgoing
from baton.engine.core import Core
from baton.engine.errors import ReducerFailed
from baton.engine.memory import MemoryHost, MemoryLog, MemoryTask, Stored
from baton.engine.reducer import Reducer
from baton.engine.task_config import TaskConfig
from baton.simulation.held_values import Held, HeldStore

T = TypeVar("T")


def written(record: Stored) -> Stored:
    """``record`` with its bytes: what only Baton's own tasks read is not encoded."""
    value = record.value
    return record._replace(value=value.written()) if isinstance(value, Held) else record


class UnloggedLog(MemoryLog):
    """A log that keeps the records of the reference topics and counts all others. ``history`` has
    what was appended since it was cleared last."""

    def __init__(
        self, specs: Mapping[str, TopicSpec], partitions: int, *, kept: Sequence[str]
    ) -> None:
        super().__init__(specs, partitions)
        self._kept = frozenset(kept)
        self._ends: dict[tuple[str, int], int] = {}

    def append(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> Stored:
        """Append one record now; nothing but its place is kept of it."""
        if topic in self._kept:
            return super().append(topic, partition, key, value, headers)
        place = topic, partition
        offset = self._ends.get(place)
        if offset is None:
            offset = 0
            if partition >= self.partitions_of(topic):
                raise ValueError(f"{topic} has no partition {partition}")
        self._ends[place] = offset + 1
        record = Stored(topic, partition, offset, self.now, key, value, headers)
        self.history.append(record)
        self.appended(record)
        return record


class UnloggedCore(Core):
    """A core whose batch is its facts alone."""

    def close(self) -> Sequence[Outgoing]:
        """Take over what the open batch changed; its facts, in order. After it only
        :meth:`commit`."""
        open_batch = self._begun()
        for key_state in open_batch.key_states.values():
            key_state.seal()
        return open_batch.outgoing


class UnloggedTask(MemoryTask):
    """A task that is handed its records and commits by remembering."""

    def new_core(self) -> UnloggedCore:
        return UnloggedCore(
            self.reducer, self._book, self._config, partition=self.partition, store=HeldStore()
        )

    def deliver(self, record: Stored) -> None:
        """One record of an input."""
        self._merge.add(record.topic, (record,))

    def unread(self) -> bool:
        return self._merge.count > 0

    def drained(self) -> bool:
        return not self._merge.count

    def _fetch(self) -> None:
        """Records are delivered."""

    def _batch(self, act: Callable[[], T]) -> T:
        core = self.core
        assert isinstance(core, UnloggedCore)
        core.begin(self._log.now)
        try:
            done = act()
            facts = core.close()
        except ReducerFailed:
            core.discard()
            self._merge.rewind()
            raise
        core.commit()
        self._merge.commit()
        for out in facts:
            self._log.append(*out)
        return done


class UnloggedHost(MemoryHost):
    """The host of :class:`UnloggedTask`. ``tasks`` may not be replaced."""

    def __init__(
        self,
        reducers: Sequence[Reducer[Any, Any]],
        book: Any,
        config: TaskConfig,
        *,
        start_ms: int = 0,
    ) -> None:
        self._woken: set[int] = set()
        self._readers: dict[tuple[str, int], list[tuple[int, UnloggedTask]]] = {}
        self._flow: list[UnloggedTask] = []
        super().__init__(reducers, book, config, start_ms=start_ms)
        self._dues: list[int | None] = [None] * len(self._flow)
        self._in_force: Any = None
        self._judges = [task for task in self._flow if task.reducer.upstream]

    def new_log(self, config: TaskConfig) -> MemoryLog:
        return UnloggedLog(config.topics, config.partitions, kept=self.book.topics)

    def new_task(
        self, reducer: Reducer[Any, Any], partition: int, config: TaskConfig
    ) -> UnloggedTask:
        task = UnloggedTask(reducer, partition, self.log, self.book, config)
        for topic in reducer.inputs:
            self._readers.setdefault((topic, partition), []).append((len(self._flow), task))
        self._flow.append(task)
        return task

    @property
    def next_due(self) -> int | None:
        return min((due for due in self._dues if due is not None), default=None)

    # ------------------------------------------------------------------ inside

    def _appended(self, record: Stored) -> None:
        for number, task in self._readers.get((record.topic, record.partition), ()):
            task.deliver(record)
            self._woken.add(number)
        super()._appended(record)

    def _work(self) -> bool:
        ready = [number for number in sorted(self._woken) if self._flow[number].ready]
        for number in ready:
            task = self._flow[number]
            self._woken.discard(number)
            task.work()
            self._ran(number)
            if task.unread():
                self._woken.add(number)
        return bool(ready)

    def _move(self) -> bool:
        now = self.log.now
        in_force = self.book.at(now)
        if in_force is not self._in_force:  # every task may have to adopt it
            moved = super()._move()
            self._dues = [task.core.next_due for task in self._flow]
            if not moved:
                self._in_force = in_force
            return moved
        due = [number for number, at in enumerate(self._dues) if at is not None and at <= now]
        for number in due:
            self._flow[number].advance()
            self._ran(number)
        return bool(due)

    def _prove(self) -> bool:
        if not any(task.core.held for task in self._judges):
            self._unproven_since.clear()
            return False
        fired = super()._prove()
        self._dues = [task.core.next_due for task in self._flow]
        return fired

    def _ran(self, number: int) -> None:
        task = self._flow[number]
        self._raise_failure(task)
        self._dues[number] = task.core.next_due
