"""Two writers of one file: whoever waits looks again soon, and not for ever."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from services.delivery.store.outbox_store import Store


def test_who_waits_for_another_writer_goes_on_as_soon_as_that_one_has_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Store(tmp_path, "baton"), Store(tmp_path, "baton")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 20:
            first.db.execute("COMMIT")

    monkeypatch.setattr("time.sleep", sleep)
    first.db.execute("BEGIN IMMEDIATE")
    with second.transaction():
        pass
    assert slept == [0.002] * 20, "SQLite's own timeout would look again after a tenth of a second"


def test_who_waits_for_a_writer_that_does_not_end_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Store(tmp_path, "baton"), Store(tmp_path, "baton")
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    first.db.execute("BEGIN IMMEDIATE")
    with pytest.raises(apsw.BusyError), second.transaction():
        pass
    assert sum(slept) == pytest.approx(10, abs=0.01)
