"""The changelog of the example agreement is the backtest of its changes, as the command writes it
now; and nobody reads in it what cannot be known."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.tool_modules import tool_module


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return tool_module("agreement_changelog")


def test_the_changelog_is_the_backtest_of_now(tool: ModuleType) -> None:
    written = tool.CHANGELOG.read_text(encoding="utf-8")
    assert tool.changelog() == written
    assert "the replay gives all" in written, "it was held against a history with people in it"
    assert "not evaluable" in written
    assert "would have won" not in written


def test_a_change_that_is_not_in_the_agreement_is_refused(tool: ModuleType) -> None:
    entries = [{"day": "2027-01-04", "why": "x", "now": "not there", "before": "y"}]
    with pytest.raises(SystemExit, match='"not there" must stand once'):
        list(tool.steps_of("agreement: 1\n", entries))
