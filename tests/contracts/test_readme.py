"""The README says what the catalogue says, and the check of that can fail."""

from pathlib import Path
from types import ModuleType

import pytest

from tests.tool_modules import tool_module

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tool() -> ModuleType:
    return tool_module("readme")


def test_the_topics_table_is_the_catalogue(tool: ModuleType) -> None:
    text = (ROOT / "README.md").read_text()
    assert text == tool.with_table(text)


def test_a_row_that_was_changed_by_hand_is_found(tool: ModuleType) -> None:
    text = (ROOT / "README.md").read_text()
    changed = text.replace("| `leads.acts.v1` |", "| `leads.actions.v1` |")
    assert changed != text
    assert tool.with_table(changed) != changed


@pytest.mark.parametrize("name", ["publish.py", "subscribe.py"])
def test_the_programs_in_the_readme_are_the_ones_that_run(name: str) -> None:
    assert (
        f"```python\n{(ROOT / 'examples' / name).read_text()}```"
        in (ROOT / "README.md").read_text()
    )
