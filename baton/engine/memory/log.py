"""A log in memory: topics with partitions, append times from a clock that the host moves,
transactions that are fenced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from baton.contracts.topics import TopicSpec
from baton.engine.batch import LOG_APPEND_TIME, Batch, Outgoing


class Stored(NamedTuple):
    """One record in the log; a :class:`~baton.engine.batch.Record`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    timestamp_type: int = LOG_APPEND_TIME


class Fenced(Exception):
    """A later owner started with the same transactional id: this one can commit nothing any
    more."""


class MemoryLog:
    """``now`` is the append time of the next record (ms); it may only be moved forward.

    ``history`` has every record of every topic in the order of appending. ``appended`` is called
    with every record.
    """

    def __init__(self, specs: Mapping[str, TopicSpec], partitions: int) -> None:
        self.now = 0
        self.partitions = partitions
        self.history: list[Stored] = []
        self.appended: Callable[[Stored], None] = lambda record: None
        self._specs = specs
        self._records: dict[tuple[str, int], list[Stored]] = {}
        self._epochs: dict[str, int] = {}
        self._committed: dict[tuple[str, int], tuple[dict[str, int], str]] = {}

    def partitions_of(self, topic: str) -> int:
        """How many partitions the topic has; raises KeyError for one that the catalogue does not
        know."""
        return self._specs[topic].partitions or self.partitions

    def records(self, topic: str, partition: int) -> list[Stored]:
        """The records of a partition; not to be changed."""
        return self._records.setdefault((topic, partition), [])

    def append(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> Stored:
        """Append one record now."""
        if partition >= (self._specs[topic].partitions or self.partitions):
            raise ValueError(f"{topic} has no partition {partition}")
        held = self._records.get((topic, partition))
        if held is None:
            held = self.records(topic, partition)
        record = Stored(topic, partition, len(held), self.now, key, value, headers)
        held.append(record)
        self.history.append(record)
        self.appended(record)
        return record

    def fence(self, transactional_id: str) -> int:
        """A new owner of the id begins; every former one is fenced. Gives the epoch it commits
        with."""
        self._epochs[transactional_id] = self._epochs.get(transactional_id, 0) + 1
        return self._epochs[transactional_id]

    def committed(self, group: str, partition: int) -> tuple[dict[str, int], str]:
        """The offsets a group has committed for a partition of its inputs, and their metadata."""
        return self._committed.get((group, partition), ({}, ""))

    def commit(
        self, group: str, partition: int, epoch: int, batch: Batch, changelog: str, journal: str
    ) -> None:
        """One transaction: all of the batch, or nothing of it (:class:`Fenced`)."""
        if self._epochs.get(f"{group}-{partition}") != epoch:
            raise Fenced(f"{group}-{partition}")
        out: Outgoing
        for out in batch.outgoing:
            self.append(out.topic, out.partition, out.key, out.value, out.headers)
        for key, value in batch.changelog:
            self.append(changelog, partition, key, value)
        self.append(journal, partition, *batch.journal)
        self._committed[group, partition] = dict(batch.offsets), batch.metadata
