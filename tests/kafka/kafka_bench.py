"""Real Kafka as a host under test: each reducer in a :class:`KafkaHost` of its own, as separate
services would be."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import RequestTimedOutError

from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.amounts import Measures
from baton.contracts.codec import codec_for
from baton.contracts.partitioner import partition_of
from baton.contracts.skip_orders import SkipOrder
from baton.contracts.topics import (
    TOPICS,
    changelog_topic,
    dead_letter_topic,
    engine_topics,
    journal_topic,
)
from baton.engine.batch import Limits, Record
from baton.engine.kafka.broker_clock import wall_ms
from baton.engine.kafka.cluster import Cluster
from baton.engine.kafka.failpoints import Failpoints, Point
from baton.engine.kafka.host import HostConfig, KafkaHost
from baton.engine.kafka.settings import EngineSettings
from baton.engine.kafka.status import TaskState
from baton.engine.kafka.task_supervisor import TaskSupervisor
from baton.engine.records import BatchJournal
from baton.engine.reducer import Reducer
from baton.engine.task_config import TaskConfig
from tests.engine.hosts import EngineHost, Moment, Seen
from tests.engine.toys import REDUCERS, TOY_TOPICS, ToyBook, ToyTermsRecord

FLOW = {reducer.name: reducer.inputs for reducer in REDUCERS}
TOPICS_AND_ORDERS = {**TOY_TOPICS, "baton.skips.v1": TOPICS["baton.skips.v1"]}
PATIENCE_S = 120.0
_POLL_S = 0.06
_POINTS = {
    Moment.FETCHED: Point.FETCHED,
    Moment.SEALED: Point.SEALED,
    Moment.PRODUCED: Point.PRODUCED,
    Moment.BEFORE_COMMIT: Point.COMMITTING,
    Moment.AFTER_COMMIT: Point.COMMITTED,
    Moment.RESTORING: Point.RESTORING,
}


class Killed(BaseException):
    """Ends a task as ``kill -9`` would: nothing catches it, nothing is aborted or closed in
    order."""


class KafkaBench(EngineHost):
    """Hosts of toy reducers in this process, against a real broker."""

    def __init__(self, bootstrap: str, namespace: str, **settings: Any) -> None:
        self._client = {"bootstrap_servers": bootstrap}
        self._confluent = {"bootstrap.servers": bootstrap}
        self._namespace = namespace
        self._settings = EngineSettings(
            **{"gather_ms": 10, "session_timeout_ms": 6_000, "heartbeat_ms": 500} | settings
        )
        self.cluster = Cluster(self._client, namespace=namespace, client_id="bench")
        self.hosts: dict[str, KafkaHost] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._producer: AIOKafkaProducer | None = None
        self.failpoints = Failpoints()
        self.measures: Measures = {}
        self.wall: Callable[[], int] = wall_ms

    async def start(
        self, *reducers: Reducer[Any, Any], partitions: int = 2, limits: Limits = Limits()
    ) -> None:
        self.reducers, self.partitions, self._limits = reducers, partitions, limits
        names = {topic for chosen in reducers for topic in (*chosen.inputs, *chosen.outputs)} | {
            "toy.terms.v1",
            "baton.skips.v1",
        }
        names |= {
            dead_letter_topic(name)
            for name in names
            if name in TOY_TOPICS and TOY_TOPICS[name].outside
        }
        names |= {
            spec.name for chosen in reducers for spec in engine_topics(chosen.name, chosen.service)
        }
        layout = Layout(namespace=self._namespace, partitions=partitions)
        specs = [TOPICS_AND_ORDERS[name] for name in sorted(names)]
        await asyncio.to_thread(ensure_topics, self._confluent, layout, specs)
        await self.cluster.start()
        self._producer = AIOKafkaProducer(**self._client, enable_idempotence=True)
        await self._producer.start()
        for reducer in reducers:
            await self.resume(reducer.name)

    async def close(self) -> None:
        """Stop everything; to be called at the end of a test."""
        self.failpoints.arm(None)
        for reducer in list(self._running):
            await self.halt(reducer)
        if self._producer is not None:
            await self._producer.stop()
        await self.cluster.stop()

    # ------------------------------------------------------------------ what comes in

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
        text = {
            "ce_id": id,
            "received_at": None if received_at_ms is None else str(received_at_ms),
            "traceparent": traceparent,
        }
        headers = [(name, value.encode()) for name, value in text.items() if value is not None]
        at = partition_of(key.encode(), TOY_TOPICS[topic].partitions or self.partitions)
        reported = await self._append(
            topic, at, key.encode(), codec_for(type(value)).encode(value), headers
        )
        return Seen(
            topic=topic,
            partition=at,
            offset=reported.offset,
            at_ms=reported.timestamp,
            key=key,
            value=value,
            headers={},
        )

    async def send_raw(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> tuple[int, int]:
        sent = await self._append(topic, 0, key, value, headers)
        return 0, sent.offset

    async def publish(self, version: str) -> int:
        return (await self.send("toy.terms.v1", version, ToyTermsRecord(version=version))).at_ms

    async def _append(
        self, topic: str, partition: int, key: Any, value: Any, headers: Sequence[tuple[str, bytes]]
    ) -> Any:
        assert self._producer is not None
        at = self.cluster.at((topic, partition))
        return await self._producer.send_and_wait(
            at.topic, value, key=key, partition=partition, headers=list(headers)
        )

    # ------------------------------------------------------------------ time

    async def settle(self) -> None:
        await self._until(self._settled)

    async def pass_time(self, ms: int) -> None:
        await asyncio.sleep(ms / 1000)
        to_ms = await self.cluster.tick(self.reducers[0].name, 0)

        async def passed() -> bool:
            return (
                all(self._nothing_due(supervisor, to_ms) for supervisor in self.supervisors())
                and await self._settled()
            )

        await self._until(passed)

    def _nothing_due(self, supervisor: TaskSupervisor, to_ms: int) -> bool:
        if supervisor.failure is not None or supervisor.status.state is TaskState.WAITING:
            return True
        if supervisor.status.state is not TaskState.RUNNING or supervisor.memory is None:
            return False
        core = supervisor.memory.core
        held = core.held and set(core.reducer.upstream) <= set(self._running)
        return (
            core._open_batch is None
            and not held
            and not core.adopting
            and not core.changes_by(to_ms)
        )

    async def _settled(self) -> bool:
        """Committed offsets first, ends after: what was made of the former is in the latter."""
        working = [
            (supervisor.status.reducer, supervisor.status.partition, supervisor)
            for supervisor in self.supervisors()
            if supervisor.failure is None
        ]
        if (
            len({place[:2] for place in working}) + len(await self.failures())
            < len(self._running) * self.partitions
        ):
            return False
        if working and all(
            supervisor.status.state is TaskState.WAITING for *_, supervisor in working
        ):
            return not (await self.cluster.ends([("toy.terms.v1", 0)]))["toy.terms.v1", 0]
        committed = {(name, n): await self.committed(name, n) for name, n, _ in working}
        for name, n, _ in working:
            inputs = FLOW[name]
            ends = await self.cluster.ends([(topic, n) for topic in inputs])
            if any(committed[name, n][0].get(topic, -1) < ends[topic, n] for topic in inputs):
                return False
        return True

    async def _until(self, done: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await done():  # noqa: ASYNC110 - what is waited for is in the broker
                await asyncio.sleep(_POLL_S)

    # ------------------------------------------------------------------ what is there

    async def read(self, topic: str) -> list[Seen]:
        partitions = range(TOPICS_AND_ORDERS[topic].partitions or self.partitions)
        return [
            self._seen(topic, n, record)
            for n in partitions
            for record in await self._records(topic, n)
        ]

    async def raw(self, topic: str, partition: int) -> list[Record]:
        return list(await self._records(topic, partition))

    async def changelog(self, reducer: str, partition: int) -> dict[bytes, bytes]:
        held: dict[bytes, bytes] = {}
        for record in await self._records(changelog_topic(reducer), partition):
            held.pop(record.key, None)
            if record.value is not None:
                held[record.key] = record.value
        return held

    async def journal(self, reducer: str, partition: int) -> list[BatchJournal]:
        codec = codec_for(BatchJournal)
        return [
            codec.decode(record.value)
            for record in await self._records(journal_topic(reducer), partition)
        ]

    async def committed(self, reducer: str, partition: int) -> tuple[dict[str, int], str]:
        inputs = FLOW[reducer]
        found = await self.cluster.committed(reducer, [(topic, partition) for topic in inputs])
        noted = {committed.metadata for committed in found.values()}
        assert len(noted) <= 1
        return {topic: committed.offset for (topic, _), committed in found.items()}, next(
            iter(noted), ""
        )

    async def failures(self) -> dict[tuple[str, int], Exception]:
        return {
            (s.status.reducer, s.status.partition): s.failure
            for s in self.supervisors()
            if s.failure is not None
        }

    def supervisors(self, reducer: str | None = None) -> list[TaskSupervisor]:
        """The task supervisors of all reducers that run, or of one."""
        hosts = self.hosts.values() if reducer is None else (self.hosts[reducer],)
        return [
            supervisor
            for host in hosts
            for group in host.groups
            for supervisor in group.supervisors.values()
        ]

    async def _records(self, topic: str, partition: int) -> list[Any]:
        at = self.cluster.at((topic, partition))
        end = (await self.cluster.ends([(topic, partition)]))[topic, partition]
        if not end:
            return []
        consumer = AIOKafkaConsumer(
            **self._client, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        consumer.assign([at])
        await consumer.start()
        try:
            consumer.seek(at, 0)
            records: list[Any] = []
            while await consumer.position(at) < end:
                records += (await consumer.getmany(at, timeout_ms=100)).get(at, [])
            return records
        finally:
            await consumer.stop()

    @staticmethod
    def _seen(topic: str, partition: int, record: Any) -> Seen:
        record_type = TOPICS_AND_ORDERS[topic].record
        raw = record_type is None or record.value is None
        return Seen(
            topic=topic,
            partition=partition,
            offset=record.offset,
            at_ms=record.timestamp,
            key="" if record.key is None else record.key.decode(),
            value=record.value if raw else codec_for(record_type).decode(record.value),
            headers={name: value.decode() for name, value in record.headers},
        )

    # ------------------------------------------------------------------ trouble

    async def crash(self, reducer: str, partition: int, when: Moment) -> None:
        self._arm(reducer, partition, _POINTS[when], Killed())
        if when is Moment.RESTORING:
            await self._reseat(reducer, partition)

    async def fail(self, reducer: str, partition: int) -> None:
        self._arm(reducer, partition, Point.OFFSETS, RequestTimedOutError())

    async def restart(self, reducer: str, partition: int) -> None:
        await self._reseat(reducer, partition)

    async def halt(self, reducer: str) -> None:
        running = self._running.pop(reducer)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    async def resume(self, reducer: str) -> None:
        (found,) = (chosen for chosen in self.reducers if chosen.name == reducer)
        self.hosts[reducer] = host = KafkaHost(
            [found],
            ToyBook(),
            TaskConfig(
                partitions=self.partitions,
                namespace=self._namespace,
                topics=TOPICS_AND_ORDERS,
                limits=self._limits,
                measures=self.measures,
            ),
            HostConfig(
                client=self._client,
                settings=self._settings,
                flow=FLOW,
                wall_ms=lambda: self.wall(),
                failpoints=self.failpoints,
            ),
        )
        self._running[reducer] = asyncio.create_task(host.run())

        async def joined() -> bool:
            if self._running[reducer].done():
                await self._running[reducer]
            return all(group.joined for group in host.groups)

        await self._until(joined)

    async def skip(self, reducer: str, partition: int, place: str) -> None:
        await self.skip_by_order(reducer, partition, place)

        async def at_work() -> bool:
            return (reducer, partition) not in await self.failures()

        await self._until(at_work)

    async def skip_by_order(self, reducer: str, partition: int, place: str) -> None:
        """What ``baton task skip`` does."""
        order = SkipOrder(reducer=reducer, partition=partition, place=place, by="tests")
        await self._append(
            "baton.skips.v1",
            0,
            f"{reducer}/{partition}/{place}".encode(),
            codec_for(SkipOrder).encode(order),
            (),
        )

    def _arm(self, reducer: str, partition: int, point: Point, error: BaseException) -> None:
        def hook(at: Point, name: str, number: int) -> None:
            if (at, name, number) == (point, reducer, partition):
                self.failpoints.arm(None)
                if isinstance(error, Killed):
                    asyncio.get_running_loop().create_task(self._reseat(reducer, partition))
                raise error

        self.failpoints.arm(hook)

    async def _reseat(self, reducer: str, partition: int) -> None:
        (group,) = self.hosts[reducer].groups
        supervisor = group.supervisors.pop(partition)
        await supervisor.leave(10.0)
        group.start_task(partition, None)
