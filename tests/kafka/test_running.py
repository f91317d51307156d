"""A run on one machine, with stand-ins for the services: started in order, tended, ended whole,
found again after a kill."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from baton.local.broker.broker_record import running_broker
from baton.local.broker.free_ports import free_port
from baton.local.up.child import Backoff, Command
from baton.local.up.former import RunsAlready, claimed, stop_run
from baton.local.up.readiness import Answer, ask, state_of
from baton.local.up.run_record import (
    ProcessRecord,
    ProcessState,
    RunRecord,
    RunState,
    read_run,
    write_run,
)
from baton.local.up.system import ServiceFailed, System
from baton.processes import Mark, is_running, mark_of, send, wait_gone
from baton.settings import Settings

pytestmark = pytest.mark.kafka

READY = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2]))
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY
BROKEN = "import sys; print('cannot read the map', file=sys.stderr); sys.exit(3)"


def _service(name: str, program: str = READY, status: int = 200) -> Command:
    port = free_port()
    words = [sys.executable, "-c", program, str(port), str(status)]
    return Command(name=name, words=words, addresses={"metrics": f"http://127.0.0.1:{port}"})


def _system(
    home: Path, commands: Sequence[Command], said: list[str] | None = None, **more: object
) -> System:
    heard = [] if said is None else said
    settings = Settings(home=home, bootstrap="127.0.0.1:1", **more)
    return System(
        settings,
        prepare=lambda reached: heard.append(f"prepared {reached.bootstrap}"),
        commands=lambda _: commands,
        say=heard.append,
    )


def _until(condition: Callable[[], bool], tend: Callable[[], object] = lambda: None) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        tend()
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.02)


@pytest.fixture
def left_over() -> Iterator[list[Mark]]:
    """Processes that a test leaves to itself; none survives it."""
    marks: list[Mark] = []
    yield marks
    for mark in marks:
        send(mark, signal.SIGKILL)
        wait_gone(mark, 5)


def test_all_is_prepared_started_and_ready_inside_and_gone_afterwards(tmp_path: Path) -> None:
    said: list[str] = []
    with _system(tmp_path, [_service("one"), _service("two")], said).running() as system:
        run = read_run(tmp_path)
        assert run == system.run
        assert (run.state, run.bootstrap, run.owns_broker) == (
            RunState.RUNNING,
            "127.0.0.1:1",
            False,
        )
        assert [(process.name, ask(process), state_of(process)) for process in run.processes] == [
            ("one", Answer.READY, ProcessState.READY),
            ("two", Answer.READY, ProcessState.READY),
        ]
    assert said == [
        "using the Kafka at 127.0.0.1:1",
        "prepared 127.0.0.1:1",
        "waiting for one, two",
    ]
    assert read_run(tmp_path) is None
    assert [state_of(process) for process in run.processes] == [
        ProcessState.GONE,
        ProcessState.GONE,
    ]


def test_a_service_that_ends_is_started_again_and_counted(tmp_path: Path) -> None:
    said: list[str] = []
    with _system(tmp_path, [_service("one")], said).running() as system:
        (first,) = system.run.processes
        send(first.mark, signal.SIGKILL)
        _until(lambda: system.run.processes[0].mark != first.mark, system.tend)
        (second,) = system.run.processes
        _until(lambda: ask(second) is Answer.READY)
        assert second.restarts == 1
        assert any(
            text.startswith("one ended with code -9; starting it again in 0.5 s; its log: ")
            for text in said
        )
    assert not is_running(second.mark)


def test_a_service_that_never_becomes_ready_ends_the_run_with_the_end_of_its_log(
    tmp_path: Path,
) -> None:
    system = _system(tmp_path, [_service("good"), _service("bad", BROKEN)])
    with (
        pytest.raises(
            ServiceFailed,
            match=r"bad ended 3 times before it was ready; the end of .*bad\.log:\n  cannot read the map",
        ),
        system.running(),
    ):
        pass
    assert [is_running(process.mark) for process in system.run.processes] == [False, False]
    assert read_run(tmp_path) is None


def test_a_service_that_is_alive_but_not_ready_is_waited_for_only_so_long(tmp_path: Path) -> None:
    system = _system(tmp_path, [_service("slow", status=503)])
    with (
        pytest.raises(ServiceFailed, match="slow was not ready after 2 s"),
        system.running(ready_timeout_s=2),
    ):
        pass
    assert system.run.processes
    assert not is_running(system.run.processes[0].mark)


def test_a_deaf_service_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("baton.local.up.system._STOP_GRACE_S", 0.2)
    with _system(tmp_path, [_service("deaf", DEAF)]).running() as system:
        pass
    assert not is_running(system.run.processes[0].mark)


def test_a_second_run_of_the_same_home_is_refused_and_disturbs_nothing(tmp_path: Path) -> None:
    with _system(tmp_path, [_service("one")]).running() as first:
        second = _system(tmp_path, [_service("one")])
        with (
            pytest.raises(RunsAlready, match=r"runs already \(pid \d+, .*baton down"),
            second.running(),
        ):
            pass
        assert read_run(tmp_path) == first.run
        assert ask(first.run.processes[0]) is Answer.READY


def _orphan(home: Path, left_over: list[Mark]) -> RunRecord:
    """What `kill -9` of a supervisor leaves: a record, and a service that runs on."""
    command = _service("one")
    child = subprocess.Popen(command.words)
    mark = mark_of(child.pid)
    left_over.append(mark)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    supervisor = mark_of(dead.pid)
    dead.wait()
    process = ProcessRecord(name="one", mark=mark, log="", addresses=command.addresses)
    run = RunRecord(
        supervisor=supervisor, state=RunState.RUNNING, namespace="baton", processes=(process,)
    )
    write_run(home, run)
    return run


def test_the_next_run_clears_away_what_a_killed_one_left(
    tmp_path: Path, left_over: list[Mark]
) -> None:
    orphan = _orphan(tmp_path, left_over).processes[0]
    said: list[str] = []
    with _system(tmp_path, [_service("one")], said).running():
        assert not is_running(orphan.mark)
    assert said[0] == f"a former run was killed; ending what it left: one (pid {orphan.mark.pid})"


def test_down_clears_away_what_a_killed_run_left_and_again_does_no_harm(
    tmp_path: Path, left_over: list[Mark]
) -> None:
    orphan = _orphan(tmp_path, left_over).processes[0]
    assert stop_run(tmp_path, lambda _: None) is True
    assert not is_running(orphan.mark)
    assert stop_run(tmp_path, lambda _: None) is False


def test_a_pid_of_a_killed_run_that_is_somebody_elses_now_is_left_alone(
    tmp_path: Path, left_over: list[Mark]
) -> None:
    run = _orphan(tmp_path, left_over)
    process = run.processes[0]
    stranger = Mark(pid=process.mark.pid, started=process.mark.started - 1000)
    written = ProcessRecord(name="one", mark=stranger, log="")
    write_run(
        tmp_path,
        RunRecord(
            supervisor=run.supervisor,
            state=RunState.RUNNING,
            namespace="baton",
            processes=(written,),
        ),
    )
    assert stop_run(tmp_path, lambda _: None) is True
    assert is_running(process.mark)


def test_the_claim_to_a_home_ends_with_the_process_that_has_it(tmp_path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from baton.local.up.former import claimed
with claimed(Path({str(tmp_path)!r})):
    print("claimed", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(RunsAlready), claimed(tmp_path):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with claimed(tmp_path):
        pass


def test_a_process_with_a_lifeline_ends_when_its_supervisor_is_killed(
    tmp_path: Path, left_over: list[Mark]
) -> None:
    service = (
        "from baton.lifeline import end_with_supervisor; import time; end_with_supervisor(); "
        "time.sleep(60)"
    )
    program = f"""
