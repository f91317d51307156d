"""Business metrics on real Kafka: a committed batch counts once, also when it was aborted first."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from baton.contracts.amounts import Amount
from baton.contracts.metric_catalogue import Business
from tests.engine.toys import Counter, ToyNumber
from tests.kafka.kafka_bench import KafkaBench

pytestmark = pytest.mark.kafka


@pytest.fixture
async def bench(bootstrap: str, namespace: str) -> AsyncIterator[KafkaBench]:
    host = KafkaBench(bootstrap, namespace)
    yield host
    await host.close()


async def test_an_aborted_batch_is_not_counted_and_its_retry_is_once(bench: KafkaBench) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value(Business.REFUSALS, {"reason": "toy"}) or 0.0

    def aborted() -> float:
        return (
            REGISTRY.get_sample_value("baton_batches_aborted_total", {"reducer": "counter"}) or 0.0
        )

    def keys() -> float | None:
        return REGISTRY.get_sample_value(
            "baton_state_keys", {"reducer": "counter", "partition": "0"}
        )

    bench.measures = {"toy.totals.v1": lambda _: Amount(Business.REFUSALS, ("toy",))}
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    before, aborted_before = counted(), aborted()
    await bench.fail("counter", 0)
    await bench.send("toy.numbers.v1", "a", ToyNumber(amount=1))
    await bench.settle()
    assert (counted() - before, aborted() - aborted_before) == (1, 1)
    bench.hosts["counter"].statuses()
    assert keys() == 1
    await bench.halt("counter")
    assert keys() is None
