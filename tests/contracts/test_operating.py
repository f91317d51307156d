"""docs/OPERATING.md says what the settings, the catalogue of metrics and the catalogue of topics
say; and the check can fail."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest
from pydantic_settings import BaseSettings

from baton.cli.main import COMMANDS
from baton.contracts.topics import TOPICS
from tests.tool_modules import tool_module

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "OPERATING.md").read_text()


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return tool_module("operating")


def test_the_tables_are_those_of_now(tool: ModuleType) -> None:
    assert tool.with_tables(TEXT) == TEXT


@pytest.mark.parametrize(
    "row",
    ["| `BATON_GATHER_MS` | `10`", "| `baton_lag_seconds` | gauge", "| `router` | `dispatch`"],
)
def test_a_row_that_was_changed_by_hand_is_found(tool: ModuleType, row: str) -> None:
    changed = TEXT.replace(row, f"{row}0")
    assert changed != TEXT
    assert tool.with_tables(changed) == TEXT


def test_every_class_of_settings_is_listed(tool: ModuleType) -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in ("baton", "services")
        for path in (ROOT / package).rglob("*.py")
        if "(BaseSettings)" in path.read_text()
    ]
    found = {
        member
        for name in modules
        for member in vars(importlib.import_module(name)).values()
        if isinstance(member, type) and issubclass(member, BaseSettings) and member.model_fields
    }
    assert found == {model for _, model in tool.SETTINGS}


def test_every_setting_says_what_it_does(tool: ModuleType) -> None:
    for _, model in tool.SETTINGS:
        assert all(field.description for field in model.model_fields.values())


def test_the_commands_and_topics_in_the_text_exist() -> None:
    commands = set(re.findall(r"^(?:export .*\n)?baton ([a-z]+)", TEXT, re.MULTILINE)) | set(
        re.findall(r"`baton ([a-z]+)", TEXT)
    )
    topics = set(
        re.findall(r"`((?:leads|intake|router|scorer|baton|dlq|goals|sla)\.[a-z.-]+\.v1)`", TEXT)
    )
    assert commands - {name for name, *_ in COMMANDS} == set()
    assert topics - set(TOPICS) == set()
    assert len(commands) > 8
    assert len(topics) > 20
