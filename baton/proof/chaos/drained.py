"""Whether a system has nothing left to do: every group has committed past everything in its
inputs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from baton.contracts.topics import consumer_group, physical
from baton.engine.reducer import Reducer

_TIMEOUT_S = 10.0

Ends = Mapping[tuple[str, int], int]


class Lag:
    """How many offsets lie between what the groups have committed and the ends of their inputs.

    It asks with consumers that join no group and live as long as it does: an admin client that was
    let go with questions open while the broker went away took the process with it (confluent-kafka
    2, ``ListOffsets``).
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        namespace: str,
        reducers: Sequence[Reducer[Any, Any]],
        partitions: int,
    ) -> None:
        self._inputs = {
            reducer.name: [
                TopicPartition(physical(namespace, topic), number)
                for topic in reducer.inputs
                for number in range(partitions)
            ]
            for reducer in reducers
        }
        own = {
            **client,
            "isolation.level": "read_uncommitted",
            "enable.auto.commit": False,
            "log_level": 0,
        }
        self._askers = {
            name: Consumer({**own, "group.id": consumer_group(namespace, name)})
            for name in self._inputs
        }

    def close(self) -> None:
        """Leave the broker."""
        for asker in self._askers.values():
            asker.close()

    def ends(self) -> Ends:
        """Where the inputs end now. Raises KafkaException as below."""
        asker = next(iter(self._askers.values()))
        places = {place for inputs in self._inputs.values() for place in inputs}
        latest = [TopicPartition(place.topic, place.partition, OFFSET_END) for place in places]
        with _fresh(asker):
            found = asker.offsets_for_times(latest, timeout=_TIMEOUT_S)
            return {(place.topic, place.partition): _offset(place) for place in found}

    def __call__(self, known: Ends | None = None) -> int:
        """How far behind the ends of now, or ``known`` ones. A partition without a committed offset
        counts whole, and one more. Raises KafkaException while the cluster does not answer."""
        standing = {}
        for name, places in self._inputs.items():
            asker = self._askers[name]
            with _fresh(asker):
                standing[name] = asker.committed(places, timeout=_TIMEOUT_S)
        # after what is committed: an end that was asked for before could lie behind it
        ends = self.ends() if known is None else known
        return sum(
            max(0, ends[place.topic, place.partition] - max(place.offset, -1))
            for places in standing.values()
            for place in places
        )


def _offset(found: TopicPartition) -> int:
    if found.error is not None:
        raise KafkaException(found.error)
    return int(found.offset)


@contextmanager
def _fresh(asker: Consumer) -> Iterator[None]:
    """A client that asked a broker which is gone would go on asking it: it learns anew who
    leads."""
    try:
        yield
    except KafkaException:
        with suppress(KafkaException):
            asker.list_topics(timeout=_TIMEOUT_S)
        raise
