"""A worker that gets a fraction of a core, with more to do than a session is long, keeps its
membership and gets through: heartbeats go on while the reducers compute."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from baton.contracts.topics import consumer_group
from tests.engine.toys import Counter, ToyNumber
from tests.kafka.cpu_limit import CpuLimit
from tests.kafka.kafka_bench import FLOW, KafkaBench
from tests.kafka.numbers import KEYS, assert_exact
from tests.kafka.workers import WorkerProcess
from tests.nursery import Nursery

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(400)]

PARTITIONS = 2
NUMBERS = 1_400
STEP_MS = 2
"""What one record costs: a hundred times the usual."""
SHARE = 0.2
SESSION_S = 6.0
PATIENCE_S = 300.0

assert NUMBERS / PARTITIONS * STEP_MS / 1000 / SHARE > SESSION_S  # one batch is longer than that


@pytest.fixture
async def bench(bootstrap: str, namespace: str) -> AsyncIterator[KafkaBench]:
    host = KafkaBench(bootstrap, namespace)
    yield host
    await host.close()


@pytest.fixture
def workers(
    nursery: Nursery, bootstrap: str, namespace: str, tmp_path: Path
) -> Iterator[list[WorkerProcess]]:
    settings = {
        "partitions": PARTITIONS,
        "step_ms": STEP_MS,
        "session_timeout_ms": int(SESSION_S * 1000),
    }
    made = [
        WorkerProcess(nursery, bootstrap, namespace, tmp_path / f"{n}.log", "counter", **settings)
        for n in range(2)
    ]
    yield made
    for worker in made:
        worker.kill()


class Members:
    """Who is in the group, by the broker's word."""

    def __init__(self, bootstrap: str, group: str) -> None:
        self._admin, self._group = AdminClient({"bootstrap.servers": bootstrap}), group

    def __call__(self) -> set[str]:
        asked = self._admin.describe_consumer_groups([self._group], request_timeout=30)
        return {member.member_id for member in asked[self._group].result().members}


async def behind(bench: KafkaBench) -> int:
    """How many records the group has not processed yet."""
    places = [(topic, n) for topic in FLOW["counter"] for n in range(PARTITIONS)]
    committed = await bench.cluster.committed("counter", places)
    ends = await bench.cluster.ends(places)
    return sum(
        max(0, end - (committed[at].offset if at in committed else 0)) for at, end in ends.items()
    )


async def test_workers_with_a_fifth_of_a_core_keep_their_sessions_and_outlive_one_of_them(
    bench: KafkaBench, workers: list[WorkerProcess], bootstrap: str, namespace: str
) -> None:
    await bench.start(Counter(), partitions=PARTITIONS)
    await bench.halt("counter")
    await bench.publish("v1")
    left, killed = workers
    members = Members(bootstrap, consumer_group(namespace, "counter"))
    await left.start().ready()
    (survivor,) = await asyncio.to_thread(members)
    await killed.start().ready()
    with ExitStack() as limits:
        for worker in workers:
            limits.enter_context(CpuLimit(worker.pid, SHARE))
        for number in range(NUMBERS):
            await bench.send("toy.numbers.v1", f"k{number % KEYS}", ToyNumber(amount=1))
        killed.signal(signal.SIGKILL)
        least, seen = await behind(bench), set[str]()
        async with asyncio.timeout(PATIENCE_S):
            while (now := await behind(bench)) > 0:
                assert now <= least, "what is committed stays committed"
                least = now
                seen |= await asyncio.to_thread(members)
                assert survivor in seen
                await asyncio.sleep(0.5)
    log = left.log.read_text()
    assert survivor in await asyncio.to_thread(members), log
    assert len(seen) <= 2, f"somebody lost a session and joined anew\n{log}"
    await assert_exact(bench, NUMBERS)
