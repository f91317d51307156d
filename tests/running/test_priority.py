"""Who waits for the processor when there is not enough of it: not those who answer people."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from baton.flow import STANDING, WORKERS
from baton.local.up.child import Child, Command
from baton.local.up.priority import lower_priority
from baton.local.up.services import service_commands
from baton.settings import Settings

_CONCIERGE = """
version: 1
concierge:
  key: pk_0123456789abcdef
  origins: [https://www.firm.example]
  signing_secret_env: BATON_X
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("BATON_BACKGROUND_NICE")
    for name in ("GATEWAY", "BOARD", "DELIVERY", "DELIVERY_CONCIERGE"):
        monkeypatch.setenv(f"BATON_{name}_PORT", "0")
    return Settings(home=tmp_path, bootstrap="127.0.0.1:1", metrics_port=0)


def test_a_concierge_is_started_where_one_is_configured(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tuple(command.name for command in service_commands(settings)) == STANDING
    (tmp_path / "targets.yaml").write_text(_CONCIERGE)
    monkeypatch.setenv("BATON_DELIVERY_TARGETS", str(tmp_path / "targets.yaml"))
    commands = service_commands(settings)
    assert tuple(command.name for command in commands) == WORKERS
    port = commands[-1].environment["BATON_DELIVERY_CONCIERGE_PORT"]
    assert commands[-1].addresses["concierge"] == f"http://127.0.0.1:{port}"
    (tmp_path / "targets.yaml").write_text("version: 1\nconcierge: {}\n")
    names = tuple(command.name for command in service_commands(settings))
    assert names == STANDING, "delivery is there to say what is wrong with the file"


def test_what_nobody_waits_for_yields_to_what_answers_people(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "targets.yaml").write_text(_CONCIERGE)
    monkeypatch.setenv("BATON_DELIVERY_TARGETS", str(tmp_path / "targets.yaml"))
    found = {command.name: command.nice for command in service_commands(settings)}
    behind = {name for name, nice in found.items() if nice}
    assert (behind, set(found.values())) == ({"sla_watcher", "insights"}, {0, 5}), (
        "a lead waits for every other one"
    )
    monkeypatch.setenv("BATON_BACKGROUND_NICE", "0")
    assert {command.nice for command in service_commands(settings)} == {0}


def test_a_child_has_the_priority_also_where_sessions_are_scheduled_as_groups(
    tmp_path: Path,
) -> None:
    words = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    child = Child(Command(name="one", words=words, nice=19), tmp_path)
    pid = child.start().mark.pid
    try:
        assert psutil.Process(pid).nice() == 19
        group = Path(f"/proc/{pid}/autogroup")
        if group.exists():
            assert group.read_text().split()[-1] == "19"
    finally:
        child.end(20)


def test_the_group_is_asked_again_while_the_kernel_says_not_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def write(path: Path, text: str) -> int:
        asked.append(f"{path.relative_to(tmp_path)} {text}")
        if len(asked) < 3:
            raise BlockingIOError
        return len(text)

    monkeypatch.setattr(Path, "write_text", write)
    monkeypatch.setattr("baton.local.up.priority.time.sleep", lambda _: None)
    monkeypatch.setattr("baton.local.up.priority.os.setpriority", lambda *_: None)
    lower_priority(4711, 5, proc=tmp_path)
    assert asked == ["4711/autogroup 5"] * 3


def test_a_process_that_is_gone_or_a_system_without_groups_is_no_error(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    lower_priority(ended.pid, 5, proc=tmp_path)


def test_every_process_of_a_run_is_given_the_number_of_partitions_that_its_topics_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GATEWAY", "BOARD", "DELIVERY", "DELIVERY_CONCIERGE"):
        monkeypatch.setenv(f"BATON_{name}_PORT", "0")
    reached = Settings(home=tmp_path, metrics_port=0).reached_at("127.0.0.1:1")
    given = {command.environment["BATON_PARTITIONS"] for command in service_commands(reached)}
    assert given == {"1"}
