"""A reducer in this process: its membership in the consumer group, the consumer its tasks share, and a task supervisor for each partition.

Rebalances are eager: all partitions are given up before the group assigns anew. What takes long (restoring) is done by the tasks, never in
a rebalance callback; their partitions are paused until they are ready. The state of a task that left is kept for a while, so that
its return restores only what is new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from baton.engine.kafka.host_context import HostContext
from baton.engine.kafka.task_startup import Memory
from baton.engine.kafka.task_supervisor import TaskSupervisor
from baton.engine.kafka.upstream_proof import UpstreamProof
from baton.engine.reducer import Reducer
from baton.logs import log_of

_WATCH_S = 1.0
_RETRY_S = 1.0
_LEAVE_LIMIT_S = 5.0
_NEVER_MS = 2**31 - 1
"""A task that restores, or waits for a first agreement, fetches nothing for as long as it takes and is a good member still."""
_IDLE_WAIT_MS, _BUSY_WAIT_MS = 500, 50
"""So long a broker may hold a fetch back that finds nothing. aiokafka has one fetch at a time for each broker, and it names the
partitions that were read out when it was sent: one that is read out a moment later waits for that fetch to end before its next records
come, however many there are. Long where nothing comes, because each fetch costs; short where something does."""


class Group(ConsumerRebalanceListener):  # type: ignore[misc]
    """Runs the tasks of ``reducer`` that the group gives to this process."""

    def __init__(
        self, context: HostContext, reducer: Reducer[Any, Any], upstream: UpstreamProof | None, fatal: Callable[[Exception], None]
    ) -> None:
        self.reducer = reducer
        self.supervisors: dict[int, TaskSupervisor] = {}
        self.joined = False
        self._context, self._upstream, self._fatal = context, upstream, fatal
        self._log = log_of(__name__, reducer=reducer.name)
        self._kept: dict[int, tuple[float, Memory]] = {}
        self._consumer: AIOKafkaConsumer | None = None
        self._batches: dict[int, int] = {}

    async def run(self) -> None:
        """Be a member until cancelled."""
        while True:
            try:
                await self._member()
            except KafkaError as error:
                self._log.warning("out of the group: %s; joining again", type(error).__name__)
                await asyncio.sleep(_RETRY_S)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Stop every supervisor: the open batch is finished or aborted, the producer closed, the state kept."""
        self.joined = False
        limit_s = self._context.settings.session_timeout_ms / 2000
        supervisors, self.supervisors = self.supervisors, {}
        await asyncio.gather(*(supervisor.leave(limit_s) for supervisor in supervisors.values()))
        for partition, supervisor in supervisors.items():
            if supervisor.memory is not None:
                self._kept[partition] = (monotonic(), supervisor.memory)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Start a supervisor for each partition of which this process has every input; nothing is fetched before its task is ready."""
        assert self._consumer is not None
        self._consumer.pause(*assigned)
        places = {self._context.cluster.place(each) for each in assigned}
        for partition in sorted({number for _, number in places}):
            if missing := [topic for topic in self.reducer.inputs if (topic, partition) not in places]:
                # While members of two releases are in the group, one that knows more inputs may be given some alone.
                self._log.warning("partition %d waits: %s is with another member", partition, ", ".join(missing))
                continue
            _, memory = self._kept.pop(partition, (0.0, None))
            self.take_seat(partition, memory)
        self.joined = True

    def take_seat(self, partition: int, memory: Memory | None) -> None:
        """Run the task of ``partition``; ``memory`` is its state as this process knows it, if it does."""
        assert self._consumer is not None
        self.supervisors[partition] = TaskSupervisor(
            self._context, self.reducer, partition, self._consumer, self._upstream, memory, self._fatal
        )

    async def _member(self) -> None:
        settings, cluster = self._context.settings, self._context.cluster
        self._consumer = consumer = AIOKafkaConsumer(
            **cluster.client,
            group_id=cluster.group(self.reducer.name),
            group_instance_id=settings.instance_id,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            partition_assignment_strategy=(RangePartitionAssignor,),
            fetch_max_wait_ms=_IDLE_WAIT_MS,
            consumer_timeout_ms=1_000,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.heartbeat_ms,
            max_poll_interval_ms=_NEVER_MS,
        )
        consumer.subscribe([cluster.at((topic, 0)).topic for topic in self.reducer.inputs], listener=self)
        try:
            await consumer.start()
            # Where one task is slow to take what was fetched for it, the fetcher would keep all others waiting for so long.
            consumer._fetcher._prefetch_backoff = 0.0
            while True:
                await asyncio.sleep(_WATCH_S)
                consumer._coordinator.check_errors()
                consumer._fetcher._fetch_max_wait_ms = _BUSY_WAIT_MS if self._moved() else _IDLE_WAIT_MS
                self._forget()
        finally:
            await self.on_partitions_revoked(set())
            with suppress(TimeoutError):  # brokers that do not answer will notice by themselves that it left
                async with asyncio.timeout(_LEAVE_LIMIT_S):
                    await consumer.stop()

    def _moved(self) -> bool:
        """Whether any task has committed a batch since the last look."""
        before = self._batches
        self._batches = {
            number: supervisor.memory.core.number
            for number, supervisor in self.supervisors.items()
            if supervisor.memory is not None
        }
        return self._batches != before

    def _forget(self) -> None:
        oldest = monotonic() - self._context.settings.keep_state_s
        self._kept = {partition: kept for partition, kept in self._kept.items() if kept[0] > oldest}
