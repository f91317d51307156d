"""The load of a chaos run: visitors and the people of the firm, through the inbox, with a ledger of what the broker has acknowledged."""

import heapq
import json
import threading
import time
from collections.abc import Mapping
from itertools import islice
from random import Random
from typing import Any

from confluent_kafka import Producer

from baton.broker.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.routing import LeadRouted
from baton.contracts.topics import physical
from baton.demo.company import Arrival, Way, visitors
from baton.demo.staff import deeds
from baton.intake.reading import LineRefused, read_line
from baton.intake.records import to_intake

INBOX = "leads.inbox.v1"
_TURN_S = 0.1
_LINES_A_LEAD = 5
_DISORDER_MS = 3_000
_ROUTED = ("leads.routed.sdr.v1", "leads.routed.sales.v1")


class Load:
    """Sends about ``events`` lines over ``span_s``, and then what people do with the leads they are given, until :meth:`stop`.

    ``acknowledged`` holds the ids of events whose line the broker has, ``sent`` counts lines, ``poison`` those meant to be dead letters.
    """

    def __init__(self, client: Mapping[str, Any], namespace: str, *, events: int, span_s: float, seed: int) -> None:
        begins_ms = int(time.time() * 1000)
        leads = max(1, events // _LINES_A_LEAD)
        script = list(islice(visitors(leads=leads, span_ms=int(span_s * 1000), seed=seed, begins_ms=begins_ms), events))
        random = Random(seed)
        self._due = [(each.after_ms + random.randrange(_DISORDER_MS), number, each) for number, each in enumerate(script)]
        heapq.heapify(self._due)
        self._number = len(script)
        self._client, self._namespace = dict(client), namespace
        self._producer = Producer(
            {**client, "enable.idempotence": True, "partitioner": "murmur2_random", "message.timeout.ms": 300_000, "log_level": 0}
        )
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._send, self._answer)]
        self._started = time.monotonic()
        self.acknowledged: list[str] = []
        self.sent = self.poison = self.unacknowledged = 0

    def start(self) -> None:
        """Begin."""
        self._started = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more, and wait for the last acknowledgements."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self.unacknowledged += self._producer.flush(120)

    @property
    def waiting(self) -> int:
        """Lines that are still to be sent."""
        with self._lock:
            return len(self._due)

    def _now_ms(self) -> int:
        return int((time.monotonic() - self._started) * 1000)

    def _send(self) -> None:
        while not self._ended.wait(_TURN_S):
            now = self._now_ms()
            with self._lock:
                due = []
                while self._due and self._due[0][0] <= now:
                    due.append(heapq.heappop(self._due)[2])
            for each in due:
                self._produce(each)
            self._producer.poll(0)

    def _produce(self, arrival: Arrival) -> None:
        event_id = None if arrival.poison else event_id_of(arrival.line)

        def delivered(error: Any, _: Any) -> None:
            if error is not None:
                self.unacknowledged += 1
            elif event_id is not None:
                self.acknowledged.append(event_id)

        self.sent += 1
        self.poison += arrival.poison
        while True:
            try:
                self._producer.produce(physical(self._namespace, INBOX), arrival.line, on_delivery=delivered)
                return
            except BufferError:
                self._producer.poll(0.1)

    def _answer(self) -> None:
        with LogReader(self._client, self._namespace) as reader:
            places = {topic: list(range(reader.partitions(topic))) for topic in _ROUTED}
            for record in reader.read(places, follow=True, until=self._ended.is_set):
                if record.value is not None:
                    self._plan(codec_for(LeadRouted).decode(record.value))

    def _plan(self, routed: LeadRouted) -> None:
        now = self._now_ms()
        with self._lock:
            for deed in deeds(routed):
                self._number += 1
                arrival = Arrival(after_ms=now + deed.after_ms, way=Way.KAFKA, line=deed.encoded)
                heapq.heappush(self._due, (arrival.after_ms, self._number, arrival))


def event_id_of(line: bytes) -> str:
    """The id under which intake will know the event; raises ValueError for a line that intake would not take."""
    try:
        return to_intake(read_line(line), source=json.loads(line)["source"], received_at_ms=0).event_id
    except LineRefused as error:
        raise ValueError(f"the load made a line that cannot be taken: {error}") from None
