"""Records of the log in memory in the form of Kafka's, so that what prints and reads those reads
them too."""

from collections.abc import Iterator, Mapping, Sequence

from baton.cluster.log import Record
from baton.engine.memory import MemoryLog, Stored


def as_record(stored: Stored) -> Record:
    """A record of the log in memory as one of Kafka's, for what prints and reads them."""
    return Record(
        stored.topic,
        stored.partition,
        stored.offset,
        stored.key,
        stored.value,
        tuple(stored.headers),
        stored.timestamp,
    )


class MemoryReader:
    """Reads the log of a simulation as :class:`~baton.cluster.log.LogReader` reads a cluster, for
    what looks for a lead in it."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has."""
        return self._log.partitions_of(topic)

    def read(
        self, places: Mapping[str, Sequence[int]], *, since_ms: int | None = None
    ) -> Iterator[Record]:
        """The records of the given partitions, each in its order; ``since_ms``: only what was
        appended at or after it."""
        for topic, numbers in places.items():
            for number in numbers:
                for stored in self._log.records(topic, number):
                    if since_ms is None or stored.timestamp >= since_ms:
                        yield as_record(stored)
