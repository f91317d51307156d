"""The in-memory log as a host under test."""

from collections.abc import Callable, Sequence
from typing import Any

from baton.contracts.codec import codec_for
from baton.contracts.topics import changelog_topic, journal_topic
from baton.engine.batch import Limits, Record
from baton.engine.memory import Aborted, Crash, MemoryHost, MemoryTask, Stored
from baton.engine.memory import Moment as Place
from baton.engine.records import BatchJournal
from baton.engine.reducer import Reducer
from baton.engine.store import Store
from baton.engine.task_config import TaskConfig
from tests.engine.hosts import EngineHost, Moment, Seen
from tests.engine.toys import TOY_TOPICS, ToyBook, ToyTermsRecord

START_MS = 1_760_000_000_000
_PLACES = {
    Moment.FETCHED: Place.FETCHED,
    Moment.SEALED: Place.SEALED,
    Moment.PRODUCED: Place.SEALED,
    Moment.BEFORE_COMMIT: Place.SEALED,
    Moment.AFTER_COMMIT: Place.COMMITTED,
    Moment.RESTORING: Place.RESTORING,
}


class MemoryBench(EngineHost):
    """Crashes are exceptions from the tasks' hooks; a crashed task is started again when the host
    settles. ``open_store``: the stores of the tasks, if they are not to be in memory."""

    def __init__(self, open_store: Callable[[Reducer[Any, Any], int], Store] | None = None) -> None:
        self._stores = {} if open_store is None else {"open_store": open_store}

    async def start(
        self, *reducers: Reducer[Any, Any], partitions: int = 2, limits: Limits = Limits()
    ) -> None:
        self.reducers, self.partitions = reducers, partitions
        self.book = ToyBook()
        self.memory = MemoryHost(
            reducers,
            self.book,
            TaskConfig(partitions=partitions, topics=TOY_TOPICS, limits=limits, **self._stores),
            start_ms=START_MS,
            stubborn=True,
        )
        self._halted: set[str] = set()

    def _task(self, reducer: str, partition: int) -> MemoryTask:
        return self.memory.tasks[reducer, partition]

    async def send(
        self,
        topic: str,
        key: str,
        value: Any,
        *,
        id: str | None = None,
        received_at_ms: int | None = None,
        traceparent: str | None = None,
    ) -> Seen:
        self.memory.log.now += 1
        sent = self.memory.send(
            topic, key, value, id=id, received_at_ms=received_at_ms, traceparent=traceparent
        )
        return _seen(sent)

    async def send_raw(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> tuple[int, int]:
        self.memory.log.now += 1
        sent = self.memory.log.append(topic, 0, key, value, headers)
        return sent.partition, sent.offset

    async def publish(self, version: str) -> int:
        self.memory.log.now += 1
        return self.memory.send("toy.terms.v1", version, ToyTermsRecord(version=version)).timestamp

    async def settle(self) -> None:
        self._through(self.memory.settle)

    async def pass_time(self, ms: int) -> None:
        until = self.memory.log.now + ms
        self._through(lambda: self.memory.advance(until))

    def _through(self, act: Any) -> None:
        while True:
            try:
                for (reducer, _), task in self.memory.tasks.items():
                    if not task.alive and task.failed is None and reducer not in self._halted:
                        task.start()
                act()
                return
            except Crash as crash:
                crash.args[0].crash()

    async def read(self, topic: str) -> list[Seen]:
        partitions = range(self.memory.log.partitions_of(topic))
        return [
            _seen(record)
            for partition in partitions
            for record in self.memory.log.records(topic, partition)
        ]

    async def raw(self, topic: str, partition: int) -> list[Record]:
        return list(self.memory.log.records(topic, partition))

    async def changelog(self, reducer: str, partition: int) -> dict[bytes, bytes]:
        held: dict[bytes, bytes] = {}
        for record in self.memory.log.records(changelog_topic(reducer), partition):
            assert record.key is not None
            held.pop(record.key, None)
            if record.value is not None:
                held[record.key] = record.value
        return held

    async def journal(self, reducer: str, partition: int) -> list[BatchJournal]:
        codec = codec_for(BatchJournal)
        records = self.memory.log.records(journal_topic(reducer), partition)
        return [codec.decode(record.value) for record in records if record.value is not None]

    async def committed(self, reducer: str, partition: int) -> tuple[dict[str, int], str]:
        return self.memory.log.committed(f"baton.{reducer}", partition)

    async def crash(self, reducer: str, partition: int, when: Moment) -> None:
        self._arm(reducer, partition, when, Crash)

    async def fail(self, reducer: str, partition: int) -> None:
        self._arm(reducer, partition, Moment.SEALED, Aborted)

    def _arm(self, reducer: str, partition: int, when: Moment, error: type[Exception]) -> None:
        task = self._task(reducer, partition)

        def hook(place: Place) -> None:
            if place is _PLACES[when]:
                task.hook = lambda place: None
                raise error(task)

        task.hook = hook
        if when is Moment.RESTORING:
            task.crash()

    async def restart(self, reducer: str, partition: int) -> None:
        self._task(reducer, partition).crash()
        await self.settle()

    async def halt(self, reducer: str) -> None:
        self._halted.add(reducer)
        for (name, _), task in self.memory.tasks.items():
            if name == reducer:
                task.crash()

    async def resume(self, reducer: str) -> None:
        self._halted.discard(reducer)
        await self.settle()

    async def failures(self) -> dict[tuple[str, int], Exception]:
        return {
            place: task.failed
            for place, task in self.memory.tasks.items()
            if task.failed is not None
        }

    async def skip(self, reducer: str, partition: int, place: str) -> None:
        task = self._task(reducer, partition)
        task.skips.add(place)
        task.crash()
        task.start()
        await self.settle()


def _seen(record: Stored) -> Seen:
    spec = TOY_TOPICS[record.topic]
    return Seen(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at_ms=record.timestamp,
        key="" if record.key is None else record.key.decode(),
        value=record.value
        if spec.record is None or record.value is None
        else codec_for(spec.record).decode(record.value),
        headers={name: value.decode() for name, value in record.headers},
    )
