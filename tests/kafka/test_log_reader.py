"""Reading topics from outside the engine: what is not there is said at once."""

import pytest
from confluent_kafka import Producer

from baton.cluster.log import LogReader, NoSuchTopic
from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.topic_names import LEADS_ACTS
from baton.contracts.topics import TOPICS, physical

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


@pytest.mark.parametrize("follow", [False, True])
def test_reading_a_topic_that_does_not_exist_is_an_error_that_names_it(
    bootstrap: str, namespace: str, follow: bool
) -> None:
    wanted = f"topic {namespace}.leads.nothing.v1 does not exist .* baton topics"
    with LogReader({"bootstrap.servers": bootstrap}, namespace) as reader:
        with pytest.raises(NoSuchTopic, match=wanted):
            list(reader.read({"leads.nothing.v1": [0]}, follow=follow))
        with pytest.raises(NoSuchTopic, match=wanted):
            list(reader.read_from({("leads.nothing.v1", 0): None}))


def test_the_end_of_a_topic_is_before_what_is_not_committed_yet(
    bootstrap: str, namespace: str
) -> None:
    """The audit relies on it: what lies before an end is committed or aborted."""
    client = {"bootstrap.servers": bootstrap}
    ensure_topics(client, Layout(namespace=namespace, partitions=1), [TOPICS[LEADS_ACTS]])
    producer = Producer({**client, "transactional.id": f"{namespace}.t"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(physical(namespace, LEADS_ACTS), b"open", partition=0)
    producer.flush(30)
    with LogReader(client, namespace) as reader:
        assert reader.ends(LEADS_ACTS)[0] == (0, 0)
        producer.commit_transaction(30)
        while reader.ends(LEADS_ACTS)[0] != (0, 2):  # the record and the marker behind it
            pass
