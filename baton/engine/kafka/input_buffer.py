"""Fetches the inputs of one task, into bounded queues that are merged by log time
(:mod:`baton.engine.input_merge`).

Every task fetches for itself from the consumer that all tasks of its reducer share. Records stay
here until their batch is committed: :meth:`InputBuffer.rewind` puts those of a failed one back. A
record without log time is passed on like any other; the core refuses it, at its place in the order
of offsets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError, RecordTooLargeError

from baton.engine.batch import append_time_ms
from baton.engine.errors import EngineError
from baton.engine.input_merge import InputMerge
from baton.engine.kafka.client_internals import partition_state
from baton.engine.kafka.failpoints import Point
from baton.engine.kafka.host_context import TaskContext

_WAIT_MS = 1_000
_FULL_WAIT_MS = 20
"""Poll time-out while some input is full and so not polled: it may have room again soon."""
_MAX_BYTES = 16 << 20
_SAMPLE = 16


class LostRange(EngineError):
    """The offset to read next does not exist: records were deleted before they were processed, or
    the topic was made anew.

    ``first`` and ``end``: the offsets that exist, where known.
    """

    def __init__(
        self,
        task: TaskContext,
        topic: str,
        wanted: int,
        first: int | None = None,
        end: int | None = None,
    ) -> None:
        self.place = f"lost:{topic}@{wanted}"
        reducer, partition = task.reducer.name, task.partition
        if end is not None and wanted > end:
            what = (
                f"{topic} ends at offset {end}, before offset {wanted} that is next: the topic was "
                "deleted and made anew"
            )
        else:
            upto = "" if first is None else f" to {first - 1}"
            what = (
                f"{topic} is lost from offset {wanted}{upto}: it was deleted before it was "
                "processed"
            )
        super().__init__(
            f"{reducer}[{partition}]: {what}; see whether it can be sent again, then go on from "
            "the first offset "
            f"that exists with: baton task skip {reducer} {partition} '{self.place}'"
        )


@dataclass(slots=True)
class _Input:
    topic: str
    at: TopicPartition
    fetched_to: int = 0
    record_bytes: int = 1
    behind_since: float | None = None


class InputBuffer:
    """The inputs of one task. ``arrived`` is called when there is something new."""

    def __init__(self, task: TaskContext, arrived: Callable[[], None]) -> None:
        self._task, self._consumer = task, task.consumer
        cluster = task.host.cluster
        self._inputs = {
            topic: _Input(topic, cluster.at((topic, partition))) for topic, partition in task.places
        }
        self._merge = InputMerge(task.reducer.inputs)
        self._limit = task.host.settings.buffer_records
        self._arrived = arrived
        self._room = asyncio.Event()
        self.waiting_since = 0.0
        self.newest_ms = 0

    @property
    def count(self) -> int:
        """How many records wait."""
        return self._merge.count

    @property
    def taken(self) -> int:
        """How many records the open batch has taken."""
        return self._merge.taken

    def start_at(self, offsets: Mapping[str, int]) -> None:
        """Fetch from these offsets on."""
        for topic, offset in offsets.items():
            input_ = self._inputs[topic]
            input_.fetched_to = offset
            self._consumer.seek(input_.at, offset)
            self._consumer.resume(input_.at)

    async def fetch(self) -> None:
        """Fill the queues until cancelled; raises :class:`LostRange` or KafkaError."""
        while True:
            wanted = [input_ for input_ in self._inputs.values() if self._room_of(input_) > 0]
            if not wanted:
                self._room.clear()
                await self._room.wait()
                continue
            # First one by one, so that an input with much to read leaves room to the others; then
            # wait for any.
            if not any([await self._get(input_) for input_ in wanted]):
                self._task.reached(Point.FETCHING)
                await self._get(
                    *wanted,
                    timeout_ms=_WAIT_MS if len(wanted) == len(self._inputs) else _FULL_WAIT_MS,
                )

    def peek(self) -> tuple[str, Any] | None:
        """The next record, or None."""
        return self._merge.peek()

    def take(self, topic: str) -> bool:
        """Move the next record, which is of ``topic``, into the open batch; True: no other of that
        input waits."""
        return self._merge.take()

    def commit(self) -> None:
        """The batch was committed."""
        self._merge.commit()
        self._room.set()

    def rewind(self) -> int:
        """The batch was discarded: its records wait again. Gives how many these are."""
        return self._merge.rewind()

    def behind(self, patience_s: float) -> float:
        """How long (s) to wait for an input that is known to have more; 0: there is none, or it
        took too long."""
        now = asyncio.get_running_loop().time()
        longest = 0.0
        for topic, input_ in self._inputs.items():
            if self._merge.waiting(topic) or not self._has_more(input_):
                input_.behind_since = None
                continue
            if input_.behind_since is None:
                input_.behind_since = now
            longest = max(longest, input_.behind_since + patience_s - now)
        return longest

    def end_positions(self) -> dict[str, int]:
        """The next offset, past transaction markers, of every input of which no record waits."""
        return {
            topic: self._position(input_)
            for topic, input_ in self._inputs.items()
            if not self._merge.waiting(topic)
        }

    def lag(self) -> int:
        """Number of appended offsets that are in no batch yet, as of the last fetch."""
        fetching = [
            (input_, state)
            for input_ in self._inputs.values()
            if (state := self._state(input_)) is not None
        ]
        unfetched = sum(
            max(0, (state.highwater or 0) - input_.fetched_to) for input_, state in fetching
        )
        return self._merge.count + unfetched

    def held_back(self) -> int:
        """Number of offsets that an open transaction of a writer hides from readers, as of the last
        fetch."""
        states = [
            state for input_ in self._inputs.values() if (state := self._state(input_)) is not None
        ]
        return sum(
            max(0, state.highwater - state.lso)
            for state in states
            if state.lso is not None and state.lso >= 0
        )

    def _room_of(self, input_: _Input) -> int:
        return min(self._limit, _MAX_BYTES // input_.record_bytes) - self._merge.waiting(
            input_.topic
        )

    async def _get(self, *inputs: _Input, timeout_ms: int = 0) -> int:
        places = [input_.at for input_ in inputs]
        room = min(self._room_of(input_) for input_ in inputs)
        try:
            found = await self._consumer.getmany(*places, timeout_ms=timeout_ms, max_records=room)
        except OffsetOutOfRangeError as error:
            (at, wanted), *_ = error.args[0].items()
            raise LostRange(self._task, self._topic(at), wanted) from None
        except NoOffsetForPartitionError as error:
            raise LostRange(self._task, self._topic(error.args[0]), 0) from None
        except RecordTooLargeError as error:  # aiokafka would step over the record after this
            raise EngineError(f"{self._task.name}: {error}") from error
        for input_ in inputs:
            input_.fetched_to = self._position(input_)
            if records := found.get(input_.at):
                self._add(input_, records)
        if found:
            self._task.reached(Point.FETCHED)
            self._arrived()
        return len(found)

    def _add(self, input_: _Input, records: list[Any]) -> None:
        if not self._merge.count:
            self.waiting_since = monotonic()
        self._merge.add(input_.topic, records)
        input_.behind_since = None
        sample = records[::_SAMPLE]
        input_.record_bytes = 1 + sum(map(_size, sample)) // len(sample)
        self.newest_ms = max(self.newest_ms, append_time_ms(records[-1]))

    def _position(self, input_: _Input) -> int:
        state = self._state(input_)
        return (
            state.position if state is not None and state.has_valid_position else input_.fetched_to
        )

    def _has_more(self, input_: _Input) -> bool:
        state = self._state(input_)
        return state is None or state.lso is None or state.lso > self._position(input_)

    def _state(self, input_: _Input) -> Any:
        return partition_state(self._consumer, input_.at)

    def _topic(self, at: TopicPartition) -> str:
        return next(input_.topic for input_ in self._inputs.values() if input_.at == at)


def _size(record: Any) -> int:
    return int(max(0, record.serialized_key_size) + max(0, record.serialized_value_size))
