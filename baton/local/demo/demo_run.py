"""Runs the simulated company against a Baton that is up: sends its visitors, lets its people act on
what they are given, counts.

Two threads: one sends what is due, one reads the public topics and so learns what the people of the
firm have to do. The caller looks at :attr:`Demo.seen` as it grows.
"""

import heapq
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx
from confluent_kafka import Producer

from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import SlaClock, SlaViolation
from baton.contracts.topic_names import LEADS_INBOX
from baton.contracts.topics import TOPICS, Audience, physical
from baton.local.demo.company import Arrival, Way
from baton.local.demo.staff import deeds

_TURN_S = 0.05
_FLUSH_S = 30.0
_WATCHED = tuple(
    spec.name
    for spec in TOPICS.values()
    if spec.audience is Audience.PUBLIC and spec.name.startswith(("leads.", "dlq."))
)


class NotTaken(RuntimeError):
    """The gateway or the broker did not take what was sent; the demonstration cannot go on."""


class Demo:
    """``client``: options of a confluent-kafka client; ``gateway``: its address; ``write_key``:
    with all scopes."""

    def __init__(
        self,
        *,
        client: Mapping[str, Any],
        namespace: str,
        gateway: str,
        write_key: str,
        script: list[Arrival],
    ) -> None:
        self.seen: Counter[str] = Counter()
        self.sent = 0
        self.poison = 0
        self.fault: BaseException | None = None
        self.last_news_s = time.monotonic()
        self._client, self._namespace = dict(client), namespace
        self._http = httpx.Client(base_url=gateway, auth=(write_key, ""), timeout=30.0)
        self._producer = Producer(
            {**client, "enable.idempotence": True, "partitioner": "murmur2_random", "log_level": 0}
        )
        self._lock = threading.Lock()
        self._due = [(arrival.after_ms, number, arrival) for number, arrival in enumerate(script)]
        heapq.heapify(self._due)
        self._numbers = len(script)
        self._ended = threading.Event()
        self._started_s = time.monotonic()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), daemon=True)
            for work in (self._send, self._watch)
        ]

    def start(self) -> None:
        """Begin to send and to watch."""
        self._started_s = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send and watch no more."""
        self._ended.set()
        for thread in self._threads:
            thread.join(_FLUSH_S)
        self._http.close()

    @property
    def waiting(self) -> int:
        """Lines that are still to be sent."""
        with self._lock:
            return len(self._due)

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self.fault = error

    def _now_ms(self) -> int:
        return int((time.monotonic() - self._started_s) * 1000)

    def _send(self) -> None:
        while not self._ended.wait(_TURN_S):
            due = self._take_due()
            over_http = [arrival.line for arrival in due if arrival.way is Way.HTTP]
            if over_http:
                self._post(over_http)
            for arrival in due:
                if arrival.way is Way.KAFKA:
                    self._producer.produce(physical(self._namespace, LEADS_INBOX), arrival.line)
            if self._producer.flush(_FLUSH_S):
                raise NotTaken("the broker did not acknowledge what was sent to leads.inbox.v1")
            self.sent += len(due)
            self.poison += sum(arrival.poison for arrival in due)

    def _take_due(self) -> list[Arrival]:
        now, due = self._now_ms(), []
        with self._lock:
            while self._due and self._due[0][0] <= now:
                due.append(heapq.heappop(self._due)[2])
        return due

    def _post(self, lines: list[bytes]) -> None:
        answer = self._http.post(
            "/v1/events",
            content=b"\n".join(lines),
            headers={"Content-Type": "application/x-ndjson"},
        )
        if answer.status_code != httpx.codes.ACCEPTED or answer.json().get("rejected"):
            raise NotTaken(
                f"the gateway answered {answer.status_code} and rejected "
                f"{len(answer.json().get('rejected', []))} events"
            )

    def _watch(self) -> None:
        with LogReader(self._client, self._namespace, follows=True) as reader:
            places = {topic: list(range(reader.partitions(topic))) for topic in _WATCHED}
            for record in reader.read(places, follow=True, until=self._ended.is_set):
                self.last_news_s = time.monotonic()
                self._note(record.topic, record.value)

    def _note(self, topic: str, value: bytes | None) -> None:
        self.seen[topic] += 1
        record_type = TOPICS[topic].record
        if value is None or record_type not in (LeadRouted, SlaClock, SlaViolation):
            return
        match codec_for(record_type).decode(value):
            case LeadRouted() as routed:
                self._plan(routed)
            case SlaClock() as clock:
                self.seen[f"clock {clock.state}"] += 1
            case SlaViolation() as violation:
                self.seen[f"violation {violation.kind}"] += 1

    def _plan(self, routed: LeadRouted) -> None:
        now = self._now_ms()
        with self._lock:
            for deed in deeds(routed):
                self._numbers += 1
                arrival = Arrival(after_ms=now + deed.after_ms, way=Way.HTTP, line=deed.encoded)
                heapq.heappush(self._due, (arrival.after_ms, self._numbers, arrival))
