"""The mutants of ``make mutants`` fit the code as it is now: one that does not apply would be
played by nobody, and no rule would be guarded by it."""

import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "tools" / "mutants"
PATCHES = sorted((HERE / "patches").glob("*.patch"))
MANIFEST = YAML(typ="safe", pure=True).load((HERE / "mutants.yaml").read_text(encoding="utf-8"))


def applies(patch: Path) -> str:
    """Empty where the patch can be applied to the working tree, else what git says."""
    words = ["git", "apply", "--check", str(patch)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stderr


@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: path.stem)
def test_a_mutant_can_be_applied(patch: Path) -> None:
    assert applies(patch) == "", "write the patch anew: the code that it breaks has changed"


def test_a_mutant_of_former_code_is_found(tmp_path: Path) -> None:
    text = PATCHES[0].read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("-") and line[1:2] != "-")
    former = tmp_path / "former.patch"
    former.write_text(text.replace(line, f"{line}_formerly"), encoding="utf-8")
    assert "does not apply" in applies(former)


def test_each_mutant_is_listed_with_tests_that_are_there_and_in_the_table_of_the_documents() -> (
    None
):
    assert {row["name"] for row in MANIFEST} == {path.stem for path in PATCHES}
    tests = {test for row in MANIFEST for test in row["tests"]}
    assert [test for test in sorted(tests) if not (ROOT / test.split("::")[0]).exists()] == []
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [row["name"] for row in MANIFEST if f"\n| {row['name']} | " not in text] == []
