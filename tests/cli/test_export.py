"""``baton export`` to a file: whole, or as if it had not been tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from baton.cli import export


class Failing:
    """A board whose exports break off after something was written."""

    def export_csv(self, settings: Any, table: str, since_ms: int | None, out: Any) -> int:
        out.write("half of it")
        raise RuntimeError("the board is gone")

    def export_parquet(self, settings: Any, table: str, since_ms: int | None, out: Path) -> int:
        out.write_bytes(b"half of it")
        raise RuntimeError("the board is gone")


class Whole(Failing):
    """One whose exports end."""

    def export_csv(self, settings: Any, table: str, since_ms: int | None, out: Any) -> int:
        return int(out.write("new"))

    def export_parquet(self, settings: Any, table: str, since_ms: int | None, out: Path) -> int:
        return int(out.write_bytes(b"new"))


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize(("board", "left"), [(Failing(), "of yesterday"), (Whole(), "new")])
def test_an_export_that_fails_leaves_the_file_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: Failing, left: str, form: str
) -> None:
    monkeypatch.setattr(export, "board_commands", lambda: board)
    out = tmp_path / "touches"
    out.write_text("of yesterday")
    words = ["--table", "touch", "--format", form, "--out", str(out)]
    CliRunner().invoke(export.app, words)
    assert out.read_text() == left
    assert list(tmp_path.iterdir()) == [out]
