"""``baton audit`` over the log of a run in memory: what it says, to people and to scripts, and how
it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from baton.cli import audit as command
from baton.cli.main import build
from baton.contracts.codec import codec_for
from baton.contracts.intake import IntakeRecord
from baton.engine.memory import MemoryLog
from baton.proof.audit.source import MemorySource
from baton.settings import load_settings
from tests.simulation.scheduler import agreement, play
from tests.simulation.test_audit import _wrong_sum

SEED = 0


class Source(MemorySource):
    """The log in memory in the place of a cluster."""

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def log() -> MemoryLog:
    return play(SEED, *agreement()).host.log


@pytest.fixture
def audit(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("BATON_BOOTSTRAP", "nowhere:9092")
    monkeypatch.setenv("COLUMNS", "200")
    load_settings.cache_clear()
    monkeypatch.setattr(command, "KafkaSource", lambda client, namespace: Source(log))
    return lambda *arguments: CliRunner().invoke(build(), ["audit", *arguments])


def _event_ids(log: MemoryLog) -> list[str]:
    topic = "intake.keyed.v1"
    return [
        codec_for(IntakeRecord).decode(record.value or b"").event_id
        for number in range(log.partitions_of(topic))
        for record in log.records(topic, number)
    ]


def test_a_sound_log_ends_with_0_and_says_what_was_looked_at(audit: Callable[..., Result]) -> None:
    result = audit()
    assert result.exit_code == 0, result.output
    assert "score-is-what-was-accepted" in result.stdout
    assert "batches computed again" in result.stdout


def test_a_ledger_is_held_against_the_log(
    audit: Callable[..., Result], log: MemoryLog, tmp_path: Path
) -> None:
    ledger = tmp_path / "sent.txt"
    ledger.write_text("\n".join(_event_ids(log)) + "\n\n")
    assert audit("--ledger", str(ledger), "--no-recompute").exit_code == 0
    other = tmp_path / "more.txt"
    other.write_text("0" * 32 + "\n")
    result = audit("--ledger", str(ledger), "--ledger", str(other), "--json", "--no-recompute")
    reported = json.loads(result.stdout)
    assert (result.exit_code, reported["sound"], reported["broken"]) == (
        1,
        False,
        {"acknowledged": 1},
    )
    assert reported["unchecked"] == ["tasks were not computed again, as asked"]
    (finding,) = reported["findings"]
    assert finding["place"] is None
    assert "0" * 32 in finding["words"]


def test_a_finding_names_its_place_and_is_left_out_if_it_is_older(
    audit: Callable[..., Result], log: MemoryLog
) -> None:
    place = _wrong_sum(log)
    reported = json.loads(audit("--json", "--no-recompute").stdout)
    assert reported["broken"] == {"score-is-its-explanation": 1}
    assert {row["place"] for row in reported["findings"]} == {place}
    assert audit("--since", "2099-01-01T00:00:00Z", "--no-recompute").exit_code == 0
