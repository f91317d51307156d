"""Reading topics from outside the engine: what is not there is said at once."""

import pytest

from baton.cluster.log import LogReader, NoSuchTopic

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
