"""One exactly-once hop in light traffic: from handing an event to the producer to having the
committed fact, and what the worker takes.

The worker is a process of its own with the ``adding`` reducer; sender and reader share a clock
here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import Any

import psutil
import uvloop
from confluent_kafka import Consumer, Producer, TopicPartition

from baton.contracts.codec import codec_for
from baton.contracts.topics import physical
from baton.engine.kafka.worker import calm_collector
from benchmarks.cluster import PARTITIONS, encode, event_topic, make_topics, partition_for
from benchmarks.engine import host_for
from benchmarks.pacing import paced, percentiles
from benchmarks.reducers import Total
from benchmarks.sample import engagement_of_now, headers

_LAST_S = 10.0
_READY_S = 60.0


def work(options: dict[str, Any]) -> dict[str, Any]:
    """The worker: runs until it is ended."""
    host = host_for("adding", options["bootstrap"], options["namespace"])
    calm_collector()
    uvloop.run(host.run())
    return {}


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """``rate`` events a second for ``seconds``, after ``warm_s`` of them."""
    make_topics(options["bootstrap"], options["namespace"])
    words = [sys.executable, "-m", "benchmarks.parts", "hop_worker", json.dumps(options)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as worker:
        try:
            return _Hop(options).measured(psutil.Process(worker.pid))
        finally:
            worker.kill()


class _Hop:
    """Sends, and reads what comes of it. Each event has a lead of its own, which is how the two are
    put together."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._rate, self._seconds = options["rate"], options["seconds"]
        self._warm_s = options["warm_s"]
        servers = {"bootstrap.servers": options["bootstrap"], "log_level": 0}
        self._topic = event_topic(options["namespace"])
        self._producer = Producer({**servers, "enable.idempotence": True, "linger.ms": 0})
        self._consumer = Consumer(
            {
                **servers,
                "group.id": "none",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
            }
        )
        totals = physical(options["namespace"], "bench.totals.v1")
        self._consumer.assign([TopicPartition(totals, number, 0) for number in range(PARTITIONS)])
        self._sent: dict[bytes, float] = {}
        self._came: dict[bytes, float] = {}
        self._ended = threading.Event()

    def measured(self, worker: psutil.Process) -> dict[str, Any]:
        """Warm up, measure, wait for the last ones."""
        reading = threading.Thread(target=self._read, daemon=True)
        reading.start()
        self._send(self._warm_s, 0)
        self._await(_READY_S)
        self._sent.clear()
        before, began = sum(worker.cpu_times()[:2]), time.perf_counter()
        self._send(self._seconds, 1_000_000)
        share = (sum(worker.cpu_times()[:2]) - before) / (time.perf_counter() - began)
        self._await(_LAST_S)
        self._ended.set()
        reading.join()
        delays = [self._came[lead] - at for lead, at in self._sent.items() if lead in self._came]
        return {
            "sent": len(self._sent),
            "came": len(delays),
            **percentiles(delays),
            "worker_cpu_share": round(share, 3),
        }

    def _await(self, limit_s: float) -> None:
        until = time.monotonic() + limit_s
        while time.monotonic() < until and not self._sent.keys() <= self._came.keys():
            time.sleep(0.1)

    def _send(self, seconds: float, first: int) -> None:
        for number in paced(self._rate, int(self._rate * seconds)):
            event = engagement_of_now(first + number, time.time_ns() // 1_000_000)
            self._sent[event.lead_id.encode()] = time.perf_counter()
            self._producer.produce(
                self._topic,
                key=event.lead_id,
                value=encode(event),
                partition=partition_for(event.lead_id),
                headers=headers(event),
            )
            self._producer.poll(0)
        self._producer.flush(_LAST_S)

    def _read(self) -> None:
        decode = codec_for(Total).decode
        while not self._ended.is_set():
            message = self._consumer.poll(0.1)
            if message is not None and message.error() is None and decode(message.value()).count:
                self._came.setdefault(message.key(), time.perf_counter())
        self._consumer.close()
