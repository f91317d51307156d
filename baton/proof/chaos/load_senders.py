"""How lines come in during a run: over HTTP by a client that tries again, and by the inbox.

Whoever gets no answer does not know whether its lines were taken, and sends them again: the same
events, once more. Now and then that happens although an answer came. Rubbish comes by the inbox
alone, from a producer that never gives up, so that its dead letters can be counted.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import httpx
from confluent_kafka import Producer

from baton.contracts.topic_names import LEADS_INBOX
from baton.contracts.topics import physical
from baton.local.demo.company import Arrival

_ANSWER_S = 3.0
_AGAIN_S = 0.5
_BATCH, _POSTERS = 200, 2
_SENT_AGAIN = 0.03
_HASTY_MS, _PATIENT_MS = 15_000, 300_000
_FLUSH_S = 120.0


class Ledger:
    """The ids of events whose line was acknowledged, one a line of a file; and the numbers.

    ``unknown``: how often lines were sent again since nobody said what became of them."""

    def __init__(self, file: Path, event_id_of: Callable[[bytes], str]) -> None:
        self._file = file.open("w", buffering=1 << 16)
        self._event_id_of = event_id_of
        self._lock = threading.Lock()
        self.acknowledged = self.unknown = 0
        self.by_way: dict[str, int] = {}

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Lines are taken."""
        ids = [self._event_id_of(arrival.line) for arrival in arrivals if not arrival.poison]
        with self._lock:
            self._file.writelines(f"{event_id}\n" for event_id in ids)
            self.acknowledged += len(ids)
            for arrival in arrivals:
                self.by_way[arrival.way] = self.by_way.get(arrival.way, 0) + 1

    def sent_again(self, lines: int) -> None:
        """So many lines are sent once more."""
        with self._lock:
            self.unknown += lines

    def close(self) -> None:
        """Write the rest. Calling it again does no harm."""
        self._file.close()


class Inbox:
    """Lines to ``leads.inbox.v1``. Used by one thread."""

    def __init__(
        self, client: Mapping[str, Any], namespace: str, ledger: Ledger, random: Random
    ) -> None:
        self._topic, self._ledger, self._random = physical(namespace, LEADS_INBOX), ledger, random
        self._hasty, self._patient = (
            Producer(
                {
                    **client,
                    "enable.idempotence": True,
                    "partitioner": "murmur2_random",
                    "message.timeout.ms": timeout_ms,
                    "log_level": 0,
                }
            )
            for timeout_ms in (_HASTY_MS, _PATIENT_MS)
        )
        self._again: list[Arrival] = []
        self.pending = 0

    def send(self, arrivals: Sequence[Arrival]) -> None:
        """Send lines, and what has to be sent again."""
        again, self._again = self._again, []
        for line in again:
            self._produce(line)
        for arrival in arrivals:
            self.pending += 1
            self._produce(arrival)
            if not arrival.poison and self._random.random() < _SENT_AGAIN:
                self._ledger.sent_again(1)
                self._hasty.produce(self._topic, arrival.line)
        for producer in (self._hasty, self._patient):
            producer.poll(0)

    def close(self) -> int:
        """Wait for the last acknowledgements; how many never came."""
        until = time.monotonic() + _FLUSH_S
        while self.pending and time.monotonic() < until:
            self.send(())
            time.sleep(_AGAIN_S)
        return self.pending

    def _produce(self, arrival: Arrival) -> None:
        producer = self._patient if arrival.poison else self._hasty

        def delivered(error: Any, _: Any) -> None:
            if error is None:
                self.pending -= 1
                self._ledger.acknowledge([arrival])
            elif not arrival.poison:
                self._ledger.sent_again(1)
                self._again.append(arrival)

        while True:
            try:
                producer.produce(self._topic, arrival.line, on_delivery=delivered)
                return
            except BufferError:
                producer.poll(0.1)


class Gateways:
    """Lines over HTTP to whichever gateway answers, by threads of its own until :meth:`close`."""

    def __init__(self, addresses: Sequence[str], ledger: Ledger, seed: int) -> None:
        self._addresses, self._ledger = addresses, ledger
        self._due: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.pending = 0
        self.wrong: list[str] = []
        self._threads = [
            threading.Thread(target=self._post_all, args=(Random(seed + number),), daemon=True)
            for number in range(_POSTERS)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, arrivals: Sequence[Arrival]) -> None:
        """Send lines; returns at once."""
        with self._lock:
            self.pending += len(arrivals)
        for arrival in arrivals:
            self._due.put(arrival)

    def close(self) -> int:
        """Wait until everything is acknowledged; how many lines never were."""
        until = time.monotonic() + _FLUSH_S
        while self.pending and time.monotonic() < until:
            time.sleep(_AGAIN_S / 5)
        self._ended.set()
        for thread in self._threads:
            thread.join()
        return self.pending

    def _post_all(self, random: Random) -> None:
        with httpx.Client(timeout=_ANSWER_S) as http:
            while not self._ended.is_set():
                if batch := self._batch():
                    self._post(http, random, batch)

    def _batch(self) -> list[Arrival]:
        batch: list[Arrival] = []
        try:
            batch.append(self._due.get(timeout=_AGAIN_S))
            while len(batch) < _BATCH:
                batch.append(self._due.get_nowait())
        except queue.Empty:
            pass
        return batch

    def _post(self, http: httpx.Client, random: Random, batch: Sequence[Arrival]) -> None:
        """Until it is acknowledged: twice where the first answer is taken for lost."""
        answers = 2 if random.random() < _SENT_AGAIN else 1
        while not self._ended.is_set():
            if self._taken(http, random.choice(self._addresses), batch):
                answers -= 1
                if not answers:
                    break
            self._ledger.sent_again(len(batch))
            time.sleep(_AGAIN_S * random.random())
        if answers == 0:
            self._ledger.acknowledge(batch)
            with self._lock:
                self.pending -= len(batch)

    def _taken(self, http: httpx.Client, address: str, batch: Sequence[Arrival]) -> bool:
        try:
            answer = http.post(
                f"{address}/v1/events",
                content=b"\n".join(arrival.line for arrival in batch),
                headers={"Content-Type": "application/x-ndjson"},
            )
        except httpx.TransportError:  # it may be taken, or not
            return False
        if answer.status_code == httpx.codes.ACCEPTED:
            if rejected := answer.json().get("rejected"):
                self.wrong.append(f"the gateway rejected {len(rejected)} good lines")
            return True
        if answer.status_code < 500 and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            self.wrong.append(f"the gateway answered {answer.status_code}")
            return True
        return False
