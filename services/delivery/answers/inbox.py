"""Sends lines to the inbox, and returns when the brokers have them."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaException, Producer

from baton.contracts.topic_names import LEADS_INBOX
from baton.contracts.topics import physical

_PATIENCE_S, _CALLBACK_S, _POLL_S = 2.0, 0.5, 0.5


class NotTaken(RuntimeError):
    """The brokers did not take it; sending it again is safe, the same act has the same id."""


class Inbox(Protocol):
    """Takes lines; tests have one in memory."""

    def send(self, line: Mapping[str, Any]) -> None:
        """Raises :class:`NotTaken`. May be called from any thread; blocks."""


class KafkaInbox:
    """``client``: options of a confluent-kafka producer. Connects when it is first used. Lines sent
    at once share their way to the brokers: nobody waits for somebody else's acknowledgement."""

    def __init__(self, client: Mapping[str, Any], namespace: str) -> None:
        self._client, self._namespace = dict(client), namespace
        self._lock = threading.Lock()
        self._producer: Producer | None = None

    def send(self, line: Mapping[str, Any]) -> None:
        """To the inbox, whatever its key."""
        answered, failures = threading.Event(), list[str]()

        def answer(error: Any, _: Any) -> None:
            if error:
                failures.append(error.str())
            answered.set()

        try:
            self._connected().produce(
                physical(self._namespace, LEADS_INBOX),
                key=str(line["id"]).encode(),
                value=json.dumps(line).encode(),
                on_delivery=answer,
            )
        except KafkaException as error:
            raise NotTaken(error.args[0].str()) from None
        except BufferError:
            raise NotTaken("too many lines wait for the brokers") from None
        if not answered.wait(_PATIENCE_S + _CALLBACK_S) or failures:
            raise NotTaken(failures[0] if failures else "no answer in time")

    def _connected(self) -> Producer:
        with self._lock:
            if self._producer is None:
                patience = {"message.timeout.ms": int(_PATIENCE_S * 1000)}
                self._producer = Producer(self._client | patience)
                polling = threading.Thread(target=_poll, args=(self._producer,), name="inbox")
                polling.start()
            return self._producer


def _poll(producer: Producer) -> None:
    """Acknowledgements are handed out by whoever polls, until the process ends."""
    while threading.main_thread().is_alive():
        producer.poll(_POLL_S)
