"""Reading a changelog partition to its end, in the task and never in the rebalance callback.

It begins explicitly at the first offset that exists (or where a kept state was left): a consumer that is assigned and then told
to seek races with its own reset, and a state came back empty that way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer

from baton.contracts.topics import changelog_topic
from baton.engine.kafka.cluster import Cluster
from baton.engine.kafka.failpoints import Point, reached

_CHUNK = 2_000
_POLL_MS = 200
_STALL_S = 60.0


class RestoreStalled(Exception):
    """The changelog's end could not be reached: an open transaction, or brokers that do not answer."""


async def read_changelog(
    cluster: Cluster,
    reducer: str,
    partition: int,
    *,
    since: int | None,
    take: Callable[[bytes, bytes | None], None],
    progress: Callable[[int, int], None],
) -> int:
    """Hand every record from ``since`` (None: from the beginning) to the end to ``take``; gives the next offset.

    ``progress`` is told the position and the end now and then. To be called after the former owner was fenced: then nobody
    else writes here, and the end stays the end.
    """
    place = (changelog_topic(reducer), partition)
    at = cluster.at(place)
    first = (await cluster.beginnings([place]))[place]
    end = (await cluster.ends([place]))[place]
    start = first if since is None else max(first, since)
    if start >= end:
        return end
    consumer = AIOKafkaConsumer(
        **cluster.client, enable_auto_commit=False, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    consumer.assign([at])
    await consumer.start()
    try:
        consumer.seek(at, start)
        position, moved_at = start, asyncio.get_running_loop().time()
        while position < end:
            records = (await consumer.getmany(at, timeout_ms=_POLL_MS, max_records=_CHUNK)).get(at, ())
            for record in records:
                take(record.key, record.value)
            reached(Point.RESTORING, reducer, partition)
            before, position = position, await consumer.position(at)
            now = asyncio.get_running_loop().time()
            if position > before:
                moved_at = now
                progress(position, end)
            elif now - moved_at > _STALL_S:
                raise RestoreStalled(f"{reducer}[{partition}]: the changelog stands at {position} of {end}")
        return position
    finally:
        await consumer.stop()
