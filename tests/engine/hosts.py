"""What the conformance suite needs of a host: the in-memory log and real Kafka each implement it
once."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from baton.engine.batch import Limits, Record
from baton.engine.records import BatchJournal
from baton.engine.reducer import Reducer


class Moment(StrEnum):
    """Where in its life a task can be killed; what it had not committed is lost with its memory."""

    FETCHED = "fetched"
    """Records were fetched, nothing was processed."""
    SEALED = "sealed"
    """The batch is processed and encoded, nothing was produced."""
    PRODUCED = "produced"
    """Everything is sent, the offsets are not in the transaction."""
    BEFORE_COMMIT = "before_commit"
    """Offsets are in the transaction; the commit was not asked for."""
    AFTER_COMMIT = "after_commit"
    """The transaction is committed, the overlay not folded."""
    RESTORING = "restoring"
    """The changelog is read in part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A committed record. ``value`` is decoded where the topic has a record type, else raw."""

    topic: str
    partition: int
    offset: int
    at_ms: int
    key: str
    value: Any
    headers: Mapping[str, str]


class EngineHost(ABC):
    """Runs toy reducers (:mod:`tests.engine.toys`) over a fresh namespace. The book is empty until
    :meth:`publish`.

    ``reducers`` and ``partitions`` are what :meth:`start` was called with.
    """

    reducers: tuple[Reducer[Any, Any], ...] = ()
    partitions: int = 0

    @abstractmethod
    async def start(
        self, *reducers: Reducer[Any, Any], partitions: int = 2, limits: Limits = Limits()
    ) -> None:
        """Bring up a task for each reducer and partition. Topics exist afterwards."""

    @abstractmethod
    async def send(
        self,
        topic: str,
        key: str,
        value: Any,
        *,
        id: str | None = None,
        received_at_ms: int | None = None,
        traceparent: str | None = None,
    ) -> Seen:
        """Append one record now; ``value`` is the topic's dataclass. Gives it back as it lies in
        the log (``headers`` empty)."""

    @abstractmethod
    async def send_raw(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> tuple[int, int]:
        """Append bytes now, in partition 0; gives partition and offset."""

    @abstractmethod
    async def publish(self, version: str) -> int:
        """Append new terms to ``toy.terms.v1``; gives the append time."""

    @abstractmethod
    async def settle(self) -> None:
        """Return when every task that is not halted or failed has committed past all that is in the
        log."""

    @abstractmethod
    async def pass_time(self, ms: int) -> None:
        """Let at least ``ms`` of log time pass, and return when what was due by then has fired,
        been committed, and settled."""

    @abstractmethod
    async def read(self, topic: str) -> list[Seen]:
        """The committed records of a topic, by (partition, offset)."""

    @abstractmethod
    async def raw(self, topic: str, partition: int) -> list[Record]:
        """The committed records of one partition as a task is handed them."""

    @abstractmethod
    async def changelog(self, reducer: str, partition: int) -> dict[bytes, bytes]:
        """The committed changelog of a task, compacted: last value of each key, without
        tombstones."""

    @abstractmethod
    async def journal(self, reducer: str, partition: int) -> list[BatchJournal]:
        """The committed journal of a task, in order."""

    @abstractmethod
    async def committed(self, reducer: str, partition: int) -> tuple[dict[str, int], str]:
        """The task's committed offsets by input, and their metadata (the batch number)."""

    @abstractmethod
    async def crash(self, reducer: str, partition: int, when: Moment) -> None:
        """Arm a crash: when the task next gets there it ends as by kill -9, and is started again
        from what is committed."""

    @abstractmethod
    async def fail(self, reducer: str, partition: int) -> None:
        """Arm one failure of the next transaction before its commit is asked for: aborted, and
        tried again from memory."""

    @abstractmethod
    async def restart(self, reducer: str, partition: int) -> None:
        """Stop the task cleanly, forget its memory and start it again."""

    @abstractmethod
    async def halt(self, reducer: str) -> None:
        """Stop all tasks of a reducer (it is down) until :meth:`resume`."""

    @abstractmethod
    async def resume(self, reducer: str) -> None:
        """Bring a halted reducer back."""

    @abstractmethod
    async def failures(self) -> dict[tuple[str, int], Exception]:
        """The tasks that stopped by themselves, by (reducer, partition), and why."""

    @abstractmethod
    async def skip(self, reducer: str, partition: int, place: str) -> None:
        """The documented way out of :class:`~baton.engine.errors.ReducerFailed`: leave ``place``
        out and start the task again."""
