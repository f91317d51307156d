"""``baton up`` as a person runs it: the real services as processes, on Kafka, until Ctrl-C, a kill
or ``baton down``."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from baton.flow import STANDING
from baton.local.up.run_record import RunState, read_run
from baton.processes import is_running, mark_of, send, wait_gone
from tests.kafka.nursery import Nursery

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(400)]

BATON = (sys.executable, "-m", "baton.cli.main")
READY_S = 200.0


@pytest.fixture
def environment(tmp_path: Path, bootstrap: str, namespace: str) -> dict[str, str]:
    """A home and a namespace of one's own, any ports, the shared broker."""
    return {
        **os.environ,
        "BATON_HOME": str(tmp_path / "home"),
        "BATON_BOOTSTRAP": bootstrap,
        "BATON_NAMESPACE": namespace,
        "BATON_PARTITIONS": "2",
        "BATON_GATEWAY_PORT": "0",
        "BATON_METRICS_PORT": "0",
        "BATON_BOARD_PORT": "0",
        "BATON_DELIVERY_PORT": "0",
    }


@pytest.fixture
def up(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A `baton up` in the foreground that is ready; whatever it started is ended in any case."""
    home = Path(environment["BATON_HOME"])
    child = subprocess.Popen(
        [*BATON, "up"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        _until(
            lambda: (
                ((run := read_run(home)) is not None and run.state is RunState.RUNNING)
                or child.poll() is not None
            )
        )
        yield child
    finally:
        child.kill()
        said, _ = child.communicate()
        _baton(environment, "down")
        print(said)  # shown when the test fails


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_S
    while not condition():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.1)


def _baton(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BATON, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=READY_S + 20,
    )


class Looking:
    """Commands that only look, asked again and again: forked from a process that has loaded them.
    What changes something is run as a person runs it."""

    def __init__(self, nursery: Nursery, folder: Path) -> None:
        self._nursery, self._said, self._errors = nursery, folder / "said", folder / "errors"

    def _asked(self, environment: Mapping[str, str], *words: str) -> str:
        with self._said.open("wb") as said, self._errors.open("wb") as errors:
            child = self._nursery.popen(
                [*BATON, *words], env=environment, stdout=said, stderr=errors
            )
        child.stdin.close()
        child.wait(READY_S)
        return self._said.read_text()

    def status(self, environment: Mapping[str, str]) -> dict[str, Any]:
        """What ``baton status --json`` prints."""
        found: dict[str, Any] = json.loads(self._asked(environment, "status", "--json"))
        return found

    def accepted(self, environment: Mapping[str, str]) -> int:
        """How many accepted events ``baton tail`` prints."""
        words = ("tail", "leads.accepted.v1", "--from-beginning", "--no-follow")
        return len(self._asked(environment, *words).splitlines())


@pytest.fixture
def looking(nursery: Nursery, tmp_path: Path) -> Looking:
    """``baton status`` and ``baton tail``."""
    return Looking(nursery, tmp_path)


def _track(environment: Mapping[str, str], status: Mapping[str, Any], message_id: str) -> int:
    key = (Path(environment["BATON_HOME"]) / "write-key").read_text().strip().rpartition(":")[2]
    (address,) = (
        process["addresses"]["http"]
        for process in status["processes"]
        if process["name"] == "gateway"
    )
    request = urllib.request.Request(
        f"{address}/v1/track",
        data=json.dumps(
            {"userId": "u1", "messageId": message_id, "event": "demo_request"}
        ).encode(),
        headers={
            "content-type": "application/json",
            "authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.status)


def _reach(addresses: Mapping[str, str]) -> tuple[str, float]:
    """Which service its metrics say it is, and for how long no broker has answered it."""
    page = urllib.request.urlopen(f"{addresses['metrics']}/metrics", timeout=60).read().decode()
    (service,) = re.findall(r'^baton_build_info\{.*service="(\w+)"', page, re.MULTILINE)
    (silent,) = re.findall(r"^baton_brokers_silent_seconds (\S+)$", page, re.MULTILINE)
    return service, float(silent)


def test_it_runs_mends_itself_and_ends_with_ctrl_c_leaving_no_process(
    up: subprocess.Popen[str], environment: Mapping[str, str], looking: Looking
) -> None:
    status = looking.status(environment)
    assert [(row["name"], row["state"]) for row in status["processes"]] == [
        (name, "ready") for name in ("up", *STANDING)
    ]
    assert (status["state"], status["namespace"]) == ("running", environment["BATON_NAMESPACE"])
    assert _track(environment, status, "m1") == 202
    _until(lambda: looking.accepted(environment) == 1)

    again = _baton(environment, "up")
    assert again.returncode == 1
    assert f"baton: Baton runs already (pid {up.pid}, " in again.stderr

    reached = {name: (name, 0.0) for name in STANDING}
    _until(
        lambda: (
            {row["name"]: _reach(row["addresses"]) for row in status["processes"][1:]} == reached
        )
    )

    pids = {row["name"]: row["pid"] for row in status["processes"]}
    first = mark_of(pids["ingest"])
    send(first, signal.SIGKILL)
    wait_gone(first, 10)
    _until(
        lambda: (
            [row["state"] for row in looking.status(environment)["processes"]]
            == ["ready"] * len(("up", *STANDING))
        )
    )
    assert _track(environment, looking.status(environment), "m2") == 202
    _until(lambda: looking.accepted(environment) == 2)

    run = read_run(Path(environment["BATON_HOME"]))
    assert run is not None
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 0
    assert [process.name for process in run.processes if is_running(process.mark)] == []
    assert read_run(Path(environment["BATON_HOME"])) is None
    stopped = looking.status(environment)
    assert (stopped["state"], stopped["processes"]) == ("stopped", [])


def test_in_the_background_it_returns_when_ready_and_a_kill_ends_the_services_too(
    environment: dict[str, str], looking: Looking
) -> None:
    home = Path(environment["BATON_HOME"])
    try:
        started = _baton(environment, "up", "--detach")
        assert started.returncode == 0, started.stderr
        run = read_run(home)
        assert run is not None
        port = run.processes[0].addresses["metrics"].rpartition(":")[2]
        other = {**environment, "BATON_HOME": f"{home}-2", "BATON_GATEWAY_PORT": port}
        refused = _baton(other, "up")
        assert refused.returncode == 1
        assert f"port {port} is taken" in refused.stderr
        assert "set BATON_GATEWAY_PORT to another one" in refused.stderr
        assert looking.status(other)["processes"] == []

        send(run.supervisor, signal.SIGKILL)
        wait_gone(run.supervisor, 10)
        # services end with their supervisor
        _until(lambda: not any(is_running(process.mark) for process in run.processes))
        status = looking.status(environment)
        assert status["state"] == "killed"
        assert [(row["name"], row["state"]) for row in status["processes"]] == [
            (name, "gone") for name in ("up", *STANDING)
        ]
    finally:
        down = _baton(environment, "down")
    assert (down.returncode, down.stdout) == (0, "stopped\n")
    assert read_run(home) is None
    assert _baton(environment, "down").stdout == "nothing runs\n"
