"""Lists that a spreadsheet has saved from one column: no name or country of theirs is lost."""

from __future__ import annotations

import io
import json
from typing import Any

import openpyxl
import pytest

from baton.importing.list_tables import FileTerms
from baton.importing.lists import open_list
from baton.importing.sending import Note, Numbered, Trouble
from baton.importing.terms import ImportTerms

ANN = ("ann@acme.example", "Ann", "DE")
BOB = ("bob@acme.example", "Bob", "FR")


def read(content: bytes) -> tuple[list[tuple[Any, ...]], list[tuple[int, str]], list[str]]:
    """Who was read (address, first name, country), what was reported, and the remarks."""
    people = open_list(
        io.BytesIO(content),
        ImportTerms(source="import", at_ms=1_772_445_600_000),
        file=FileTerms(),
        wishes={},
    )
    found, reported = [], []
    for line in people.lines():
        if isinstance(line, Trouble) and not isinstance(line, Note):
            reported.append((line.number, str(line.problem)))
        elif isinstance(line, Numbered):
            event = json.loads(line.raw)
            person, profile = event.get("person", {}), event.get("profile", {})
            address = event["identifiers"]["email"]
            found.append((address, person.get("first_name"), profile.get("country")))
    return found, reported, list(people.remarks)


def of_one_column(rows: list[str]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([row])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


FILES = {
    "every row": (
        b'"email,name,country"\n"ann@acme.example,""Ann"",DE"\n"bob@acme.example,Bob,FR"\n'
    ),
    "every row, of semicolons": (
        b'"email;name;country"\n"ann@acme.example;""Ann"";DE"\n"bob@acme.example;Bob;FR"\n'
    ),
    "every row, with a column behind it": (
        b'"email,name,country";\r\n"ann@acme.example,""Ann"",DE";\r\n"bob@acme.example,Bob,FR";\r\n'
    ),
    "the header too, since it has quotation marks": (
        b'"email,""name"",country"\nann@acme.example,Ann,DE\nbob@acme.example,Bob,FR\n'
    ),
    "only rows with quotation marks": (
        b'email,name,country\n"ann@acme.example,""Ann"",DE"\nbob@acme.example,Bob,FR\n'
    ),
    "below a title": (
        b'Leads of March\n"email,name,country"\n"ann@acme.example,""Ann"",DE"\n'
        b'"bob@acme.example,Bob,FR"\n'
    ),
    "a workbook": of_one_column(
        ["email;name;country", 'ann@acme.example;"Ann";DE', "bob@acme.example;Bob;FR"]
    ),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_row_that_stands_whole_in_one_cell_is_read_as_the_row_it_was(content: bytes) -> None:
    found, reported, _ = read(content)
    assert (found, reported) == ([ANN, BOB], [])


def test_that_rows_stand_in_one_cell_is_said() -> None:
    *_, remarks = read(FILES["every row"])
    assert remarks == ["the rows stand in one cell, as a list saved from one column: read as rows"]


def test_a_row_in_one_cell_that_has_other_columns_than_the_header_is_reported() -> None:
    rows = b'"ann@acme.example,Berg, Ann,DE"\nbob@acme.example,Bob,FR\n'
    found, reported, _ = read(b"email,name,country\n" + rows)
    assert found == [BOB]
    assert reported == [(2, "stands in one cell, which has 4 columns, the header 3")]


@pytest.mark.parametrize(
    ("content", "whom"),
    [
        (b'email,name\n"ann@acme.example,bob@acme.example"\ncid@acme.example,Cid\n', 2),
        (b'company,email\n"Acme, Inc.",ann@acme.example\n', 1),
        (b'email,note\nann@acme.example,"a,b"\n', 1),
        (b"email\nann@acme.example\nbob@acme.example\n", 2),
        (b'email,name,country\n"ann@acme.example",,\n', 1),
    ],
    ids=[
        "several addresses of one person",
        "a comma in a name of a company",
        "a comma in the last cell",
        "a list of one column",
        "a row of which only the address is known",
    ],
)
def test_a_delimiter_inside_a_cell_does_not_make_it_a_row(content: bytes, whom: int) -> None:
    found, reported, _ = read(content)
    assert len(found) == whom
    assert found[0][0] == "ann@acme.example"
    assert reported == []
