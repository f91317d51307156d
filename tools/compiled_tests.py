"""``make test-compiled``: the compiled wheel, built and installed in an environment of its own, and
the tests that its modules matter to, run against it.

The tests are copied to a folder without ``baton`` and ``services``, so that what they import is the
wheel's. Libraries are those of the environment that runs this. Exit code: that of the first step
that failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
COPIED: Final = ("tests", "tools", "benchmarks", "schemas", "examples", "docs")
TESTS: Final = (
    "tests/contracts/test_compiled_codec.py",
    "tests/contracts/test_avro_numbers.py",
    "tests/contracts/test_contracts.py",
    "tests/engine",
    "tests/histories",
    "tests/services/ingest/identify",
    "tests/services/router",
    "tests/services/scorer",
    "tests/services/sla_watcher",
)
"""The codec, the conformance suite in memory and on disk, recorded histories and logs, every
reducer."""
LEFT_OUT: Final = ("--ignore=tests/engine/test_one_clock.py",)
"""Tests that read the source files."""


def built(folder: Path) -> Path:
    """The compiled wheel, in a folder of its own."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"BATON_COMPILE": "1"}, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def installed(wheel: Path, folder: Path) -> Path:
    """The interpreter of an environment with the wheel, and with the libraries of this one."""
    venv.create(folder, with_pip=False, symlinks=os.name == "posix")
    where = {"base": str(folder), "platbase": str(folder)}
    libraries = Path(sysconfig.get_path("purelib", "venv", vars=where))
    shutil.unpack_archive(wheel, libraries, format="zip")
    paths = [path for path in sys.path if path.endswith("site-packages")]
    (libraries / "libraries.pth").write_text("\n".join(paths))
    return Path(sysconfig.get_path("scripts", "venv", vars=where)) / "python"


def copied(folder: Path) -> None:
    """What tests need beside the wheel."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)


def main() -> int:
    """Build, install, run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="histories of the whole flow")
    parser.add_argument("--jobs", default="2", help="tests at a time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = installed(built(folder / "wheel"), folder / "environment")
        copied(folder / "checkout")
        chosen = "not kafka and not browser and not postgres and not chaos"
        check = (
            "import baton, baton.contracts.avro_codec as codec;"
            "print('Testing', baton.__file__); raise SystemExit(not codec.IS_COMPILED)"
        )
        for arguments in (
            ("-c", check),
            ("-m", "pytest", "-q", "-n", options.jobs, "-m", chosen, *TESTS, *LEFT_OUT),
            ("-m", "tests.simulation.seeds", "--seeds", str(options.seeds)),
        ):
            done = subprocess.run([python, *arguments], cwd=folder / "checkout", check=False)
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
