"""Sends one event line to the inbox, and returns when the brokers have it."""

import json
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Producer

from baton.contracts.topic_names import LEADS_INBOX
from baton.contracts.topics import physical

_FLUSH_S = 30.0


class NotSent(RuntimeError):
    """The brokers did not take it; sending it again is safe, the same line is the same event."""


def send_line(client: Mapping[str, Any], namespace: str, line: Mapping[str, Any]) -> None:
    """Append the line; raises :class:`NotSent`. ``client``: options of a confluent-kafka
    producer."""
    failures: list[str] = []
    producer = Producer(dict(client))
    producer.produce(
        physical(namespace, LEADS_INBOX),
        key=str(line["id"]).encode(),
        value=json.dumps(line, ensure_ascii=False).encode(),
        on_delivery=lambda error, _: failures.append(error.str()) if error else None,
    )
    if producer.flush(_FLUSH_S) or failures:
        raise NotSent(
            "the cluster did not take the event: "
            f"{failures[0] if failures else 'no answer in time'}"
        )
