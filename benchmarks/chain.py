"""The whole chain at saturation: events over HTTP into every service as a process of its own, until
nothing is left to do.

CPU an event by process and the broker's, events a second, and what was written: records and
bytes (key, value and headers before they are packed) by topic, transactions. A run before the
measured one loads the programs. Time alone (``*.ticks.v1``) is no work left to do, but its records
are counted as written.
"""

from __future__ import annotations

import itertools
import json
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from baton.clients import confluent_options
from baton.contracts.topics import REDUCERS, journal_topic, physical, ticks_topic
from baton.flow import all_reducers
from baton.local.up.system import System
from baton.proof.chaos.drained import Ends, Lag
from benchmarks.chain_mixes import Crowd, agreement, write_list
from benchmarks.cluster import LIVE_PARTITIONS
from benchmarks.running import BROKER, ProcessTimes, gateway_of, running

_BODY_EVENTS = 500
_SENDERS = 4
_POLL_S = 0.1
_LIMIT_S = 900.0
_LATER = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
"""Answers that ask to be sent again."""
_WARM_PART = 10
"""The run before the one that counts has a tenth of its events; before the first mix there are more
of them, until the broker's Java has compiled what is hot."""


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """By name of a mix what it cost, one after the other on one system. ``mixes``: by name, either
    ``events`` of ``people`` in ``companies``, or ``rows`` of a list for ``baton import``; under
    ``audit``, what ``baton audit`` of everything took then."""
    with running(options, agreement()) as system:
        chain = _Chain(system, options)
        try:
            warm_s = itertools.chain([options["warm_s"]], itertools.repeat(0.0))
            costs = {
                name: chain.measured(name, mix, seconds)
                for (name, mix), seconds in zip(options["mixes"].items(), warm_s, strict=False)
            }
            return {**costs, "audit": audited()}
        finally:
            chain.close()


