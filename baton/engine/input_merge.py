"""The order in which a task with several inputs takes what has been fetched: (append time, topic, offset).

Within an input the order is always that of its offsets, whatever its times say. Between inputs the order can only be as good as what
is here; an input that is known to have more, and of which nothing is here, is named by :meth:`InputMerge.behind`, so that the host
can wait for it a little. What order it was in the end, the journal says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush

from baton.engine.batch import Record


class InputMerge:
    """Queues of fetched records. What was taken is kept until :meth:`settle`, so that :meth:`rewind` can give it again."""

    __slots__ = ("_ends", "_heads", "_queues", "_taken", "_upto")

    def __init__(self, topics: Sequence[str]) -> None:
        self._queues: dict[str, deque[Record]] = {topic: deque() for topic in topics}
        self._heads: list[tuple[int, str]] = []  # heap of the first record of each queue that has one
        self._taken: list[tuple[str, Record]] = []
        self._upto: dict[str, int] = dict.fromkeys(topics, 0)
        self._ends: dict[str, int] = dict.fromkeys(topics, 0)

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, topic: str, records: Iterable[Record], *, upto: int, end: int) -> None:
        """What was fetched of ``topic``: ``upto`` is the next offset to fetch, ``end`` the last known one that can be read."""
        queue = self._queues[topic]
        empty = not queue
        queue.extend(records)
        if empty and queue:
            heappush(self._heads, (queue[0].timestamp, topic))
        self._upto[topic], self._ends[topic] = upto, end

    def behind(self) -> tuple[str, ...]:
        """The inputs that are known to have more, and of which nothing is here."""
        return tuple(topic for topic, queue in self._queues.items() if not queue and self._upto[topic] < self._ends[topic])

    def peek(self) -> tuple[str, Record] | None:
        """The record that is next, or None."""
        if not self._heads:
            return None
        topic = self._heads[0][1]
        return topic, self._queues[topic][0]

    def take(self) -> None:
        """The record that is next was taken into the open batch."""
        topic = heappop(self._heads)[1]
        queue = self._queues[topic]
        self._taken.append((topic, queue.popleft()))
        if queue:
            heappush(self._heads, (queue[0].timestamp, topic))

    def settle(self) -> None:
        """The batch was committed."""
        self._taken.clear()

    def rewind(self) -> None:
        """The batch was not: its records come again."""
        for topic, record in reversed(self._taken):
            self._queues[topic].appendleft(record)
        self._taken.clear()
        self._heads = [(queue[0].timestamp, topic) for topic, queue in self._queues.items() if queue]
        heapify(self._heads)
