"""The engine on Kafka, measured: what it costs an event against a bare loop, how quick it is in light traffic, what it takes idle.

    BATON_BOOTSTRAP=127.0.0.1:9092 python benchmarks/kafka_engine.py [--events 200000] [--rate 300] [--seconds 20] [--json]

Everything is measured in one run, so that the ratios hold on any machine. Figures are CPU time of the process that works; the
broker's is not in them. Events have 15 fields, keys are spread over four partitions.
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import psutil
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from baton.broker.topics import Layout, delete_topics, ensure_topics
from baton.contracts.codec import codec_for, provisional
from baton.contracts.keys import partition_of
from baton.contracts.topics import TOPICS, TopicSpec, engine_topics, physical
from baton.engine.kafka.host import KafkaHost
from baton.engine.kafka.settings import EngineSettings
from baton.engine.kafka.worker import calm_collector
from baton.engine.reducer import Event, Fact, Reducer, Step, View

PARTITIONS = 4
KEYS = 20_000
WARM_S = 3.0


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class BenchEvent:
    """An event as wide as those of a lead."""

    event_id: str
    lead_id: str
    source: str
    kind: str
    act: str
    campaign: str | None
    page: str | None
    referrer: str | None
    country: str | None
    occurred_at_ms: int
    received_at_ms: int
    points_micro: int
    weight: int
    flags: tuple[str, ...]
    automatic: bool


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class BenchTotal:
    """What is kept of a key, and told."""

    count: int
    points_micro: int
    last_ms: int
    sent_ms: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The one version there is."""

    version: str = "v1"


class Book:
    """A reference book without topics."""

    topics: tuple[str, ...] = ()

    def add(self, event: Event) -> None:
        """Nothing comes."""

    def at(self, now: int) -> Terms:
        """Always the same."""
        return _TERMS


_TERMS = Terms()


class Empty(Reducer[Any, Any]):
    """Decodes and forgets: what is left is the engine."""

    name: ClassVar[str] = "empty"
    service: ClassVar[str] = "bench"
    inputs: ClassVar[tuple[str, ...]] = ("bench.events.v1",)
    outputs: ClassVar[tuple[str, ...]] = ()
    head_type: ClassVar[type[Any] | None] = None

    def step(self, view: View[Any], event: Event, *, now: int, reference: Any) -> Step[Any]:
        return _NOTHING


_NOTHING: Step[Any] = Step(head=None)


class Adding(Reducer[Any, Any]):
    """One state and one fact an event."""

    name: ClassVar[str] = "adding"
    service: ClassVar[str] = "bench"
    inputs: ClassVar[tuple[str, ...]] = ("bench.events.v1",)
    outputs: ClassVar[tuple[str, ...]] = ("bench.totals.v1",)
    head_type: ClassVar[type[Any] | None] = BenchTotal

    def step(self, view: View[Any], event: Event, *, now: int, reference: Any) -> Step[Any]:
        value, head = event.value, view.head
        total = BenchTotal(
            count=1 if head is None else head.count + 1,
            points_micro=value.points_micro + (0 if head is None else head.points_micro),
            last_ms=now,
            sent_ms=value.occurred_at_ms,
        )
        return Step(head=total, facts=(Fact("bench.totals.v1", view.key, total),))


REDUCERS: Mapping[str, Reducer[Any, Any]] = {each.name: each for each in (Empty(), Adding())}
_FLOW = (("bench.events.v1", BenchEvent), ("bench.totals.v1", BenchTotal))
BENCH_TOPICS: Mapping[str, TopicSpec] = {
    spec.name: spec
    for spec in (
        *(TopicSpec(name=name, record=record, says="bench", key="lead", writer="bench") for name, record in _FLOW),
        *(spec for each in REDUCERS.values() for spec in engine_topics(each.name, "bench")),
        TOPICS["baton.skips.v1"],
    )
}


def events(count: int) -> Iterator[tuple[bytes, BenchEvent]]:
    """Keys and events."""
    for number in range(count):
        lead = f"{number % KEYS:032x}"
        yield lead.encode(), BenchEvent(
            event_id=f"{number:032x}", lead_id=lead, source="web", kind="engagement", act="page_view", campaign="spring",
            page="/pricing/enterprise", referrer=None, country="DE", occurred_at_ms=time.time_ns() // 1_000_000,
            received_at_ms=0, points_micro=1_000_000, weight=number % 7, flags=("a",), automatic=False,
        )  # fmt: skip


def host_for(reducer: str, bootstrap: str, namespace: str) -> KafkaHost:
    """The engine, as a worker would run it."""
    return KafkaHost(
        [REDUCERS[reducer]],
        Book(),
        client={"bootstrap_servers": bootstrap},
        namespace=namespace,
        partitions=PARTITIONS,
        settings=EngineSettings(),
        topics=BENCH_TOPICS,
        flow={},
    )


