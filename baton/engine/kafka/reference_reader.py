"""The reference topics of a process: one reader, one book, shared by all tasks.

A record of a reference topic, appended at ``a``, takes effect at ``a + 10 s`` at the earliest. So a
task at log time ``T`` decides correctly if it knows everything that was appended before ``T - 10
s``. This module ensures that: once ``T`` was seen on the broker's clock, the ends that are listed
afterwards include everything appended before ``T``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from baton.contracts.topics import TopicSpec
from baton.engine.batch import LOG_APPEND_TIME
from baton.engine.kafka.cluster import Cluster, NotLogTime
from baton.engine.kafka.topic_follower import TopicFollower
from baton.engine.record_headers import RecordDecoder
from baton.engine.reducer import ReferenceBook

NOTICE_MS = 10_000
"""The least time between the append of a reference record and its effect."""
_MARGIN_MS = 2_000
_AHEAD_MS = 6_000


class ReferenceReader:
    """Follows ``book.topics``. :meth:`wait_until_known` is called before a task decides anything at
    a later time."""

    def __init__(
        self,
        cluster: Cluster,
        book: ReferenceBook[Any],
        topics: Mapping[str, TopicSpec],
        codecs: Callable[[type], Any],
    ) -> None:
        self.book = book
        self._decoders = {topic: RecordDecoder(topics[topic], 0, codecs) for topic in book.topics}
        self._follower = TopicFollower(cluster, tuple(book.topics), self._take)
        self._known_ms = 0
        self._seen_ms = 0
        self._refresh: asyncio.Task[None] | None = None

    @property
    def offsets(self) -> Mapping[str, int]:
        """The next offset of every reference topic."""
        return self._follower.offsets

    @property
    def decidable_ms(self) -> int:
        """Log time up to which tasks may decide now."""
        return self._known_ms + NOTICE_MS - _MARGIN_MS

    async def run(self) -> None:
        """Follow until cancelled; a record that cannot be read ends it."""
        await self._follower.run()

    async def moved(self) -> None:
        """Return when something more has been read."""
        await self._follower.moved()

    def observed(self, at_ms: int) -> None:
        """The broker's clock was seen at ``at_ms``."""
        self._seen_ms = max(self._seen_ms, at_ms)

    async def wait_until_known(self, at_ms: int) -> None:
        """Return when everything is known that may be in force at log time ``at_ms``, which the
        caller has seen on a record."""
        self.observed(at_ms)
        while at_ms > self.decidable_ms:
            await asyncio.shield(self._refreshing())
        if at_ms > self._known_ms + _AHEAD_MS:
            self._refreshing()

    def _refreshing(self) -> asyncio.Task[None]:
        if self._refresh is None or self._refresh.done():
            self._refresh = asyncio.create_task(self._catch_up())
        return self._refresh

    async def _catch_up(self) -> None:
        seen = self._seen_ms
        await self._follower.catch_up()
        self._known_ms = max(self._known_ms, seen)

    def _take(self, topic: str, record: Any) -> None:
        if record.timestamp_type != LOG_APPEND_TIME:
            raise NotLogTime(record.topic)
        self.book.add(self._decoders[topic].event(record))
