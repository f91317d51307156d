"""Where tests must run, a skipped one fails the run; elsewhere it is only named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.must_run import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[1]
PLANTED = """
import pytest

@pytest.mark.{marker}
@pytest.mark.skipif({skips}, reason="needs Chromium: apt-get install chromium")
def test_a_page():
    pass

def test_another():
    pass
"""
WHOLE = 'import pytest\npytest.skip("needs Chromium", allow_module_level=True)\n'


def run(folder: Path, text: str, must_run: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_planted.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.must_run", str(folder)]
    environment = {**os.environ, ENVIRONMENT: must_run, "PYTHONPATH": str(ROOT)}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # loading them takes longer than the run
    options = ["-c", os.devnull, "-p", "no:cacheprovider", "-W", "ignore"]
    return subprocess.run(
        [*command, *options], capture_output=True, text=True, env=environment, check=False
    )


@pytest.mark.parametrize(
    ("text", "must_run", "code"),
    [
        (PLANTED.format(marker="browser", skips=True), "browser,postgres", 1),
        (PLANTED.format(marker="browser", skips=False), "browser,postgres", 0),
        (PLANTED.format(marker="kafka", skips=True), "browser,postgres", 0),
        (PLANTED.format(marker="browser", skips=True), "", 0),
        (WHOLE, "browser", 1),
    ],
)
def test_a_skipped_test_that_must_run_fails_the_run(
    tmp_path: Path, text: str, must_run: str, code: int
) -> None:
    found = run(tmp_path, text, must_run)
    assert found.returncode == code, found.stdout
    assert ("must run and were skipped: " in found.stdout) is (code == 1)


def test_the_gate_says_which_tests_must_run() -> None:
    gate = (ROOT / ".ci" / "run").read_text()
    assert f"export {ENVIRONMENT}=browser,postgres" in gate
    assert gate.index(ENVIRONMENT) < gate.index("step make test")
