"""(d) a Faust agent with a table: the same decoding, the same state in memory with a changelog, at
least once; with the same fact, or without any.

Tuned as its documentation advises: uvloop, larger polls and buffers, batched and packed writes of
the changelog, no web server, no wait for streams to be empty, keys and events as bytes, so that
nothing is decoded twice.

Faust hands the changelog's records to a buffer and goes on. An event is done when its record is in
the log, and not before: else most of the work would be left for after the end.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from io import BytesIO
from typing import Any

import faust
import uvloop
from confluent_kafka import Consumer, TopicPartition
from fastavro import parse_schema, schemaless_reader

from baton.contracts.avro_schema import avro_schema_of
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadEvent
from baton.contracts.topics import TopicSpec, physical
from baton.engine.kafka.worker import calm_collector
from benchmarks.cluster import PARTITIONS, event_topic, make_topics
from benchmarks.loop import FRAME_BYTES
from benchmarks.meter import Meter
from benchmarks.reducers import Total

_LIMIT_S = 600.0
_LOOK_S = 0.25
_TOTALS = TopicSpec(
    name="faust.totals.v1", record=Total, says="counted", key="lead", writer="bench"
)
_RAW = {"key_serializer": "raw", "value_serializer": "raw"}


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """The first ``events`` events; ``reports``: whether a fact is sent for each."""
    logging.basicConfig(level=logging.ERROR)
    calm_collector()
    with tempfile.TemporaryDirectory(prefix="baton-bench-faust-") as folder:
        return uvloop.run(_run(options, folder))


def _app(bootstrap: str, name: str, folder: str) -> Any:
    return faust.App(
        name,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        datadir=folder,
        processing_guarantee="at_least_once",
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        topic_disable_leader=True,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=4_000,
        stream_buffer_maxsize=16_384,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        producer_linger=0.05,
        producer_max_batch_size=512 * 1024,
        producer_compression_type="zstd",
    )


async def _run(options: dict[str, Any], folder: str) -> dict[str, Any]:
    bootstrap, namespace, count, reports = (
        options["bootstrap"],
        options["namespace"],
        options["events"],
        options["reports"],
    )
    app = _app(bootstrap, f"{namespace}-faust-{'reports' if reports else 'counts'}", folder)
    topic = app.topic(event_topic(namespace), key_type=bytes, value_type=bytes, **_RAW)
    make_topics(bootstrap, namespace, [_TOTALS])
    reported = app.topic(
        physical(namespace, _TOTALS.name), key_type=bytes, value_type=bytes, **_RAW
    )
    table = app.Table("totals", default=lambda: [0, 0], partitions=PARTITIONS, key_type=bytes)
    schema, meter, encode = (
        parse_schema(avro_schema_of(LeadEvent)),
        Meter(count),
        codec_for(Total).encode,
    )
    seen = 0

    @app.agent(topic)
    async def _count(stream: Any) -> None:
        nonlocal seen
        async for event in stream.events():
            value: Any = schemaless_reader(BytesIO(event.value[FRAME_BYTES:]), schema, None)
            number, latest_ms = table[event.key]
            total = Total(count=number + 1, latest_ms=max(latest_ms, value["occurred_at_ms"]))
            table[event.key] = [total.count, total.latest_ms]
            if reports:
                await reported.send(key=event.key, value=encode(total))
            seen += 1
            if seen == count:
                await asyncio.Event().wait()  # no more than was asked for

    app.finalize()
    meter.mark(0)
    await app.start()
    written = _Written(
        bootstrap, [table.changelog_topic.get_topic_name()] + [reported.get_topic_name()] * reports
    )
    try:
        async with asyncio.timeout(_LIMIT_S):
            while (done := await asyncio.to_thread(written.count)) < count:
                meter.look(done)
                await asyncio.sleep(_LOOK_S)
        meter.mark(count)
    finally:
        written.close()
        await app.stop()
    if (counted := sum(total[0] for total in table.values())) != count:
        raise RuntimeError(f"the table counts {counted} of {count} events")
    return meter.figures()


class _Written:
    """How many records are in each of the topics at least, asked seldom and of the broker."""

    def __init__(self, bootstrap: str, topics: list[str]) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": "none", "log_level": 0}
        )
        self._topics = topics

    def count(self) -> int:
        """The sum of all ends, of the topic that has fewest."""
        return min(
            sum(self._end(topic, number) for number in range(PARTITIONS)) for topic in self._topics
        )

    def close(self) -> None:
        """Close the client."""
        self._consumer.close()

    def _end(self, topic: str, number: int) -> int:
        return int(
            self._consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10.0)[1]
        )
