"""The shared fixtures: a test's topics are its own and are gone afterwards."""

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from tests.conftest import own_namespace

pytestmark = pytest.mark.kafka


def test_each_test_has_a_namespace_of_its_own_and_leaves_no_topic(bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def topics_of(name: str) -> list[str]:
        topics = admin.list_topics(timeout=60).topics
        return [topic for topic in topics if topic.startswith(f"{name}.")]

    with own_namespace(bootstrap) as first:
        topic = f"{first}.some.v1"
        made = admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
        made[topic].result()
        assert topics_of(first) == [topic]
    with own_namespace(bootstrap) as second:
        assert second != first
        assert topics_of(first) == []
        assert topics_of(second) == []
