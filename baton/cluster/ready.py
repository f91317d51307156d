"""Whether a Kafka cluster answers a real client."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient


def answers(bootstrap: str, *, timeout_s: float, options: Mapping[str, Any] | None = None) -> bool:
    """Whether a broker gave its metadata in time. ``options``: further options of the client (TLS,
    SASL)."""
    return problem_of(bootstrap, timeout_s=timeout_s, options=options) is None


def problem_of(
    bootstrap: str, *, timeout_s: float, options: Mapping[str, Any] | None = None
) -> str | None:
    """Why no broker answers; None if one does."""
    heard: list[str] = []
    config: dict[str, Any] = {
        **(options or {}),
        "bootstrap.servers": bootstrap,
        "log_level": 0,
        "reconnect.backoff.ms": 20,
        "reconnect.backoff.max.ms": 100,
        "error_cb": lambda error: heard.append(error.str()),
    }
    client = AdminClient(config)
    try:
        brokers = client.list_topics(timeout=timeout_s).brokers
    except KafkaException as error:
        client.poll(0)
        return heard[0] if heard else str(error.args[0].str())
    return None if brokers else "the cluster names no brokers yet"
