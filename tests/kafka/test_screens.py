"""What people ask of a running Baton, asked of a real one: every screen answers, and acts by
command are done or refused within seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from baton.local.up.preparing import example_agreement
from baton.local.up.system import System
from tests.kafka.command_line import Line

FIRST = Path(example_agreement()).with_name("first.yaml")
pytestmark = [pytest.mark.kafka, pytest.mark.slow]

LiveSystem = Callable[[Path], AbstractContextManager[System]]

EVENT = {
    "source": "web",
    "kind": "engagement",
    "engagement": {"act": "demo_request"},
    "profile": {"country": "DE", "employees": 300, "role": "VP"},
    "person": {"phone": "+49 30 1234567"},
}


def test_every_screen_answers_on_a_running_baton_and_acts_are_done_or_refused(
    live_system: LiveSystem, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    baton = Line(capsys)
    lead = tmp_path / "lead.json"
    with live_system(FIRST):
        people = {one["person"]: one for one in baton.documents("people", "list", "--json")}
        assert people["ae-greta"]["state"] == "there"

        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        own = {"id": "1", "identifiers": {"email": "ann@acme.example"}, "occurred_at": now}
        lead.write_text(json.dumps(EVENT | own) + "\n")
        (foretold,) = baton.documents("route", str(lead), "--dry-run", "--json")
        assert (foretold["outcome"], foretold["pool"]) == ("routed", "sales")

        assert baton.run("send", str(lead), "--via", "kafka", "--source", "web")[0] == 0

        def sales() -> dict[str, Any]:
            return baton.documents("pools", "--pool", "sales", "--json")[0]

        baton.until(lambda: sales()["offered"] == 1)
        holder = next(m["person"] for m in sales()["members"] if m["offered"])
        assert foretold["owner"] == holder
        other = ({"ae-greta", "ae-hugo"} - {holder}).pop()

        code, said = baton.run("lead", "accept", "ann@acme.example", "--by", other)
        assert (code, "refused" in said) == (1, True), said
        code, said = baton.run("lead", "accept", "ann@acme.example", "--by", holder)
        assert (code, said) == (0, "done: the lead is at sal\n")
        words = ("lead", "pass-on", "ann@acme.example", "--by", holder, "--to", other)
        code, said = baton.run(*words)
        assert (code, said) == (0, f"done: {other} has it, in sales\n")

        baton.until(lambda: bool(baton.documents("clocks", "--person", other, "--json")))
        of_board = baton.documents("clocks", "--json")
        of_log = baton.documents("clocks", "--from-log", "--json")
        names = [{row["clock_id"] for row in rows} for rows in (of_board, of_log)]
        assert names[0] == names[1]

        capacity = baton.documents("people", "capacity", other, "--json")[0]
        assert capacity["offered"] + capacity["accepted"] == 1
        goals = {row["goal"]: row["achieved"] for row in baton.documents("goals", "--json")}
        assert goals["mqls"] == 1
        log_goals = baton.documents("goals", "--from-log", "--json")
        assert {row["goal"]: row["achieved"] for row in log_goals} == goals

        (tried,) = baton.documents("backtest", str(FIRST), "--since", "1d", "--json")
        check = tried["replay_check"]
        assert (check["compared"], check["agree"], check["pools"]) == (1, 1, 1), check
        assert tried["comparison"]["cells"]["both"] == 1
        assert tried["comparison"]["shift"]["same"] == 1

        away = ("people", "away", holder, "--from", "2026-01-01", "--until", "2035-01-01")
        assert baton.run(*away)[0] == 0
        baton.until(
            lambda: (
                baton.documents("people", "list", "--pool", "sales", "--json")[0]["state"] == "away"
                or baton.documents("people", "list", "--pool", "sales", "--json")[1]["state"]
                == "away"
            )
        )
        code, said = baton.run("people", "back", holder)
        assert (code, "is back" in said) == (0, True), said
        code, said = baton.run("people", "back", other)
        assert (code, "is not away" in said) == (1, True), said
        for words in (("pools",), ("clocks",), ("goals",), ("people", "list")):
            code, said = baton.run(*words)
            assert (code, bool(said)) == (0, True)
