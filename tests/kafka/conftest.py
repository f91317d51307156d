"""A whole Baton for a test: every service as a process of its own, out of the nursery, in a
namespace of its own, on the shared broker."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from baton.local.up.preparing import prepare_cluster
from baton.local.up.services import service_commands
from baton.local.up.system import System
from baton.settings import load_settings
from tests.nursery import Nursery

DEMO_AGREEMENT = Path(__file__).resolve().parents[2] / "examples" / "agreements" / "demo.yaml"

LiveSystem = Callable[[Path], AbstractContextManager[System]]


@pytest.fixture
def live_system(
    nursery: Nursery,
    bootstrap: str,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[LiveSystem]:
    """``with live_system(path_of_agreement) as system``: ready inside, nothing left behind
    afterwards."""
    given = {
        "BATON_BOOTSTRAP": bootstrap,
        "BATON_NAMESPACE": namespace,
        "BATON_HOME": str(tmp_path / "home"),
        "BATON_PARTITIONS": "2",
        "BATON_GATEWAY_PORT": "0",
        "BATON_METRICS_PORT": "0",
        "BATON_BOARD_PORT": "0",
        "BATON_DELIVERY_PORT": "0",
        "BATON_LOG_FORMAT": "json",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()

    @contextmanager
    def live(agreement: Path) -> Iterator[System]:
        monkeypatch.setenv("BATON_AGREEMENT", str(agreement))
        said: list[str] = []
        system = System(
            load_settings(),
            prepare=lambda reached: prepare_cluster(reached, said.append),
            commands=service_commands,
            say=said.append,
            spawn=nursery.popen,
        )
        with system.running():
            yield system

    yield live
    load_settings.cache_clear()
