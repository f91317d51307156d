"""What one reducer on one partition reads and writes with: a decoder for every input, an encoder
for every output. Made once, from the catalogue of topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from baton.contracts.topics import consumer_group
from baton.engine.dead_letters import Origin
from baton.engine.record_headers import RecordDecoder, RecordEncoder
from baton.engine.reducer import Reducer
from baton.engine.task_config import TaskConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """By topic. ``measures``: what a fact counts as, where it does; ``origin``: what a dead letter
    says of where it comes from."""

    decoders: dict[str, RecordDecoder]
    encoders: dict[str, RecordEncoder]
    measures: dict[str, Any]
    origin: Origin


def wiring_of(reducer: Reducer[Any, Any], partition: int, config: TaskConfig) -> Wiring:
    """The wiring of one task."""
    topics, codecs, partitions = config.topics, config.codecs, config.partitions
    return Wiring(
        decoders={
            topic: RecordDecoder(topics[topic], partition, codecs, partitions)
            for topic in reducer.inputs
        },
        encoders={
            topic: RecordEncoder(topics[topic], reducer.name, partition, partitions, codecs)
            for topic in reducer.outputs
        },
        measures={
            topic: config.measures[topic] for topic in reducer.outputs if topic in config.measures
        },
        origin=Origin(
            group=consumer_group(config.namespace, reducer.name),
            service=reducer.service,
            stage=reducer.name,
            version=config.version,
        ),
    )
