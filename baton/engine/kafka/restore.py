"""Reads a changelog partition to its end, in the task and never in the rebalance callback.

It seeks explicitly to the first offset that exists (or to where a kept state ended). A consumer
that only seeks to the beginning races with its own reset, and a state came back empty that way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition

from baton.contracts.topics import changelog_topic
from baton.engine.kafka.failpoints import Point
from baton.engine.kafka.host_context import TaskContext

_CHUNK = 2_000
_POLL_MS = 200
_STALL_S = 60.0


class RestoreStalled(Exception):
    """The changelog's end could not be reached: an open transaction, or brokers that do not
    answer."""


async def read_changelog(
    task: TaskContext,
    *,
    since: int | None,
    take: Callable[[int, bytes, bytes | None], None],
    progress: Callable[[int, int], None],
) -> int:
    """Pass every record from ``since`` (None: from the beginning) to the end to ``take``, with its
    offset; gives the next offset.

    ``progress`` is called with position and end now and then. To be called after the former owner
    was fenced: then nobody else writes here, and the end does not move.
    """
    cluster = task.host.cluster
    place = (changelog_topic(task.reducer.name), task.partition)
    at = cluster.at(place)
    first = (await cluster.beginnings([place]))[place]
    end = (await cluster.ends([place]))[place]
    start = first if since is None else max(first, since)
    if start >= end:
        return end
    consumer = AIOKafkaConsumer(
        **cluster.client,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    consumer.assign([at])
    await consumer.start()
    try:
        consumer.seek(at, start)
        return await _read(consumer, task, at, (start, end), take, progress)
    finally:
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer,
    task: TaskContext,
    at: TopicPartition,
    span: tuple[int, int],
    take: Callable[[int, bytes, bytes | None], None],
    progress: Callable[[int, int], None],
) -> int:
    (position, end), moved_at = span, asyncio.get_running_loop().time()
    while position < end:
        records = (await consumer.getmany(at, timeout_ms=_POLL_MS, max_records=_CHUNK)).get(at, ())
        async with task.host.share:
            for record in records:
                take(record.offset, record.key, record.value)
        task.reached(Point.RESTORING)
        before, position = position, await consumer.position(at)
        now = asyncio.get_running_loop().time()
        if position > before:
            moved_at = now
            progress(position, end)
        elif now - moved_at > _STALL_S:
            raise RestoreStalled(
                f"{task.name}: the changelog was read to offset {position} of {end}, and nothing "
                "more comes"
            )
    return position
