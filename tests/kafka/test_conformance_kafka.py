"""The conformance suite on real Kafka."""

from collections.abc import AsyncIterator

import pytest

from tests.engine.conformance import EngineConformance
from tests.engine.hosts import EngineHost
from tests.kafka.kafka_bench import KafkaBench


@pytest.mark.kafka
class TestKafka(EngineConformance):
    """See :class:`EngineConformance`."""

    @pytest.fixture
    async def host(self, bootstrap: str, namespace: str) -> AsyncIterator[EngineHost]:
        bench = KafkaBench(bootstrap, namespace)
        yield bench
        await bench.close()
