"""Processes without the seconds that each would spend on its imports: forked from one that has
done them.

A test asks the nursery for ``python -m MODULE WORDS...`` as it would ask ``subprocess.Popen``: the
process has a pid, a session, an environment and standard streams of its own, can be killed and
paused like any other, and ends as an interpreter does. What it does not do again is load modules,
so nothing that a module reads while it is loaded (the environment, the time) may matter; that a
worker can be loaded at all is seen where a real one is started (``baton up``, the demonstration).

The nursery has one thread, so forking is safe. It answers one JSON object a line with one: a
process with its pid, ``{"of": pid}`` with its exit code, null while it lives.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

LOADED = (
    "tests.kafka.toy_worker",
    *(f"tests.services.delivery.killed_{name}" for name in ("follower", "sender", "target")),
    "tests.services.insights.killed_projector",
    "baton.cli.worker",
    "baton.engine.kafka.worker",
    *(f"services.{name}.app" for name in ("ingest", "scorer", "router", "sla_watcher")),
    *(f"services.{name}.process" for name in ("ingest.gateway", "insights", "delivery")),
    # loaded by those when they begin
    "baton.cli.main",
    *(f"faust.app.{name}" for name in ("base", "router")),
    *(f"faust.assignor.{name}" for name in ("leader_assignor", "partition_assignor")),
    *(f"faust.tables.{name}" for name in ("manager", "objects", "sets")),
    *(f"faust.web.apps.{name}" for name in ("production_index", "router", "tables")),
    *("faust.transport.drivers.aiokafka", "faust.web.drivers.aiohttp"),
    *("faust.web.cache.backends.memory", "faust.fixups.django", "faust.topics"),
    "uvicorn.lifespan.off",
)
"""What every process from here has: the workers of the tests, and those of Baton."""

ENTRANCES = {"baton.cli.main": "app"}
"""What ``python -m`` runs of a module, where it is not ``main``."""

_FDS = 3
_POLL_S = 0.05


class Nursery:
    """The test's end of it. Threads may ask side by side."""

    def __init__(self) -> None:
        self._asking, answering = socket.socketpair()
        with answering:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kafka.nursery", str(answering.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[answering.fileno()],
            )
        self._answers = self._asking.makefile("r")
        self._lock = threading.Lock()

    def popen(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        stdout: IO[bytes],
        stderr: IO[bytes],
        umask: int = -1,
        **_: Any,
    ) -> Forked:
        """As ``subprocess.Popen`` of ``python -m MODULE WORDS``, with a pipe to its input and a
        session of its own."""
        module, *arguments = words[list(words).index("-m") + 1 :]
        reads, writes = os.pipe()
        try:
            request = {"module": module, "words": arguments, "environment": dict(env)}
            fds = (reads, stdout.fileno(), stderr.fileno())
            pid: int = self._ask(request | {"umask": umask}, fds)
        finally:
            os.close(reads)
        return Forked(self, pid, os.fdopen(writes, "wb"))

    def start(self, module: str, words: Sequence[str], env: Mapping[str, str], log: Path) -> Forked:
        """The same with its output at the end of a file."""
        with log.open("ab") as out:
            command = [sys.executable, "-m", module, *words]
            return self.popen(command, env=env, stdout=out, stderr=out)

    def code_of(self, pid: int) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        code: int | None = self._ask({"of": pid})
        return code

    def close(self) -> None:
        """Close the nursery; whoever still lives in it is left alone."""
        self._answers.close()
        self._asking.close()
        self._process.wait()

    def _ask(self, request: dict[str, Any], fds: Iterable[int] = ()) -> Any:
        line = json.dumps(request).encode() + b"\n"
        with self._lock:
            sent = socket.send_fds(self._asking, [line], list(fds)) if fds else 0
            self._asking.sendall(line[sent:])
            return json.loads(self._answers.readline())


class Forked:
    """One process, as ``subprocess.Popen`` has it."""

    def __init__(self, nursery: Nursery, pid: int, stdin: IO[bytes]) -> None:
        self.pid, self.stdin = pid, stdin
        self._nursery = nursery
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        if self._code is None:
            self._code = self._nursery.code_of(self.pid)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended."""
        deadline = time.monotonic() + (timeout or float("inf"))
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(_POLL_S)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Signal it if it lives."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def prepare() -> None:
    """Load the modules, make the codecs and compare them with their schemas: what each worker would
    do again before it begins."""
    for name in LOADED:
        importlib.import_module(name)
    # here, because the tests' end of it has no use for them
    from baton.cli.worker import refuse_drift
    from baton.contracts.codec import codec_for
    from baton.contracts.drift import event_records
    from baton.contracts.schemas import shelf
    from baton.engine.records import BatchJournal, Position
    from baton.flow import SERVICES, service_of

    states = list[type]()
    refuse_drift(shelf(), ())
    for name in SERVICES:
        reducers = service_of(name).reducers
        refuse_drift(shelf(), reducers)
        for reducer in reducers:
            states += [reducer.head_type, *(kind.type for kind in reducer.entry_kinds)]
    for record in (*event_records(), Position, BatchJournal, *filter(None, states)):
        codec_for(record)


def serve(asked: socket.socket) -> Callable[[], Any]:
    """Answer until nobody asks any more; comes back in a new process alone, with what it is to
    run."""
    codes: dict[int, int] = {}

    def collect(*_: Any) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            codes[pid] = os.waitstatus_to_exitcode(status)

    # at once: who waits for the end of a process that is not its child sees a zombie as alive
    signal.signal(signal.SIGCHLD, collect)
    while request := _request(asked):
        given, fds = request
        if "of" in given:
            answer = codes.get(given["of"])
        else:
            answer = os.fork()
            if not answer:
                asked.close()
                return _born(given, fds)
            for fd in fds:
                os.close(fd)
        asked.sendall(json.dumps(answer).encode() + b"\n")
    raise SystemExit


def _request(asked: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    line, fds = b"", list[int]()
    while not line.endswith(b"\n"):
        part, more, _, _ = socket.recv_fds(asked, 1 << 16, _FDS)
        if not part:
            return None
        line, fds = line + part, [*fds, *more]
    return json.loads(line), fds


def _born(request: Mapping[str, Any], fds: Sequence[int]) -> Callable[[], Any]:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    if request["umask"] >= 0:
        os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["environment"])
    module = request["module"]
    sys.argv[:] = [module, *request["words"]]
    entrance: Callable[[], Any] = getattr(
        importlib.import_module(module), ENTRANCES.get(module, "main")
    )
    return entrance


if __name__ == "__main__":
    prepare()
    gc.collect()
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))()
