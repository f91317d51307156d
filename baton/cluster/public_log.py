"""Reads public topics for who keeps the offsets: ``read_committed``, partitions assigned by hand.

There is no consumer group: where to read on is in the reader's own store, in the transaction of
what it made of the records. Nothing is ever reset: where the log no longer has the next record,
reading stops and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from baton.contracts.codec import ContractError, codec_for
from baton.contracts.public_record import PublicRecord
from baton.contracts.topics import TOPICS, logical, physical
from baton.derived_ids import derived_id

Partition = tuple[str, int]
"""``(logical topic, number)``"""

_ID: Final = "ce_id"
_TIMEOUT_S: Final = 20.0
_FETCH_AT_ONCE_BYTES: Final = 1 << 20
"""A broker that holds so much answers without waiting, so catching up is not slowed."""


class ReadingStopped(RuntimeError):
    """Reading cannot go on by itself; the text names the place, the reason and the way out."""


class WayOut(Protocol):
    """What the reader says where the log does not have ``wanted``: only ``low`` to ``high`` is
    there. ``wanted`` None: the offset is not known, it is past its retention."""

    def __call__(self, topic: str, number: int, wanted: int | None, low: int, high: int) -> str: ...


class PublicLog:
    """Batches of records from given offsets. ``client``: options of a confluent-kafka client;
    ``reader``: who reads, in the client's id and in errors; ``gather_ms``: for how long a broker
    gathers what is appended to any of the partitions before it answers. Without gathering, every
    append to one of them is an answer and a request over all of them."""

    def __init__(
        self,
        client: Mapping[str, Any],
        namespace: str,
        *,
        reader: str,
        way_out: WayOut,
        gather_ms: int,
    ) -> None:
        self._namespace, self._reader, self._way_out = namespace, reader, way_out
        self._assigned: set[Partition] = set()
        self._ended: set[Partition] = set()
        self._consumer = Consumer(
            {
                **client,
                # the client wants one; nothing is committed and no group joined
                "group.id": f"{namespace}.{reader}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": gather_ms,
                "fetch.min.bytes": _FETCH_AT_ONCE_BYTES,
            }
        )

    def close(self) -> None:
        """Leave the brokers."""
        self._consumer.close()

    @property
    def caught_up(self) -> bool:
        """Whether the end of every partition has been reached once."""
        return self._assigned <= self._ended

    def starts(self, topics: Iterable[str], known: Mapping[Partition, int]) -> dict[Partition, int]:
        """Where to read on, every partition there is: ``known``, else its oldest record. Raises
        :class:`ReadingStopped` where records are gone."""
        return {
            (topic, number): self._start(topic, number, known.get((topic, number)))
            for topic in topics
            for number in range(self._partitions(topic))
        }

    def assign(self, starts: Mapping[Partition, int]) -> None:
        """Read these from now on."""
        self._assigned = set(starts)
        self._consumer.assign(
            [
                TopicPartition(physical(self._namespace, topic), number, offset)
                for (topic, number), offset in starts.items()
            ]
        )

    def take(
        self, at_most: int, wait_s: float, wanted: Container[str] | None = None
    ) -> tuple[list[PublicRecord], dict[Partition, int]]:
        """The next records, in the order of their append times, and where to read on after them. Of
        topics that are not ``wanted`` (None: all are), only the latter."""
        batch: list[PublicRecord] = []
        following: dict[Partition, int] = {}
        message: Any
        for message in self._consumer.consume(at_most, wait_s):
            if message.topic() is None:  # about the connection, which the client mends itself
                if (error := message.error()) is not None and error.fatal():
                    raise KafkaException(error)
                continue
            place = (logical(self._namespace, message.topic()), message.partition())
            if (error := message.error()) is not None:
                self._end_of(place, error)
                following[place] = message.offset()
                continue
            if wanted is None or place[0] in wanted:
                batch.append(self._record(place, message))
            following[place] = message.offset() + 1
        batch.sort(key=lambda record: record.at_ms)
        return batch, following

    def value_of(self, topic: str, message: Any) -> Any:
        """The record in the message, None of a tombstone; raises :class:`ReadingStopped` for one
        that cannot be read."""
        place = (topic, message.partition(), message.offset())
        return decode(topic, message.value(), place, reader=self._reader)

    def _record(self, place: Partition, message: Any) -> PublicRecord:
        topic, number = place
        headers = message.headers() or ()
        name = next((value for header, value in headers if header == _ID), None)
        offset = message.offset()
        return PublicRecord(
            topic=topic,
            partition=number,
            offset=offset,
            id=name.decode("utf-8", "replace") if name else derived_id("record", *place, offset),
            key=(message.key() or b"").decode("utf-8", "replace"),
            value=self.value_of(topic, message),
            at_ms=message.timestamp()[1],
            raw=message.value(),
        )

    def _end_of(self, place: Partition, error: KafkaError) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            self._ended.add(place)
            return
        if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            raise ReadingStopped(self._way_out(*place, None, *self._ends(*place)))
        raise KafkaException(error)

    def _start(self, topic: str, number: int, known: int | None) -> int:
        low, high = self._ends(topic, number)
        if known is not None and not low <= known <= high:
            raise ReadingStopped(self._way_out(topic, number, known, low, high))
        return low if known is None else known

    def _ends(self, topic: str, number: int) -> tuple[int, int]:
        place = TopicPartition(physical(self._namespace, topic), number)
        found: tuple[int, int] = self._consumer.get_watermark_offsets(
            place, timeout=_TIMEOUT_S, cached=False
        )
        return found

    def _partitions(self, topic: str) -> int:
        name = physical(self._namespace, topic)
        found = self._consumer.list_topics(name, timeout=_TIMEOUT_S).topics[name]
        if found.error is not None or not found.partitions:
            raise ReadingStopped(
                f"topic {name} does not exist on this cluster; make the topics: baton topics --make"
            )
        return len(found.partitions)


def decode(
    topic: str,
    raw: bytes | None,
    place: Sequence[Any],
    *,
    reader: str,
    by: Callable[[bytes], Any] | None = None,
) -> Any:
    """The record in ``raw``, None of a tombstone; raises :class:`ReadingStopped` for one that
    cannot be read. ``by``: reads what the topic's codec reads, or less of it."""
    if raw is None:
        return None
    record_type: Any = TOPICS[topic].record
    try:
        return (by or codec_for(record_type).decode)(raw)
    except ContractError as error:
        raise ReadingStopped(
            f"{place[0]}[{place[1]}]@{place[2]} cannot be read ({error.reason}); {reader} stops "
            "before it. Most likely a newer Baton wrote it: update this one"
        ) from None
