"""A reducer in this process: its group membership, the consumer that its tasks share, and one task
supervisor per partition.

Rebalances are eager: all partitions are revoked before the group assigns them again. What takes
long (restoring) is done by the tasks, never in a rebalance callback; their partitions are paused
until they are ready. The state of a task that left is kept for a while, so that its return restores
only what is new.
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

from baton.engine.errors import EngineError
from baton.engine.kafka.client_internals import (
    check_group_errors,
    disable_prefetch_backoff,
    member_id,
    set_fetch_max_wait,
    stop_joining,
)
from baton.engine.kafka.host_context import HostContext, TaskContext
from baton.engine.kafka.status import TaskState, TaskStatus, all_ready
from baton.engine.kafka.task_startup import Memory
from baton.engine.kafka.task_supervisor import TaskSupervisor
from baton.engine.kafka.upstream_proof import UpstreamProof
from baton.engine.reducer import Reducer
from baton.logs import log_of

_WATCH_S = 1.0
_RETRY_S = 1.0
_LEAVE_LIMIT_S = 5.0
_NEVER_MS = 2**31 - 1
"""A task that restores, or waits for a first agreement, fetches nothing for as long as that takes,
and must stay a member."""
_REBALANCE_MS = 30_000
"""For how long the group waits for a member that is alive to give its partitions up and join again.
aiokafka's default is the session, which heartbeats keep alive: a worker with little CPU that was
finishing a batch would be left out although it is alive, and have to join anew, which is another
rebalance for everybody. Less than ``request_timeout_ms``, since a request to join is answered when
the last one has joined."""
_IDLE_WAIT_MS, _BUSY_WAIT_MS = 500, 50
"""How long a broker may delay an empty fetch. aiokafka has one fetch at a time per broker, for the
partitions whose buffer was empty when it was sent: the next records of a partition that empties a
moment later come only after that fetch. Long while nothing comes, because a fetch costs time; short
while something does."""


class InstanceIdTaken(EngineError):
    """Two workers have one ``BATON_INSTANCE_ID``: each takes the other's membership away."""

    def __init__(self, instance_id: str, group: str) -> None:
        super().__init__(
            f"another worker joined group {group} with BATON_INSTANCE_ID={instance_id}, the id of "
            "this one, and has taken its tasks; this worker stops. Give each worker an id of its "
            "own, or none"
        )


