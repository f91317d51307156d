"""The clocks of all workers jump by hours, forward and back, under libfaketime: no promise is
broken early, nobody who was in time is judged late, and every breach is published.

It waits for two promises to run out, and needs libfaketime from the distribution: so it takes
minutes and is asked for, ``pytest -m chaos tests/kafka/test_clock_jumps.py``. That no clock of a
worker decides is held in every run by the tests of the engine's time and of purity."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from baton.clients import confluent_options
from baton.cluster.log import LogReader, Record
from baton.contracts.codec import codec_for
from baton.contracts.slas import SlaViolation
from baton.contracts.topic_names import LEADS_SLA_VIOLATIONS
from baton.local.up.preparing import example_agreement
from baton.local.up.system import System
from baton.settings import load_settings
from tests.kafka.command_line import Line

FIRST = Path(example_agreement()).with_name("first.yaml")
LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
WITHIN_S = 25
LiveSystem = Callable[[Path], AbstractContextManager[System]]

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(LIBRARY is None, reason="needs libfaketime (apt-get install faketime)"),
]


@pytest.fixture
def jump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets the clock of every process that is started from now on; its monotonic clock goes on."""
    offset = tmp_path / "offset"
    monkeypatch.setenv("LD_PRELOAD", str(LIBRARY))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(offset))
    monkeypatch.setenv("FAKETIME_CACHE_DURATION", "1")
    monkeypatch.setenv("DONT_FAKE_MONOTONIC", "1")

    def jump(by: str) -> None:
        offset.write_text(f"{by}\n")

    jump("+0")
    return jump


def _line(number: int) -> dict[str, Any]:
    return {
        "id": f"demo-{number}",
        "source": "web",
        "kind": "engagement",
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "identifiers": {"email": f"visitor{number}@firm{number}.example"},
        "engagement": {"act": "demo_request"},
        "profile": {"country": "DE", "employees": 300, "role": "VP"},
        "person": {"phone": f"+49 30 12345{number:02}"},
    }


def _breaches() -> list[tuple[Record, SlaViolation]]:
    settings = load_settings()
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        starts = {
            (LEADS_SLA_VIOLATIONS, number): first
            for number, (first, _) in reader.ends(LEADS_SLA_VIOLATIONS).items()
        }
        records = list(reader.read_from(starts))
    found = [
        (record, codec_for(SlaViolation).decode(record.value)) for record in records if record.value
    ]
    return [(record, said) for record, said in found if said.kind == "breach"]


@pytest.mark.timeout(600)
def test_clocks_of_workers_that_jump_by_hours_judge_nobody_early_and_nobody_wrongly(
    live_system: LiveSystem,
    jump: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    baton = Line(capsys)
    agreement = tmp_path / "quick.yaml"
    promise = "{clock: accept, queue: sales, within: 1 hour elapsed, warn: [50%]"
    text = FIRST.read_text(encoding="utf-8")
    assert promise in text
    agreement.write_text(text.replace(promise, promise.replace("1 hour", f"{WITHIN_S} seconds")))
    lines = tmp_path / "lines.jsonl"

    def demo_requests(*numbers: int) -> dict[str, dict[str, Any]]:
        """Sends them, and gives the clocks of acceptance by lead."""
        known = {row["lead_id"] for row in accepting()}
        lines.write_text("".join(json.dumps(_line(number)) + "\n" for number in numbers))
        assert baton.run("send", str(lines), "--via", "kafka", "--source", "web")[0] == 0
        baton.until(lambda: len({row["lead_id"] for row in accepting()} - known) == len(numbers))
        return {row["lead_id"]: row for row in accepting() if row["lead_id"] not in known}

    def accepting() -> list[dict[str, Any]]:
        rows = baton.documents("clocks", "--from-log", "--json")
        return [row for row in rows if row["clock"] == "accept"]

    def accept(row: dict[str, Any]) -> None:
        words = ("lead", "accept", row["lead_id"], "--by", row["owner"], "--wait", "120")
        code, said = baton.run(*words)
        assert code == 0, said

    with live_system(agreement):
        late: set[str] = set()
        for number, by in enumerate(("+5h", "-5h")):
            jump("+0")
            clocks = demo_requests(2 * number, 2 * number + 1)
            jump(by)
            in_time, idle = sorted(clocks)
            accept(clocks[in_time])
            late.add(idle)
            baton.until(lambda: {said.lead_id for _, said in _breaches()} >= late)
            jump("+0" if number else "-3h")
        time.sleep(2)
        found = _breaches()

    assert {said.lead_id for _, said in found} == late
    assert len({said.clock_id for _, said in found}) == len(found), "a promise is broken once"
    for record, said in found:
        assert said.clock == "accept"
        assert record.at_ms >= said.deadline_ms, "by the broker's clock, which did not jump"
        assert not said.unproven
