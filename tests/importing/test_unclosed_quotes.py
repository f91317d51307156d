"""A quotation mark that opens and never closes: reported at its line, with the lines that were not
read."""

from __future__ import annotations

import io
import json

import pytest
from typer.testing import CliRunner

from baton.cli.import_ import app
from baton.importing.dry_run import Rehearsal, rehearse
from baton.importing.list_tables import FileTerms, FileWrong
from baton.importing.lists import open_list
from baton.importing.terms import ImportTerms

HEADER = "email,note,country\n"
WAY_OUT = "not read; close it, or write it twice where it belongs to the text of a quoted cell"


def rehearsed(content: str) -> Rehearsal:
    terms = ImportTerms(source="import", at_ms=1_772_445_600_000)
    return rehearse(open_list(io.BytesIO(content.encode()), terms, file=FileTerms(), wishes={}))


@pytest.mark.parametrize(
    ("rows", "line", "lost", "taken"),
    [
        (
            'ann@acme.example,"the rack,DE\nbob@acme.example,x,DE\ncid@acme.example,y,DE\n',
            2,
            "lines 2 to 4 were",
            0,
        ),
        ('ann@acme.example,x,DE\nbob@acme.example,"y,DE', 3, "line 3 was", 1),
        ('ann@acme.example,x,DE\r\nbob@acme.example,y,"DE\r\n', 3, "line 3 was", 1),
        # The mark stands in the second line of its row: after a note of two lines.
        (
            'ann@acme.example,"two\nlines","DE\nbob@acme.example,x,DE\n',
            3,
            "lines 2 to 4 were",
            0,
        ),
        (
            "".join(f"p{n}@acme.example,{chr(34) * (n == 5)}x,DE\n" for n in range(600)),
            7,
            "lines 7 to 601 were",
            5,
        ),
    ],
)
def test_a_quotation_mark_that_never_closes_is_a_problem_at_its_line_with_the_lines_it_swallowed(
    rows: str, line: int, lost: str, taken: int
) -> None:
    found = rehearsed(HEADER + rows)
    reason = f"has a quotation mark that opens and never closes: {lost} {WAY_OUT}"
    assert [(trouble.number, trouble.problem.reason) for trouble in found.troubles] == [
        (line, reason)
    ]
    assert found.understood == taken


def test_a_cell_that_outgrows_the_limit_is_reported_with_the_lines_it_swallowed() -> None:
    swallowed = "".join(f"p{n}@acme.example,{'x' * 2_000},DE\n" for n in range(20))
    found = rehearsed(HEADER + 'ann@acme.example,"the rack,DE\n' + swallowed)
    assert [trouble.number for trouble in found.troubles] == [2]
    assert found.troubles[0].problem.reason.endswith("not closed? lines 2 to 19 were not read")
    assert found.understood == 3  # lines 20 to 22


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_quoted_last_cell_that_closes_is_read_whatever_the_end_of_the_file(end: str) -> None:
    found = rehearsed(HEADER + 'ann@acme.example,x,"DE"\nbob@acme.example,"two\nlines","DE"' + end)
    assert (found.understood, found.troubles) == (2, [])


def test_a_header_whose_quotation_mark_never_closes_is_refused_with_its_line() -> None:
    with pytest.raises(FileWrong, match="no header line: line 1 has a quotation mark that opens"):
        rehearsed('email,"note,country\nann@acme.example,x,DE\n')


def test_a_dry_run_with_a_quotation_mark_that_never_closes_fails_and_names_the_line() -> None:
    content = HEADER + 'ann@acme.example,"the rack,DE\nbob@acme.example,x,DE\n'
    result = CliRunner().invoke(app, ["-", "--dry-run", "--json"], input=content)
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["understood"], [error["line"] for error in document["errors"]]) == (0, [2])
