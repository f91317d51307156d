"""Lets a log in memory go of what nobody will read again, so that a long simulation needs no more
memory than its leads do.

The engine's tasks read a partition from the offset they have committed, and only the length of what
is before it matters to them. A task that lost its memory would need its changelog; in a simulation
none does.
"""

from baton.contracts.topic_names import BATON_AGREEMENTS, BATON_PEOPLE
from baton.contracts.topics import TOPICS, Audience
from baton.engine.memory import MemoryHost, Stored

_REFERENCE = (BATON_AGREEMENTS, BATON_PEOPLE)


class Forgetting:
    """For one host. What it leaves in place of a record has the record's place and nothing else."""

    def __init__(self, host: MemoryHost) -> None:
        self._host = host
        self._done: dict[tuple[str, int], int] = {}
        reads = {task.reducer.name: task.reducer.inputs for task in host.tasks.values()}
        self._readers = {
            topic: [name for name, inputs in reads.items() if topic in inputs] for topic in TOPICS
        }

    def forget(self) -> None:
        """Let go of all that every reader has committed past."""
        for topic in TOPICS:
            if topic in _REFERENCE:
                continue
            for partition in range(self._host.log.partitions_of(topic)):
                self._forget(topic, partition)

    def _forget(self, topic: str, partition: int) -> None:
        records = self._host.log.records(topic, partition)
        start, end = self._done.get((topic, partition), 0), len(records)
        for name in () if TOPICS[topic].audience is Audience.ENGINE else self._readers[topic]:
            end = min(end, self._host.tasks[name, partition].core.positions.get(topic, 0))
        if end > start:
            records[start:end] = [_EMPTY] * (end - start)
            self._done[topic, partition] = end


_EMPTY = Stored("", 0, 0, 0, None, None, ())
