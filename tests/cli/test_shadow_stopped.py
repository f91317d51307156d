"""A round of a shadow leaves no facts of leads behind: not when it is asked to stop, and when it
is killed no longer than until the next one begins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from baton.cli.replay_folder import clear_given_up, folder_of_own

ROUND = """
import time
from baton.cli import shadow_running

def replay(question, facts, folder, **options):
    folder.mkdir()
    (folder / "lead").write_text("of leads")
    print("begun", flush=True)
    time.sleep(600)

shadow_running.replay_both = replay
shadow_running.replayed_aside(None, list)
"""


def _begun(home: Path) -> subprocess.Popen[str]:
    """A round that has written facts of leads."""
    process = subprocess.Popen(
        [sys.executable, "-c", ROUND],
        env=os.environ | {"BATON_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_folder_of_a_round_is_gone_when_it_is_asked_to_stop(
    tmp_path: Path, number: signal.Signals
) -> None:
    with _begun(tmp_path) as process:
        assert list(tmp_path.glob("shadow/*/facts/lead"))
        process.send_signal(number)
        process.wait(60)
    assert not list(tmp_path.glob("shadow/*/**/*"))


def test_the_folder_of_a_killed_round_is_cleared_by_the_next_and_a_living_one_is_not(
    tmp_path: Path,
) -> None:
    with _begun(tmp_path) as killed, _begun(tmp_path) as living:
        assert len(list(tmp_path.glob("shadow/*/facts/lead"))) == 2
        killed.kill()
        killed.wait(60)
        with folder_of_own(tmp_path / "shadow"):
            (left,) = tmp_path.glob("shadow/*/facts/lead")
            assert living.poll() is None
        assert left.exists()
        living.terminate()
        living.wait(60)
    assert not list(tmp_path.glob("shadow/*/**/*"))


def test_what_a_backtest_left_is_cleared_after_a_day(tmp_path: Path) -> None:
    for name, age_s in (("today", 3_600), ("yesterday", 90_000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lead-000.facts").write_text("of leads")
        then = time.time() - age_s
        os.utime(tmp_path / name, (then, then))
    clear_given_up(tmp_path)
    assert [folder.name for folder in tmp_path.iterdir()] == ["today"]
    clear_given_up(tmp_path / "never-made")
