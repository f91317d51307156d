"""A round of a shadow that is asked to stop leaves no facts of leads behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROUND = """
import time
from baton.cli import shadow_running

def replay(question, facts, folder, **options):
    (folder / "facts").write_text("of leads")
    print("begun", flush=True)
    time.sleep(600)

shadow_running.replay_both = replay
shadow_running.replayed_aside(None, list)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_folder_of_a_round_is_gone_when_it_is_asked_to_stop(
    tmp_path: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ROUND],
        env=os.environ | {"BATON_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        assert list(tmp_path.glob("shadow/*/facts"))
        process.send_signal(number)
        process.wait(60)
    assert list((tmp_path / "shadow").iterdir()) == []
