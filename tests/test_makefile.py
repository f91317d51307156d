"""``make setup`` on a machine that is not as it should be, with a Python that stands for the real
one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# It makes `.venv/bin/python`, which is itself; its pip does what the file PIP says.
PYTHON = """#!/bin/sh
case "$*" in
  --version) echo "Python 3.11.0" ;;
  "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  "-m pip install"*) echo "Collecting something"; exit "$(cat PIP)" ;;
esac
"""


_OF_ANOTHER_MAKE = frozenset({"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"})


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a space in its name, and in it what ``make setup`` reads."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / "python").write_text(PYTHON)
    (folder / "python").chmod(0o755)
    return folder


def _setup(
    checkout: Path, *words: str, path: str | None = None
) -> subprocess.CompletedProcess[str]:
    # the make that runs the tests is not the one that is tested
    outside = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_MAKE}
    return subprocess.run(
        [shutil.which("make") or "make", "setup", "SYSTEM_BIN=system", *words],
        cwd=checkout,
        env={**outside, "PATH": path or os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_setup_that_failed_once_succeeds_when_the_cause_is_gone(checkout: Path) -> None:
    python = f"PYTHON={checkout / 'python'}"
    (checkout / "PIP").write_text("1")
    assert _setup(checkout, python).returncode != 0
    (checkout / "PIP").write_text("0")
    again = _setup(checkout, python)
    assert (again.returncode, again.stderr) == (0, "")
    assert _setup(checkout, python).stdout.strip().endswith("Nothing to be done for 'setup'.")


def test_the_systems_python_is_taken_before_others_of_the_path(
    checkout: Path, tmp_path: Path
) -> None:
    """It was built with profile-guided optimization, which others mostly were not."""
    for folder in (checkout / "system", tmp_path / "tools"):
        folder.mkdir()
        shutil.copy(checkout / "python", folder / "python3.11")
    system = checkout / "system" / "python3.11"
    system.write_text(PYTHON.replace("Python 3.11.0", "the system's Python"))
    (checkout / "PIP").write_text("0")
    path = f"{tmp_path / 'tools'}{os.pathsep}{os.environ['PATH']}"
    made = _setup(checkout, path=path)
    assert (made.returncode, made.stderr) == (0, "")
    assert "the system's Python" in made.stdout
    system.unlink()
    shutil.rmtree(checkout / ".venv")
    assert "Python 3.11.0" in _setup(checkout, path=path).stdout


def test_a_python_without_ensurepip_is_passed_over_and_named(
    checkout: Path, tmp_path: Path
) -> None:
    """As Debian's is until python3-venv is installed: it has ``venv``, which fails."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "awk", "touch", "test"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    bare = tools / "python3"
    bare.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\n')
    bare.chmod(0o755)
    refused = _setup(checkout, path=str(tools))
    assert refused.returncode != 0
    assert "apt install python3-venv" in refused.stderr
    assert not (checkout / ".venv").exists()
