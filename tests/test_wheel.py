"""What is shipped: a wheel that has the schemas, the examples, the broker's lock and every module,
and nothing of the tests."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from baton import __version__

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the tree without an index, as anybody could."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return path


def _tree(folder: str, pattern: str, shipped_as: str) -> set[str]:
    root = ROOT / folder
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }
    return {f"{shipped_as}/{path}" for path in found}


def test_the_wheel_has_all_that_is_used_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
    needed = (
        _tree("baton", "*.py", "baton")
        | _tree("services", "*.py", "services")
        | _tree("schemas", "*", "baton/_schemas")
        | _tree("examples", "*", "baton/_examples")
        | {"baton/local/broker/artifacts.lock"}
    )
    assert sorted(needed - names) == []
    assert {name.split("/")[0] for name in names} == {"baton", "services"}
    assert [name for name in names if name.endswith((".pyc", ".log"))] == []


def test_the_wheel_works_by_itself(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path)
    program = (
        "import baton; from baton.contracts.schemas import schema_root, shelf; from baton.cli.main "
        "import app;"
        "print(baton.__file__, schema_root(), bool(shelf())); app(['--version'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [
        str(tmp_path / "baton/__init__.py"),
        str(tmp_path / "baton/_schemas"),
        "True",
        __version__,
    ]
