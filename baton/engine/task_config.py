"""What every task of a process has in common: fixed when the process starts, the same for every
reducer.

A host (Kafka or in memory) makes one and hands it to every :class:`~baton.engine.core.Core`. What
differs from task to task, the reducer and the partition, is not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from baton.contracts.amounts import Measures
from baton.contracts.codec import codec_for
from baton.contracts.topics import DEFAULT_NAMESPACE, TOPICS, TopicSpec
from baton.engine.batch import Limits
from baton.engine.reducer import Reducer
from baton.engine.store import MemoryStore, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskConfig:
    """``partitions``: number of partitions of every keyed topic, and so of tasks of each reducer.

    ``topics`` and ``codecs`` are replaced only for reducers that are not in the catalogue (tests).
    ``measures``: by topic, what a fact counts as; without it nothing is measured (simulations,
    rebuilds). ``version``: of the program, for dead letters. ``open_store``: gives the store of a
    task of a reducer, by partition; a host on Kafka or in memory calls it whenever a task begins
    without any memory.
    """

    partitions: int = 1
    namespace: str = DEFAULT_NAMESPACE
    limits: Limits = field(default_factory=Limits)
    topics: Mapping[str, TopicSpec] = field(default_factory=lambda: TOPICS)
    codecs: Callable[[type], Any] = codec_for
    measures: Measures = field(default_factory=dict)
    version: str = "0"
    open_store: Callable[[Reducer[Any, Any], int], Store] = lambda reducer, partition: MemoryStore()
