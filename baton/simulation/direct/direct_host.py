"""The flow of direct tasks (:mod:`.direct_task`): only those are asked that have something to read
or a timer due."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from baton.contracts.partitioner import partition_of
from baton.derived_ids import derived_id
from baton.engine.memory import Livelock, Stored, VirtualTime, virtual_time
from baton.engine.record_headers import RecordDecoder
from baton.engine.reducer import Reducer, ReferenceBook
from baton.engine.task_config import TaskConfig
from baton.simulation.direct.counting_log import DirectLog
from baton.simulation.direct.direct_task import DirectTask

_NEVER: Final = 1 << 62


class DirectHost(VirtualTime):
    """``reducers`` in the order of the flow. ``shown``: the topics whose records are in the history
    of the log, until that is cleared."""

    def __init__(
        self,
        reducers: Sequence[Reducer[Any, Any]],
        book: ReferenceBook[Any],
        config: TaskConfig,
        *,
        start_ms: int = 0,
        shown: Collection[str],
    ) -> None:
        self.book = book
        self.log: DirectLog = DirectLog(
            config.topics, config.partitions, kept=book.topics, shown=shown
        )
        self.log.now = start_ms
        self.log.appended = self._appended
        self._codecs = config.codecs
        self._decoders = {
            topic: RecordDecoder(config.topics[topic], 0, config.codecs) for topic in book.topics
        }
        self._woken: set[int] = set()
        self._asked_at, self._known, self._agreed = -1, None, False
        self._in_force: Any = None
        self._holding: set[int] = set()
        self._tasks = [
            DirectTask(reducer, number, self.log, self._reference, self._woken, config)
            for reducer in reducers
            for number in range(config.partitions)
        ]
        for number, task in enumerate(self._tasks):
            for topic in task.reducer.inputs:
                self.log.place(topic, task.partition).readers.append((number, task))
        self._dues = [_NEVER] * len(self._tasks)
        self._first_due: int | None = _NEVER

    def send(self, topic: str, key: str, value: Any) -> Stored:
        """Append one record now, as one of our services would; ``value`` is the topic's
        dataclass."""
        at = partition_of(key.encode(), self.log.partitions_of(topic))
        record_id = derived_id("sent", topic, at, self.log.place(topic, at).end)
        headers = [
            ("ce_id", record_id.encode()),
            ("received_at", str(self.log.now).encode()),
        ]
        return self.log.append(
            topic, at, key.encode(), self._codecs(type(value)).encode(value), headers
        )

    @property
    def next_due(self) -> int | None:
        due = self._first()
        return None if due == _NEVER else due

    def settle(self) -> None:
        if not (self._agreed or self._ready()):
            return
        rounds, woken = 0, self._woken
        while True:
            if woken:
                self._work()
            elif not (self._move() or self._prove()):
                return
            rounds += 1
            if rounds >= virtual_time.ROUNDS:
                raise Livelock(self.log.now, rounds, self._next_ones())

    # ------------------------------------------------------------------ inside

    def _reference(self, now: int) -> Any:
        """The reference in force; remembered for the moment that all tasks ask about."""
        if now != self._asked_at:
            self._asked_at, self._known = now, self.book.at(now)
        return self._known

    def _appended(self, record: Stored) -> None:
        for number, task in self.log.place(record.topic, record.partition).readers:
            task.deliver(record)
            self._woken.add(number)
        decoder = self._decoders.get(record.topic)
        if decoder is not None:
            self.book.add(decoder.event(record))
            self._asked_at = -1
            for task in self._tasks:
                task.book_changed = True

    def _ready(self) -> bool:
        """Whether a reference was ever published: before, no task may run."""
        if not self._agreed:
            self._agreed = self.book.at(self.log.now) is not None
        return self._agreed

    def _first(self) -> int:
        """The least of the due times; asked several times for one change."""
        found = self._first_due
        if found is None:
            found = self._first_due = min(self._dues)
        return found

    def _work(self) -> bool:
        woken, tasks = self._woken, self._tasks
        for number in sorted(woken) if len(woken) > 1 else tuple(woken):
            task = tasks[number]
            woken.discard(number)
            task.work()
            self._ran(number, task)
            if task.waiting:
                woken.add(number)
        return True

    def _ran(self, number: int, task: DirectTask) -> None:
        due = task.timers.timers.next_due()
        if due is None:
            due = _NEVER
        if due != self._dues[number]:
            self._dues[number], self._first_due = due, None
        if task.judges:
            if task.timers.held:
                self._holding.add(number)
            else:
                self._holding.discard(number)

    def _move(self) -> bool:
        now = self.log.now
        in_force = self._known if now == self._asked_at else self._reference(now)
        if in_force is not self._in_force:  # every task may have to adopt it
            moving = [
                number
                for number, task in enumerate(self._tasks)
                if task.adopting or task.changes_by(now)
            ]
            if not moving:
                self._in_force = in_force
        elif self._first() > now:
            return False
        else:
            moving = [number for number, at in enumerate(self._dues) if at <= now]
        for number in moving:
            task = self._tasks[number]
            task.advance(now)
            self._ran(number, task)
        return bool(moving)

    def _prove(self) -> bool:
        """Fire what the first judge holds. Whoever is upstream has read everything by now: there is
        nothing to wait for."""
        if not self._holding:
            return False
        number = min(self._holding)
        task = self._tasks[number]
        task.fire_held(self.log.now)
        self._ran(number, task)
        return True

    def _next_version(self, to_ms: int) -> int | None:
        if self.book.at(to_ms) is self._in_force:
            return None
        return super()._next_version(to_ms)

    def _next_ones(self) -> Iterable[str]:
        for task in self._tasks:
            for _, topic, offset, _ in task.waiting[:1]:
                yield f"{topic}[{task.partition}]@{offset} for {task.reducer.name}"

    def _adopters(self) -> Iterable[Reducer[Any, Any]]:
        return [task.reducer for task in self._tasks if task.reducer.adopts]
