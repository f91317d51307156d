"""The shared fixtures: a test's topics are its own and are gone afterwards."""

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

pytestmark = pytest.mark.kafka

_seen: list[str] = []


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_namespace_of_its_own_and_leaves_no_topic(
    bootstrap: str, namespace: str, turn: int
) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topics = admin.list_topics(timeout=60).topics
    assert not [
        topic
        for topic in topics
        if any(topic.startswith(f"{former}.") for former in (*_seen, namespace))
    ]
    admin.create_topics([NewTopic(f"{namespace}.some.v1", num_partitions=1, replication_factor=1)])[
        f"{namespace}.some.v1"
    ].result()
    assert len(_seen) == turn - 1
    _seen.append(namespace)
