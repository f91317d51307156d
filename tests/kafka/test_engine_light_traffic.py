"""Light traffic: what comes on one partition is not kept waiting by a fetch that waits for the
others."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.engine.toys import Counter, ToyNumber
from tests.kafka.kafka_bench import KafkaBench

pytestmark = pytest.mark.kafka


@pytest.fixture
async def bench(bootstrap: str, namespace: str) -> AsyncIterator[KafkaBench]:
    host = KafkaBench(bootstrap, namespace)
    yield host
    await host.close()


async def test_records_of_one_partition_do_not_wait_for_a_fetch_of_the_others(
    bench: KafkaBench,
) -> None:
    await bench.start(Counter())
    await bench.publish("t1")
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    sent = [await _after(0.1, bench) for _ in range(40)]
    await bench.settle()
    (partition,) = set(sent)
    batches = [
        entry
        for entry in await bench.journal("counter", partition)
        if any(line.did == "take" for line in entry.lines)
    ]
    # A fetch that nothing ends lasts half a second: with one of those after each batch there are
    # eight or nine in these four seconds.
    assert len(batches) > 14


async def _after(seconds: float, bench: KafkaBench) -> int:
    await asyncio.sleep(seconds)
    return (await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))).partition