async def fill(bootstrap: str, namespace: str, count: int) -> None:
    """Put the events into the log."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, compression_type="zstd", max_batch_size=256 * 1024, linger_ms=20)
    await producer.start()
    encode, topic = codec_for(BenchEvent).encode, physical(namespace, "bench.events.v1")
    for key, value in events(count):
        await producer.send(topic, encode(value), key=key, partition=partition_of(key, PARTITIONS))
    await producer.stop()


async def bare(bootstrap: str, namespace: str, count: int) -> dict[str, float]:
    """aiokafka and the codec, and nothing else: no state, no output, no transaction."""
    places = [TopicPartition(physical(namespace, "bench.events.v1"), n) for n in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_committed")
    consumer.assign(places)
    await consumer.start()
    for place in places:
        consumer.seek(place, 0)
    decode, seen = codec_for(BenchEvent).decode, 0

    async def work() -> None:
        nonlocal seen
        while seen < count:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    decode(record.value)
                seen += len(records)

    cost = await measured(work, count)
    await consumer.stop()
    return cost


async def engine(reducer: str, bootstrap: str, namespace: str, count: int) -> dict[str, float]:
    """All events of the log through the engine, from joining the group to the last commit."""
    host = host_for(reducer, bootstrap, namespace)
    running: list[asyncio.Task[None]] = []

    async def work() -> None:
        running.append(asyncio.create_task(host.run()))
        while sum(_taken(host)) < count:
            await asyncio.sleep(0.02)

    cost = await measured(work, count)
    running[0].cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return cost


def _taken(host: KafkaHost) -> Iterator[int]:
    for group in host.groups:
        for seat in group.seats.values():
            if seat.memory is not None:
                yield seat.memory.core.positions.get("bench.events.v1", 0)


async def measured(work: Callable[[], Awaitable[None]], count: int) -> dict[str, float]:
    """CPU and time an event."""
    before, began = _cpu_s(), time.perf_counter()
    await work()
    cpu_s, seconds = _cpu_s() - before, time.perf_counter() - began
    return {"cpu_us": round(cpu_s / count * 1e6, 1), "per_second": round(count / seconds), "cpu_share": round(cpu_s / seconds, 2)}


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def light(bootstrap: str, namespace: str, rate: int, seconds: float, worker: psutil.Process) -> dict[str, float]:
    """One exactly-once hop at a steady rate: from sending an event to reading its committed fact."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    consumer = AIOKafkaConsumer(
        physical(namespace, "bench.totals.v1"),
        bootstrap_servers=bootstrap,
        auto_offset_reset="latest",
        isolation_level="read_committed",
    )
    await producer.start()
    await consumer.start()
    await consumer.seek_to_end()
    delays: list[float] = []

    async def read() -> None:
        decode = codec_for(BenchTotal).decode
        async for record in consumer:
            delays.append(time.time_ns() // 1_000_000 - decode(record.value).sent_ms)

    reading = asyncio.create_task(read())
    encode, topic = codec_for(BenchEvent).encode, physical(namespace, "bench.events.v1")
    before, began = sum(worker.cpu_times()[:2]), time.perf_counter()
    for number, (key, value) in enumerate(events(int(rate * seconds))):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        await producer.send(topic, encode(value), key=key, partition=partition_of(key, PARTITIONS))
    cpu = (sum(worker.cpu_times()[:2]) - before) / (time.perf_counter() - began)
    await asyncio.sleep(1.0)
    reading.cancel()
    await producer.stop()
    await consumer.stop()
    cuts = statistics.quantiles(delays, n=100)
    return {"events": len(delays), "p50_ms": cuts[49], "p99_ms": cuts[98], "worker_cpu_share": round(cpu, 3)}


async def idle(seconds: float, worker: psutil.Process) -> dict[str, float]:
    """What a worker with four tasks takes while nothing comes."""
    await asyncio.sleep(WARM_S)
    before = sum(worker.cpu_times()[:2])
    await asyncio.sleep(seconds)
    return {"worker_cpu_share": round((sum(worker.cpu_times()[:2]) - before) / seconds, 4)}


def start_worker(bootstrap: str, namespace: str) -> subprocess.Popen[bytes]:
    """The engine in a process of its own."""
    return subprocess.Popen([sys.executable, __file__, "--work", namespace], env={**os.environ, "BATON_BOOTSTRAP": bootstrap})


async def run(bootstrap: str, count: int, rate: int, seconds: float) -> dict[str, Any]:
    """All of it, in a namespace that is deleted afterwards."""
    namespace = f"bench{uuid.uuid4().hex[:8]}"
    client, layout = {"bootstrap.servers": bootstrap}, Layout(namespace=namespace, partitions=PARTITIONS)
    await asyncio.to_thread(ensure_topics, client, layout, BENCH_TOPICS.values())
    try:
        await fill(bootstrap, namespace, count)
        told: dict[str, Any] = {"machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"}
        told["bare loop"] = await bare(bootstrap, namespace, count)
        told["engine, empty reducer"] = await engine("empty", bootstrap, namespace, count)
        told["engine, state and a fact"] = await engine("adding", bootstrap, namespace, count)
        process = await asyncio.to_thread(start_worker, bootstrap, namespace)
        try:
            worker = psutil.Process(process.pid)
            await asyncio.sleep(WARM_S)
            told["idle"] = await idle(seconds, worker)
            told[f"{rate} events/s"] = await light(bootstrap, namespace, rate, seconds, worker)
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)
        bare_us = told["bare loop"]["cpu_us"]
        told["ratios to the bare loop"] = {
            name: round(told[name]["cpu_us"] / bare_us, 2) for name in ("engine, empty reducer", "engine, state and a fact")
        }
        return told
    finally:
        await asyncio.to_thread(delete_topics, client, layout, BENCH_TOPICS.values())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", metavar="NAMESPACE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    bootstrap = os.environ["BATON_BOOTSTRAP"]
    calm_collector()
    if options.work:
        uvloop.run(host_for("adding", bootstrap, options.work).run())
        return
    told = uvloop.run(run(bootstrap, options.events, options.rate, options.seconds))
    print(json.dumps(told, indent=2) if options.json else "\n".join(f"{name}: {value}" for name, value in told.items()))


if __name__ == "__main__":
    main()
