"""What the tests of the board share: a simulated company, and a store with it in."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.insights.facts.change import Taken
from tests.services.insights.company import history
from tests.services.insights.stores import fill


@pytest.fixture(scope="session")
def company() -> tuple[tuple[Taken, ...], int]:
    """Every record of the company, and the moment its history ends."""
    return history(leads=40, days=60)


@pytest.fixture(scope="session")
def store(company: tuple[tuple[Taken, ...], int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with all of it."""
    return fill(tmp_path_factory.mktemp("board") / "board-1.sqlite", company[0])
