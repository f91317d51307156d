"""Runs a whole flow of reducers over the log in memory: until nothing is left to do, then on to the
next event or timer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from baton.contracts.partitioner import partition_of
from baton.derived_ids import derived_id
from baton.engine.memory.log import MemoryLog, Stored
from baton.engine.memory.task import MemoryTask
from baton.engine.memory.virtual_time import VirtualTime
from baton.engine.record_headers import RecordDecoder
from baton.engine.reducer import Reducer, ReferenceBook
from baton.engine.task_config import TaskConfig

PROOF_LIMIT_MS = 300_000
_DEFAULTS = TaskConfig()


class MemoryHost(VirtualTime):
    """``reducers`` in the order of the flow. A reducer that raises is raised from here; with
    ``stubborn`` its task stops alone.

    The book is one for all tasks and sees a record of its topics when it is appended.
    """

    def __init__(
        self,
        reducers: Sequence[Reducer[Any, Any]],
        book: ReferenceBook[Any],
        config: TaskConfig = _DEFAULTS,
        *,
        start_ms: int = 0,
        stubborn: bool = False,
    ) -> None:
        self.book = book
        self.log = self.new_log(config)
        self.log.now = start_ms
        self.log.appended = self._appended
        self.tasks = {
            (reducer.name, number): self.new_task(reducer, number, config)
            for reducer in reducers
            for number in range(config.partitions)
        }
        self._codecs, self._stubborn = config.codecs, stubborn
        self._unproven_since: dict[tuple[str, int], int] = {}
        self._reference = {
            topic: RecordDecoder(config.topics[topic], 0, config.codecs) for topic in book.topics
        }
        for task in self.tasks.values():
            task.start()

    def new_log(self, config: TaskConfig) -> MemoryLog:
        """The log of this host; called once."""
        return MemoryLog(config.topics, config.partitions)

    def new_task(
        self, reducer: Reducer[Any, Any], partition: int, config: TaskConfig
    ) -> MemoryTask:
        """A task of this host."""
        return MemoryTask(reducer, partition, self.log, self.book, config)

    # ------------------------------------------------------------------ what comes in

    def send(
        self,
        topic: str,
        key: str,
        value: Any,
        *,
        id: str | None = None,
        received_at_ms: int | None = None,
        traceparent: str | None = None,
    ) -> Stored:
        """Append one record now, as one of our services would; ``value`` is the topic's dataclass.

        Without an ``id`` it gets one from its place in the log."""
        at = partition_of(key.encode(), self.log.partitions_of(topic))
        place = len(self.log.records(topic, at))
        headers = {
            "ce_id": id or derived_id("sent", topic, at, place),
            "received_at": str(self.log.now if received_at_ms is None else received_at_ms),
            "traceparent": traceparent,
        }
        kept = [(name, text.encode()) for name, text in headers.items() if text is not None]
        return self.log.append(
            topic, at, key.encode(), self._codecs(type(value)).encode(value), kept
        )

    # ------------------------------------------------------------------ time

    @property
    def next_due(self) -> int | None:
        """The next moment at which a timer is due, or None: nothing will happen by itself."""
        dues = [task.core.next_due for task in self._running()]
        return min((due for due in dues if due is not None), default=None)

    # ------------------------------------------------------------------ inside

    def _running(self) -> list[MemoryTask]:
        return [task for task in self.tasks.values() if task.ready]

    def _appended(self, record: Stored) -> None:
        decoder = self._reference.get(record.topic)
        if decoder is not None:
            self.book.add(decoder.event(record))

    def _work(self) -> bool:
        # Asked after every step: the cheap question first.
        ready = [task for task in self.tasks.values() if task.ready and task.unread()]
        for task in ready:
            task.work()
            self._raise_failure(task)
        return bool(ready)

    def _move(self) -> bool:
        now = self.log.now
        ready = [
            task
            for task in self.tasks.values()
            if task.ready and (task.changes_by(now) or task.core.adopting)
        ]
        for task in ready:
            task.advance()
            self._raise_failure(task)
        return bool(ready)

    def _prove(self) -> bool:
        """Fire what is held by the first task whose upstream is proven, or has not been for too
        long."""
        for task in self.tasks.values():
            if not task.ready or not task.reducer.upstream:
                continue
            place = task.reducer.name, task.partition
            if not task.core.held:
                self._unproven_since.pop(place, None)
                continue
            proven = self._upstream_drained(task)
            since = self._unproven_since.setdefault(place, self.log.now)
            if proven or self.log.now - since >= PROOF_LIMIT_MS:
                task.fire_held(proven=proven)
                del self._unproven_since[place]
                self._raise_failure(task)
                return True
        return False

    def _upstream_drained(self, task: MemoryTask) -> bool:
        names = set(task.reducer.upstream)
        return task.drained() and all(
            other.drained() for other in self.tasks.values() if other.reducer.name in names
        )

    def _proofs(self) -> Iterable[int]:
        return [since + PROOF_LIMIT_MS for since in self._unproven_since.values()]

    def _next_ones(self) -> Iterable[str]:
        for task in self._running():
            for record in task.next_records():
                name = f"{record.topic}[{record.partition}]@{record.offset}"
                yield f"{name} for {task.reducer.name}"

    def _adopters(self) -> Iterable[Reducer[Any, Any]]:
        return [task.reducer for task in self.tasks.values() if task.reducer.adopts]

    def _raise_failure(self, task: MemoryTask) -> None:
        if task.failed is not None and not self._stubborn:
            raise task.failed
