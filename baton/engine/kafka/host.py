"""All tasks of one service in this process, and what they share: the engine on Kafka, without a web server or signals."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from baton.contracts.codec import codec_for
from baton.contracts.fact_metrics import MEASURES, Measures
from baton.contracts.topics import REDUCERS, TOPICS, Audience, TopicSpec, changelog_topic, journal_topic
from baton.engine.batch import Limits
from baton.engine.errors import EngineError
from baton.engine.kafka.clock import BrokerClock, wall_ms
from baton.engine.kafka.cluster import Cluster
from baton.engine.kafka.group import Group
from baton.engine.kafka.host_context import HostContext
from baton.engine.kafka.reach import BrokerReach
from baton.engine.kafka.reference import ReferenceReader
from baton.engine.kafka.settings import EngineSettings
from baton.engine.kafka.skip_orders import SkipOrders
from baton.engine.kafka.status import TaskState, TaskStatus
from baton.engine.kafka.upstream_proof import Hop, UpstreamProof
from baton.engine.metrics import TASKS
from baton.engine.reducer import Reducer, ReferenceBook

Flow = Mapping[str, tuple[str, ...]]
"""What each reducer of the whole flow reads: needed to ask how far the groups upstream are."""

CATALOGUE_FLOW: Flow = {
    reducer: tuple(spec.name for spec in TOPICS.values() if reducer in spec.readers and spec.audience is not Audience.ENGINE)
    for reducer in REDUCERS
}


class WrongPartitions(EngineError):
    """A topic has not as many partitions as the tasks expect: keys would meet other tasks than those that hold their state."""


class KafkaHost:
    """Runs ``reducers`` until :meth:`run` is cancelled or fails."""

    def __init__(
        self,
        reducers: Sequence[Reducer[Any, Any]],
        book: ReferenceBook[Any],
        *,
        client: Mapping[str, Any],
        namespace: str,
        partitions: int,
        settings: EngineSettings,
        name: str = "baton",
        flow: Flow = CATALOGUE_FLOW,
        topics: Mapping[str, TopicSpec] = TOPICS,
        codecs: Callable[[type], Any] = codec_for,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        wall: Callable[[], int] = wall_ms,
        version: str = "0",
        measures: Measures = MEASURES,
    ) -> None:
        client_id = f"{name}-{settings.instance_id or f'{socket.gethostname()}-{secrets.token_hex(4)}'}"
        self._cluster = Cluster(client, namespace=namespace, client_id=client_id)
        self._context = HostContext(
            cluster=self._cluster,
            reference=ReferenceReader(self._cluster, book, topics, codecs),
            skips=SkipOrders(self._cluster, codecs),
            clock=BrokerClock(wall),
            settings=settings,
            partitions=partitions,
            topics=topics,
            codecs=codecs,
            limits=limits,
            wall_ms=wall,
            version=version,
            measures=measures,
        )
        self._failed: asyncio.Future[None] | None = None
        self._upstreams = {each.name: self._upstream(each, flow) for each in reducers if each.upstream}
        self.groups = [Group(self._context, each, self._upstreams.get(each.name), self._fatal) for each in reducers]

    @property
    def ready(self) -> bool:
        """Every group is joined and every task of it runs; one that stopped by itself does not make the others unready."""
        states = [supervisor.status.state for group in self.groups for supervisor in group.supervisors.values()]
        return all(group.joined for group in self.groups) and all(
            state in (TaskState.RUNNING, TaskState.STOPPED) for state in states
        )

    async def run(self) -> None:
        """Run until cancelled; raises what stops the whole service."""
        self._failed = asyncio.get_running_loop().create_future()
        watching = asyncio.create_task(BrokerReach(self._cluster.ask).watch())
        try:
            await self._cluster.start()
            await self._check_partitions()
            await self._run_parts()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            for upstream in self._upstreams.values():
                await upstream.close()
            await self._cluster.stop()

    def look(self) -> list[TaskStatus]:
        """The tasks of this process as they are now; brings the gauges up to date."""
        supervisors = [supervisor for group in self.groups for supervisor in group.supervisors.values()]
        for supervisor in supervisors:
            supervisor.look()
        for group in self.groups:
            states = [supervisor.status.state for supervisor in group.supervisors.values()]
            for state in TaskState:
                TASKS.labels(group.reducer.name, state.value).set(states.count(state))
        return [supervisor.status for supervisor in supervisors]

    async def _run_parts(self) -> None:
        assert self._failed is not None
        readers = [asyncio.create_task(self._context.reference.run()), asyncio.create_task(self._context.skips.run())]
        groups = [asyncio.create_task(group.run()) for group in self.groups]
        try:
            await asyncio.wait([self._failed, *readers, *groups], return_when=asyncio.FIRST_COMPLETED)
            for each in (self._failed, *readers, *groups):
                if each.done():
                    each.result()
        finally:
            for part in (groups, readers):  # tasks finish their batch while what they refer to is still there
                for each in part:
                    each.cancel()
                await asyncio.gather(*part, return_exceptions=True)

    async def _check_partitions(self) -> None:
        for group in self.groups:
            own = (changelog_topic(group.reducer.name), journal_topic(group.reducer.name))
            for topic in (*group.reducer.inputs, *own):
                found = await self._cluster.partitions(topic)
                if found != self._context.partitions:
                    raise WrongPartitions(
                        f"{topic} has {found} partitions, the tasks of {group.reducer.name} expect {self._context.partitions}; "
                        "the number is fixed when topics are made, because it decides which task holds a key's state: "
                        f"set BATON_PARTITIONS={found}, or use a new BATON_NAMESPACE"
                    )

    def _upstream(self, reducer: Reducer[Any, Any], flow: Flow) -> UpstreamProof:
        topics = self._context.topics
        hops = []
        for name in reducer.upstream:
            service = topics[changelog_topic(name)].writer
            hops.append(Hop(reducer=name, inputs=flow[name], again=any(topics[each].writer == service for each in flow[name])))
        return UpstreamProof(self._cluster, tuple(hops))

    def _fatal(self, error: Exception) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)
