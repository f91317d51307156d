"""Fetched records of a task's inputs, in the order in which it processes them: (append time, topic,
offset).

It is the one owner of which records wait and which the open batch has taken. Within an input the
order is always that of its offsets, whatever its times say. Between inputs the order can only be as
good as what has been fetched; the journal records what it was in the end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush, heapreplace

from baton.engine.batch import Record, append_time_ms


class InputMerge:
    """One queue per input. Taken records are kept until :meth:`commit`; :meth:`rewind` puts them
    back.

    ``count``: how many records wait, over all inputs.
    """

    __slots__ = ("_heads", "_queues", "_taken", "count")

    def __init__(self, topics: Sequence[str]) -> None:
        self._queues: dict[str, deque[Record]] = {topic: deque() for topic in topics}
        # heap: the first record of every queue that has one
        self._heads: list[tuple[int, str]] = []
        self._taken: list[tuple[str, Record]] = []
        self.count = 0

    @property
    def taken(self) -> int:
        """How many records the open batch has taken."""
        return len(self._taken)

    def waiting(self, topic: str) -> int:
        """How many records of the topic wait."""
        return len(self._queues[topic])

    def add(self, topic: str, records: Iterable[Record]) -> None:
        """Append fetched records of ``topic``, in the order of their offsets."""
        queue = self._queues[topic]
        before = len(queue)
        queue.extend(records)
        self.count += len(queue) - before
        if not before and queue:
            heappush(self._heads, (append_time_ms(queue[0]), topic))

    def peek(self) -> tuple[str, Record] | None:
        """The next record, or None."""
        if not self._heads:
            return None
        topic = self._heads[0][1]
        return topic, self._queues[topic][0]

    def take(self) -> bool:
        """Move the next record into the open batch; True: no other record of its input waits."""
        topic = self._heads[0][1]
        queue = self._queues[topic]
        self._taken.append((topic, queue.popleft()))
        self.count -= 1
        if queue:
            heapreplace(self._heads, (append_time_ms(queue[0]), topic))
            return False
        heappop(self._heads)
        return True

    def commit(self) -> None:
        """The batch was committed: forget its records."""
        self._taken.clear()

    def rewind(self) -> int:
        """The batch was discarded: its records wait again. Gives how many these are."""
        taken = len(self._taken)
        for topic, record in reversed(self._taken):
            self._queues[topic].appendleft(record)
        self._taken.clear()
        self.count += taken
        self._heads = [
            (append_time_ms(queue[0]), topic) for topic, queue in self._queues.items() if queue
        ]
        heapify(self._heads)
        return taken
