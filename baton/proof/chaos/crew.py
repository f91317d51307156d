"""The workers of a run: several a service, each a process that is started again whenever it ends,
by its pid and nothing else."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from baton.flow import SERVICES
from baton.local.broker.ports import free_port

_TURN_S = 0.2
_GRACE_S = 20.0


class Crew:
    """``size`` workers of every service. Threads of the run may call its methods side by side."""

    def __init__(self, environment: Mapping[str, str], logs: Path, *, size: int) -> None:
        self._environment, self._logs = dict(environment), logs
        self._names = [(service, number) for service in SERVICES for number in range(size)]
        self._processes: dict[tuple[str, int], subprocess.Popen[bytes]] = {}
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tend, daemon=True)
        self.starts = 0
        logs.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start everybody and keep them running."""
        for name in self._names:
            self._start(name)
        self._thread.start()

    def stop(self) -> None:
        """End everybody in order."""
        self._ended.set()
        self._thread.join()
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

    def one(self, target: int) -> tuple[str, int]:
        """One of them."""
        return self._names[target % len(self._names)]

    def of_service(self, target: int) -> list[tuple[str, int]]:
        """All workers of one service."""
        service = SERVICES[target % len(SERVICES)]
        return [name for name in self._names if name[0] == service]

    def signal(self, name: tuple[str, int], number: signal.Signals) -> None:
        """Send a signal to one worker."""
        with self._lock:
            _signal(self._processes[name], number)

    def running(self) -> bool:
        """Whether everybody runs."""
        with self._lock:
            return all(process.poll() is None for process in self._processes.values())

    def _tend(self) -> None:
        while not self._ended.wait(_TURN_S):
            with self._lock:
                for name, process in list(self._processes.items()):
                    if process.poll() is not None:
                        self._start(name)

    def _start(self, name: tuple[str, int]) -> None:
        service, number = name
        environment = (
            os.environ
            | self._environment
            | {"BATON_METRICS_PORT": str(free_port()), "BATON_GATEWAY_PORT": str(free_port())}
        )
        with (self._logs / f"{service}-{number}.log").open("ab") as out:
            words = [sys.executable, "-m", "baton.cli.main", "worker", service]
            self._processes[name] = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
            )
        self.starts += 1


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)
