"""The conformance suite on the in-memory log."""

import pytest

from tests.engine.conformance import EngineConformance
from tests.engine.hosts import EngineHost
from tests.engine.memory_bench import MemoryBench


class TestMemory(EngineConformance):
    """See :class:`EngineConformance`."""

    @pytest.fixture
    def host(self) -> EngineHost:
        return MemoryBench()
