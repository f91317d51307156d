"""Who saw what, who did what, and what left the board, is written down; no name of a lead is."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from baton.contracts.public_record import PublicRecord
from baton.settings import Settings
from services.insights import commandline
from services.insights.departures import FILE
from services.insights.exporting import NotExportable
from services.insights.projection.dialect import reader
from tests.services.insights.boards import OneStore, board_with

Company = tuple[tuple[PublicRecord, ...], int]


def audited(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    kept = ("page", "who", "act")
    return [
        {"said": record.message, **{k: v for k, v in vars(record).items() if k in kept}}
        for record in caplog.records
        if record.name == "services.insights.audit"
    ]


def test_every_view_says_what_was_seen_and_who_saw_it(
    store_file: Path, company: Company, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    board = board_with(store_file, tmp_path / "board", company[1])
    ((lead,),) = reader(store_file).execute(
        "SELECT lead_id FROM lead WHERE holder_kind = 'person' LIMIT 1"
    )
    with caplog.at_level(logging.INFO, "services.insights.audit"):
        board.visitor("ae-greta").get("/sla")
        board.visitor().get(f"/leads/{lead}")
    assert [(line["said"], line["page"], line["who"]) for line in audited(caplog)][:1] == [
        ("viewed", "SLA", "ae-greta")
    ]
    assert audited(caplog)[1]["who"] == "link"
    names = reader(store_file).execute("SELECT last_name FROM person WHERE last_name <> ''")
    written = " ".join(str(vars(record)) for record in caplog.records)
    assert not [name for (name,) in names if name in written]


@pytest.fixture
def files(store_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OneStore:
    found = OneStore(tmp_path / "board", store_file)
    monkeypatch.setattr(commandline, "files_of", lambda _: found)
    return found


def lines(files: OneStore) -> list[dict[str, Any]]:
    path = files.folder / FILE
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_exports_and_copies_are_written_down_before_anything_leaves(
    files: OneStore, tmp_path: Path
) -> None:
    class Broken(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    settings = Settings()
    commandline.export_csv(settings, "touch", 5, io.StringIO())
    with pytest.raises(BrokenPipeError):
        commandline.export_csv(settings, "act", None, Broken())
    commandline.backup(settings, tmp_path / "copy.sqlite")
    found = [(line["kind"], line["what"], line.get("since_ms")) for line in lines(files)]
    assert found == [
        ("export", "touch", 5),
        ("export", "act", None),
        ("backup", "copy.sqlite", None),
    ]
    assert all(line["by"] and line["at"] for line in lines(files))
    assert (files.folder / FILE).stat().st_mode & 0o777 == 0o600


def test_what_may_not_leave_is_no_departure(files: OneStore) -> None:
    with pytest.raises(NotExportable):
        commandline.export_csv(Settings(), "person", None, io.StringIO())
    assert lines(files) == []
