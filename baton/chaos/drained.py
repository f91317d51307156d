"""Whether a system has nothing left to do: every group has committed past everything in its inputs."""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # re-exported there without saying so

from baton.contracts.topics import consumer_group, physical
from baton.engine.reducer import Reducer

_TIMEOUT_S = 30.0


def lag(client: Mapping[str, Any], namespace: str, reducers: Iterable[Reducer[Any, Any]], partitions: int) -> int:
    """How many offsets lie between what the groups have committed and the ends of their inputs; a partition without a committed offset
    counts whole, and one more. Raises KafkaException while the cluster does not answer."""
    admin = AdminClient({**client, "log_level": 0})
    behind = 0
    for reducer in reducers:
        places = [TopicPartition(physical(namespace, topic), number) for topic in reducer.inputs for number in range(partitions)]
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # half typed
        ends = admin.list_offsets(dict.fromkeys(places, latest), request_timeout=_TIMEOUT_S)
        group = ConsumerGroupTopicPartitions(consumer_group(namespace, reducer.name), places)
        (found,) = admin.list_consumer_group_offsets([group], request_timeout=_TIMEOUT_S).values()
        committed = {(each.topic, each.partition): each.offset for each in found.result().topic_partitions}
        for place, end in ends.items():
            at = committed.get((place.topic, place.partition), -1)
            behind += max(0, end.result().offset - at)
    return behind
