"""Reading topics from outside the engine: for people and for the audit.

A plain ``read_committed`` consumer without a group, on confluent-kafka: it commits nothing, so it can never move anybody's place. What it
yields is raw; decoding is the caller's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from baton.contracts.topics import logical, physical

_POLL_S = 0.2
_FETCH_WAIT_MS = 20  # the client's 500 is what each partition that gets ready later than the others would wait for its end
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record as it lies in the log; ``topic`` is the logical name, ``at_ms`` the broker's append time."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    at_ms: int

    def header(self, name: str) -> str | None:
        """The last header of this name, as text."""
        for found, value in reversed(self.headers):
            if found == name:
                return value.decode("utf-8", "replace")
        return None


class LogReader:
    """Reads the topics of one namespace. ``client``: options of a confluent-kafka client."""

    def __init__(self, client: Mapping[str, Any], namespace: str) -> None:
        self._namespace = namespace
        self._consumer = Consumer(
            {
                **client,
                "group.id": f"{namespace}.reader",  # asked for by the client; nothing is committed and no group joined
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": _FETCH_WAIT_MS,
            }
        )

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def __enter__(self) -> "LogReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has; raises LookupError where there is no such topic."""
        name = physical(self._namespace, topic)
        found = self._consumer.list_topics(name, timeout=_TIMEOUT_S).topics[name]
        if found.error is not None or not found.partitions:
            raise LookupError(f"topic {name} does not exist on this cluster; see which there are with: baton topics")
        return len(found.partitions)

    def ends(self, topic: str) -> dict[int, tuple[int, int]]:
        """First and next offset of each partition."""
        name = physical(self._namespace, topic)
        return {
            number: self._consumer.get_watermark_offsets(TopicPartition(name, number), timeout=_TIMEOUT_S, cached=False)
            for number in range(self.partitions(topic))
        }

    def read(
        self,
        places: Mapping[str, Sequence[int]],
        *,
        since_ms: int | None = None,
        follow: bool = False,
        from_end: bool = False,
        until: Callable[[], bool] = lambda: False,
        start: int | None = None,
    ) -> Iterator[Record]:
        """The records of the given partitions (topic -> numbers), to the end as it is when reached, or, if ``follow``, for ever.

        ``until`` is asked now and then and ends it.

        ``start``: the offset to begin at, the same in each partition. ``since_ms``: only what was appended at or after it. Order is that of each partition; between partitions it is as fetched.
        """
        first = OFFSET_END if from_end else OFFSET_BEGINNING if start is None else start
        waiting = self._assign(places, first=first, since_ms=None if from_end else since_ms)
        while (follow or waiting) and not until():
            message = self._consumer.poll(_POLL_S)
            if message is None:
                continue
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                waiting.discard((message.topic(), message.partition()))
            elif error is not None:
                raise KafkaException(error)
            else:
                yield self._record(message)

    def _assign(self, places: Mapping[str, Sequence[int]], *, first: int, since_ms: int | None) -> set[tuple[str, int]]:
        at = first if since_ms is None else since_ms
        wanted = [
            TopicPartition(physical(self._namespace, topic), number, at)
            for topic, numbers in places.items()
            for number in numbers
        ]
        if since_ms is not None and wanted:
            wanted = self._consumer.offsets_for_times(wanted, timeout=_TIMEOUT_S)
        self._consumer.assign(wanted)
        return {(each.topic, each.partition) for each in wanted}

    def _record(self, message: Any) -> Record:
        return Record(
            topic=logical(self._namespace, message.topic()),
            partition=message.partition(),
            offset=message.offset(),
            key=message.key(),
            value=message.value(),
            headers=tuple((name, value or b"") for name, value in message.headers() or ()),
            at_ms=message.timestamp()[1],
        )
