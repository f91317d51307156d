"""The benchmarks run whole: small numbers, every row, and what a row says of a target."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import QUICK, measured
from benchmarks.meter import figures_of
from benchmarks.pacing import percentiles
from benchmarks.report import Row, rows
from benchmarks.showing import markdown_of
from benchmarks.soak import growth
from benchmarks.streams import compiler

ROOT = Path(__file__).resolve().parents[2]


def run(bootstrap: str, *words: str, limit_s: float = 880.0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BATON_BOOTSTRAP": bootstrap}
    command = [sys.executable, "-m", "benchmarks", "--quick", *words]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_small_run_measures_every_row(bootstrap: str, tmp_path: Path) -> None:
    done = run(
        bootstrap,
        "--json",
        str(tmp_path / "measured.json"),
        "--markdown",
        str(tmp_path / "measured.md"),
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "measured.json").read_text())
    by_name: dict[str, Any] = {row["name"]: row for row in results["rows"]}
    assert list(by_name) == [
        row.name for row in rows(results["results"], leads=QUICK.leads, rates=QUICK.rates)
    ]
    against_java = {name for name in by_name if "streams" in name}
    without_java = against_java if compiler() is None else set()
    assert {name for name, row in by_name.items() if row["value"] is None} == without_java
    for name in without_java:
        assert "no JDK" in by_name[name]["shown"]
    targets = {name for name, row in by_name.items() if row["target"] is not None}
    assert targets == {
        "lead_to_faust",
        "empty_to_streams",
        "restore_s",
        "timer_start_us",
        "timer_stop_us",
        "timer_fire_us",
        "idle_share_50",
    }
    way = results["results"]["way_50"]["way"]
    assert way["routed"] == way["asked"] > 0
    assert results["results"]["restore"]["leads"] == QUICK.restored
    assert {"cpu", "cores", "memory_gb", "python", "kafka", "load_before"} <= results[
        "machine"
    ].keys()
    written = (tmp_path / "measured.md").read_text()
    assert all(f"| {row['label']} | {row['shown']} |" in written for row in results["rows"])


def test_a_part_that_fails_is_reported_and_not_raised() -> None:
    assert measured("core", {}) == {"failed": "KeyError: 'events'"}


def test_what_is_left_out_or_failed_has_no_value_and_meets_no_target() -> None:
    found = {
        row.name: row
        for row in rows(
            {"streams": {"left_out": "no JDK is here"}, "restore": {"failed": "it broke"}},
            leads=(10,),
            rates=(),
        )
    }
    assert (found["streams"].value, found["streams"].shown) == (None, "left out: no JDK is here")
    assert (found["empty_to_streams"].met, found["restore_s"].met) == (None, None)
    assert found["restore_s"].shown == "failed: it broke"
    assert found["loop"].shown == "left out: not asked for"


def test_a_lead_that_never_came_misses_the_target_however_quick_the_others_were() -> None:
    way = {"sent": 100, "asked": 10, "routed": 9, "p50_ms": 5, "p99_ms": 9, "sender_behind_ms": 900}
    idle = {"all": 0.02, "ingest": 0.02}
    found = {
        row.name: row
        for row in rows(
            {"way_300": {"way": way, "idle": idle, "busy": idle}}, leads=(), rates=(300,)
        )
    }
    assert (found["way_p99_ms_300"].value, found["way_p99_ms_300"].met) == (math.inf, False)
    assert (
        found["way_p99_ms_300"].shown
        == "p50 5 ms, p99 9 ms, 9 of 10 routed (not all came); the sender fell up to 900 ms behind"
    )
    assert (found["idle_share_300"].value, found["idle_share_300"].met) == (0.02, True)


def test_a_ratio_is_of_the_second_halves_and_a_target_is_met_up_to_its_value() -> None:
    figures = {"cpu_us": 12.0, "whole_cpu_us": 90.0, "per_second": 1}
    found = {
        row.name: row
        for row in rows(
            {"empty": figures, "streams": {**figures, "cpu_us": 10.0}}, leads=(), rates=()
        )
    }
    assert (found["empty_to_streams"].value, found["empty_to_streams"].met) == (1.2, True)


def test_the_lead_reducer_is_held_against_its_targets_alone_and_as_it_grows() -> None:
    def costs(us: float) -> dict[str, object]:
        return {"populations": [{"event_us": us, "bytes_a_lead": 5_000.0}]}

    results = {"leads_100000": costs(80.0), "leads_1000000": costs(92.0)}
    found = {row.name: row for row in rows(results, leads=(10_000, 100_000, 1_000_000), rates=())}
    assert (found["lead_us_100000"].met, found["lead_us_1000000"].met) == (False, None)
    assert (found["lead_growth"].value, found["lead_growth"].met) == (1.15, True)
    del results["leads_1000000"]
    found = {row.name: row for row in rows(results, leads=(100_000, 1_000_000), rates=())}
    assert (found["lead_growth"].value, found["lead_growth"].shown) == (
        None,
        "left out: not asked for",
    )
    assert "lead_growth" not in {row.name for row in rows(results, leads=(100_000,), rates=())}


def test_the_meter_separates_the_second_half_from_the_whole() -> None:
    marks = [(0, 1.0, 0.0), (50, 1.5, 1.0), (100, 1.6, 1.5)]
    assert figures_of(marks) == {
        "events": 100,
        "cpu_us": 2_000.0,
        "whole_cpu_us": 6_000.0,
        "per_second": 100,
        "cpu_share": 0.2,
    }


def test_a_run_that_is_over_at_its_first_look_has_one_half() -> None:
    marks = [(0, 1.0, 0.0), (100, 1.5, 1.0), (100, 1.5, 1.0)]
    assert figures_of(marks)["cpu_us"] == figures_of(marks)["whole_cpu_us"] == 5_000.0


def test_percentiles_are_of_the_delays_in_ms() -> None:
    assert percentiles([number / 1000 for number in range(1, 102)]) == {
        "p50_ms": 51,
        "p99_ms": 100,
        "longest_ms": 101,
    }
    assert percentiles([0.5])["p99_ms"] is None


def test_markdown_shows_the_verdict() -> None:
    machine = {
        "cpu": "a",
        "cores": 2,
        "memory_gb": 8,
        "system": "b",
        "python": "3",
        "kafka": "4",
        "java": "25",
        "packages": {},
        "load_before": [0.1],
    }
    row = Row(name="x", label="l", does="d", shown="2 s", value=2.0, target=1.0, unit="s")
    assert "| l | 2 s | <= 1 s | missed | d |" in markdown_of([row], machine)


def test_a_part_that_is_not_there_is_refused_with_those_that_are() -> None:
    refused = run("127.0.0.1:1", "--only", "whole_300")
    assert refused.returncode == 2
    assert "no part is named whole_300; there are codec, " in refused.stderr
    assert " way_50, " in refused.stderr


def test_what_grows_is_reported_by_the_event_over_the_second_half() -> None:
    def line(sent: int, memory: int, board: int) -> dict[str, Any]:
        return {"sent": sent, "memory": {"scorer": memory}, "files": {"board": board}}

    lines = [line(7, 0, 0), line(9, 5_000, 100), line(100, 6_000, 200), line(300, 4_000, 1_300)]
    lines.insert(1, line(8, 2_000, 40))
    assert growth(lines) == {"memory": {"scorer": -2.5}, "files": {"board": 3.0}}
    assert growth(lines[-2:]) == {"memory": {"scorer": -6.7}, "files": {"board": 3.7}}
