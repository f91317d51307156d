"""What the tasks of one process share, and what belongs to one task: frozen, made once, passed as
one value."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer

from baton.engine.core import Core
from baton.engine.kafka.broker_clock import BrokerClock
from baton.engine.kafka.cluster import Cluster, Place
from baton.engine.kafka.failpoints import Failpoints, Point
from baton.engine.kafka.loop_share import LoopShare
from baton.engine.kafka.reference_reader import ReferenceReader
from baton.engine.kafka.settings import EngineSettings
from baton.engine.kafka.skip_order_reader import SkipOrders
from baton.engine.kafka.upstream_proof import UpstreamProof
from baton.engine.reducer import Reducer
from baton.engine.task_config import TaskConfig
from baton.logs import log_of


@dataclass(frozen=True, slots=True, kw_only=True)
class HostContext:
    """One of each for all tasks of a host.

    ``wall_ms``: the worker's clock, for ``made_at`` and the first guess of the broker's time.
    """

    config: TaskConfig
    settings: EngineSettings
    cluster: Cluster
    reference: ReferenceReader
    skips: SkipOrders
    clock: BrokerClock
    wall_ms: Callable[[], int]
    failpoints: Failpoints
    share: LoopShare = field(default_factory=LoopShare)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """One partition of a reducer that the group assigns to this process, and the consumer to read
    it with.

    ``upstream``: proves deadlines, for reducers that have an upstream.
    """

    host: HostContext
    reducer: Reducer[Any, Any]
    partition: int
    consumer: AIOKafkaConsumer
    upstream: UpstreamProof | None = None

    @property
    def name(self) -> str:
        """For error texts."""
        return f"{self.reducer.name}[{self.partition}]"

    @property
    def places(self) -> list[Place]:
        """The task's partition of every input."""
        return [(topic, self.partition) for topic in self.reducer.inputs]

    def core(self) -> Core:
        """A new core, with the state that is on disk, if there is any. May wait for the disk."""
        return Core(
            self.reducer,
            self.host.reference.book,
            self.host.config,
            partition=self.partition,
            store=self.host.config.open_store(self.reducer, self.partition),
        )

    def skipped_places(self) -> frozenset[str]:
        """What this task was ordered to skip."""
        return self.host.skips.places(self.reducer.name, self.partition)

    def log(self, module: str) -> logging.LoggerAdapter[logging.Logger]:
        """The logger of a module, with reducer and partition in every line."""
        return log_of(module, reducer=self.reducer.name, partition=self.partition)

    def reached(self, point: Point) -> None:
        """The task is at a failpoint."""
        self.host.failpoints.reached(point, self.reducer.name, self.partition)
