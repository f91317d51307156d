"""The history of a cluster: public facts of its topics, with what is not asked for skipped before
it is decoded. A year has millions of clocks, and of those only the promise to accept is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from baton.backtest.history import HISTORY_TOPICS, History
from baton.cluster.decoded import value_of
from baton.cluster.log import LogReader, Record
from baton.contracts.clock_kinds import Clock
from baton.contracts.topic_names import LEADS_SLA_CLOCKS

_ASKED: Final[Mapping[str, bytes]] = {
    LEADS_SLA_CLOCKS: bytes([len(Clock.ACCEPT.value) << 1]) + Clock.ACCEPT.value.encode()
}
"""By topic, what the bytes of a record must hold: a word as Avro writes it. What only looks so is
left out once it is decoded."""


def history_of_cluster(reader: LogReader, since_ms: int) -> History:
    """The history since then; of each partition in order."""
    history = History()
    for topic in HISTORY_TOPICS:
        for record in _records(reader, topic, since_ms):
            take_record(history, record)
    return history.finish()


def take_record(history: History, record: Record) -> None:
    """One record of a topic of history. One that is skipped still says how far history goes."""
    asked = _ASKED.get(record.topic)
    skipped = record.value is None or (asked is not None and asked not in record.value)
    value = None if skipped else value_of(record)["value"]
    history.take({"topic": record.topic, "at_ms": record.at_ms, "value": value})


def documents_of_topic(
    reader: LogReader, topic: str, since_ms: int | None = None
) -> Iterator[Mapping[str, Any]]:
    """The facts of one topic, in the order of each partition."""
    for record in _records(reader, topic, since_ms):
        yield {"topic": record.topic, "at_ms": record.at_ms, **value_of(record)}


def _records(reader: LogReader, topic: str, since_ms: int | None) -> Iterator[Record]:
    places = {topic: list(range(reader.partitions(topic)))}
    yield from reader.read(places, since_ms=since_ms)
