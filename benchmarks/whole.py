"""All four services, each a process of its own (``baton worker``): what they take while nothing
comes, and how long a lead is on its way.

The way is measured from the moment the gateway's 202 is there to the moment a read_committed
consumer has the routed record, both in this process. Some events are requests for a demonstration
by leads nobody knew, which qualify at once; the others are page views of a crowd of leads. The
agreement is that of ``baton demo`` with clocks of hours, and with pools that never fill up.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from confluent_kafka import Consumer, KafkaError

from baton.contracts.codec import codec_for
from baton.contracts.routing import LeadRouted
from baton.contracts.topics import physical
from baton.local.up.system import System
from benchmarks.pacing import paced, percentiles
from benchmarks.running import ProcessTimes, gateway_of, running
from benchmarks.sample import EXAMPLES

_SENDERS = 16
"""More than the rate needs: each waits for its 202 before it sends again."""
_CROWD = 2_000
_FIRMS = 500
_LAST_S = 10.0
_ROUTED = ("leads.routed.sdr.v1", "leads.routed.sales.v1")


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """Idle first, ``rest_s`` after the start, then ``rate`` events a second of which one in
    ``one_in`` asks for a demonstration."""
    with running(options, agreement()) as system:
        time.sleep(options["rest_s"])
        idle = _idle(system, options.get("broker"), options["idle_s"])
        return idle | Way(system, options).measured()


def agreement() -> str:
    """The YAML of the demonstration's agreement, made for this."""
    text = (EXAMPLES / "demo.yaml").read_text(encoding="utf-8")
    return text.replace("seconds elapsed", "hours elapsed").replace(
        "capacity: 400", "capacity: 100000"
    )


def _idle(system: System, broker: int | None, seconds: float) -> dict[str, Any]:
    """Shares of one core."""
    times = ProcessTimes(system, broker)
    time.sleep(seconds)
    return {"idle": times.shares()}


class Way:
    """Sends, reads, and puts the two together."""

    def __init__(self, system: System, options: dict[str, Any]) -> None:
        self._options = options
        self._system = system
        self._gateway, key = gateway_of(system)
        self._authorization = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        self._taken: dict[str, float] = {}
        self._routed: dict[str, float] = {}
        self._late_s = 0.0
        self._faults: list[str] = []
        self._ended = threading.Event()

    def measured(self) -> dict[str, Any]:
        """Warm up, measure, wait for the last ones."""
        with self.reading():
            self._send(self._options["warm_s"], "warm")
            self._taken.clear()
            self._late_s = 0.0
            times = ProcessTimes(self._system, self._options.get("broker"))
            sent = self._send(self._options["seconds"], "event")
            taken = times.shares()
            delays = self._arrivals(_LAST_S)
        way = {
            "sent": sent,
            "asked": len(self._taken),
            "routed": len(delays),
            "sender_behind_ms": round(self._late_s * 1e3),
        }
        return {"way": way | percentiles(delays), "busy": taken}

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Routed records are read within; raises RuntimeError with what went wrong in a thread."""
        reading = threading.Thread(target=self._guarded, args=(self._read,), daemon=True)
        reading.start()
        try:
            yield
        finally:
            self._ended.set()
            reading.join()
        if self._faults:
            raise RuntimeError("; ".join(self._faults[:3]))

    def _arrivals(self, limit_s: float) -> list[float]:
        """How long each lead that was taken was on its way (s); waits so long for the last ones."""
        until = time.monotonic() + limit_s
        while time.monotonic() < until and not self._taken.keys() <= self._routed.keys():
            time.sleep(0.1)
        routed = dict(self._routed)
        return [routed[event] - at for event, at in self._taken.items() if event in routed]

    def _guarded(self, work: Callable[..., None], *words: Any) -> None:
        try:
            work(*words)
        except Exception as error:
            self._faults.append(f"{type(error).__name__}: {error}")

    def _send(self, seconds: float, prefix: str) -> int:
        rate = self._options["rate"] / _SENDERS
        count = int(rate * seconds)
        threads = [
            threading.Thread(
                target=self._guarded,
                args=(self._post_all, rate, count, number, f"{prefix}-{number}"),
            )
            for number in range(_SENDERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return count * _SENDERS

    def _post_all(self, rate: float, count: int, sender: int, prefix: str) -> None:
        parts = urlsplit(self._gateway)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30.0)
        draw, began = random.Random(prefix), time.perf_counter()
        for number in paced(rate, count, sender / self._options["rate"]):
            asks = number % self._options["one_in"] == 0
            event_id = self._post(connection, _line(f"{prefix}-{number}", asks, draw))
            now = time.perf_counter()
            self._late_s = max(
                self._late_s, now - began - (sender / self._options["rate"] + number / rate)
            )
            if asks:
                self._taken[event_id] = now
        connection.close()

    def _post(self, connection: http.client.HTTPConnection, line: bytes) -> str:
        headers = {"Content-Type": "application/json", "Authorization": self._authorization}
        connection.request("POST", "/v1/events", body=line, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.client.ACCEPTED:
            raise RuntimeError(f"the gateway answered {answer.status}")
        return str(json.loads(body)["events"][0])

    def _read(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._options["bootstrap"],
                "group.id": f"{self._options['namespace']}-reader",
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        consumer.subscribe([physical(self._options["namespace"], name) for name in _ROUTED])
        decode = codec_for(LeadRouted).decode
        while not self._ended.is_set():
            message = consumer.poll(0.1)
            if message is None:
                continue
            if (error := message.error()) is not None:
                if error.code() != KafkaError._PARTITION_EOF:
                    raise RuntimeError(str(error))
                continue
            self._routed.setdefault(decode(message.value()).qualified.cause_id, time.perf_counter())
        consumer.close()


def _line(own_id: str, asks: bool, draw: random.Random) -> bytes:
    number = draw.randrange(_CROWD)
    who = f"asker-{own_id}" if asks else f"reader-{number}"
    line = {
        "kind": "engagement",
        "id": own_id,
        "source": "bench",
        "occurred_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "identifiers": {"email": f"{who}@firm{number % _FIRMS}.example"},
        "engagement": {"act": "demo_request" if asks else "page_view"},
    }
    return json.dumps(line).encode()
