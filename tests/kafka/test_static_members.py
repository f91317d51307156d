"""Static members of a group, as the coordinator shows them: who restarts under its name is the same
member, and only somebody else under it is a namesake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer

from baton.cluster.topic_layout import Layout, ensure_topics
from baton.engine.kafka.client_internals import member_id
from baton.engine.kafka.cluster import Cluster
from tests.engine.toys import TOY_TOPICS

REDUCER, TOPIC = "counter", "toy.numbers.v1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the group is: a broker with the topic."""

    bootstrap: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Process:
    """One process that joined the reducer's group."""

    cluster: Cluster
    consumer: AIOKafkaConsumer


@pytest.fixture
def place(bootstrap: str, namespace: str) -> Place:
    layout = Layout(namespace=namespace, partitions=2)
    ensure_topics({"bootstrap.servers": bootstrap}, layout, [TOY_TOPICS[TOPIC]])
    return Place(bootstrap, namespace)


@asynccontextmanager
async def joined(place: Place, client_id: str) -> AsyncIterator[Process]:
    """A process under the name ``toy``, which has its partitions inside."""
    client = {"bootstrap_servers": place.bootstrap}
    cluster = Cluster(client, namespace=place.namespace, client_id=client_id)
    await cluster.start()
    consumer = AIOKafkaConsumer(
        cluster.at((TOPIC, 0)).topic,
        **cluster.client,
        group_id=cluster.group(REDUCER),
        group_instance_id="toy",
        enable_auto_commit=False,
        session_timeout_ms=60_000,
        max_poll_interval_ms=600_000,
    )
    await consumer.start()
    try:
        async with asyncio.timeout(120):
            while not consumer.assignment():
                await consumer.getmany(timeout_ms=50)
        yield Process(cluster, consumer)
    finally:
        await consumer.stop()
        await cluster.stop()


async def test_who_restarts_within_its_session_is_no_namesake_and_has_its_partitions(
    place: Place,
) -> None:
    """The coordinator goes on showing the client id of the process before it."""
    for client_id in ("first", "again"):
        async with joined(place, client_id) as process:
            own = member_id(process.consumer)
            assert not await process.cluster.is_namesake_in(REDUCER, "toy", own)
            assert await process.cluster.assigned(REDUCER, "toy") == {(TOPIC, 0), (TOPIC, 1)}


async def test_who_joins_under_the_same_name_is_a_namesake_of_the_one_before(place: Place) -> None:
    async with joined(place, "first") as first:
        own = member_id(first.consumer)
        async with joined(place, "second"):
            assert await first.cluster.is_namesake_in(REDUCER, "toy", own)
