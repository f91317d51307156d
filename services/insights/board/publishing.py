"""Sends lines to the inbox and absences to their topic, and returns when the brokers have them."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaException, Producer

from baton.contracts.codec import codec_for
from baton.contracts.meetings import CampaignRecord, MeetingDecision
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.topic_names import (
    BATON_CAMPAIGNS,
    BATON_PEOPLE,
    BOARD_DECISIONS,
    LEADS_INBOX,
)
from baton.contracts.topics import physical
from baton.derived_ids import derived_id

_FLUSH_S = 10.0


class NotSent(RuntimeError):
    """The brokers did not take it; sending it again is safe, the same act has the same id."""


class Publisher(Protocol):
    """Sends; tests have one in memory."""

    def send_line(self, line: Mapping[str, Any], key: str) -> None:
        """To the inbox."""

    def send_absence(self, record: PeopleRecord) -> None:
        """To the topic of absences."""

    def send_decision(self, record: MeetingDecision) -> None:
        """To the topic of decisions."""


class KafkaPublisher:
    """``client``: options of a confluent-kafka producer. Connects when it is first used."""

    def __init__(self, client: Mapping[str, Any], namespace: str) -> None:
        self._client, self._namespace = dict(client), namespace
        self._lock = threading.Lock()
        self._producer: Producer | None = None

    def send_line(self, line: Mapping[str, Any], key: str) -> None:
        self._send(LEADS_INBOX, key.encode(), json.dumps(line).encode(), {})

    def send_absence(self, record: PeopleRecord) -> None:
        self._send_record(BATON_PEOPLE, record.record_id, record)

    def send_decision(self, record: MeetingDecision) -> None:
        fact = derived_id("decision", record.decision_id, record.done, record.at_ms)
        self._send_record(BOARD_DECISIONS, record.decision_id, record, fact)

    def send_cost(self, record: CampaignRecord) -> None:
        """To the topic of campaigns."""
        fact = derived_id("cost", repr(record))
        self._send_record(BATON_CAMPAIGNS, record.record_id, record, fact)

    def _send_record(self, topic: str, key: str, record: Any, fact: str | None = None) -> None:
        kind: Any = type(record)
        headers = {
            "ce_id": fact or key,
            "ce_source": "/baton/board",
            "ce_type": f"baton.{kind.__name__}.v1",
            "ce_specversion": "1.0",
        }
        self._send(topic, key.encode(), codec_for(kind).encode(record), headers, partition=0)

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
