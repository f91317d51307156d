"""Puts the events into ``leads.accepted.v1``, once, for everything that reads them."""

from __future__ import annotations

import time
from typing import Any

from confluent_kafka import Producer

from baton.contracts.topics import physical
from benchmarks.cluster import encode, event_topic, make_topics, partition_for
from benchmarks.sample import TOPIC, encode_input, headers, input_of, stream

_QUEUE_FULL_S = 1.0


def producer_of(bootstrap: str) -> Producer:
    """A quick producer that loses nothing; its batches are as large and as packed as the
    engine's."""
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "compression.type": "zstd",
            "linger.ms": 50,
            "batch.size": 512 * 1024,
            "log_level": 0,
        }
    )


def produce(producer: Producer, topic: str, **record: Any) -> None:
    """Hand a record over, waiting while the queue is full."""
    while True:
        try:
            producer.produce(topic, **record)
        except BufferError:
            producer.poll(_QUEUE_FULL_S)
        else:
            return


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """Fill the topic with ``events`` events of ``leads`` leads."""
    bootstrap, namespace, count = options["bootstrap"], options["namespace"], options["events"]
    make_topics(bootstrap, namespace)
    producer, topic, size = producer_of(bootstrap), event_topic(namespace), 0
    lead_topic = physical(namespace, TOPIC)
    for event in stream(count, options["leads"], time.time_ns() // 1_000_000):
        value = encode(event)
        size += len(value)
        where: dict[str, Any] = {
            "key": event.lead_id,
            "partition": partition_for(event.lead_id),
            "headers": headers(event),
        }
        produce(producer, topic, value=value, **where)
        produce(producer, lead_topic, value=encode_input(input_of(event)), **where)
        producer.poll(0)
    if producer.flush(60.0):
        raise RuntimeError("the brokers did not take the events")
    return {"events": count, "leads": options["leads"], "bytes_an_event": round(size / count)}
