"""Sends lines to the inbox, and returns when the brokers have them."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaException, Producer

from baton.contracts.topic_names import LEADS_INBOX
from baton.contracts.topics import physical

_PATIENCE_S = 2.0


class NotTaken(RuntimeError):
    """The brokers did not take it; sending it again is safe, the same act has the same id."""


class Inbox(Protocol):
    """Takes lines; tests have one in memory."""

    def send(self, line: Mapping[str, Any]) -> None:
        """Raises :class:`NotTaken`. May be called from any thread; blocks."""


class KafkaInbox:
    """``client``: options of a confluent-kafka producer. Connects when it is first used."""

    def __init__(self, client: Mapping[str, Any], namespace: str) -> None:
        self._client, self._namespace = dict(client), namespace
        self._lock = threading.Lock()
        self._producer: Producer | None = None

    def send(self, line: Mapping[str, Any]) -> None:
        """To the inbox, whatever its key."""
        failures: list[str] = []
        patience = {"message.timeout.ms": int(_PATIENCE_S * 1000)}
        with self._lock:
            try:
                self._producer = self._producer or Producer(self._client | patience)
                self._producer.produce(
                    physical(self._namespace, LEADS_INBOX),
                    key=str(line["id"]).encode(),
                    value=json.dumps(line).encode(),
                    on_delivery=lambda error, _: failures.append(error.str()) if error else None,
                )
                left = self._producer.flush(_PATIENCE_S)
            except KafkaException as error:
                raise NotTaken(error.args[0].str()) from None
        if left or failures:
            raise NotTaken(failures[0] if failures else "no answer in time")
