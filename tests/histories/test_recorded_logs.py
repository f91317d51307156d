"""Logs that an earlier build wrote are followed by this one to the same facts."""

from pathlib import Path

import pytest

from baton.agreement.compiled.recycling import Recycling
from tests.histories.recorded_logs import RecordedLog, differences, files


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_this_build_decides_as_the_one_that_wrote_the_log(file: Path) -> None:
    assert differences(RecordedLog(file)) == []


def test_a_changed_decision_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    agreed = Recycling.cool_off_until
    monkeypatch.setattr(
        Recycling, "cool_off_until", lambda self, reason, now: agreed(self, reason, now) + 1
    )
    found = [difference for file in files() for difference in differences(RecordedLog(file))]
    assert any(path.startswith("decided now: leads.recycled.v1") for path in found)
    assert any(path.startswith("not decided any more: leads.recycled.v1") for path in found)
