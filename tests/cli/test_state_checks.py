"""What the doctor says of the state on disk."""

from pathlib import Path

import pytest

from baton.cli import state_checks
from baton.cli.findings import Verdict
from baton.cli.state_checks import state_findings
from baton.engine.changelog import pack_head
from baton.engine.disk.state_directory import StateDirectory
from baton.engine.store import Bookmark
from baton.settings import Settings


def found() -> list[tuple[Verdict, str]]:
    return [(finding.verdict, finding.text) for finding in state_findings(Settings())]


def test_state_in_memory_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATON_STATE_DIR", raising=False)
    assert found() == []


def test_the_states_of_a_namespace_are_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BATON_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("BATON_NAMESPACE", "ours")
    for partition in range(2):
        store = StateDirectory(tmp_path / "ours", 2, 8).open("lead", partition)
        store.set_head("k", pack_head(None, 1, b"v1"))
        store.save(Bookmark(at=1, position=b"p"))
        store.close()
    verdicts, texts = zip(*found(), strict=True)
    assert set(verdicts) == {Verdict.GOOD}
    assert texts[-1] == f"0 MB of state of 2 tasks in {tmp_path / 'ours'}"


@pytest.mark.parametrize(
    ("prepare", "text"),
    [
        (lambda folder: (folder / "baton").write_text("a file"), "is no folder"),
        (lambda folder: (folder / "baton" / "mail").mkdir(parents=True), "no state of Baton: mail"),
    ],
)
def test_a_folder_that_cannot_be_used_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prepare: object, text: str
) -> None:
    monkeypatch.setenv("BATON_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("BATON_NAMESPACE", "baton")
    assert callable(prepare)
    prepare(tmp_path)
    assert any(verdict is Verdict.WRONG and text in said for verdict, said in found())


def test_a_missing_library_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BATON_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(state_checks, "find_spec", lambda name: None)
    assert any(
        verdict is Verdict.WRONG and "pip install 'baton[disk]'" in said
        for verdict, said in found()
    )
