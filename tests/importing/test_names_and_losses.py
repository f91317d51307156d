"""Whole names with titles, and what a spreadsheet took from postcodes and telephone numbers."""

from __future__ import annotations

import io

import openpyxl
import pytest

from baton.importing.names import split_name
from baton.importing.spreadsheet_losses import NO_PLUS, ZEROS_BACK
from tests.importing.test_lists import rehearsed


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Dr. Ann Berg", "Dr. Ann", "Berg"),
        ("Dr Ann Maria Berg", "Dr Ann", "Maria Berg"),
        ("Prof. Dr. rer. nat. Ida Lund", "Prof. Dr. rer. nat. Ida", "Lund"),
        ("Herr Dipl.-Ing. Carl von Stein", "Dipl.-Ing. Carl", "von Stein"),
        ("Müller, Prof. Dr. Bert", "Prof. Dr. Bert", "Müller"),
        ("Herrn Berg, Jan", "Jan", "Berg"),
        ("Frau Dr. Müller", None, "Dr. Müller"),
        ("Mr. Smith", None, "Smith"),
        ("Mrs Jane Smith", "Jane", "Smith"),
        ("Mag Larsen", "Mag", "Larsen"),
        ("Drew Barr", "Drew", "Barr"),
        ("Madonna", "Madonna", None),
        ("Dr.", "Dr.", None),
        ("Berg,", None, "Berg"),
        ("  ", None, None),
    ],
)
def test_a_title_goes_with_the_first_name_and_a_salutation_is_no_name(
    full: str, first: str | None, last: str | None
) -> None:
    parts = {"first_name": first, "last_name": last}
    assert split_name(full) == {name: part for name, part in parts.items() if part}


@pytest.mark.parametrize(
    ("country", "cell", "meant"),
    [
        ("Deutschland", "1067", "01067"),
        ("DE", "80331", "80331"),
        ("US", "2139", "02139"),
        ("US", "501", "00501"),
        ("Norway", "150", "0150"),
        ("Italia", "185", "00185"),
        ("Austria", "1010", "1010"),
        ("DE", "67", "67"),
        ("DE", "D-1067", "1067"),
        ("", "1067", "1067"),
        ("Atlantis", "1067", "1067"),
    ],
)
def test_a_postcode_gets_its_zeros_back_where_the_country_says_how_long_it_is(
    country: str, cell: str, meant: str
) -> None:
    found = rehearsed(f"email,PLZ,Land\nann@acme.example,{cell},{country}\n")
    ((_, (event,)),) = found.rows
    assert event["profile"]["postal"] == meant
    notes = [str(note.problem) for note in found.notes]
    assert notes == ([f"profile.postal: {ZEROS_BACK}"] if meant.startswith("0") else [])


def test_a_postcode_that_a_workbook_keeps_as_a_number_is_noted_by_its_line() -> None:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in (["E-Mail", "PLZ", "Land"], ["ann@acme.example", 1067, "Deutschland"]):
        book.active.append(row)
    book.save(content)
    found = rehearsed(content.getvalue())
    assert [(note.number, str(note.problem)) for note in found.notes] == [
        (2, f"profile.postal: {ZEROS_BACK}")
    ]


@pytest.mark.parametrize(
    ("cell", "country", "kept", "noted"),
    [
        ("491712345678", "Deutschland", "+491712345678", False),
        ("491712345678", "", "491712345678", True),
        ("491712345678", "Norwegen", "491712345678", True),
        ("+491712345678", "", "+491712345678", False),
        ("0171 2345678", "", "0171 2345678", False),
        ("4006381333931", "", "4006381333931", False),
        ("47110", "", "47110", False),
    ],
)
def test_a_number_that_may_have_lost_its_plus_is_taken_as_it_is_and_noted(
    cell: str, country: str, kept: str, noted: bool
) -> None:
    found = rehearsed(f"email,Telefon,Land\nann@acme.example,{cell},{country}\n")
    ((_, (event,)),) = found.rows
    assert event["person"]["phone"] == kept
    notes = [str(note.problem) for note in found.notes]
    assert notes == ([f"person.phone: {NO_PLUS}"] if noted else [])


def test_of_several_numbers_in_a_cell_of_googles_export_the_first_is_taken() -> None:
    numbers = "+7 912 345-67-89 ::: +7 912 345-67-88"
    found = rehearsed(f"E-mail 1 - Value,Phone 1 - Value\nann@acme.example,{numbers}\n")
    ((_, (event,)),) = found.rows
    assert event["person"]["phone"] == "+79123456789"


def test_of_several_ids_of_a_crm_in_a_cell_the_first_is_taken_and_the_others_are_noted() -> None:
    maps = ("Record ID=crm:hubspot-deal", "Associated Contact IDs=crm:hubspot")
    rows = "77,123;124\n78,125;\n"
    found = rehearsed(f"Record ID,Associated Contact IDs\n{rows}", *maps)
    assert [event["identifiers"] for _, (event,) in found.rows] == [
        ["crm: hubspot-deal:77", "crm: hubspot:123"],
        ["crm: hubspot-deal:78", "crm: hubspot:125"],
    ]
    assert [(note.number, str(note.problem)) for note in found.notes] == [
        (2, "identifiers.crm: has 2 ids; only the first was taken")
    ]
