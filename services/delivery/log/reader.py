"""Reads the public topics: ``read_committed``, partitions assigned by hand, offsets from the store.

There is no consumer group: where to read on is in the store, in the transaction of the deliveries.
Nothing is ever reset: where the log no longer has the next record, reading stops and says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from baton.contracts.codec import ContractError, codec_for
from baton.contracts.topic_names import BATON_AGREEMENTS, BATON_PEOPLE, LEADS_PERSONS
from baton.contracts.topics import TOPICS, logical, physical
from baton.ids import derived_id
from services.delivery.fact import Fact
from services.delivery.targets.model import SUBSCRIBABLE

READ_TOPICS: Final = (*SUBSCRIBABLE, LEADS_PERSONS, BATON_AGREEMENTS, BATON_PEOPLE)
Place = tuple[str, int]
_TIMEOUT_S: Final = 20.0


class ReadingStopped(RuntimeError):
    """Reading cannot go on by itself; the text names the place, the reason and the way out."""


class LogReader:
    """Batches of facts from where the store stands. ``client``: options of a confluent-kafka
    client."""

    def __init__(self, client: Mapping[str, Any], namespace: str) -> None:
        self._namespace = namespace
        self._assigned: set[Place] = set()
        self._ended: set[Place] = set()
        self._consumer = Consumer(
            {
                **client,
                # the client wants one; nothing is committed and no group joined
                "group.id": f"{namespace}.delivery",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 100,
            }
        )

    def close(self) -> None:
        """Leave the brokers."""
        self._consumer.close()

    @property
    def caught_up(self) -> bool:
        """Whether the end of every partition has been reached once."""
        return self._assigned <= self._ended

    def assign(self, known: Mapping[Place, int]) -> dict[Place, int]:
        """Read on from ``known``, a partition that is not in it from its oldest record; gives where
        reading begins. Raises :class:`ReadingStopped` where records are gone."""
        starts: dict[Place, int] = {}
        for topic in READ_TOPICS:
            for number in range(self._partitions(topic)):
                starts[topic, number] = self._start(topic, number, known.get((topic, number)))
        self._assigned = set(starts)
        self._consumer.assign(
            [
                TopicPartition(physical(self._namespace, topic), number, offset)
                for (topic, number), offset in starts.items()
            ]
        )
        return starts

    def take(self, at_most: int, wait_s: float) -> tuple[list[Fact], dict[Place, int]]:
        """The next facts, in the order of their append times, and where to read on after them."""
        batch: list[Fact] = []
        following: dict[Place, int] = {}
        message: Any
        for message in self._consumer.consume(at_most, wait_s):
            if message.topic() is None:  # about the connection, which the client mends itself
                if (error := message.error()) is not None and error.fatal():
                    raise KafkaException(error)
                continue
            topic = logical(self._namespace, message.topic())
            place = (topic, message.partition())
            if (error := message.error()) is not None:
                self._ended.add(self._end_of(place, error))
                following[place] = message.offset()
                continue
            batch.append(_fact(topic, message))
            following[place] = message.offset() + 1
        batch.sort(key=lambda fact: fact.at_ms)
        return batch, following

    def _end_of(self, place: Place, error: KafkaError) -> Place:
        if error.code() == KafkaError._PARTITION_EOF:
            return place
        if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            raise ReadingStopped(_gone(*place))
        raise KafkaException(error)

    def _start(self, topic: str, number: int, known: int | None) -> int:
        place = TopicPartition(physical(self._namespace, topic), number)
        found: Any = self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S, cached=False)
        low, high = found
        if known is None:
            return int(low)
        if known > high:
            raise ReadingStopped(
                f"{topic}[{number}]: it has been read up to offset {known}, but the log ends at "
                f"{high}: this is another log; point BATON_BOOTSTRAP and BATON_NAMESPACE at the "
                "former one, or set BATON_DELIVERY_FOLDER to a new directory"
            )
        if known < low:
            raise ReadingStopped(_gone(topic, number))
        return known

    def _partitions(self, topic: str) -> int:
        name = physical(self._namespace, topic)
        found = self._consumer.list_topics(name, timeout=_TIMEOUT_S).topics[name]
        if found.error is not None or not found.partitions:
            raise ReadingStopped(
                f"topic {name} does not exist on this cluster; make the topics: baton topics --make"
            )
        return len(found.partitions)


def _gone(topic: str, number: int) -> str:
    return (
        f"{topic}[{number}]: the next record is past its retention. Nothing was skipped. Live with "
        "the gap: stop this worker, keep a copy of the file, and start it with "
        "BATON_DELIVERY_FOLDER set to a new directory; send what still waits in the old one first"
    )


def _fact(topic: str, message: Any) -> Fact:
    headers = dict(message.headers() or ())
    name = headers.get("ce_id")
    place = (topic, message.partition(), message.offset())
    return Fact(
        topic=topic,
        partition=place[1],
        offset=place[2],
        id=name.decode("utf-8", "replace") if name else derived_id("record", *place),
        key=(message.key() or b"").decode("utf-8", "replace"),
        value=_decoded(topic, message.value(), place),
        at_ms=message.timestamp()[1],
    )


def _decoded(topic: str, raw: bytes | None, place: tuple[Any, ...]) -> Any:
    if raw is None:
        return None
    record_type: Any = TOPICS[topic].record
    try:
        return codec_for(record_type).decode(raw)
    except ContractError as error:
        raise ReadingStopped(
            f"{place[0]}[{place[1]}]@{place[2]} cannot be read ({error.reason}); delivery stops "
            "before it. Most likely a newer Baton wrote it: update this one"
        ) from None
