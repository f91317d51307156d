"""What the board gathers for one transaction: a bounded time and number, and what was read is
written whenever it is asked to stop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from baton.contracts.intake import LeadMerge
from baton.contracts.public_record import PublicRecord
from baton.contracts.topic_names import LEADS_MERGES
from services.insights.projection import projector as module
from services.insights.projection.board_stores import BoardFiles
from services.insights.projection.dialect import reader
from services.insights.projection.projection_store import Place
from services.insights.projection.projector import Projector, ProjectorState

MERGE = LeadMerge(merge_id="m", loser="a", survivor="b", cause_id="c", occurred_at_ms=5)
RECORD = PublicRecord(
    topic=LEADS_MERGES, partition=0, offset=0, id="f", key="a", value=MERGE, at_ms=6
)


class Log:
    """A log of one record; it asks the projector to stop while that is read."""

    caught_up = True
    projector: Projector
    asked: list[tuple[int, float]]

    def __init__(self, *_: Any) -> None:
        pass

    def places(self, known: Mapping[tuple[str, int], Place]) -> list[Place]:
        return [*known.values()] or [Place(topic=LEADS_MERGES, partition=0, next_offset=0)]

    def assign(self, _: object) -> None:
        pass

    def take(
        self, at_most: int, wait_s: float
    ) -> tuple[list[PublicRecord], dict[tuple[str, int], int]]:
        self.asked.append((at_most, wait_s))
        self.projector.end()
        return [RECORD], {(LEADS_MERGES, 0): 1}

    def close(self) -> None:
        pass


def test_what_was_read_when_it_is_asked_to_stop_is_written_with_its_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = BoardFiles(tmp_path)
    projector = Projector({}, "lab", files)
    monkeypatch.setattr(Log, "projector", projector, raising=False)
    monkeypatch.setattr(Log, "asked", [], raising=False)
    monkeypatch.setattr(module, "BoardLog", Log)
    projector.run()
    place = files.current()
    assert place is not None
    db = reader(place)
    assert list(db.execute("SELECT loser, survivor FROM merged")) == [("a", "b")]
    assert list(db.execute("SELECT topic, next_offset FROM position")) == [(LEADS_MERGES, 1)]
    assert projector.standing.state is ProjectorState.LIVE
    assert Log.asked == [(2_000, 0.5)]
