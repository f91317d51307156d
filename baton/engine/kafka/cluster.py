"""Queries of one process to the cluster: ends, times, committed offsets, group members, and the
broker's clock.

Callers use logical topic names; only this module knows the physical ones. Its clients belong to no
group, commit nothing, and are shared by all tasks. An error of the brokers is raised as aiokafka's
``KafkaError``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code

from baton.contracts.topics import consumer_group, logical, physical, ticks_topic
from baton.engine.batch import LOG_APPEND_TIME
from baton.engine.errors import EngineError

log = logging.getLogger(__name__)

Place = tuple[str, int]
"""A topic's logical name and a partition."""

_REQUEST_TIMEOUT_MS = 10_000
_UUID_SUFFIX = len("-00000000-0000-0000-0000-000000000000")
_RETRY_S = 1.0


class NotLogTime(EngineError):
    """A topic whose records carry the writer's time instead of the broker's: the writer could move
    deadlines."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            f"{topic}: message.timestamp.type is not LogAppendTime; set it so, see: baton topics "
            "--check"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A committed offset and its metadata string."""

    offset: int
    metadata: str


class Cluster:
    """The shared clients. ``client``: options of any aiokafka client; ``client_id`` is unique to
    this process."""

    def __init__(self, client: Mapping[str, Any], *, namespace: str, client_id: str) -> None:
        self.client = {**client, "client_id": client_id}
        self.client_id = client_id
        self.namespace = namespace
        self._log: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._plain: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect; waits for brokers that do not answer."""
        while True:
            self._log = AIOKafkaConsumer(
                **self.client, isolation_level="read_uncommitted", consumer_timeout_ms=60_000
            )
            self._admin = AIOKafkaAdminClient(**self.client)
            self._plain = AIOKafkaProducer(
                **self.client, acks="all", request_timeout_ms=_REQUEST_TIMEOUT_MS
            )
            try:
                for client in (self._log, self._admin, self._plain):
                    await client.start()
                return
            except KafkaError as error:
                log.warning("no broker answers: %s; retrying", type(error).__name__)
                await self.stop()
            except BaseException:
                await self.stop()
                raise
            await asyncio.sleep(_RETRY_S)

    async def stop(self) -> None:
        """Close the clients."""
        if self._plain is not None:
            await self._plain.stop()
        if self._log is not None:
            await self._log.stop()
        if self._admin is not None:
            await self._admin.close()
        self._plain = self._log = self._admin = None

    async def ask(self) -> None:
        """Ask any broker anything; raises where none answers."""
        if self._admin is None:
            raise ConnectionError("no broker has answered yet")
        await self._admin.describe_cluster()

    async def cluster_id(self) -> str:
        """The id that the cluster was formatted with; empty where the brokers give none."""
        assert self._admin is not None
        return (await self._admin.describe_cluster()).get("cluster_id") or ""

    def at(self, place: Place) -> TopicPartition:
        """The physical place."""
        return TopicPartition(physical(self.namespace, place[0]), place[1])

    def place(self, at: TopicPartition) -> Place:
        """The logical place."""
        return logical(self.namespace, at.topic), at.partition

    def group(self, reducer: str) -> str:
        """The consumer group of a reducer."""
        return consumer_group(self.namespace, reducer)

    async def ends(self, places: Collection[Place]) -> dict[Place, int]:
        """The next offset of every place, open transactions included."""
        assert self._log is not None
        found = await self._log.end_offsets([self.at(place) for place in places])
        return {self.place(at): offset for at, offset in found.items()}

    async def beginnings(self, places: Collection[Place]) -> dict[Place, int]:
        """The first offset that still exists at every place."""
        assert self._log is not None
        found = await self._log.beginning_offsets([self.at(place) for place in places])
        return {self.place(at): offset for at, offset in found.items()}

    async def ends_at(self, places: Collection[Place], at_ms: int) -> dict[Place, int]:
        """The offset past everything that was appended at or before ``at_ms``, open transactions
        included."""
        assert self._log is not None
        found = await self._log.offsets_for_times({self.at(place): at_ms + 1 for place in places})
        ends = {self.place(at): first.offset for at, first in found.items() if first is not None}
        missing = [place for place in places if place not in ends]
        return ends | (await self.ends(missing) if missing else {})

    async def committed(self, reducer: str, places: Collection[Place]) -> dict[Place, Committed]:
        """What the reducer's group has committed; a place without a commit is left out."""
        assert self._admin is not None
        found = await self._admin.list_consumer_group_offsets(
            self.group(reducer), partitions=[self.at(place) for place in places]
        )
        return {
            self.place(at): Committed(offset=offset.offset, metadata=offset.metadata)
            for at, offset in found.items()
            if offset.offset >= 0
        }

    async def assigned(self, reducer: str, instance_id: str | None) -> set[Place]:
        """What the group's coordinator assigns to this process now; empty while the group
        rebalances. A static member is known by its name: one that restarts within its session keeps
        the client id of the process before it."""
        state, members = await self._group_of(reducer)
        if state != "Stable":
            return set()
        mine = [
            member[-1]
            for member in members
            if (
                member[1] == self.client_id
                if instance_id is None
                else _name_in(member[0]) == instance_id
            )
        ]
        parts = [
            ConsumerProtocolMemberAssignment.decode(assignment).partitions()
            for assignment in mine
            if assignment
        ]
        return {self.place(at) for part in parts for at in part}

    async def is_namesake_in(self, reducer: str, instance_id: str, member_id: str) -> bool:
        """Whether somebody else than ``member_id`` is the group's static member of that name. A
        static member has one id, its name and a UUID of its last join."""
        _, members = await self._group_of(reducer)
        return any(_name_in(other) == instance_id and other != member_id for other, *_ in members)

    async def _group_of(self, reducer: str) -> tuple[str, list[tuple[Any, ...]]]:
        """State and members (id, client id, ...) of the reducer's group."""
        assert self._admin is not None
        (answer,) = await self._admin.describe_consumer_groups([self.group(reducer)])
        ((code, _, state, _, _, members, *_),) = answer.groups
        if code:
            raise for_code(code)()
        return state, members

    async def tick(self, reducer: str, partition: int) -> int:
        """Append a tick and give the broker's time of it (ms); raises :class:`NotLogTime`."""
        assert self._plain is not None
        at = self.at((ticks_topic(reducer), partition))
        sent = await self._plain.send_and_wait(at.topic, b"", partition=at.partition)
        if sent.timestamp_type != LOG_APPEND_TIME:
            raise NotLogTime(at.topic)
        return int(sent.timestamp)

    async def partitions(self, topic: str) -> int:
        """The number of partitions of a topic; waits for a topic that does not exist yet."""
        assert self._plain is not None
        name = physical(self.namespace, topic)
        while True:
            try:
                return len(await self._plain.partitions_for(name))
            except UnknownTopicOrPartitionError:
                log.warning("topic %s does not exist; make it with: baton topics --make", name)
                await asyncio.sleep(_RETRY_S)


def _name_in(member_id: str) -> str:
    """The name of a static member, which its id begins with."""
    return member_id[:-_UUID_SUFFIX]
