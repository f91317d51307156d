"""Help flows at the width of the terminal, and each example stands on a line of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from baton.cli import main
from baton.cli.help_text import example_lines, flowing


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("One\n    two.", "One two."),
        ("One.\n\n    Two\n    three.", "One.\n\nTwo three."),
        ("One.\n\n    - two\n    - three", "One.\n\n- two\n- three"),
        ("One.\n\n    Two:\n      three", "One.\n\nTwo:\n  three"),
    ],
)
def test_a_paragraph_has_no_line_ends_of_its_own(text: str, shown: str) -> None:
    assert flowing(text) == shown


@pytest.mark.parametrize(
    ("epilog", "shown"),
    [
        ("Example:  baton up", "Example:  baton up"),
        ("Examples:  baton up        baton up -d", "Examples:\n  baton up\n  baton up -d"),
        ("Examples:  baton up   baton down", "Examples:\n  baton up\n  baton down"),
    ],
)
def test_each_example_has_a_line(epilog: str, shown: str) -> None:
    assert example_lines(epilog) == shown


def _all(command: Any) -> Iterator[Any]:
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from _all(below)


@pytest.mark.parametrize("listed", main.COMMANDS, ids=lambda listed: listed.name)
def test_every_command_has_help_that_flows(listed: Any) -> None:
    for command in _all(main._load(listed)):
        assert command.help
        assert command.help == flowing(command.help)
        assert "        " not in (command.epilog or "")
