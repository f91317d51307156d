"""Whether a system has nothing left to do: every group has committed past everything in its
inputs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

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
        places = {
            (place.topic, place.partition): place
            for inputs in self._inputs.values()
            for place in inputs
        }
        with _fresh(asker):
            return {where: _end(asker, place) for where, place in places.items()}

    def __call__(self, known: Ends | None = None) -> int:
        """How far behind the ends of now, or ``known`` ones. A partition without a committed offset
        counts whole, and one more. Raises KafkaException while the cluster does not answer."""
        ends = {} if known is None else dict(known)
        behind = 0
        for name, places in self._inputs.items():
            asker = self._askers[name]
            with _fresh(asker):
                for place in asker.committed(places, timeout=_TIMEOUT_S):
                    where = place.topic, place.partition
                    if where not in ends:
                        ends[where] = _end(asker, place)
                    behind += max(0, ends[where] - (place.offset if place.offset >= 0 else -1))
        return behind


def _end(asker: Consumer, place: TopicPartition) -> int:
    found: tuple[int, int] = asker.get_watermark_offsets(place, timeout=_TIMEOUT_S, cached=False)
    return found[1]


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
