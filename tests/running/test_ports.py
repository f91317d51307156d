"""The ports of a run: those that settings name, and free ones that nobody comes between."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from baton.flow import STANDING
from baton.local.broker.free_ports import PortTaken
from baton.local.up.child import Child
from baton.local.up.ports import NoPortLeft, PortChoice, WorkerPorts
from baton.local.up.services import service_commands
from baton.settings import Settings


@pytest.fixture(autouse=True)
def any_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GATEWAY", "BOARD", "DELIVERY", "DELIVERY_CONCIERGE"):
        monkeypatch.setenv(f"BATON_{name}_PORT", "0")


def _settings(home: Path, metrics_port: int = 0) -> Settings:
    return Settings(home=home, bootstrap="127.0.0.1:1", metrics_port=metrics_port)


def _from(*ports: int) -> Iterator[int]:
    yield from ports
    raise AssertionError("asked for more ports than the test has")


def test_ports_that_are_left_to_us_are_all_different_and_below_those_of_connections(
    tmp_path: Path,
) -> None:
    ports = PortChoice(_settings(tmp_path)).first()
    assert tuple(ports) == STANDING
    found = [port for one in ports.values() for port in (one.metrics, one.own) if port is not None]
    assert len(set(found)) == len(found) == len(STANDING) + 3
    assert all(20_000 <= port < 32_768 for port in found)


def test_a_port_that_is_taken_or_was_given_to_another_process_is_passed_over(
    tmp_path: Path,
) -> None:
    numbers = _from(20_001, 20_001, *range(20_002, 20_050))
    choice = PortChoice(_settings(tmp_path), lambda: next(numbers), lambda port: port != 20_003)
    first = list(choice.first().values())
    assert next(one.metrics for one in first) == 20_001
    assert 20_003 not in {port for one in first for port in (one.metrics, one.own)}


def test_a_process_that_lost_its_port_to_a_stranger_gets_another_and_keeps_the_rest(
    tmp_path: Path,
) -> None:
    taken = {20_001}
    choice = PortChoice(_settings(tmp_path), lambda: 20_007, lambda port: port not in taken)
    before = WorkerPorts(metrics=20_001, own=20_002)
    assert choice.again(before) == WorkerPorts(metrics=20_007, own=20_002)
    fixed = WorkerPorts(metrics=20_001, own=20_002, fixed=frozenset({20_001}))
    assert choice.again(fixed) == fixed, "a port that a setting names is never another one"


def test_a_port_that_a_setting_names_and_somebody_has_is_refused_with_the_setting(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is taken.*BATON_METRICS_PORT"):
            PortChoice(_settings(tmp_path, metrics_port=port)).first()


def test_a_machine_without_a_free_port_is_named_with_the_settings_that_choose_one(
    tmp_path: Path,
) -> None:
    choice = PortChoice(_settings(tmp_path), lambda: 20_001, lambda _: False)
    with pytest.raises(NoPortLeft, match="name ports by BATON_METRICS_PORT, BATON_GATEWAY_PORT"):
        choice.first()


def test_a_child_that_is_started_again_listens_where_its_record_says(tmp_path: Path) -> None:
    gateway = service_commands(_settings(tmp_path))[0]
    port = int(gateway.environment["BATON_METRICS_PORT"])
    with socket.create_server(("127.0.0.1", port)):
        assert gateway.again is not None
        moved = gateway.again()
        short = [sys.executable, "-c", ""]
        command = replace(
            gateway,
            words=short,
            environment={
                **gateway.environment,
                "BATON_BOOTSTRAP": "elsewhere:1",
                "WHO": "a name of its own",
            },
            again=lambda: moved,
        )
        child = Child(command, tmp_path / "logs")
        child.start()
        child.end(60)
        record = child.start()
        child.end(60)
    other = moved.environment["BATON_METRICS_PORT"]
    assert other != str(port)
    assert record.addresses["metrics"] == f"http://127.0.0.1:{other}"
    assert child.command.words == short
    assert child.command.environment["BATON_METRICS_PORT"] == other
    kept = [child.command.environment[name] for name in ("BATON_BOOTSTRAP", "WHO")]
    assert kept == ["elsewhere:1", "a name of its own"], "only where it listens has changed"


def test_a_worker_whose_port_somebody_has_names_the_settings_and_no_place_in_a_library(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "baton.cli.main", "worker", "scorer"],
            env={
                **os.environ,
                "BATON_HOME": str(tmp_path),
                "BATON_BOOTSTRAP": "127.0.0.1:1",
                "BATON_METRICS_PORT": str(port),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    said = f"cannot listen on 127.0.0.1:{port} (Address already in use); set BATON_METRICS_HOST"
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
