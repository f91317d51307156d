"""Worker processes under test: started, killed, paused and asked."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

PATIENCE_S = 90.0


class WorkerProcess:
    """One process of :mod:`tests.kafka.toy_worker`."""

    def __init__(self, bootstrap: str, namespace: str, log: Path, *reducers: str, **settings: Any) -> None:
        self.port = _free_port()
        self._words = [sys.executable, "-m", "tests.kafka.toy_worker", *reducers]
        self._environment = {
            **os.environ,
            "BATON_BOOTSTRAP": bootstrap,
            "BATON_NAMESPACE": namespace,
            "BATON_METRICS_PORT": str(self.port),
            "BATON_SESSION_TIMEOUT_MS": "6000",
            "BATON_HEARTBEAT_MS": "500",
            **{f"BATON_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, failpoint: str | None = None) -> "WorkerProcess":
        """Start it, to be killed at a failpoint or not."""
        environment = self._environment | ({} if failpoint is None else {"BATON_FAILPOINT": failpoint})
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(self._words, env=environment, stdout=out, stderr=out)
        return self

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; its exit code, negative for a signal."""
        assert self._process is not None
        return await asyncio.wait_for(asyncio.to_thread(self._process.wait), PATIENCE_S)

    async def ready(self) -> None:
        """Wait until it says that it is ready."""
        async with asyncio.timeout(PATIENCE_S):
            while (await asyncio.to_thread(self.get, "/readyz"))[0] != 200:
                assert self._process is not None
                assert self._process.poll() is None, self.log.read_text()
                await asyncio.sleep(0.1)

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of one of its pages; status 0: it does not answer."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except (URLError, OSError):
            return 0, ""

    def tasks(self) -> dict[tuple[str, int], dict[str, Any]]:
        """What it says of its tasks."""
        return {(each["reducer"], each["partition"]): each for each in json.loads(self.get("/tasks")[1])}

    def metric(self, line: str) -> float:
        """The value of one line of ``/metrics``; 0 if it is not there."""
        found = [each for each in self.get("/metrics")[1].splitlines() if each.startswith(line + " ")]
        return float(found[0].rsplit(" ", 1)[1]) if found else 0.0

    def kill(self) -> None:
        """End it whatever it does."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
