"""Reads the public topics for the projection: ``read_committed``, partitions assigned by hand,
offsets from the store.

There is no consumer group: where to go on is in the store, in the transaction of the rows. Nothing
is ever reset: where the log no longer has the next record, reading stops with words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from baton.contracts.codec import ContractError, codec_for
from baton.contracts.topics import TOPICS, logical, physical
from baton.ids import derived_id
from services.insights.facts.change import Taken
from services.insights.facts.folds import DEAD_LETTERS, FOLDS
from services.insights.projection.store import Place

READ_TOPICS: Final = (*FOLDS, DEAD_LETTERS)
_TIMEOUT_S: Final = 20.0
_FETCH_WAIT_MS: Final = 100
_CODE_HEADER: Final = "__dlq.errors.code"


class ProjectionStopped(RuntimeError):
    """The projection cannot go on by itself; the text names the place, the reason and the way
    out."""


class TopicReader:
    """Batches of records from where the store stands. ``client``: options of a confluent-kafka
    client."""

    def __init__(self, client: Mapping[str, Any], namespace: str) -> None:
        self._namespace = namespace
        self._ended: dict[tuple[str, int], int] = {}
        self._assigned: set[tuple[str, int]] = set()
        self._consumer = Consumer(
            {
                **client,
                # the client wants one; nothing is committed and no group joined
                "group.id": f"{namespace}.insights",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": _FETCH_WAIT_MS,
            }
        )

    def close(self) -> None:
        """Leave the brokers."""
        self._consumer.close()

    @property
    def caught_up(self) -> bool:
        """Whether the end of every partition has been reached once."""
        return self._assigned <= self._ended.keys()

    def starts(self, known: Mapping[tuple[str, int], Place]) -> list[Place]:
        """Where to read on, every partition there is; raises :class:`ProjectionStopped` where
        records are gone."""
        found = []
        for topic in READ_TOPICS:
            for number in range(self._partitions(topic)):
                low, high = self._ends(topic, number)
                found.append(_start(known.get((topic, number)), topic, number, low, high))
        return found

    def assign(self, places: Iterable[Place]) -> None:
        """Read these from now on."""
        wanted = list(places)
        self._assigned = {(each.topic, each.partition) for each in wanted}
        self._consumer.assign(
            [
                TopicPartition(
                    physical(self._namespace, each.topic), each.partition, each.next_offset
                )
                for each in wanted
            ]
        )

    def take(self, at_most: int, wait_s: float) -> tuple[list[Taken], dict[tuple[str, int], int]]:
        """The next records, in the order of their append times, and where to go on after them."""
        batch: list[Taken] = []
        following: dict[tuple[str, int], int] = {}
        message: Any
        for message in self._consumer.consume(at_most, wait_s):
            if message.topic() is None:  # news of the connection, which the client mends itself
                if (error := message.error()) is not None and error.fatal():
                    raise KafkaException(error)
                continue
            topic = logical(self._namespace, message.topic())
            place = (topic, message.partition())
            if (error := message.error()) is not None:
                self._end_of(place, message, error, following)
                continue
            batch.append(_taken(topic, message))
            following[place] = message.offset() + 1
        batch.sort(key=lambda each: each.at_ms)
        return batch, following

    def _end_of(
        self,
        place: tuple[str, int],
        message: Any,
        error: KafkaError,
        following: dict[tuple[str, int], int],
    ) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            self._ended[place] = following[place] = message.offset()
            return
        if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            low, high = self._ends(*place)
            raise ProjectionStopped(_gone(*place, None, low, high))
        raise KafkaException(error)

    def _partitions(self, topic: str) -> int:
        name = physical(self._namespace, topic)
        found = self._consumer.list_topics(name, timeout=_TIMEOUT_S).topics[name]
        if found.error is not None or not found.partitions:
            raise ProjectionStopped(
                f"topic {name} does not exist on this cluster; make the topics: baton topics --make"
            )
        return len(found.partitions)

    def _ends(self, topic: str, number: int) -> tuple[int, int]:
        place = TopicPartition(physical(self._namespace, topic), number)
        found: tuple[int, int] = self._consumer.get_watermark_offsets(
            place, timeout=_TIMEOUT_S, cached=False
        )
        return found


def _start(known: Place | None, topic: str, number: int, low: int, high: int) -> Place:
    if known is None:
        return Place(topic=topic, partition=number, next_offset=low, began_offset=low)
    if not low <= known.next_offset <= high:
        raise ProjectionStopped(_gone(topic, number, known.next_offset, low, high))
    return known


def _gone(topic: str, number: int, wanted: int | None, low: int, high: int) -> str:
    place = f"{topic}[{number}]"
    if wanted is not None and wanted > high:
        return (
            f"{place}: the board has read up to offset {wanted}, but the log ends at {high}: this "
            "is another log than the one it was"
            " built from; point BATON_BOOTSTRAP and BATON_NAMESPACE at that one, or build anew "
            "from this: baton board rebuild"
        )
    missing = "" if wanted is None else f", {low - wanted} records are missing"
    return (
        f"{place}: the next record the board "
        f"needs{'' if wanted is None else f' (offset {wanted})'} is past its retention; the oldest "
        "left"
        f" is {low}{missing}. Nothing was skipped. Restore a copy of the board that is younger, or "
        "build anew from what is left and live"
        " with the gap: baton board rebuild"
    )


def _taken(topic: str, message: Any) -> Taken:
    headers = dict(message.headers() or ())
    name = headers.get("ce_id")
    place = (topic, message.partition(), message.offset())
    key, raw = message.key(), message.value()
    return Taken(
        topic=topic,
        partition=message.partition(),
        offset=message.offset(),
        id=name.decode("utf-8", "replace") if name else derived_id("record", *place),
        key=(key or b"").decode("utf-8", "replace"),
        value=_code(headers) if topic == DEAD_LETTERS else decode(topic, raw, place),
        at_ms=message.timestamp()[1],
    )


def _code(headers: Mapping[str, bytes]) -> str:
    return (headers.get(_CODE_HEADER) or b"unknown").decode("utf-8", "replace")[:60]


def decode(topic: str, raw: bytes | None, place: Sequence[Any]) -> Any:
    """The record in ``raw``, None of a tombstone; raises :class:`ProjectionStopped` for one that
    cannot be read."""
    if raw is None:
        return None
    record_type: Any = TOPICS[topic].record
    try:
        return codec_for(record_type).decode(raw)
    except ContractError as error:
        raise ProjectionStopped(
            f"{place[0]}[{place[1]}]@{place[2]} cannot be read ({error.reason}); the board stops "
            "before it. It was written by a newer"
            " Baton, most likely: update this one"
        ) from None
