"""(a) aiokafka and fastavro and nothing else: no state, no output, no transaction."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from fastavro import parse_schema, schemaless_reader

from baton.contracts.avro_schema import avro_schema_of
from baton.contracts.intake import LeadEvent
from baton.engine.kafka.worker import calm_collector
from benchmarks.cluster import PARTITIONS, event_topic
from benchmarks.meter import Meter

FRAME_BYTES = 5


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """Read and decode all of it."""
    calm_collector()
    return uvloop.run(
        _read(options["bootstrap"], event_topic(options["namespace"]), options["events"])
    )


async def _read(bootstrap: str, topic: str, count: int) -> dict[str, Any]:
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    schema, meter, seen = parse_schema(avro_schema_of(LeadEvent)), Meter(count), 0
    meter.mark(0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    consumer.assign(places)
    await consumer.start()
    try:
        for place in places:
            consumer.seek(place, 0)
        while seen < count:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    schemaless_reader(BytesIO(record.value[FRAME_BYTES:]), schema, None)
                seen += len(records)
            meter.look(seen)
        meter.mark(seen)
    finally:
        await consumer.stop()
    return meter.figures()
