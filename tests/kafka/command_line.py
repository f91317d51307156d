"""The command line as a test uses it against a running Baton, in this process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from baton.cli import main


class Line:
    """The command line, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code and what was printed."""
        self._capsys.readouterr()
        code: Any = 0
        try:
            main.app(words)
        except SystemExit as left:
            code = left.code or 0
        said = self._capsys.readouterr()
        return int(code), said.out + said.err

    def documents(self, *words: str) -> list[dict[str, Any]]:
        """What was printed, as JSON lines; the command must have been right."""
        code, said = self.run(*words)
        assert code == 0, said
        return [json.loads(text) for text in said.splitlines() if text.startswith("{")]

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for it."""
        deadline = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < deadline, "it never came to pass"
            time.sleep(0.3)
