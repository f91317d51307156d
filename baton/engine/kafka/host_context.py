"""What the tasks of one process have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from baton.contracts.fact_metrics import Measures
from baton.contracts.topics import TopicSpec
from baton.engine.batch import Limits
from baton.engine.core import Core
from baton.engine.kafka.clock import BrokerClock
from baton.engine.kafka.cluster import Cluster
from baton.engine.kafka.reference import ReferenceReader
from baton.engine.kafka.settings import EngineSettings
from baton.engine.kafka.skip_orders import SkipOrders
from baton.engine.reducer import Reducer


@dataclass(frozen=True, slots=True, kw_only=True)
class HostContext:
    """One of each for all tasks. ``wall_ms``: the worker's clock, for ``made_at`` and the first guess of the broker's time."""

    cluster: Cluster
    reference: ReferenceReader
    skips: SkipOrders
    clock: BrokerClock
    settings: EngineSettings
    partitions: int
    topics: Mapping[str, TopicSpec]
    codecs: Callable[[type], Any]
    limits: Limits
    wall_ms: Callable[[], int]
    version: str
    measures: Measures

    def core(self, reducer: Reducer[Any, Any], partition: int) -> Core:
        """A new, empty task."""
        return Core(
            reducer,
            self.reference.book,
            partition=partition,
            partitions=self.partitions,
            limits=self.limits,
            topics=self.topics,
            codecs=self.codecs,
            namespace=self.cluster.namespace,
            version=self.version,
            measures=self.measures,
        )
