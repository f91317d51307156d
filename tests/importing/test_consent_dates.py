"""Several columns that date one consent: the confirmation counts, whatever the order of columns."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from baton.cli.import_ import app
from baton.importing.dry_run import Rehearsal, rehearse
from baton.importing.list_tables import FileTerms
from baton.importing.lists import open_list
from baton.importing.terms import ImportTerms

OPT_IN, CONFIRMED = "2026-01-05 10:00:00", "2026-01-07 12:30:00"


def rehearsed(content: str) -> Rehearsal:
    now_ms = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)
    terms = ImportTerms(source="import", at_ms=now_ms)
    return rehearse(open_list(io.BytesIO(content.encode()), terms, file=FileTerms(), wishes={}))


def consents(found: Rehearsal) -> list[tuple[bool, str]]:
    (row,) = found.rows
    return [
        (event["consent"]["granted"], event["occurred_at"])
        for event in row[1]
        if event["kind"] == "consent"
    ]


@pytest.mark.parametrize(
    ("columns", "cells", "moment"),
    [
        ("OPTIN_TIME,OPTIN_IP,CONFIRM_TIME", f"{OPT_IN},192.0.2.1,{CONFIRMED}", CONFIRMED),
        ("CONFIRM_TIME,OPTIN_IP,OPTIN_TIME", f"{CONFIRMED},192.0.2.1,{OPT_IN}", CONFIRMED),
        ("OPTIN_TIME,OPTIN_IP,CONFIRM_TIME", f"{OPT_IN},192.0.2.1,", OPT_IN),
        ("OPTIN_TIME,OPTIN_IP,CONFIRM_TIME", f",192.0.2.1,{CONFIRMED}", CONFIRMED),
    ],
)
def test_of_opt_in_and_confirmation_the_confirmation_dates_the_consent(
    columns: str, cells: str, moment: str
) -> None:
    found = rehearsed(f"Email Address,{columns}\nann@acme.example,{cells}\n")
    assert consents(found) == [(True, moment.replace(" ", "T") + "+00:00")]
    assert found.troubles == found.notes == []


def test_a_confirmation_that_cannot_be_read_is_noted_and_the_opt_in_dates_the_consent() -> None:
    found = rehearsed(
        "Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME\n"
        f"ann@acme.example,{OPT_IN},192.0.2.1,soon\n"
    )
    assert consents(found) == [(True, "2026-01-05T10:00:00+00:00")]
    assert [note.problem.field for note in found.notes] == ["consent_at:marketing/email"]


def test_a_saved_mapping_with_both_dates_of_a_consent_can_be_used_again(tmp_path: Path) -> None:
    file = tmp_path / "audience.csv"
    file.write_text(
        "Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME\n"
        f"ann@acme.example,{OPT_IN},192.0.2.1,{CONFIRMED}\n"
    )
    saved = str(tmp_path / "mapping.json")
    first = CliRunner().invoke(app, [str(file), "--dry-run", "--json", "--save-mapping", saved])
    again = CliRunner().invoke(app, [str(file), "--dry-run", "--json", "--mapping", saved])
    assert (first.exit_code, again.exit_code) == (0, 0)
    dates = [
        json.loads(run.stdout)["rows"][0]["events"][1]["occurred_at"] for run in (first, again)
    ]
    assert dates == ["2026-01-07T12:30:00+00:00"] * 2
