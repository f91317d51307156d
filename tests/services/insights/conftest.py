"""A board's store with a simulated company in it, for the tests of the board."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from company import history

from services.insights.facts.folds import Taken
from services.insights.projection.store import Place, Store

ZONE = "Europe/Berlin"


def fill(path: Path, records: Sequence[Taken], *, at_once: int = 500) -> Path:
    """A store at ``path`` with the records in it, so many a transaction."""
    store = Store(path, "baton", ZONE)
    store.begin(
        [
            Place(topic=topic, partition=number, next_offset=0)
            for topic, number in sorted({(r.topic, r.partition) for r in records})
        ]
    )
    for start in range(0, len(records), at_once):
        batch = records[start : start + at_once]
        store.apply(batch, {(each.topic, each.partition): each.offset + 1 for each in batch})
    store.close()
    return path


@pytest.fixture(scope="session")
def company() -> tuple[tuple[Taken, ...], int]:
    """Every record of the company, and the moment its history ends."""
    return history(leads=40, days=60)


@pytest.fixture(scope="session")
def store(company: tuple[tuple[Taken, ...], int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with all of it."""
    return fill(tmp_path_factory.mktemp("board") / "board-1.sqlite", company[0])
