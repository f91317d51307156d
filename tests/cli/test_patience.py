"""Long work is never silent for more than two seconds, on standard error, and its output is left
alone."""

import io
import time

from rich.console import Console

from baton.cli.patience import patience


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