def audited() -> dict[str, Any]:
    """What the audit of all there is takes, by the clock and in CPU of all its processes. Raises
    RuntimeError where it finds something."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [sys.executable, "-m", "baton.cli.main", "audit", "--json"]
    said = subprocess.run(words, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    elapsed, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if said.returncode:
        raise RuntimeError(f"the audit ended with {said.returncode}")
    events = json.loads(said.stdout)["checked"]["events"]
    used = sum(after[:2]) - sum(before[:2])
    return {
        "events": events,
        "us": round(elapsed / events * 1e6),
        "cpu_us": round(used / events * 1e6),
    }


class _Chain:
    """Sends, waits until everything is done, and counts."""

    def __init__(self, system: System, options: Mapping[str, Any]) -> None:
        self._system, self._options = system, options
        self._address, self._key = gateway_of(system)
        self._client = confluent_options(system.settings)
        self._lag = Lag(self._client, options["namespace"], all_reducers(), LIVE_PARTITIONS)
        self._ticks = {physical(options["namespace"], ticks_topic(name)) for name in REDUCERS}

    def close(self) -> None:
        """Leave the broker."""
        self._lag.close()

    def measured(self, name: str, mix: Mapping[str, int], warm_s: float) -> dict[str, Any]:
        """Runs to load and compile the programs, for ``warm_s`` at least, then the run that
        counts."""
        events = mix["rows"] if "rows" in mix else mix["events"]
        until = time.perf_counter() + warm_s
        for number in itertools.count():
            self.send(f"{name}-warm{number}", mix, max(1, events // _WARM_PART))
            self.wait()
            if time.perf_counter() >= until:
                break
        before = self._all_ends()
        times, began = ProcessTimes(self._system, self._options.get("broker")), time.perf_counter()
        self.send(name, mix, events)
        sent_s = time.perf_counter() - began
        self.wait()
        elapsed, used = time.perf_counter() - began, times.seconds()
        broker = {"broker_us": round(used[BROKER] / events * 1e6)} if BROKER in used else {}
        return {
            "events": events,
            "per_second": round(events / elapsed),
            "taken_per_second": round(events / sent_s),
            "cpu_us": round(used["all"] / events * 1e6),
            **broker,
            "by_process_us": {
                name: round(part / events * 1e6)
                for name, part in used.items()
                if name not in ("all", BROKER)
            },
            **self._written(before, events, elapsed),
        }

    # ------------------------------------------------------------------ sending

    def send(self, prefix: str, mix: Mapping[str, int], events: int) -> None:
        """So many events; returns when each was answered. Raises RuntimeError where one was not
        taken."""
        if "rows" in mix:
            self._import(prefix, events)
        else:
            crowd = Crowd(events=events, people=mix["people"], companies=mix["companies"])
            self._post(crowd.lines(prefix, _BODY_EVENTS))

    def _import(self, prefix: str, rows: int) -> None:
        file = Path(self._system.settings.home) / f"{prefix}.csv"
        write_list(file, rows)
        words = [sys.executable, "-m", "baton.cli.main", "import", str(file)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    def _post(self, bodies: Iterator[bytes]) -> None:
        lock = threading.Lock()
        faults: list[str] = []

        def post_all() -> None:
            try:
                self._post_bodies(bodies, lock)
            except Exception as error:
                faults.append(f"{type(error).__name__}: {error}")

        _together(post_all)
        if faults:
            raise RuntimeError(faults[0])

    def _post_bodies(self, bodies: Iterator[bytes], lock: threading.Lock) -> None:
        with httpx.Client(base_url=self._address, auth=(self._key, ""), timeout=60) as client:
            while True:
                with lock:
                    body = next(bodies, None)
                if body is None:
                    return
                self._post_one(client, body)

    def _post_one(self, client: httpx.Client, body: bytes) -> None:
        headers = {"content-type": "application/x-ndjson"}
        until = time.monotonic() + _LIMIT_S
        while True:
            status = client.post("/v1/events", content=body, headers=headers).status_code
            if status == httpx.codes.ACCEPTED:
                return
            if status not in _LATER or time.monotonic() > until:
                raise RuntimeError(f"the gateway answered {status}")
            time.sleep(_POLL_S)

    # ------------------------------------------------------------------ waiting

    def wait(self) -> None:
        """Until every group is past everything in its inputs and, at a second look, nothing came.
        Raises TimeoutError."""
        until = time.monotonic() + _LIMIT_S
        seen: Ends | None = None
        while time.monotonic() < until:
            ends = {
                place: 0 if place[0] in self._ticks else end
                for place, end in self._lag.ends().items()
            }
            if self._lag(ends) == 0 and ends == seen:
                return
            seen = ends
            time.sleep(_POLL_S)
        raise TimeoutError(f"not everything was processed in {_LIMIT_S:.0f} s")

    # ------------------------------------------------------------------ counting

    def _all_ends(self) -> dict[tuple[str, int], int]:
        with self._reader() as reader:
            return _ends(reader, self._options["namespace"])

    def _written(
        self, before: Mapping[tuple[str, int], int], events: int, elapsed: float
    ) -> dict[str, Any]:
        """Records and bytes an event by topic, and transactions (a journal has one record a
        batch)."""
        records, volume = Counter[str](), Counter[str]()
        own = len(physical(self._options["namespace"], ""))
        with self._reader() as reader:
            after = _ends(reader, self._options["namespace"])
            spans = {place: (before.get(place, 0), end) for place, end in after.items()}
            for topic, size in _sizes(reader, spans):
                records[topic[own:]] += 1
                volume[topic[own:]] += size
        batches = sum(records[journal_topic(name)] for name in REDUCERS)
        return {
            "records": round(records.total() / events, 2),
            "bytes": round(volume.total() / events),
            "transactions_per_second": round(batches / elapsed, 1),
            "by_topic": {
                topic: {
                    "records": round(number / events, 3),
                    "bytes": round(volume[topic] / events),
                }
                for topic, number in records.most_common()
            },
        }

    def _reader(self) -> Consumer:
        return Consumer(
            {
                **self._client,
                "group.id": "none",
                "isolation.level": "read_uncommitted",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "log_level": 0,
            }
        )


def _together(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(_SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ends(reader: Consumer, namespace: str) -> dict[tuple[str, int], int]:
    prefix = physical(namespace, "")
    return {
        (name, number): reader.get_watermark_offsets(
            TopicPartition(name, number), timeout=30, cached=False
        )[1]
        for name, topic in reader.list_topics(timeout=30).topics.items()
        if name.startswith(prefix)
        for number in topic.partitions
    }


def _sizes(
    reader: Consumer, spans: Mapping[tuple[str, int], tuple[int, int]]
) -> Iterator[tuple[str, int]]:
    """Topic and bytes (key, value and headers) of every record between two offsets of its
    partition. All partitions are read at once: ``consume`` waits out its time-out at an end."""
    left = {place: end for place, (begin, end) in spans.items() if begin < end}
    reader.assign([TopicPartition(*place, spans[place][0]) for place in left])
    while left:
        for message in reader.consume(5_000, timeout=0.5):
            place = message.topic(), message.partition()
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            if error is not None or message.offset() >= left.get(place, 0):
                left.pop(place, None)
                continue
            headers = message.headers() or []
            yield (
                place[0],
                len(message.key() or b"")
                + len(message.value() or b"")
                + sum(len(name) + len(value or b"") for name, value in headers),
            )
