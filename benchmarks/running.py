"""A whole Baton for a measurement: its settings, its system of processes, and what they take."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from baton.local.up.preparing import prepare_cluster
from baton.local.up.services import service_commands
from baton.local.up.system import System
from baton.local.up.write_key import key_file
from baton.settings import load_settings
from benchmarks.cluster import LIVE_PARTITIONS

BROKER = "broker"
_OTHERS = ("BATON_WRITE_KEYS", "BATON_WRITE_KEYS_FILE", "BATON_INSECURE", "BATON_REGISTRY_URL")


@contextmanager
def running(
    options: Mapping[str, Any], agreement: str, configure: Callable[[Path], None] | None = None
) -> Iterator[System]:
    """Every process of Baton under ``agreement`` (YAML), on the cluster and in the namespace of the
    options, with a home of its own that goes afterwards; ``configure`` gets the home before they
    start."""
    with tempfile.TemporaryDirectory(prefix="baton-bench-") as folder:
        _environment(Path(folder), options, agreement)
        if configure is not None:
            configure(Path(folder))
        system = System(
            load_settings(),
            prepare=lambda reached: prepare_cluster(reached, _hush),
            commands=service_commands,
            say=_hush,
        )
        with system.running():
            yield system


def gateway_of(system: System) -> tuple[str, str]:
    """The gateway's address and its write key."""
    key = key_file(system.settings.home).read_text().strip().rsplit(":", 1)[1]
    address = next(
        process.addresses["http"] for process in system.run.processes if "http" in process.addresses
    )
    return address, key


class ProcessTimes:
    """CPU of Baton's processes, and of the broker where it is ours, since this was made."""

    def __init__(self, system: System, broker: int | None) -> None:
        self._processes = {
            process.name: psutil.Process(process.mark.pid) for process in system.run.processes
        }
        if broker is not None:
            self._processes[BROKER] = psutil.Process(broker)
        self._before, self._began = self._used(), time.perf_counter()

    def shares(self) -> dict[str, float]:
        """Of one core, by process; ``all`` without the broker."""
        elapsed = time.perf_counter() - self._began
        return {name: round(used / elapsed, 4) for name, used in self.seconds().items()}

    def seconds(self) -> dict[str, float]:
        """CPU seconds by process; ``all`` without the broker."""
        now = self._used()
        used = {name: now[name] - self._before[name] for name in now}
        return {"all": sum(part for name, part in used.items() if name != BROKER), **used}

    def _used(self) -> dict[str, float]:
        return {name: sum(process.cpu_times()[:2]) for name, process in self._processes.items()}


def _environment(home: Path, options: Mapping[str, Any], agreement: str) -> None:
    (home / "agreement.yaml").write_text(agreement, encoding="utf-8")
    for name in _OTHERS:
        os.environ.pop(name, None)
    os.environ |= {
        "BATON_BOOTSTRAP": options["bootstrap"],
        "BATON_NAMESPACE": options["namespace"],
        "BATON_PARTITIONS": str(LIVE_PARTITIONS),
        "BATON_HOME": str(home),
        "BATON_AGREEMENT": str(home / "agreement.yaml"),
        "BATON_GATEWAY_PORT": "0",
        "BATON_METRICS_PORT": "0",
        "BATON_BOARD_PORT": "0",
        "BATON_DELIVERY_PORT": "0",
        "BATON_DELIVERY_CONCIERGE_PORT": "0",
        "BATON_LOG_LEVEL": "WARNING",
    }
    load_settings.cache_clear()


def _hush(_text: str) -> None:
    pass
