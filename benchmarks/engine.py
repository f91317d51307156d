"""(b), (c) the engine on Kafka, exactly once, from joining the group to the last commit, with one
of three reducers."""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop

from baton.contracts.fact_metrics import MEASURES
from baton.engine.kafka.host import HostConfig, KafkaHost
from baton.engine.kafka.settings import EngineSettings
from baton.engine.kafka.worker import calm_collector
from baton.engine.reducer import Reducer
from baton.engine.task_config import TaskConfig
from benchmarks.cluster import PARTITIONS, topics
from benchmarks.meter import Meter
from benchmarks.reducers import REDUCERS, NoBook
from benchmarks.sample import Book
from services.scorer.lead.reducer import Lead

_LOOK_S = 0.02
EVENT_TOPICS = ("leads.accepted.v1", "intake.leads.v1")
"""What the measured reducers read: each event is in both."""


def host_for(reducer: str, bootstrap: str, namespace: str) -> KafkaHost:
    """The engine as a worker would run it: ``empty``, ``adding`` or ``lead``."""
    found: Reducer[Any, Any] = Lead() if reducer == "lead" else REDUCERS[reducer]
    return KafkaHost(
        [found],
        Book() if reducer == "lead" else NoBook(),
        TaskConfig(
            partitions=PARTITIONS,
            namespace=namespace,
            topics=topics(),
            measures=MEASURES if reducer == "lead" else {},
        ),
        HostConfig(client={"bootstrap_servers": bootstrap}, settings=EngineSettings(), flow={}),
    )


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """All events through ``reducer``."""
    host = host_for(options["reducer"], options["bootstrap"], options["namespace"])
    calm_collector()
    return uvloop.run(_run(host, options["events"]))


async def _run(host: KafkaHost, count: int) -> dict[str, Any]:
    meter = Meter(count)
    meter.mark(0)
    running = asyncio.create_task(host.run())
    try:
        while not running.done() and (done := committed(host)) < count:
            meter.look(done)
            await asyncio.sleep(_LOOK_S)
        if running.done():
            running.result()
        meter.mark(count)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return meter.figures()


def committed(host: KafkaHost) -> int:
    """How many events are in the state of this process for good."""
    memories = [
        supervisor.memory
        for group in host.groups
        for supervisor in group.supervisors.values()
        if supervisor.memory is not None
    ]
    # While a batch is open the position is ahead of what is committed; then what counts is where
    # the batch began.
    stands = [
        memory.core.positions
        if memory.core._open_batch is None
        else memory.core._open_batch.positions
        for memory in memories
    ]
    return sum(stand.get(topic, 0) for stand in stands for topic in EVENT_TOPICS)
