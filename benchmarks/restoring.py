"""How long a worker takes to have a million leads again: the engine's own start on a full
changelog, position check included.

The changelog has the heads and entries of leads that were grown by events
(:func:`benchmarks.sample.grown`) and copied, a position record in each partition, and offsets
committed with the batch number, as a worker that ended would have left them.
"""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from baton.contracts.codec import codec_for
from baton.contracts.topics import changelog_topic, consumer_group, physical
from baton.derived_ids import derived_id
from baton.engine.changelog import POSITION_KEY
from baton.engine.kafka.status import TaskState
from baton.engine.kafka.worker import calm_collector
from baton.engine.records import Position
from benchmarks.cluster import PARTITIONS, make_topics, partition_for
from benchmarks.engine import host_for
from benchmarks.filling import produce, producer_of
from benchmarks.meter import cpu_s, resident
from benchmarks.sample import Book, grown, renamed
from services.scorer.lead.reducer import Lead

_BATCH = 7
_POLL_S = 0.02
_LIMIT_S = 600.0


def filled(options: dict[str, Any]) -> dict[str, Any]:
    """Write the changelog of ``leads`` leads with ``acts`` acts each."""
    bootstrap, namespace, leads = options["bootstrap"], options["namespace"], options["leads"]
    make_topics(bootstrap, namespace)
    now_ms, topic = time.time_ns() // 1_000_000, physical(namespace, changelog_topic("lead"))
    templates = grown(Book(), options["acts"], end_ms=now_ms)
    producer, records, size = producer_of(bootstrap), 0, 0
    for number in range(leads):
        lead = derived_id("lead", number)
        name, partition = lead.encode(), partition_for(lead)
        for key, value in templates[number % len(templates)]:
            produce(producer, topic, key=renamed(key, name), value=value, partition=partition)
            records, size = records + 1, size + len(key) + len(value)
        producer.poll(0)
    position = Position(
        batch=_BATCH, now_ms=now_ms, offsets=dict.fromkeys(Lead.inputs, 0), reference={}
    )
    for partition in range(PARTITIONS):
        produce(
            producer,
            topic,
            key=POSITION_KEY,
            value=codec_for(Position).encode(position),
            partition=partition,
        )
    if producer.flush(120.0):
        raise RuntimeError("the brokers did not take the changelog")
    asyncio.run(_commit(bootstrap, namespace))
    return {
        "leads": leads,
        "records_a_lead": records / leads,
        "changelog_bytes_a_lead": size / leads,
    }


async def _commit(bootstrap: str, namespace: str) -> None:
    places = [
        TopicPartition(physical(namespace, topic), number)
        for topic in Lead.inputs
        for number in range(PARTITIONS)
    ]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=consumer_group(namespace, "lead"),
        enable_auto_commit=False,
    )
    consumer.assign(places)
    await consumer.start()
    try:
        await consumer.commit({place: OffsetAndMetadata(0, str(_BATCH)) for place in places})
    finally:
        await consumer.stop()


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """From starting the engine to ready."""
    host = host_for("lead", options["bootstrap"], options["namespace"])
    gc.collect()
    calm_collector()
    return uvloop.run(_restore(host, options["leads"]))


async def _restore(host: Any, leads: int) -> dict[str, Any]:
    before, cpu, began = resident(), cpu_s(), time.perf_counter()
    running = asyncio.create_task(host.run())
    try:
        async with asyncio.timeout(_LIMIT_S):
            while not running.done() and not host.ready:
                await asyncio.sleep(_POLL_S)
        if running.done():
            running.result()
        if stopped := [
            status.reason for status in host.statuses() if status.state is not TaskState.RUNNING
        ]:
            raise RuntimeError("; ".join(stopped))
        seconds, used = time.perf_counter() - began, cpu_s() - cpu
        found = sum(
            supervisor.memory.core.keys
            for group in host.groups
            for supervisor in group.supervisors.values()
        )
        if found != leads:
            raise RuntimeError(f"{found} of {leads} leads were restored")
        gc.collect()
        size = resident() - before
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return {
        "leads": found,
        "seconds": round(seconds, 2),
        "cpu_s": round(used, 2),
        "cpu_us_a_lead": used / leads * 1e6,
        "bytes_a_lead": size / leads,
    }
