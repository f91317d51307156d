"""Reading topics from outside the engine: for people and for the audit.

A plain ``read_committed`` consumer without a group, on confluent-kafka: it commits nothing, so it
can never move anybody's place. What it yields is raw; decoding is the caller's.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from baton.contracts.topics import logical, physical

_POLL_S = 0.2
_AT_ONCE = 1_000
# the client's 500 is what each partition that gets ready later than the others would wait for its
# end
_FETCH_WAIT_MS = 20
# one that follows waits for records and not for ends, and records end the wait: at 20 ms it would
# ask for every partition fifty times a second
_FOLLOWING_WAIT_MS = 500
_TIMEOUT_S = 30.0
_KNOWN_S = 1.0
_PASSING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
    }
)
_FETCHED_AHEAD_KB = 4_096  # the client's 64 MB is for each of many readers side by side

T = TypeVar("T")
_VALUE = itemgetter(1)
_NEW = tuple.__new__  # a named tuple's own goes through a function of Python


class NoSuchTopic(LookupError):
    """A topic that is to be read does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"topic {name} does not exist on this cluster; see which there are with: baton topics"
        )


class Record(NamedTuple):
    """One record as it lies in the log; ``topic`` is the logical name, ``at_ms`` the broker's
    append time. It can be handed to :meth:`~baton.engine.core.Core.process`."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    at_ms: int
    timestamp_type: int = 1  # as the protocol and the engine number it: 1 is the append time

    @property
    def timestamp(self) -> int:
        """``at_ms``, as the engine calls it."""
        return self.at_ms

    def header(self, name: str) -> str | None:
        """The last header of this name, as text."""
        for found, value in reversed(self.headers):
            if found == name:
                return value.decode("utf-8", "replace")
        return None


class LogReader:
    """Reads the topics of one namespace. ``client``: options of a confluent-kafka client.
    ``follows``: it is there to follow, and asks less often; an end it may see half a second
    later."""

    def __init__(self, client: Mapping[str, Any], namespace: str, *, follows: bool = False) -> None:
        self._namespace = namespace
        self._known: dict[str, str] = {}  # by name on the cluster, the logical one
        self._consumer = Consumer(
            {
                **client,
                # asked for by the client; nothing is committed and no group joined
                "group.id": f"{namespace}.reader",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": _FOLLOWING_WAIT_MS if follows else _FETCH_WAIT_MS,
                "queued.max.messages.kbytes": _FETCHED_AHEAD_KB,
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
        """How many partitions the topic has; raises :class:`NoSuchTopic`."""
        return self._partitions_of(physical(self._namespace, topic))

    def _partitions_of(self, name: str) -> int:
        """One broker knows a topic that has just been made before another does, and one that has
        just started knows none, so it is asked for a while."""
        until = time.monotonic() + _KNOWN_S
        while True:
            found = self._consumer.list_topics(name, timeout=_TIMEOUT_S).topics[name]
            if found.error is None and found.partitions:
                return len(found.partitions)
            if time.monotonic() > until:
                raise NoSuchTopic(name)
            time.sleep(_POLL_S)

    def ends(self, topic: str) -> dict[int, tuple[int, int]]:
        """First and next offset of each partition."""
        name = physical(self._namespace, topic)
        places = [TopicPartition(name, number) for number in range(self.partitions(topic))]
        return {place.partition: patiently(partial(self._end, place)) for place in places}

    def _end(self, place: TopicPartition) -> tuple[int, int]:
        found: tuple[int, int] = self._consumer.get_watermark_offsets(
            place, timeout=_TIMEOUT_S, cached=False
        )
        return found

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
        """The records of the given partitions (topic -> numbers), to the end as it is when reached,
        or, if ``follow``, for ever.

        ``until`` is asked now and then and ends it. ``start``: the offset to begin at, the same in
        each partition. ``since_ms``: only what was appended at or after it. Order is that of each
        partition; between partitions it is as fetched. Raises :class:`NoSuchTopic`.
        """
        self._get_to_know(places)
        first = OFFSET_END if from_end else OFFSET_BEGINNING if start is None else start
        wanted = self._wanted(places, first if since_ms is None or from_end else since_ms)
        if since_ms is not None and not from_end and wanted:
            times = wanted
            wanted = patiently(lambda: self._consumer.offsets_for_times(times, timeout=_TIMEOUT_S))
        yield from self._read(wanted, follow=follow, until=until)

    def read_from(self, starts: Mapping[tuple[str, int], int | None]) -> Iterator[Record]:
        """The records of the given partitions, each from its own offset (None: the first there is)
        to the end as it is when reached."""
        self._get_to_know({topic for topic, _ in starts})
        wanted = [
            TopicPartition(
                physical(self._namespace, topic),
                number,
                OFFSET_BEGINNING if start is None else start,
            )
            for (topic, number), start in starts.items()
        ]
        yield from self._read(wanted, follow=False, until=lambda: False)

    def _read(
        self, wanted: list[TopicPartition], *, follow: bool, until: Callable[[], bool]
    ) -> Iterator[Record]:
        self._consumer.assign(wanted)
        waiting = {(topic_partition.topic, topic_partition.partition) for topic_partition in wanted}
        while (follow or waiting) and not until():
            message = self._consumer.poll(_POLL_S)
            if message is None:
                continue
            for consumer in (message, *self._consumer.consume(_AT_ONCE, 0)):
                error = consumer.error()
                if error is None:
                    yield self._record(consumer)
                elif error.code() == KafkaError._PARTITION_EOF:
                    waiting.discard((consumer.topic(), consumer.partition()))
                else:
                    raise KafkaException(error)

    def _wanted(self, places: Mapping[str, Sequence[int]], at: int) -> list[TopicPartition]:
        return [
            TopicPartition(physical(self._namespace, topic), number, at)
            for topic, numbers in places.items()
            for number in numbers
        ]

    def _get_to_know(self, topics: Iterable[str]) -> None:
        """Ask for the topics once: one that the client has not heard of it would look for once a
        second, and one that does not exist it would wait for."""
        for topic in topics:
            name = physical(self._namespace, topic)
            if name not in self._known:
                self._partitions_of(name)
                self._known[name] = logical(self._namespace, name)

    def _record(self, message: Any) -> Record:
        headers = message.headers() or ()
        if None in map(_VALUE, headers):
            headers = [(name, value or b"") for name, value in headers]
        kind, at_ms = message.timestamp()
        return _NEW(
            Record,
            (
                self._known[message.topic()],
                message.partition(),
                message.offset(),
                message.key(),
                message.value(),
                tuple(headers),
                at_ms,
                int(kind == TIMESTAMP_LOG_APPEND_TIME),
            ),
        )


def patiently(
    ask: Callable[[], T], *, timeout_s: float = _TIMEOUT_S, pause_s: float = _POLL_S
) -> T:
    """What ``ask`` gives. A broker that has just come back does not know yet what it leads, and
    says so: it is asked again for so long. Raises KafkaException as ``ask`` does."""
    until = time.monotonic() + timeout_s
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _PASSING or time.monotonic() > until:
                raise
        time.sleep(pause_s)
