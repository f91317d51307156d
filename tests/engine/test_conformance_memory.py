"""The conformance suite on the in-memory log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from baton.engine.disk.state_directory import StateDirectory
from tests.engine.conformance import EngineConformance
from tests.engine.hosts import EngineHost
from tests.engine.memory_bench import MemoryBench


class TestMemory(EngineConformance):
    """See :class:`EngineConformance`."""

    @pytest.fixture
    def host(self) -> EngineHost:
        return MemoryBench()


class TestMemoryWithStateOnDisk(EngineConformance):
    """The same promises where the state outlives each crash and restart on disk."""

    @pytest.fixture
    def host(self, tmp_path: Path) -> Iterator[EngineHost]:
        directory = StateDirectory(tmp_path / "state", 2, 8)
        bench = MemoryBench(directory.store_of)
        yield bench
        for task in bench.memory.tasks.values():
            task.crash()
