"""The workers of a run, and its gateways: several a service, started again whenever
it ends, by its pid and nothing else."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from baton.contracts.acls import GATEWAY
from baton.flow import SERVICES
from baton.local.broker.free_ports import free_port

_POLL_S = 0.2
_GRACE_S = 20.0
KINDS = (*SERVICES, GATEWAY)

Name = tuple[str, int]
"""A service or the gateway, and the number of its process."""


class Worker(Protocol):
    """What a crew needs of ``subprocess.Popen``."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""

    def send_signal(self, number: signal.Signals) -> None:
        """Signal it if it runs."""

    def terminate(self) -> None:
        """SIGTERM."""

    def kill(self) -> None:
        """SIGKILL."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; raises ``subprocess.TimeoutExpired``."""


Spawn = Callable[..., Worker]
"""Starts a process as ``subprocess.Popen`` does, with the arguments that it is given here."""


class Crew:
    """``size`` processes of every kind. Threads of the run may call its methods side by side.

    ``former``: the root of another version, with ``baton`` and ``services`` in it; who is not yet
    :meth:`upgrade`-d runs that.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        logs: Path,
        *,
        size: int,
        former: Path | None = None,
        states: Path | None = None,
        spawn: Spawn = subprocess.Popen,
    ) -> None:
        self._environment, self._logs, self._former = dict(environment), logs, former
        self._states, self._spawn = states, spawn
        self._names = [(kind, number) for kind in KINDS for number in range(size)]
        self._ports = {number: free_port() for number in range(size)}
        self._upgraded: set[Name] = set()
        self._processes: dict[Name, Worker] = {}
        self._lock = threading.RLock()
        self._ended, self._resting = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._tend, daemon=True)
        self.starts = 0
        logs.mkdir(parents=True, exist_ok=True)

    @property
    def names(self) -> tuple[Name, ...]:
        """Everybody."""
        return tuple(self._names)

    @property
    def gateways(self) -> list[str]:
        """Where the gateways listen, whether they run or not."""
        return [f"http://127.0.0.1:{port}" for port in self._ports.values()]

    def start(self) -> None:
        """Start everybody and keep them running."""
        for name in self._names:
            self._start(name)
        self._thread.start()

    def stop(self) -> None:
        """End everybody in order."""
        self._ended.set()
        self._thread.join()
        self._end_all()

    def rest(self) -> None:
        """End everybody in order, until :meth:`resume`."""
        self._resting.set()
        with self._lock:
            self._end_all()

    def resume(self) -> None:
        """Start everybody again."""
        self._resting.clear()

    def upgrade(self, name: Name) -> None:
        """End a process in order; it comes back as this version."""
        with self._lock:
            self._upgraded.add(name)
            _signal(self._processes[name], signal.SIGTERM)

    def one(self, target: int) -> Name:
        """One of them."""
        return self._names[target % len(self._names)]

    def of_service(self, target: int) -> list[Name]:
        """All processes of one kind."""
        kind = KINDS[target % len(KINDS)]
        return [name for name in self._names if name[0] == kind]

    def signal(self, name: Name, number: signal.Signals) -> None:
        """Send a signal to one process."""
        with self._lock:
            _signal(self._processes[name], number)

    def _end_all(self) -> None:
        for process in self._processes.values():
            _signal(process, signal.SIGCONT)
            process.terminate()
        until = time.monotonic() + _GRACE_S
        for process in self._processes.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _tend(self) -> None:
        while not self._ended.wait(_POLL_S):
            with self._lock:
                for name, process in list(self._processes.items()):
                    if process.poll() is not None and not self._resting.is_set():
                        self._start(name)

    def _start(self, name: Name) -> None:
        kind, number = name
        root = self._former if name not in self._upgraded else None
        environment = {
            **os.environ,
            **self._environment,
            "BATON_METRICS_PORT": "0",
            "BATON_GATEWAY_PORT": str(self._ports[number]),
            **({} if root is None else {"PYTHONPATH": str(root)}),
            **(
                {}
                if self._states is None
                else {"BATON_STATE_DIR": str(self._states / f"{kind}-{number}")}
            ),
        }
        with (self._logs / f"{kind}-{number}.log").open("ab") as out:
            words = [sys.executable, "-m", "baton.cli.main", "worker", kind]
            self._processes[name] = self._spawn(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, cwd=root
            )
        self.starts += 1


def _signal(process: Worker, number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)