import os, signal, sys
from pathlib import Path
from baton.local.up.child import Child, Command
Child(Command(name="one", words=[sys.executable, "-c", {service!r}]), Path({str(tmp_path)!r})).start()
Child(Command(name="two", words=[sys.executable, "-c", {service!r}]), Path({str(tmp_path)!r})).start()
print("started", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""
    supervisor = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    supervisor.stdout.readline()
    marks = [mark_of(child.pid) for child in psutil.Process(supervisor.pid).children()]
    left_over += marks
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    assert len(marks) == 2
    assert [wait_gone(mark, 20) for mark in marks] == [True, True]


@pytest.mark.parametrize(
    "cut",
    [
        "",
        "{",
        "[]",
        '{"processes": [{}]}',
        '{"processes": [], "supervisor": {}, "state": "running"}',
    ],
)
def test_a_record_that_was_cut_off_is_as_none(tmp_path: Path, cut: str) -> None:
    (tmp_path / "run.json").write_text(cut)
    assert read_run(tmp_path) is None
    assert stop_run(tmp_path, lambda _: None) is False


@pytest.mark.parametrize(
    ("ran_s", "waits"),
    [
        ((0, 0, 0, 0), (0.5, 1, 2, 4)),
        ((0,) * 9, (0.5, 1, 2, 4, 8, 16, 30, 30, 30)),
        ((0, 0, 61, 0), (0.5, 1, 0.5, 1)),
    ],
    ids=["doubles", "has a limit", "begins anew after a minute"],
)
def test_the_wait_before_starting_again(ran_s: Sequence[float], waits: Sequence[float]) -> None:
    backoff = Backoff()
    assert tuple(backoff.wait_s(ran_s=entry) for entry in ran_s) == waits


@pytest.mark.slow
def test_the_embedded_broker_belongs_to_the_run_that_started_it(
    tmp_path: Path, broker_cache: Path
) -> None:
    settings = Settings(
        home=tmp_path, cache=broker_cache, broker_port=0, broker_heap_mb=512, bootstrap=None
    )
    reached: list[str | None] = []
    said: list[str] = []
    system = System(
        settings,
        prepare=lambda given: reached.append(given.bootstrap),
        commands=lambda _: [_service("one")],
        say=said.append,
    )
    with system.running():
        assert system.run.owns_broker
        assert reached == [system.run.bootstrap]
        broker = running_broker(tmp_path / "broker")
        assert broker is not None
        assert broker.bootstrap == system.run.bootstrap
        said_before = list(said)
        send(broker.mark, signal.SIGKILL)
        wait_gone(broker.mark, 10)
        _until(lambda: "the broker answers again" in said[-1], system.tend)
        again = running_broker(tmp_path / "broker")
        assert again is not None
        assert (again.bootstrap, again.mark != broker.mark) == (broker.bootstrap, True)
        system.tend()
        written = read_run(tmp_path)
        assert written is not None
        assert written.broker_restarts == 1
    assert not is_running(again.mark)
    assert said_before == ["starting Apache Kafka", "waiting for one"]
