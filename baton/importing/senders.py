"""The two ways in for a sending command: the gateway's ``POST /v1/events``, and the inbox topic."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka import KafkaException, Producer

from baton.contracts.topic_names import LEADS_INBOX
from baton.contracts.topics import physical
from baton.importing.sending import Numbered, SendingStopped, Tally
from baton.intake.keyed_records import key_of, to_intake
from baton.intake.line_reading import Problem, read_line

_NDJSON = {"content-type": "application/x-ndjson"}
_LATER = frozenset({429, 503})
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0


class HttpSender(AbstractContextManager["HttpSender"]):
    """``POST /v1/events``. Waits and sends again where the gateway says so or is away, for at most
    ``patience_s`` a batch."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        patience_s: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._patience_s = patience_s
        self._sleep = sleep
        self._clock = clock

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def send(self, lines: Sequence[Numbered], tally: Tally) -> None:
        """Post one batch."""
        # A line of a file may be JSON over several characters of space, but never has a line break:
        # one line, one event.
        answer = self._post(b"\n".join(line.raw.strip() for line in lines))
        answered = _document(answer)
        if answer.status_code == 413 and len(lines) > 1:
            middle = len(lines) // 2
            self.send(lines[:middle], tally)
            self.send(lines[middle:], tally)
            return
        if answer.status_code not in (200, 202) and not isinstance(answered.get("errors"), list):
            raise SendingStopped(_words(answer, answered))
        tally.acknowledge([str(event) for event in answered.get("events", ())])
        refused: dict[int, list[Problem]] = {}
        for error in answered.get("rejected") or answered.get("errors") or ():
            problem = Problem(str(error.get("field", "")), str(error.get("detail", "")))
            refused.setdefault(int(error.get("index", 0)), []).append(problem)
        for index, problems in refused.items():
            tally.reject(lines[index].number, problems)

    def finish(self, tally: Tally) -> None:
        """Nothing is kept."""

    def _post(self, content: bytes) -> httpx.Response:
        given_up = self._clock() + self._patience_s
        pause = _FIRST_PAUSE_S
        while True:
            try:
                answer = self._client.post("/v1/events", content=content, headers=_NDJSON)
                trouble = f"HTTP {answer.status_code}"
                if answer.status_code not in _LATER:
                    return answer
                wanted = answer.headers.get("retry-after", "")
                pause = max(pause, float(wanted)) if wanted.isdigit() else pause
            except httpx.TransportError as error:
                trouble = type(error).__name__
            if self._clock() + pause > given_up:
                raise SendingStopped(
                    f"{self._client.base_url} does not take events ({trouble}); is Baton up? see: "
                    "baton status"
                )
            self._sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)


class KafkaSender(AbstractContextManager["KafkaSender"]):
    """Produces to ``leads.inbox.v1``, as any Kafka client may. ``source`` goes into the CloudEvents
    header."""

    def __init__(
        self, producer: Producer, *, namespace: str, source: str, timeout_s: float
    ) -> None:
        self._producer = producer
        self._topic = physical(namespace, LEADS_INBOX)
        self._source = source
        self._timeout_s = timeout_s
        self._failed: list[str] = []
        self._sent = 0

    def __exit__(self, *error: object) -> None:
        self._producer.purge()

    def send(self, lines: Sequence[Numbered], tally: Tally) -> None:
        """Produce; acknowledgements come as they come."""
        for line in lines:
            record = to_intake(read_line(line.raw), source=self._source)
            self._produce(line.raw.strip(), key_of(record), record.event_id, tally)
        if self._failed:
            raise SendingStopped(f"Kafka did not take an event ({self._failed[0]})")

    def finish(self, tally: Tally) -> None:
        """Wait for what is under way."""
        self._producer.flush(self._timeout_s)
        if self._failed:
            raise SendingStopped(f"Kafka did not take an event ({self._failed[0]})")

    def _produce(self, raw: bytes, key: str, event_id: str, tally: Tally) -> None:
        def delivered(error: Any, message: Any) -> None:
            del message
            if error is None:
                tally.acknowledge([event_id])
            else:
                self._failed.append(error.name())

        headers: list[tuple[str, str | bytes | None]] = [
            ("ce_source", self._source.encode()),
            ("content-type", b"application/json"),
        ]
        while True:
            try:
                self._producer.produce(
                    self._topic, raw, key=key.encode(), headers=headers, on_delivery=delivered
                )
                self._producer.poll(0)
                return
            except BufferError:
                self._producer.poll(0.5)  # full: let some be acknowledged first
            except KafkaException as error:
                raise SendingStopped(
                    f"Kafka did not take an event ({error.args[0].name()})"
                ) from None


def known_key(path: Path) -> str | None:
    """The write key that a run on this machine made for itself; None where there is none."""
    try:
        return path.read_text().strip().rpartition(":")[2] or None
    except (OSError, UnicodeDecodeError):
        return None


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        answered = answer.json()
    except ValueError:
        return {}
    return answered if isinstance(answered, dict) else {}


def _words(answer: httpx.Response, answered: dict[str, Any]) -> str:
    detail = str(answered.get("detail") or f"HTTP {answer.status_code}")
    if answer.status_code == 401:
        return f"{detail} Give one with --key or BATON_WRITE_KEY."
    return detail
