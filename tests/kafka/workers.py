"""Worker processes under test: started, killed, paused and asked."""

import asyncio
import json
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tests.kafka.nursery import Forked, Nursery

PATIENCE_S = 90.0
_POLL_S = 0.05


class WorkerProcess:
    """One process of :mod:`tests.kafka.toy_worker`."""

    def __init__(
        self,
        nursery: Nursery,
        bootstrap: str,
        namespace: str,
        log: Path,
        *reducers: str,
        **settings: Any,
    ) -> None:
        self._nursery = nursery
        self._words = list(reducers)
        self._environment = {
            **os.environ,
            "BATON_BOOTSTRAP": bootstrap,
            "BATON_NAMESPACE": namespace,
            "BATON_METRICS_PORT": "0",
            "BATON_SESSION_TIMEOUT_MS": "6000",
            "BATON_HEARTBEAT_MS": "500",
            **{f"BATON_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.log = log
        self._process: Forked | None = None
        self._logged_before = 0

    def start(self, failpoint: str | None = None) -> "WorkerProcess":
        """Start it, to be killed at a failpoint or not."""
        environment = self._environment | (
            {} if failpoint is None else {"BATON_FAILPOINT": failpoint}
        )
        self._logged_before = self.log.stat().st_size if self.log.exists() else 0
        self._process = self._nursery.start(
            "tests.kafka.toy_worker", self._words, environment, self.log
        )
        return self

    @property
    def port(self) -> int | None:
        """That of its pages, which it says since it was started last; None: it has not yet."""
        said = self.log.read_bytes()[self._logged_before :] if self.log.exists() else b""
        found = re.search(rb"http://127\.0\.0\.1:(\d+)/readyz\n", said)
        return int(found[1]) if found else None

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        assert self._process is not None
        return self._process.poll()

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self._process is not None:
            self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; its exit code, negative for a signal."""
        async with asyncio.timeout(PATIENCE_S):
            while (code := self.code) is None:  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(_POLL_S)
            return code

    async def ready(self) -> None:
        """Wait until it says that it is ready."""
        async with asyncio.timeout(PATIENCE_S):
            while (await asyncio.to_thread(self.get, "/readyz"))[0] != 200:
                assert self.code is None, self.log.read_text()
                await asyncio.sleep(_POLL_S)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Status and text of one of its pages; status 0: it does not answer."""
        if (port := self.port) is None:
            return 0, "[]"
        asked = Request(f"http://127.0.0.1:{port}{path}", headers=dict(headers or {}))
        try:
            with urlopen(asked, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except (URLError, OSError):
            return 0, "[]"

    def tasks(self) -> dict[tuple[str, int], dict[str, Any]]:
        """What it says of its tasks."""
        return {
            (row["reducer"], row["partition"]): row for row in json.loads(self.get("/tasks")[1])
        }

    def metric(self, line: str) -> float:
        """The value of one line of ``/metrics``; 0 if it is not there."""
        found = [
            entry for entry in self.get("/metrics")[1].splitlines() if entry.startswith(line + " ")
        ]
        return float(found[0].rsplit(" ", 1)[1]) if found else 0.0

    def kill(self) -> None:
        """End it whatever it does."""
        self.signal(signal.SIGKILL)


async def killed_at(worker: WorkerProcess, points: Mapping[str, int]) -> None:
    """Start the worker to be killed when it comes to a point for the so many-th time, at all of
    them one after the other; fails where it ended in another way."""
    for point, count in points.items():
        worker.start(f"{point}:{count}")
        code = await worker.ended()
        assert code == -signal.SIGKILL, f"{point}: ended with {code}\n{worker.log.read_text()}"
