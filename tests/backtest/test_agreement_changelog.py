"""The changelog of the example agreement is the backtest of its changes, as the command writes it
now; and nobody reads in it what cannot be known."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "agreement_changelog.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("agreement_changelog_tool", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


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
