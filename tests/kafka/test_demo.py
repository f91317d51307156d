"""The demonstration as a user runs it, on a real Kafka: every service as a process, and sums that
add up."""

import json
import os
import subprocess
import sys

import psutil
import pytest

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def _workers() -> set[int]:
    found = set()
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if "baton.cli.main" in words and "worker" in words:
            found.add(process.info["pid"])
    return found


def test_the_demonstration_adds_up_and_leaves_nothing_behind(bootstrap: str) -> None:
    environment = os.environ | {"BATON_BOOTSTRAP": bootstrap}
    words = [
        sys.executable,
        "-m",
        "baton.cli.main",
        "demo",
        "--leads",
        "15",
        "--seconds",
        "6",
        "--past",
        "20",
        "--seed",
        "2",
        "--json",
    ]
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["faults"] == []
    assert summary["sent"] == summary["keyed"] + summary["dead"] > 50
    assert summary["accepted"] == summary["distinct"]
    assert summary["qualified"] == summary["first_handoffs"] > 0
    assert not {pid for pid in _workers() if _is_of_demo(pid)}


def _is_of_demo(pid: int) -> bool:
    try:
        return psutil.Process(pid).environ().get("BATON_NAMESPACE", "").startswith("demo-")
    except psutil.Error:
        return False
