"""State on disk for seeds: a few machines, each with a directory of its own, as a task meets them
that moves between workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from baton.engine.disk.state_directory import StateDirectory, StateInUse
from baton.engine.reducer import Reducer
from baton.engine.store import Store

_MACHINES = 3
_CACHE_MB = 8


class Machines:
    """``open_store``: the store of a task on the first machine where no former owner, who may not
    know that it is one, still has it open."""

    def __init__(self, folder: Path, partitions: int) -> None:
        self._directories = [
            StateDirectory(folder / str(number) / "baton", partitions, _CACHE_MB)
            for number in range(_MACHINES)
        ]
        self.opened = 0
        """How many stores were opened that had a state."""

    def open_store(self, reducer: Reducer[Any, Any], partition: int) -> Store:
        for directory in self._directories:
            try:
                store = directory.store_of(reducer, partition)
            except StateInUse:
                continue
            self.opened += store.bookmark is not None
            return store
        raise StateInUse(f"{reducer.name}[{partition}] is open on every machine")


@contextmanager
def machines(partitions: int) -> Iterator[Machines]:
    """Some that are gone afterwards."""
    with TemporaryDirectory(prefix="baton-seed-") as folder:
        yield Machines(Path(folder), partitions)
