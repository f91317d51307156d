"""What has been fetched for one task: a bounded queue for each input, merged by the log's time (:mod:`baton.engine.input_merge`).

Each task fetches for itself from the consumer that all tasks of its reducer share. Records stay here until their batch is
committed: :meth:`InputBuffer.rewind` puts those of a failed one back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError, RecordTooLargeError

from baton.engine.errors import EngineError
from baton.engine.input_merge import InputMerge
from baton.engine.kafka.cluster import LOG_APPEND_TIME, Cluster, NotLogTime
from baton.engine.kafka.failpoints import Point, reached

_WAIT_MS = 1_000
_FULL_WAIT_MS = 20
"""While an input is full, and so not waited for: it may have room again soon."""
_MAX_BYTES = 16 << 20
_SAMPLE = 16


class LostRange(EngineError):
    """Offsets that were not processed yet do not exist any more (retention, or a topic that was made anew)."""

    def __init__(self, reducer: str, partition: int, topic: str, wanted: int, first: int | None = None) -> None:
        self.place = f"lost:{topic}@{wanted}"
        upto = "" if first is None else f" to {first - 1}"
        super().__init__(
            f"{reducer}[{partition}]: {topic} is lost from offset {wanted}{upto}: it was deleted before it was processed; "
            f"see whether it can be sent again, then go on with: baton task skip {reducer} {partition} '{self.place}'"
        )


@dataclass(slots=True)
class _Input:
    topic: str
    at: TopicPartition
    waiting: int = 0
    fetched_to: int = 0
    record_bytes: int = 1
    behind_since: float | None = None


class InputBuffer:
    """The inputs of one task. ``arrived`` is called when there is something new."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        cluster: Cluster,
        reducer: str,
        topics: tuple[str, ...],
        partition: int,
        *,
        limit: int,
        arrived: Callable[[], None],
    ) -> None:
        self._consumer = consumer
        self._reducer, self._partition = reducer, partition
        self._inputs = {topic: _Input(topic, cluster.at((topic, partition))) for topic in topics}
        self._merge = InputMerge(topics)
        self._taken: list[str] = []
        self._limit = limit
        self._arrived = arrived
        self._room = asyncio.Event()
        self.count = 0
        self.waiting_since = 0.0
        self.newest_ms = 0

    def start_at(self, offsets: Mapping[str, int]) -> None:
        """Fetch from these offsets on."""
        for topic, offset in offsets.items():
            each = self._inputs[topic]
            each.fetched_to = offset
            self._consumer.seek(each.at, offset)
            self._consumer.resume(each.at)

    async def fetch(self) -> None:
        """Fill the queues until cancelled; raises :class:`LostRange`, :class:`NotLogTime` or KafkaError."""
        while True:
            wanted = [each for each in self._inputs.values() if self._room_of(each) > 0]
            if not wanted:
                self._room.clear()
                await self._room.wait()
                continue
            # First one by one, so that an input with much to read leaves room to the others; then wait for any.
            if not any([await self._get(each) for each in wanted]):
                reached(Point.FETCHING, self._reducer, self._partition)
                await self._get(*wanted, timeout_ms=_WAIT_MS if len(wanted) == len(self._inputs) else _FULL_WAIT_MS)

    def peek(self) -> tuple[str, Any] | None:
        """The next record, or None."""
        return self._merge.peek()

    def take(self, topic: str) -> bool:
        """The next record, which is of ``topic``, is in the open batch. Whether none of that input is left here."""
        self._merge.take()
        self._taken.append(topic)
        self.count -= 1
        each = self._inputs[topic]
        each.waiting -= 1
        return not each.waiting

    def settle(self) -> None:
        """The batch was committed."""
        self._merge.settle()
        self._taken.clear()
        self._room.set()

    def rewind(self) -> int:
        """The batch was not: its records come again; how many."""
        self._merge.rewind()
        for topic in self._taken:
            self._inputs[topic].waiting += 1
        taken = len(self._taken)
        self.count += taken
        self._taken.clear()
        return taken

    def behind(self, patience_s: float) -> float:
        """For how long (s) an input that is known to have more is still to be waited for; 0: none is, or it took too long."""
        now = asyncio.get_running_loop().time()
        longest = 0.0
        for each in self._inputs.values():
            if each.waiting or not self._has_more(each):
                each.behind_since = None
                continue
            if each.behind_since is None:
                each.behind_since = now
            longest = max(longest, each.behind_since + patience_s - now)
        return longest

    def stands(self) -> dict[str, int]:
        """Where each input of which nothing is here stands, transaction markers passed over."""
        return {each.topic: self._position(each) for each in self._inputs.values() if not each.waiting}

    def lag(self) -> int:
        """How many offsets are appended and not in a batch yet, as of the last fetch."""
        states = [(each, state) for each in self._inputs.values() if (state := self._state(each)) is not None]
        return sum(each.waiting + max(0, (state.highwater or 0) - each.fetched_to) for each, state in states)

    def held_back(self) -> int:
        """How many offsets an open transaction of a writer keeps from being read, as of the last fetch."""
        states = [state for each in self._inputs.values() if (state := self._state(each)) is not None]
        return sum(max(0, state.highwater - state.lso) for state in states if state.lso is not None and state.lso >= 0)

    def _room_of(self, each: _Input) -> int:
        return min(self._limit, _MAX_BYTES // each.record_bytes) - each.waiting

    async def _get(self, *inputs: _Input, timeout_ms: int = 0) -> int:
        places = [each.at for each in inputs]
        room = min(self._room_of(each) for each in inputs)
        try:
            found = await self._consumer.getmany(*places, timeout_ms=timeout_ms, max_records=room)
        except OffsetOutOfRangeError as error:
            (at, wanted), *_ = error.args[0].items()
            raise LostRange(self._reducer, self._partition, self._topic(at), wanted) from None
        except NoOffsetForPartitionError as error:
            raise LostRange(self._reducer, self._partition, self._topic(error.args[0]), 0) from None
        except RecordTooLargeError as error:  # aiokafka would step over the record after this
            raise EngineError(f"{self._reducer}[{self._partition}]: {error}") from error
        for each in inputs:
            each.fetched_to = self._position(each)
            if records := found.get(each.at):
                self._add(each, records)
        if found:
            reached(Point.FETCHED, self._reducer, self._partition)
            self._arrived()
        return len(found)

    def _add(self, each: _Input, records: list[Any]) -> None:
        if any(record.timestamp_type != LOG_APPEND_TIME for record in records):
            raise NotLogTime(each.at.topic)
        if not self.count:
            self.waiting_since = asyncio.get_running_loop().time()
        self._merge.add(each.topic, records, upto=each.fetched_to, end=each.fetched_to)
        each.waiting += len(records)
        each.behind_since = None
        self.count += len(records)
        sample = records[::_SAMPLE]
        each.record_bytes = 1 + sum(map(_size, sample)) // len(sample)
        self.newest_ms = max(self.newest_ms, records[-1].timestamp)

    def _position(self, each: _Input) -> int:
        state = self._state(each)
        return state.position if state is not None and state.has_valid_position else each.fetched_to

    def _has_more(self, each: _Input) -> bool:
        state = self._state(each)
        return state is None or state.lso is None or state.lso > self._position(each)

    def _state(self, each: _Input) -> Any:
        # The public accessors say the same but assert that the assignment is still there, and position() may wait for one.
        assignment = self._consumer._subscription.subscription.assignment
        return None if assignment is None else assignment.state_value(each.at)

    def _topic(self, at: TopicPartition) -> str:
        return next(each.topic for each in self._inputs.values() if each.at == at)


def _size(record: Any) -> int:
    return int(max(0, record.serialized_key_size) + max(0, record.serialized_value_size))
