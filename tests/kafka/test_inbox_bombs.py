"""A small batch that unpacks to a huge one: the broker refuses it, so that no worker ever unpacks
it."""

import pytest
from confluent_kafka import KafkaError, Producer

from baton.cluster.log import LogReader
from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.topics import TOPICS, physical

_HUGE = 20 << 20


@pytest.mark.parametrize("compression", ["zstd", "gzip", "snappy", "lz4"])
def test_a_batch_that_unpacks_to_more_than_a_message_may_have_is_refused(
    bootstrap: str, namespace: str, compression: str
) -> None:
    client = {"bootstrap.servers": bootstrap}
    spec = TOPICS["leads.inbox.v1"]
    ensure_topics(client, Layout(namespace=namespace, partitions=1), [spec])
    reported: list[KafkaError | None] = []
    producer = Producer(
        {**client, "compression.type": compression, "message.max.bytes": _HUGE * 2, "linger.ms": 0}
    )
    producer.produce(
        physical(namespace, spec.name),
        bytes(_HUGE),
        b"k",
        0,
        on_delivery=lambda error, _: reported.append(error),
    )
    producer.produce(physical(namespace, spec.name), b'{"small": 1}', b"k", 0)
    assert producer.flush(60) == 0
    (refused,) = reported
    assert refused is not None
    assert refused.code() in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)
    with LogReader(client, namespace) as reader:
        assert all(len(record.value or b"") < 100 for record in reader.read({spec.name: [0]}))
