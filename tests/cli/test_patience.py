"""Long work does not begin silently, on standard error, and its output is left alone."""

import io
import time
from types import SimpleNamespace

import pytest
from rich.console import Console

from baton.cli.patience import Patience, patience


def test_what_goes_on_is_said_when_nothing_else_is_and_not_before() -> None:
    out = io.StringIO()
    with patience(
        Console(file=out, width=200), "reading x ...", silent_s=0.2, again_s=0.2
    ) as waiting:
        for _ in range(6):
            time.sleep(0.05)
            waiting.said()
        assert out.getvalue() == ""
        time.sleep(0.5)
        assert out.getvalue().startswith("reading x ...\n")
        waiting.doing("x: 3 of 9")
        time.sleep(0.4)
    lines = out.getvalue().splitlines()
    assert lines[-1] == "x: 3 of 9"
    time.sleep(0.3)
    assert out.getvalue().splitlines() == lines


def test_off_a_terminal_no_line_is_repeated_and_lines_become_fewer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = io.StringIO()
    doing = Patience(Console(file=out, width=200), "reading x ...", None, silent_s=2, again_s=2)
    now = time.monotonic()
    began = now
    monkeypatch.setattr("baton.cli.patience.time.monotonic", lambda: now)

    def wait(_: float) -> bool:
        nonlocal now
        now += 0.2
        if now - began > 40:
            doing.doing("sorting")
        return now - began > 130

    monkeypatch.setattr(doing, "_ended", SimpleNamespace(wait=wait))
    doing.watch()
    lines = out.getvalue().splitlines()
    assert lines[0] == "reading x ..."
    assert len(set(lines)) == len(lines) == 7
    assert [line.partition(" (")[0] for line in lines] == ["reading x ..."] * 5 + ["sorting"] * 2


def test_a_terminal_gets_a_moving_line_that_goes_away() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True)
    with patience(console, "reading x ...", silent_s=0.1) as waiting:
        time.sleep(0.3)
        waiting.hide()
        shown = out.getvalue()
        assert "reading x ..." in shown
        time.sleep(0.3)
        assert out.getvalue() == shown
