"""The engine on Kafka: all tasks of one service in this process, and what they share; no web
server, no signals."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from baton.cluster.reach import BrokerReach
from baton.contracts.topics import REDUCERS, TOPICS, Audience, changelog_topic, journal_topic
from baton.engine.disk.state_directory import StateDirectory
from baton.engine.errors import EngineError
from baton.engine.kafka.broker_clock import BrokerClock, wall_ms
from baton.engine.kafka.cluster import Cluster
from baton.engine.kafka.failpoints import Failpoints
from baton.engine.kafka.group import Group
from baton.engine.kafka.host_context import HostContext
from baton.engine.kafka.reference_reader import ReferenceReader
from baton.engine.kafka.settings import EngineSettings
from baton.engine.kafka.skip_order_reader import SkipOrders
from baton.engine.kafka.status import TaskState, TaskStatus
from baton.engine.kafka.upstream_proof import UpstreamGroup, UpstreamProof
from baton.engine.metrics import TASKS
from baton.engine.reducer import Reducer, ReferenceBook
from baton.engine.task_config import TaskConfig

Flow = Mapping[str, tuple[str, ...]]
"""The inputs of every reducer of the whole flow, to list the offsets of the groups upstream."""

CATALOGUE_FLOW: Flow = {
    reducer: tuple(
        spec.name
        for spec in TOPICS.values()
        if reducer in spec.readers and spec.audience is not Audience.ENGINE
    )
    for reducer in REDUCERS
}


class WrongPartitions(EngineError):
    """A topic has another number of partitions than the tasks expect: keys would reach tasks that
    do not have their state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfig:
    """``client``: options of any aiokafka client. ``name``: in the client id, for the logs of the
    brokers.

    ``flow``, ``wall_ms`` and ``failpoints`` are replaced in tests only.
    """

    client: Mapping[str, Any]
    settings: EngineSettings
    name: str = "baton"
    flow: Flow = field(default_factory=lambda: CATALOGUE_FLOW)
    wall_ms: Callable[[], int] = wall_ms
    failpoints: Failpoints = field(default_factory=Failpoints)


class KafkaHost:
    """Runs ``reducers`` until :meth:`run` is cancelled or fails."""

    def __init__(
        self,
        reducers: Sequence[Reducer[Any, Any]],
        book: ReferenceBook[Any],
        tasks: TaskConfig,
        host: HostConfig,
    ) -> None:
        # Unique to the process, whatever it is named: two with one name are distinguished by it.
        instance = host.settings.instance_id or socket.gethostname()
        client_id = f"{host.name}-{instance}-{secrets.token_hex(4)}"
        self._cluster = Cluster(host.client, namespace=tasks.namespace, client_id=client_id)
        self._states = _states(host.settings, tasks)
        if self._states is not None:
            tasks = replace(tasks, open_store=self._states.store_of)
        self._context = HostContext(
            config=tasks,
            settings=host.settings,
            cluster=self._cluster,
            reference=ReferenceReader(self._cluster, book, tasks.topics, tasks.codecs),
            skips=SkipOrders(self._cluster, tasks.codecs),
            clock=BrokerClock(host.wall_ms),
            wall_ms=host.wall_ms,
            failpoints=host.failpoints,
        )
        self._failed: asyncio.Future[None] | None = None
        self._upstreams = {
            reducer.name: self._upstream(reducer, host.flow)
            for reducer in reducers
            if reducer.upstream
        }
        self.groups = [
            Group(self._context, reducer, self._upstreams.get(reducer.name), self._fatal)
            for reducer in reducers
        ]

    @property
    def ready(self) -> bool:
        """Whether every group is joined and its tasks in this process are fit for work
        (:func:`all_ready`)."""
        return all(group.ready for group in self.groups)

    async def run(self) -> None:
        """Run until cancelled; raises what stops the whole service."""
        self._failed = asyncio.get_running_loop().create_future()
        watching = asyncio.create_task(BrokerReach(self._cluster.ask).watch())
        try:
            await self._cluster.start()
            if self._states is not None:
                self._states.cluster_id = await self._cluster.cluster_id()
            await self._check_partitions()
            await self._run_parts()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            for upstream in self._upstreams.values():
                await upstream.close()
            await self._cluster.stop()

    def statuses(self) -> list[TaskStatus]:
        """The tasks of this process as they are now; brings the gauges up to date."""
        found: list[TaskStatus] = []
        for group in self.groups:
            statuses = group.statuses()
            states = [status.state for status in statuses]
            for state in TaskState:
                TASKS.labels(group.reducer.name, state.value).set(states.count(state))
            found += statuses
        return found

    async def _run_parts(self) -> None:
        assert self._failed is not None
        readers = [
            asyncio.create_task(self._context.reference.run()),
            asyncio.create_task(self._context.skips.run()),
        ]
        groups = [asyncio.create_task(group.run()) for group in self.groups]
        try:
            await asyncio.wait(
                [self._failed, *readers, *groups], return_when=asyncio.FIRST_COMPLETED
            )
            for part in (self._failed, *readers, *groups):
                if part.done():
                    part.result()
        finally:
            for parts in (groups, readers):  # tasks finish their batch while the readers still run
                for running in parts:
                    running.cancel()
                await asyncio.gather(*parts, return_exceptions=True)

    async def _check_partitions(self) -> None:
        for group in self.groups:
            own = (changelog_topic(group.reducer.name), journal_topic(group.reducer.name))
            for topic in (*group.reducer.inputs, *own):
                found = await self._cluster.partitions(topic)
                if found != self._context.config.partitions:
                    raise WrongPartitions(
                        f"{topic} has {found} partitions, the tasks of {group.reducer.name} expect "
                        f"{self._context.config.partitions}; "
                        "the number is fixed when topics are made, because it decides which task "
                        "holds a key's state: "
                        f"set BATON_PARTITIONS={found}, or use a new BATON_NAMESPACE"
                    )

    def _upstream(self, reducer: Reducer[Any, Any], flow: Flow) -> UpstreamProof:
        topics = self._context.config.topics
        groups = []
        for name in reducer.upstream:
            service = topics[changelog_topic(name)].writer
            again = any(topics[topic].writer == service for topic in flow[name])
            groups.append(UpstreamGroup(reducer=name, inputs=flow[name], again=again))
        return UpstreamProof(self._cluster, tuple(groups))

    def _fatal(self, error: Exception) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)


def _states(settings: EngineSettings, tasks: TaskConfig) -> StateDirectory | None:
    return (
        None
        if settings.state_dir is None
        else StateDirectory(
            settings.state_dir / tasks.namespace, tasks.partitions, settings.state_cache_mb
        )
    )
