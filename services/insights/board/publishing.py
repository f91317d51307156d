"""Sends lines to the inbox and absences to their topic, and returns when the brokers have them."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaException, Producer

from baton.contracts.codec import codec_for
from baton.contracts.reference import PeopleRecord
from baton.contracts.topic_names import BATON_PEOPLE, LEADS_INBOX
from baton.contracts.topics import physical

_FLUSH_S = 10.0


class NotSent(RuntimeError):
    """The brokers did not take it; sending it again is safe, the same act has the same id."""


class Publisher(Protocol):
    """Sends; tests have one in memory."""

    def send_line(self, line: Mapping[str, Any], key: str) -> None:
        """To the inbox."""

    def send_absence(self, record: PeopleRecord) -> None:
        """To the topic of absences."""


class KafkaPublisher:
    """``client``: options of a confluent-kafka producer. Connects when it is first used."""

    def __init__(self, client: Mapping[str, Any], namespace: str) -> None:
        self._client, self._namespace = dict(client), namespace
        self._lock = threading.Lock()
        self._producer: Producer | None = None

    def send_line(self, line: Mapping[str, Any], key: str) -> None:
        self._send(LEADS_INBOX, key.encode(), json.dumps(line).encode(), {})

    def send_absence(self, record: PeopleRecord) -> None:
        headers = {
            "ce_id": record.record_id,
            "ce_source": "/baton/board",
            "ce_type": "baton.PeopleRecord.v1",
            "ce_specversion": "1.0",
        }
        self._send(
            BATON_PEOPLE,
            record.record_id.encode(),
            codec_for(PeopleRecord).encode(record),
            headers,
            partition=0,
        )

    def _send(
        self, topic: str, key: bytes, value: bytes, headers: Mapping[str, str], partition: int = -1
    ) -> None:
        failures: list[str] = []
        with self._lock:
            try:
                self._producer = self._producer or Producer(
                    self._client | {"message.timeout.ms": int(_FLUSH_S * 1000)}
                )
                self._producer.produce(
                    physical(self._namespace, topic),
                    key=key,
                    value=value,
                    partition=partition,
                    headers=[(name, text.encode()) for name, text in headers.items()],
                    on_delivery=lambda error, _: failures.append(error.str()) if error else None,
                )
                left = self._producer.flush(_FLUSH_S)
            except KafkaException as error:
                raise NotSent(error.args[0].str()) from None
        if left or failures:
            raise NotSent(failures[0] if failures else "no answer in time")
