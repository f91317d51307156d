"""Where an audit reads from: a cluster, or the log in memory of a simulation."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from confluent_kafka import OFFSET_BEGINNING

from baton.cluster.log import LogReader, Record
from baton.engine.memory import MemoryLog
from baton.simulation.memory_records import as_record


class Source(Protocol):
    """Committed records only, by logical topic name."""

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has."""

    def first(self, topic: str, partition: int) -> int:
        """The first offset that is still there."""

    def end(self, place: tuple[str, int]) -> int:
        """The offset at which the place ended when its topic was first asked for: everything before
        it is committed or aborted."""

    def length(self, place: tuple[str, int], start: int | None) -> int:
        """How many offsets there are from ``start`` (None: the first) to that end."""

    def recipe(self) -> "tuple[Mapping[str, Any], str] | None":
        """What another process makes a source like this one from (client, namespace); None: it
        cannot."""

    def read_all(self, starts: Mapping[tuple[str, int], int | None]) -> Iterator[Record]:
        """The records of many partitions, each from its own start (None: the first) to its end; in
        order within a partition."""

    def read(self, topic: str, partition: int, start: int | None = None) -> Iterator[Record]:
        """Records from offset ``start`` (None: the first) to the end as it is when it is
        reached."""


class KafkaSource:
    """A cluster. Each reading has a client of its own, since several go on side by side; all end
    with :meth:`close`."""

    def __init__(self, client: Mapping[str, Any], namespace: str) -> None:
        self._client, self._namespace = dict(client), namespace
        self._asking = LogReader(client, namespace)
        self._idle: list[LogReader] = []
        self._all: list[LogReader] = [self._asking]
        self._ends: dict[str, dict[int, tuple[int, int]]] = {}

    def close(self) -> None:
        """Leave the brokers."""
        for reader in self._all:
            reader.close()

    def partitions(self, topic: str) -> int:
        return self._asking.partitions(topic)

    def first(self, topic: str, partition: int) -> int:
        return self._asking.ends(topic)[partition][0]

    def end(self, place: tuple[str, int]) -> int:
        return self._span(place)[1]

    def length(self, place: tuple[str, int], start: int | None) -> int:
        first, end = self._span(place)
        return max(0, end - (first if start is None else start))

    def _span(self, place: tuple[str, int]) -> tuple[int, int]:
        topic, partition = place
        if topic not in self._ends:
            self._ends[topic] = self._asking.ends(topic)
        return self._ends[topic][partition]

    def recipe(self) -> tuple[Mapping[str, Any], str] | None:
        return self._client, self._namespace

    def read_all(self, starts: Mapping[tuple[str, int], int | None]) -> Iterator[Record]:
        with LogReader(self._client, self._namespace) as reader:
            yield from reader.read_from(starts)

    def read(self, topic: str, partition: int, start: int | None = None) -> Iterator[Record]:
        reader = self._idle.pop() if self._idle else self._new()
        try:
            yield from reader.read(
                {topic: [partition]}, start=OFFSET_BEGINNING if start is None else start
            )
        finally:
            self._idle.append(reader)

    def _new(self) -> LogReader:
        reader = LogReader(self._client, self._namespace)
        self._all.append(reader)
        return reader


class MemorySource:
    """The log in memory."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def partitions(self, topic: str) -> int:
        return self._log.partitions_of(topic)

    def first(self, topic: str, partition: int) -> int:
        del topic, partition
        return 0

    def end(self, place: tuple[str, int]) -> int:
        return len(self._log.records(*place))

    def length(self, place: tuple[str, int], start: int | None) -> int:
        return len(self._log.records(*place)) - (start or 0)

    def recipe(self) -> tuple[Mapping[str, Any], str] | None:
        return None

    def read_all(self, starts: Mapping[tuple[str, int], int | None]) -> Iterator[Record]:
        for (topic, partition), start in starts.items():
            yield from self.read(topic, partition, start)

    def read(self, topic: str, partition: int, start: int | None = None) -> Iterator[Record]:
        for stored in self._log.records(topic, partition)[start or 0 :]:
            yield as_record(stored)
