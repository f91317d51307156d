"""docs/TABLES.md says what can be exported, column by column, and the check of that can fail."""

from pathlib import Path
from types import ModuleType

import pytest

from services.insights.exporting import EXPORTABLE
from services.insights.facts.tables import TABLES
from tests.tool_modules import tool_module

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tool() -> ModuleType:
    return tool_module("board_tables")


def test_the_page_is_that_of_the_code_and_another_one_is_found(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["board_tables.py", "--check"])
    assert tool.main() == 0
    changed = tmp_path / "TABLES.md"
    changed.write_text(tool.TABLES_MD.read_text().replace("| `lead_id` |", "| `lead` |", 1))
    monkeypatch.setattr(tool, "TABLES_MD", changed)
    assert tool.main() == 1


def test_every_column_that_leaves_is_described(tool: ModuleType) -> None:
    text = tool.text()
    for name in EXPORTABLE:
        section = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")] == [
            column.name for column in TABLES[name].columns
        ]
        assert all(column.says.strip() for column in TABLES[name].columns)
