"""Two messy exports of 2,000 rows: everything is taken, or reported by its line."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from baton.contracts.intake import IntakeRecord
from baton.importing.list_tables import FileTerms
from baton.importing.lists import PeopleList, open_list
from baton.importing.sending import Trouble
from baton.importing.terms import ImportTerms
from baton.intake.keyed_records import to_intake
from baton.intake.line_reading import LineRefused, read_line
from tests.importing.messy_exports import ROWS, Expected, Export, hubspot, salesforce

NOW = 1_772_445_600_000


def people_of(content: bytes) -> PeopleList:
    terms = ImportTerms(source="import", at_ms=NOW)
    return open_list(io.BytesIO(content), terms, file=FileTerms(), wishes={}, guess=True)


@pytest.mark.parametrize("make", [hubspot, salesforce])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_row_of_a_messy_export_is_taken_as_it_was_meant_or_reported_by_its_line(
    make: Callable[[int], Export], seed: int
) -> None:
    export = make(seed)
    taken: dict[int, list[IntakeRecord]] = {}
    reported: dict[int, str] = {}
    for row in people_of(export.content).rows():
        if isinstance(row, Trouble):
            reported[row.number] = str(row.problem)
        else:
            number, made = row
            try:
                taken[number] = [to_intake(read_line(line)) for line in made.lines]
            except LineRefused as refused:  # as the gateway answers
                reported[number] = str(refused)
    expected = {row.line: row for row in export.expected}
    assert len(expected) >= ROWS
    assert not set(taken) & set(reported)
    missing = set(expected) - set(taken) - set(reported)
    assert missing == set(), "a row is lost without a word"
    said = {line: _said(records) for line, records in taken.items()}
    meant = {line: _meant(row) for line, row in expected.items() if not row.refused}
    assert {
        line: (said.get(line), meant[line]) for line in meant if said.get(line) != meant[line]
    } == {}
    assert set(said) == set(meant)
    wrong = {
        line: (row.refused, reported.get(line))
        for line, row in expected.items()
        if row.refused and row.refused not in reported.get(line, "")
    }
    assert wrong == {}
    assert Counter(bool(row.refused) for row in expected.values())[True] > ROWS // 100


def _meant(row: Expected) -> dict[str, Any]:
    return {
        "email": row.email,
        "crm": row.crm,
        "country": row.country,
        "employees": row.employees,
        "refused": row.refusal,
    }


def _said(records: list[IntakeRecord]) -> dict[str, Any]:
    first = records[0]
    by_scheme = {identifier.scheme: identifier.value for identifier in reversed(first.identifiers)}
    return {
        "email": by_scheme.get("email"),
        "crm": by_scheme.get("crm"),
        "country": first.profile.get("country"),
        "employees": first.profile.get("employees"),
        "refused": any(record.consent and not record.consent.granted for record in records),
    }
