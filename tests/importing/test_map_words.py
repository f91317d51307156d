"""``--map``: a field that is misspelt is refused with the one that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from baton.cli.import_ import app
from baton.importing.columns import (
    ENGAGEMENT,
    IDENTIFIERS,
    PERSON,
    PLAIN,
    PROFILE,
    MapWrong,
    likely_meant,
    read_wishes,
)
from baton.importing.mappings import load_mapping


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("ocurred_at", "occurred_at"),
        ("occured_at", "occurred_at"),
        ("emial", "email"),
        ("cuontry", "country"),
        ("fist_name", "first_name"),
        ("employes", "employees"),
        ("content_titel", "content_title"),
        # A field of the agreement's own, however near it comes.
        ("profile.ocurred_at", None),
        ("favourite_colour", None),
        ("company_id", None),
        ("sub_industry", None),
        ("tier", None),
        ("crm:hubspot", None),
        ("consent_at:marketing/email", None),
        ("-", None),
        *((field, None) for field in (*IDENTIFIERS, *PERSON, *PROFILE, *ENGAGEMENT, *PLAIN)),
    ],
)
def test_a_misspelt_field_is_the_one_that_was_meant(field: str, meant: str | None) -> None:
    assert likely_meant(field) == meant


def test_a_misspelt_field_is_refused_with_the_one_that_was_meant_and_the_way_round() -> None:
    with pytest.raises(MapWrong) as wrong:
        read_wishes(["signup date=ocurred_at"])
    assert str(wrong.value) == (
        "--map 'signup date=ocurred_at': there is no field 'ocurred_at'; did you mean occurred_at? "
        "A profile field of that name is profile.ocurred_at"
    )
    wishes = read_wishes(["signup date=profile.ocurred_at", "size=company_size"])
    assert wishes == {"signup date": "profile.ocurred_at", "size": "company_size"}


def test_the_command_refuses_a_misspelt_field() -> None:
    run = CliRunner().invoke
    words = ["-", "--dry-run", "--map", "signup date=ocurred_at"]
    result = run(app, words, input="email,signup date\nann@acme.example,2026-01-05\n")
    assert (result.exit_code, "occurred_at?" in result.stderr) == (2, True)


def test_a_saved_mapping_with_a_misspelt_field_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mapping.json"
    file.write_text('{"columns": {"signup date": "ocurred_at"}}')
    with pytest.raises(MapWrong, match="did you mean occurred_at"):
        load_mapping(file)
