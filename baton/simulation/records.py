"""Records of the log in memory in the form of Kafka's, so that what prints and reads those reads them too."""

from baton.cluster.log import Record
from baton.engine.memory import Stored


def as_record(stored: Stored) -> Record:
    """A record of the log in memory as one of Kafka's, for what prints and reads them."""
    return Record(
        stored.topic, stored.partition, stored.offset, stored.key, stored.value, tuple(stored.headers), stored.timestamp
    )