class Group(ConsumerRebalanceListener):  # type: ignore[misc]
    """Runs the tasks of ``reducer`` that the group assigns to this process.

    ``incomplete``: partitions of which this process has some inputs and another member the rest; no
    task runs for them.
    """

    def __init__(
        self,
        context: HostContext,
        reducer: Reducer[Any, Any],
        upstream: UpstreamProof | None,
        fatal: Callable[[Exception], None],
    ) -> None:
        self.reducer = reducer
        self.supervisors: dict[int, TaskSupervisor] = {}
        self.incomplete: dict[int, TaskStatus] = {}
        self.joined = False
        self._context, self._upstream, self._fatal = context, upstream, fatal
        self._log = log_of(__name__, reducer=reducer.name)
        self._kept: dict[int, tuple[float, Memory]] = {}
        self._consumer: AIOKafkaConsumer | None = None
        self._batches: dict[int, int] = {}
        self._look_at = 0.0

    async def run(self) -> None:
        """Be a member until cancelled."""
        while True:
            try:
                await self._member()
            except KafkaError as error:
                self._log.warning(
                    "lost the group membership: %s; joining again", type(error).__name__
                )
                await asyncio.sleep(_RETRY_S)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Stop every supervisor: the open batch is finished or aborted, the producer closed, the
        state kept."""
        self.joined = False
        self.incomplete = {}
        limit_s = self._context.settings.session_timeout_ms / 2000
        supervisors, self.supervisors = self.supervisors, {}
        await asyncio.gather(*(supervisor.leave(limit_s) for supervisor in supervisors.values()))
        for partition, supervisor in supervisors.items():
            if supervisor.memory is None:
                continue
            if supervisor.memory.core.store.durable:
                supervisor.forget()  # another process may open it; the disk is what is kept
            else:
                self._kept[partition] = (monotonic(), supervisor.memory)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Start a supervisor for every partition of which this process has all inputs; nothing is
        fetched before its task is ready."""
        assert self._consumer is not None
        self._consumer.pause(*assigned)
        places = {self._context.cluster.place(at) for at in assigned}
        for partition in sorted({number for _, number in places}):
            if missing := [
                topic for topic in self.reducer.inputs if (topic, partition) not in places
            ]:
                # While members of two releases are in the group, one that knows more inputs may get
                # some alone.
                reason = (
                    f"{', '.join(missing)} of this partition is assigned to another member of the "
                    "group; a task needs all inputs "
                    "in one process: bring all workers of the reducer to one release"
                )
                self._log.warning("partition %d has no task: %s", partition, reason)
                self.incomplete[partition] = TaskStatus(
                    reducer=self.reducer.name,
                    partition=partition,
                    state=TaskState.INCOMPLETE,
                    reason=reason,
                )
                continue
            _, memory = self._kept.pop(partition, (0.0, None))
            self.start_task(partition, memory)
        self.joined = True

    def start_task(self, partition: int, memory: Memory | None) -> None:
        """Run the task of ``partition``; ``memory``: its state, if this process has kept it."""
        assert self._consumer is not None
        task = TaskContext(
            host=self._context,
            reducer=self.reducer,
            partition=partition,
            consumer=self._consumer,
            upstream=self._upstream,
        )
        self.supervisors[partition] = TaskSupervisor(task, memory, self._fatal)

    def statuses(self) -> list[TaskStatus]:
        """The tasks of this group in this process, brought up to date."""
        return [supervisor.refresh() for supervisor in self.supervisors.values()] + list(
            self.incomplete.values()
        )

    @property
    def ready(self) -> bool:
        """Whether the group is joined and its tasks in this process are fit for work."""
        return self.joined and all_ready(self.statuses())

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
            rebalance_timeout_ms=max(_REBALANCE_MS, settings.session_timeout_ms),
            max_poll_interval_ms=_NEVER_MS,
        )
        consumer.subscribe(
            [cluster.at((topic, 0)).topic for topic in self.reducer.inputs], listener=self
        )
        try:
            await consumer.start()
            disable_prefetch_backoff(consumer)
            while True:
                await asyncio.sleep(_WATCH_S)
                check_group_errors(consumer)
                await self._check_namesakes(consumer)
                set_fetch_max_wait(
                    consumer, _BUSY_WAIT_MS if self._has_committed() else _IDLE_WAIT_MS
                )
                self._drop_old_states()
        finally:
            await self.on_partitions_revoked(set())
            # brokers that do not answer will notice by themselves that it left
            with suppress(TimeoutError):
                async with asyncio.timeout(_LEAVE_LIMIT_S):
                    await consumer.stop()

    async def _check_namesakes(self, consumer: AIOKafkaConsumer) -> None:
        """Stop the service where another process has joined under this one's name since."""
        name, member = self._context.settings.instance_id, member_id(consumer)
        if name is None or not member or not self.joined or monotonic() < self._look_at:
            return
        self._look_at = monotonic() + self._context.settings.heartbeat_ms / 1000
        with suppress(KafkaError):  # brokers that do not answer are somebody else's to report
            taken = await self._context.cluster.is_namesake_in(self.reducer.name, name, member)
            if taken and member_id(consumer) == member:  # it has not joined anew meanwhile
                # joining once more would take it away from the other one, and both would stop
                await stop_joining(consumer)
                group = self._context.cluster.group(self.reducer.name)
                self._fatal(InstanceIdTaken(name, group))

    def _has_committed(self) -> bool:
        """Whether any task has committed a batch since the last call."""
        before = self._batches
        self._batches = {
            number: supervisor.memory.core.number
            for number, supervisor in self.supervisors.items()
            if supervisor.memory is not None
        }
        return self._batches != before

    def _drop_old_states(self) -> None:
        oldest = monotonic() - self._context.settings.keep_state_s
        self._kept = {partition: kept for partition, kept in self._kept.items() if kept[0] > oldest}
