"""A broker that stops, dies and is silent for a while under running tasks: they go on by
themselves, and every sum is exact."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from baton.local.broker.embedded import EmbeddedBroker
from tests.engine.toys import Counter
from tests.kafka.kafka_bench import KafkaBench
from tests.kafka.numbers import Stream, assert_exact
from tests.patience import BROKER_READY_S

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def broker(tmp_path: Path, broker_cache: Path) -> Iterator[EmbeddedBroker]:
    """A broker of one's own, to be broken."""
    made = EmbeddedBroker(
        tmp_path / "broker", cache=broker_cache, heap_mb=512, ready_timeout_s=BROKER_READY_S
    )
    made.start()
    yield made
    made.remove()


@pytest.fixture
async def bench(broker: EmbeddedBroker) -> AsyncIterator[KafkaBench]:
    """A host on it."""
    host = KafkaBench(broker.bootstrap, "restarts")
    yield host
    await host.close()


async def test_tasks_outlive_a_broker_that_stops_dies_and_pauses(
    bench: KafkaBench, broker: EmbeddedBroker
) -> None:
    await bench.start(Counter())
    await bench.publish("v1")
    stream = Stream(bench)
    await asyncio.sleep(1.0)
    await asyncio.to_thread(broker.restart)
    await asyncio.sleep(2.0)
    await asyncio.to_thread(broker.kill)
    await asyncio.sleep(1.0)
    await asyncio.to_thread(broker.start)
    await asyncio.sleep(2.0)
    broker.pause()
    await asyncio.sleep(12.0)  # longer than a transaction may take
    broker.resume()
    await asyncio.sleep(2.0)
    sent = await stream.end()
    await bench.settle()
    assert await bench.failures() == {}
    await assert_exact(bench, sent)
