"""The log of the direct host: it counts offsets, keeps the reference topics, and knows who reads
what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from baton.contracts.topics import TopicSpec
from baton.engine.memory import MemoryLog, Stored
from baton.simulation.direct.passed import Seen
from baton.simulation.direct.place import Place


class DirectLog(MemoryLog):
    """``history`` has the records of the topics in ``shown`` since it was cleared last."""

    history: list[Seen]  # type: ignore[assignment]

    def __init__(
        self,
        specs: Mapping[str, TopicSpec],
        partitions: int,
        *,
        kept: Sequence[str],
        shown: Collection[str],
    ) -> None:
        super().__init__(specs, partitions)
        self._kept, self._shown = frozenset(kept), frozenset(shown)
        self._places: dict[tuple[str, int], Place] = {}

    def place(self, topic: str, partition: int) -> Place:
        """A partition of a topic; raises ValueError for one that the topic does not have."""
        found = self._places.get((topic, partition))
        if found is None:
            if partition >= self.partitions_of(topic):
                raise ValueError(f"{topic} has no partition {partition}")
            found = self._places[topic, partition] = Place(shown=topic in self._shown)
        return found

    def append(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> Stored:
        """Append one record of bytes now, from outside or a dead letter."""
        place = self.place(topic, partition)
        record = Stored(topic, partition, place.end, self.now, key, value, headers)
        place.end += 1
        if topic in self._kept:
            self.records(topic, partition).append(record)
        if place.shown:
            self.history.append(record)
        self.appended(record)
        return record
