"""Lists as people bring them: headers, dialects, encodings, workbooks, known exports; what is not
certain is reported by its line."""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from typer.testing import CliRunner

from baton.cli.import_ import app
from baton.importing.cells import (
    CellWrong,
    DateOrder,
    addresses_in,
    came,
    date_order_in,
    moment_ms,
    said,
)
from baton.importing.charsets import charset_of
from baton.importing.columns import MapWrong, is_field, read_wishes
from baton.importing.dry_run import Rehearsal, rehearse
from baton.importing.exports import exports, general, header_key, recognised
from baton.importing.list_tables import FileTerms, FileWrong
from baton.importing.lists import PeopleList, open_list
from baton.importing.sending import Note, Numbered, Trouble
from baton.importing.terms import UNDATED_MS, ImportTerms
from baton.importing.workbooks import MAX_UNPACKED_BYTES, text_of
from tests.cpu_cost import cpu_passes

NOW = 1_772_445_600_000
DAY = datetime(2026, 3, 2)  # noqa: DTZ001 - a workbook knows no zones
TEN = DAY.replace(hour=10)
CASES = Path(__file__).resolve().parents[1] / "cases" / "field"


def read(
    content: bytes | str,
    *maps: str,
    file: FileTerms | None = None,
    guess: bool = True,
    **terms: Any,
) -> PeopleList:
    raw = content.encode() if isinstance(content, str) else content
    own = ImportTerms(source="import", at_ms=NOW, **terms)
    return open_list(
        io.BytesIO(raw), own, file=file or FileTerms(), wishes=read_wishes(maps), guess=guess
    )


def rehearsed(content: bytes | str, *maps: str, **more: Any) -> Rehearsal:
    return rehearse(read(content, *maps, **more))


def lines(content: bytes | str, *maps: str, **more: Any) -> list[dict[str, Any]]:
    found = list(read(content, *maps, **more).lines())
    assert [
        line for line in found if isinstance(line, Trouble) and not isinstance(line, Note)
    ] == []
    return [json.loads(numbered.raw) for numbered in found if isinstance(numbered, Numbered)]


def reported(found: Rehearsal) -> list[tuple[int, str]]:
    return [(trouble.number, str(trouble.problem)) for trouble in found.troubles]


def noted(found: Rehearsal) -> list[tuple[int, str]]:
    return [(note.number, str(note.problem)) for note in found.notes]


def mapped(found: Rehearsal) -> dict[str, str]:
    return dict(found.mapping)


# --- the file


@pytest.mark.parametrize("name", ["two-lines", "commas", "sep", "trailing", "utf16"])
def test_a_header_line_in_any_form_gives_one_person(name: str) -> None:
    found = rehearsed((CASES / "header-line" / f"{name}.csv").read_bytes())
    assert (found.read, found.understood, found.events, reported(found)) == (1, 1, 1, [])
    ((_, (event,)),) = found.rows
    assert event["identifiers"] == ["email: ann@acme.example"]
    assert name in ("commas",) or event["profile"]["country"] == "DE"


ROWS = "email,country\nann@acme.example,DE\n"
GERMAN = "E-Mail;Nachname;Straße\nann@acme.example;Müller;Größe 1\nbob@acme.example;Jäger;Fuß\n"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (ROWS.encode(), None),
        (ROWS.encode("utf-8-sig"), None),
        (ROWS.encode("utf-16"), None),
        (ROWS.encode("utf-16-le"), None),
        (ROWS.encode("utf-16-be"), None),
        (ROWS.replace("\n", "\r\n").encode(), None),
        (ROWS.replace("\n", "\r").encode(), None),
        (ROWS.replace(",", "\t").encode(), None),
        (ROWS.replace(",", "|").encode(), None),
        (b"sep=,\r\n" + ROWS.encode(), None),
        (b'"sep=;"\n' + ROWS.replace(",", ";").encode(), None),
        (GERMAN.encode(), "Müller"),
        (GERMAN.encode("cp1252"), "Müller"),
        (GERMAN.encode("utf-16"), "Müller"),
        (GERMAN.encode("mac_roman"), "Müller"),
        ("E-Mail;Vorname\rj@firma.example;Jürgen\r".encode("mac_roman"), "Jürgen"),
        ("E-Mail;Vorname\ra@firma.example;Änne\r".encode("mac_roman"), "Änne"),
        ("E-Mail;Nachname\rg@firma.example;Groß\r".encode("mac_roman"), "Groß"),
        ("E-Mail;Nachname\nm@firma.example;Müller†\n".encode("cp1252"), "Müller†"),
        ("E-Mail;Nachname\nk@firma.example;Kašpar\n".encode("cp1252"), "Kašpar"),
        (
            "E-Mail;Firma\nk@firma.example;„Zehn €“ …und mehr\n".encode("cp1252"),
            "„Zehn €“ …und mehr",
        ),
        (
            "email;name\njan@firma.example;Dvořák\nž@firma.example;Žižka Plzeň\nc@firma.example;Šťastný Říčany\n".encode(
                "cp1250"
            ),
            "Dvořák",
        ),
        (
            "email;name\nivan@firma.example;Иванов\nb@firma.example;Петров Москва\n".encode(
                "cp1251"
            ),
            "Иванов",
        ),
        ("email;name\nj@firma.example;É\n".encode("cp1252"), "É"),
        (
            "email,name\nt@kaisha.example,山田太郎\ns@kaisha.example,鈴木花子 株式会社\n".encode(
                "cp932"
            ),
            "山田太郎",
        ),
    ],
)
def test_a_list_is_read_in_its_encoding_and_dialect(content: bytes, name: str | None) -> None:
    found = rehearsed(content)
    assert reported(found) == []
    event = found.rows[0][1][0]
    assert name is None or name in event["person"].values()


def test_an_encoding_that_is_guessed_is_said() -> None:
    assert rehearsed(GERMAN).remarks == []
    assert rehearsed(GERMAN.encode("cp1252")).remarks == [
        "not UTF-8: read as cp1252; if letters come out wrong, give another --encoding"
    ]


def test_a_damaged_line_in_a_list_of_utf_8_costs_that_line() -> None:
    content = (
        GERMAN.encode()
        + "cid@acme.example;Kröger;x\n".encode("cp1252")
        + b"dan@acme.example;Dan;x\n"
    )
    found = rehearsed(content)
    assert reported(found) == [(4, "is not written in the file's encoding; try --encoding")]
    assert found.understood == 3


def test_commas_in_cells_do_not_make_a_list_of_semicolons_one_of_commas() -> None:
    rows = "".join(f'p{n}@acme.example;"Acme, Inc., Berlin";1,5\n' for n in range(30))
    found = rehearsed("E-Mail;Firma;Faktor\n" + rows)
    assert (found.understood, mapped(found)["Firma"]) == (30, "company")


PREAMBLES = {
    "a meeting's report": 'Attendee Report\nReport Generated:,"Mar 2, 2026"\nTopic,Webinar ID\nLeads,123\n\nAttended,First Name,Email\nYes,Ann,ann@acme.example\n',
    "connections": (
        'Notes:\n"When exporting, some addresses are missing."\n\nFirst Name,Last Name,URL,Email '
        "Address,Company,Position,Connected "
        "On\nAnn,Berg,https://x.example,ann@acme.example,Acme,CTO,02 Mar 2026\n"
    ),
    "a report's title": "Leads of March\n\n\nE-Mail;Land\nann@acme.example;DE\n",
}


@pytest.mark.parametrize("content", PREAMBLES.values(), ids=PREAMBLES)
def test_what_stands_before_the_header_is_no_row(content: str) -> None:
    found = rehearsed(content)
    assert (found.understood, reported(found)) == (1, [])
    assert any(remark.startswith("the header is line") for remark in found.remarks)


def test_a_row_is_reported_by_the_line_it_begins_in() -> None:
    content = 'email,note\nann@acme.example,"two\nlines"\nnobody,x\n,y\nbob@acme.example,z\n'
    assert reported(rehearsed(content)) == [
        (4, "identifiers.email: is not an e-mail address"),
        (5, "identifiers: are empty: nobody is meant"),
    ]


def test_a_quotation_mark_that_does_not_close_soon_is_reported_with_what_it_swallowed() -> None:
    content = (
        "email,note\n"
        'ann@acme.example,"open\n'
        + "".join(f"p{n}@acme.example,\n" for n in range(300))
        + 'z@acme.example,"\n'
    )
    found = rehearsed(content)
    assert reported(found) == [
        (
            2,
            (
                "has a quotation mark that closes 302 lines later; what lies between was not read as "
                "rows"
            ),
        )
    ]


def test_cells_beyond_the_header_are_reported_and_empty_ones_are_none() -> None:
    assert reported(
        rehearsed("email,country,\nann@acme.example,DE,,,\nbob@acme.example,DE,,x\n")
    ) == [(3, "has 4 columns, the header 3")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n\n  \n", "the file is empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "an old Excel workbook"),
        (b"<html><table><tr><td>email", "HTML or XML"),
        (b"%PDF-1.7 ...", "no list of text"),
        (b"\x1f\x8b\x08" + b"x" * 50, "no list of text"),
        (b"PK\x03\x04 not a zip", "damaged"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_a_way_out(content: bytes, words: str) -> None:
    with pytest.raises(FileWrong, match=words):
        read(content)


@pytest.mark.parametrize(("encoding", "delimiter"), [("klingon", None), ("ascii", "ab")])
def test_terms_that_cannot_be_followed_are_refused(encoding: str, delimiter: str | None) -> None:
    with pytest.raises(FileWrong):
        read(ROWS, file=FileTerms(encoding=encoding, delimiter=delimiter))


HOSTILE: Mapping[str, bytes] = {
    "quotation marks": b"email\n" + b'"' * 300_000,
    "separators": b"email,a\n" + b",;|\t" * 60_000,
    "line breaks": b"email\n" + b"\n" * 300_000,
    "an address that does not end": b"email\n" + b"a@" + b"b." * 16_000 + b"c\n",
    "many addresses": b"email\n" + b"a@b.example;" * 2_700 + b"\n",
    "noise": b"email\n" + bytes(random.Random(1).choices(b',;|\t"\n ab1@.', k=200_000)),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_lists_are_cheap(content: bytes) -> None:
    assert cpu_passes(lambda: rehearsed(content)) < 600


def test_the_memory_of_a_long_list_does_not_grow_with_it() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return (
                (b"ann@acme.example,DE\n" * (size // 20 + 1))[:size]
                if self.given > 300_000
                else (ROWS.encode() * (size // 30))[:size]
            )

    source = Endless()
    people = open_list(source, ImportTerms(source="x", at_ms=NOW), file=FileTerms(), wishes={})  # type: ignore[arg-type]
    rows = people.rows()
    assert [next(rows) for _ in range(5)]
    assert source.given < 2_000_000


# --- workbooks


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_workbook_is_read_as_a_person_sees_it() -> None:
    rows = [
        ["Leads of March"],
        [],
        ["E-Mail", "Telefon", "Land", "Mitarbeiter", "Registrierungszeit", "Newsletter"],
        ["ann@acme.example", 491712345678.0, "Deutschland", 1200, TEN, True],
        ["bob@acme.example", None, None, "51-200", DAY, False],
    ]
    found = rehearsed(
        workbook(("Leute", rows), ("Mehr", [["x"]])),
        "--map".replace("--map", "Newsletter=consent:marketing/email"),
    )
    assert reported(found) == []
    ann, consent = found.rows[0][1]
    assert (found.rows[0][0], ann["person"]["phone"], ann["profile"]["employees"]) == (
        4,
        "+491712345678",
        "1200",
    )
    assert (ann["occurred_at"], consent["consent"]["granted"]) == (
        "2026-03-02T10:00:00+00:00",
        True,
    )
    assert "read the sheet 'Leute' of 2; choose another with --sheet" in found.remarks


def test_another_sheet_can_be_chosen_and_one_that_is_not_there_is_reported() -> None:
    content = workbook(
        ("A", [["x", "y"]]), ("B", [["email", "country"], ["ann@acme.example", "DE"]])
    )
    assert rehearsed(content, file=FileTerms(sheet="B")).understood == 1
    with pytest.raises(FileWrong, match="has no sheet 'C'; it has A, B"):
        read(content, file=FileTerms(sheet="C"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (4711.0, "4711"),
        (1.5, "1.5"),
        (1e22, "1e+22"),
        (DAY, "2026-03-02"),
        ("x", "x"),
    ],
)
def test_a_cell_is_the_text_that_a_person_sees(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_a_packed_file_that_is_no_workbook_or_unpacks_without_end_is_refused() -> None:
    assert openpyxl.DEFUSEDXML
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", "email\n")
    with pytest.raises(FileWrong, match="no workbook"):
        read(packed.getvalue())
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", "")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(MAX_UNPACKED_BYTES // 8_000_000 + 1):
                sheet.write(b"0" * 8_000_000)
    with pytest.raises(FileWrong, match="bytes unpacked"):
        read(bomb.getvalue())


# --- columns


def test_an_owner_is_nobodys_identity() -> None:
    found = rehearsed((CASES / "columns-user-lead-anonymous" / "list.csv").read_bytes())
    assert mapped(found)["User"] == "left out on purpose"
    assert reported(found) == [(3, "identifiers: are empty: nobody is meant")]
    assert found.rows[0][1][0]["identifiers"] == ["email: ann@acme.example"]


@pytest.mark.parametrize(
    "name",
    [
        "Owner",
        "Contact owner",
        "Lead Owner",
        "User",
        "Lead",
        "Anonymous",
        "Zuständiger Mitarbeiter",
        "Lead-Inhaber",
        "Besitzer",
    ],
)
def test_a_column_of_owners_is_left_out_on_purpose_unless_somebody_maps_it(name: str) -> None:
    assert (
        mapped(rehearsed(f"email,{name}\nann@acme.example,rep7\n"))[name] == "left out on purpose"
    )
    assert lines(f"email,{name}\nann@acme.example,rep7\n", f"{name}=user")[0]["identifiers"][
        "user"
    ] == ["rep7"]


def test_an_id_of_a_crm_is_who_not_which_event() -> None:
    content = (CASES / "id-column-of-the-crm" / "list.csv").read_bytes()
    (first,), (second,) = (
        lines(content, act="webinar", campaign=campaign) for campaign in ("spring", "autumn")
    )
    assert first["identifiers"]["crm"] == ["salesforce:00Q5g00000AbCdEEAV"]
    assert first["id"] != second["id"]


def test_a_changed_row_is_an_update_and_the_same_row_the_same_event() -> None:
    ids = [
        lines(f"Id,Email,Land\n00Q5g00000AbCdE,ann@acme.example,{land}\n")[0]["id"]
        for land in ("DE", "FR", "DE")
    ]
    assert ids[0] == ids[2] != ids[1]


@pytest.mark.parametrize(
    ("ids", "meant"),
    [
        (["4711", "4712"], False),
        (["001A0000006Vm9u"], False),
        (["003A0000006Vm9u", "00QA0000006Vm9u"], True),
        ([""], False),
    ],
)
def test_an_id_says_whose_it_is_by_its_form_or_is_left_out(ids: list[str], meant: bool) -> None:
    rows = "".join(f"{text},p{place}@acme.example\n" for place, text in enumerate(ids))
    assert mapped(rehearsed("Id,Email\n" + rows))["Id"] == (
        "crm:salesforce" if meant else "left out: not known"
    )


@pytest.mark.parametrize("cell", ["4.71E+15", "4711.0", "undefined", "0", "#N/A"])
def test_an_id_that_a_spreadsheet_has_rewritten_is_left_out_and_reported(cell: str) -> None:
    found = rehearsed(f"Contact,email\n{cell},ann@acme.example\n", "Contact=crm:hubspot")
    assert found.rows[0][1][0]["identifiers"] == ["email: ann@acme.example"]
    nothing_said = cell in ("#N/A", "undefined")
    assert noted(found) == (
        []
        if nothing_said
        else [
            (2, "identifiers.crm: is a placeholder, or a number that a spreadsheet has rewritten")
        ]
    )


def test_a_customer_number_does_not_cost_the_row() -> None:
    content = (CASES / "customer-number-is-no-phone" / "list.csv").read_bytes()
    found = rehearsed(content, "Customer No=customer_no")
    assert (found.understood, reported(found)) == (2, [])
    assert [events[0]["profile"]["customer_no"] for _, events in found.rows] == [
        "0012345678",
        "4711",
    ]


def test_a_number_that_a_spreadsheet_made_is_the_right_one() -> None:
    found = rehearsed((CASES / "number-a-spreadsheet-made" / "list.csv").read_bytes())
    assert found.rows[0][1][0]["person"]["phone"] == "+491712345678"


def test_values_that_cannot_be_read_are_reported_by_line_and_the_row_is_taken() -> None:
    content = "email,phone,employees,secret\nann@acme.example,4.91712E+11,10-Jan,+49 30 1234567\n"
    found = rehearsed(content, "secret=profile.secret")
    assert (found.understood, reported(found)) == (1, [])
    assert sorted(noted(found)) == [
        (2, "person.phone: has no certain reading and was left out"),
        (2, "profile.employees: has no certain reading and was left out"),
        (2, 'profile: "secret" looks like personal data, which belongs in "person"'),
    ]


@pytest.mark.parametrize(
    ("cell", "addresses", "wrong"),
    [
        ("ann@acme.example", ["ann@acme.example"], 0),
        ("Ann Berg <Ann@Acme.example>", ["ann@acme.example"], 0),
        ("mailto:ann@acme.example", ["ann@acme.example"], 0),
        ("ann@acme.example; bob@acme.example", ["ann@acme.example", "bob@acme.example"], 0),
        ("ann@acme.example / bob@acme.example", ["ann@acme.example", "bob@acme.example"], 0),
        ("o'brien@acme.example", ["o'brien@acme.example"], 0),
        ("'ann@acme.example'", ["ann@acme.example"], 0),
        ("ann (at) acme.example", [], 1),
        ("ann@acme.example, ann@", ["ann@acme.example"], 1),
        ("N/A", [], 0),
    ],
)
def test_addresses_are_found_in_a_cell(cell: str, addresses: list[str], wrong: int) -> None:
    assert addresses_in(cell) == (addresses, wrong)


def test_of_several_addresses_in_a_cell_the_first_is_taken_and_a_column_of_further_ones_whole() -> (
    None
):
    found = rehearsed(
        "email,Additional email addresses\nann@acme.example; "
        "bob@acme.example,ann@home.example;a.berg@acme.example\n"
    )
    event = found.rows[0][1][0]
    assert event["identifiers"] == [
        "email: a.berg@acme.example",
        "email: ann@acme.example",
        "email: ann@home.example",
    ]
    assert event["person"]["email"] == "ann@acme.example"
    assert noted(found) == [(2, "identifiers.email: has 2 addresses; only the first was taken")]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ann Maria Berg", "Ann", "Maria Berg"),
        ("Berg, Ann Maria", "Ann Maria", "Berg"),
        ("Ann", "Ann", None),
    ],
)
def test_a_whole_name_is_parted(name: str, first: str, last: str | None) -> None:
    (made,) = lines(f'email,Full name\nann@acme.example,"{name}"\n')
    assert (made["person"].get("first_name"), made["person"].get("last_name")) == (first, last)


def test_two_columns_of_one_name_are_both_read_and_quotation_marks_around_names_do_not_matter() -> (
    None
):
    assert lines('\ufeff"email","email"\na@x.example,b@x.example\n')[0]["identifiers"]["email"] == [
        "a@x.example",
        "b@x.example",
    ]
    assert mapped(rehearsed("E\u00a0mail,“Name”\na@x.example,Ann\n")) == {
        "E mail": "email",
        "“Name”": "name",
    }


def test_quotation_marks_inside_a_cell_lose_no_row() -> None:
    found = rehearsed(
        'email,company\na@x.example,Acme "the best" GmbH\nb@x.example,"Acme "x" '
        'GmbH"\nc@x.example,z\n'
    )
    assert (found.understood, reported(found)) == (3, [])


def test_a_wrong_address_does_not_stop_the_rows_after_it() -> None:
    found = rehearsed("email\nbla.bla.@x.example\nb@x.example\n")
    assert (found.understood, reported(found)) == (
        1,
        [(2, "identifiers.email: is not an e-mail address")],
    )


# --- yes and no


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("yes", True),
        ("Ja", True),
        ("1.0", True),
        ("TRUE", True),
        ("Subscribed", True),
        ("x", True),
        ("oui", True),
        ("Double Opt-In", True),
        ("no", False),
        ("Nein", False),
        ("0.0", False),
        ("false", False),
        ("Unsubscribed", False),
        ("cleaned", False),
        ("abgemeldet", False),
        ("Pending", None),
        ("Non-subscribed", None),
        ("N/A", None),
        ("-", None),
    ],
)
def test_yes_and_no_in_many_words(word: str, answer: bool | None) -> None:
    assert said(word) is answer


def test_what_is_neither_yes_nor_no_is_reported() -> None:
    assert reported(rehearsed("email,Newsletter\nann@acme.example,perhaps\n")) == [
        (2, "consent:marketing/email: must be yes or no")
    ]


@pytest.mark.parametrize("word", ["active", "Aktiv", "confirmed"])
def test_a_word_that_an_opt_out_can_mean_either_way_is_reported(word: str) -> None:
    assert reported(rehearsed(f"email,Email Opt Out\nann@acme.example,{word}\n")) == [
        (2, "optout:marketing/email: must be yes or no: is the person active, or the opt-out?")
    ]


CONSENTS = {
    "an undated yes is older than everything": ("Newsletter", "yes", [(True, UNDATED_MS)]),
    "an undated no is of today": ("Newsletter", "Nein", [(False, NOW)]),
    "a dated yes": ("Newsletter,Consent date", "yes,2026-01-15", [(True, 1_768_435_200_000)]),
    "a date alone is a yes": ("OPTIN_TIME", "2026-01-15 00:00:00", [(True, 1_768_435_200_000)]),
    "a yes whose date cannot be read": (
        "Newsletter,Consent date",
        "yes,lately",
        [(True, UNDATED_MS)],
    ),
    "opted out": ("Email Opt Out", "1", [(False, NOW)]),
    "not opted out is no yes": ("Email Opt Out", "0", []),
    "a word that says it of itself": ("Email Opt Out", "unsubscribed", [(False, NOW)]),
    "and the other way round": ("Email Opt Out", "Subscribed", []),
    "agreed and left later": (
        "OPTIN_TIME,UNSUB_TIME",
        "2026-01-15,2026-02-01",
        [(True, 1_768_435_200_000), (False, 1_769_904_000_000)],
    ),
    "two columns that contradict": (
        "Newsletter,Email Opt Out",
        "yes,yes",
        [(True, UNDATED_MS), (False, NOW)],
    ),
    "on a form with a date": (
        "Newsletter,Registration Time",
        "yes,2026-01-15",
        [(True, 1_768_435_200_000)],
    ),
    "nobody asked": ("Newsletter", "", []),
}


@pytest.mark.parametrize(("header", "cells", "expected"), CONSENTS.values(), ids=CONSENTS)
def test_a_consent_has_its_date_or_is_as_careful_as_it_must_be(
    header: str, cells: str, expected: list[tuple[bool, int]]
) -> None:
    made = lines(f"email,{header}\nann@acme.example,{cells}\n")
    assert [
        (line["consent"]["granted"], line["occurred_at"])
        for line in made
        if line["kind"] == "consent"
    ] == expected


def test_an_undated_yes_of_a_list_is_older_than_a_dated_no() -> None:
    refused = json.loads(
        (CASES / "undated-yes-over-a-no" / "events.jsonl").read_text().splitlines()[0]
    )
    (agreed,) = (
        line
        for line in lines((CASES / "undated-yes-over-a-no" / "list.csv").read_bytes())
        if line["kind"] == "consent"
    )
    assert agreed["consent"] == {"purpose": "marketing", "channel": "email", "granted": True}
    assert agreed["occurred_at"] < datetime.fromisoformat(refused["occurred_at"]).timestamp() * 1000


def test_who_says_no_after_a_yes_is_another_event_though_the_rest_of_the_row_is_the_same() -> None:
    yes, no = (lines(f"email,Newsletter\nann@acme.example,{word}\n")[1] for word in ("yes", "no"))
    assert yes["id"] != no["id"]


# --- who came, and when


@pytest.mark.parametrize(
    ("cell", "there"),
    [
        ("Yes", True),
        ("Checked In", True),
        ("Attending", True),
        ("No", False),
        ("Not Attending", False),
        ("Nein", False),
        ("No-show", False),
    ],
)
def test_who_did_not_come_did_nothing(cell: str, there: bool) -> None:
    assert came(cell) is there
    (made,) = lines(f"email,Attended\nann@acme.example,{cell}\n", act="webinar")
    assert made["kind"] == ("engagement" if there else "profile")


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-03-02", "2026-03-01T23:00:00"),
        ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00"),
        ("2026-03-02 10:00:00 UTC", "2026-03-02T10:00:00"),
        ("2026-03-02T10:00:00+0100", "2026-03-02T09:00:00"),
        ("02.03.2026", "2026-03-01T23:00:00"),
        ("2.3.2026 14:30 Uhr", "2026-03-02T13:30:00"),
        ("22/03/2026", "2026-03-21T23:00:00"),
        ("03/22/2026 10:00:00 AM", "2026-03-22T09:00:00"),
        ("Mar 2, 2026 10:00 PM", "2026-03-02T21:00:00"),
        ("2. März 2026", "2026-03-01T23:00:00"),
        ("02-Mar-2026", "2026-03-01T23:00:00"),
        ("Mon, 2 Mar 2026 10:00:00 +0000", "2026-03-02T10:00:00"),
        ("2026/03/02", "2026-03-01T23:00:00"),
        ("12:00", None),
        ("46083", None),
        ("02.03.26", None),
        ("31.02.2026", None),
        ("yesterday", None),
        ("3/2/2026", None),
        ("2226-03-02", None),
        ("1" * 100, None),
    ],
)
def test_a_moment_is_read_where_it_is_certain(cell: str, moment: str | None) -> None:
    if moment is None:
        with pytest.raises(CellWrong):
            moment_ms(cell, None, ZoneInfo("Europe/Berlin"))
    else:
        found = moment_ms(cell, None, ZoneInfo("Europe/Berlin"))
        assert datetime.fromtimestamp(found / 1000, UTC).replace(tzinfo=None).isoformat() == moment


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["3/2/2026", "3/22/2026"], DateOrder.MDY),
        (["3/2/2026", "22/3/2026"], DateOrder.DMY),
        (["3/2/2026"], None),
        (["3/22/2026", "22/3/2026"], None),
    ],
)
def test_other_dates_of_a_column_show_how_it_is_written(
    cells: list[str], order: DateOrder | None
) -> None:
    assert date_order_in(cells) is order


def test_a_date_that_could_be_two_days_is_reported_until_somebody_says_which() -> None:
    content = "email,Registration Time\nann@acme.example,3/2/2026\n"
    assert reported(rehearsed(content)) == [
        (
            2,
            (
                "occurred_at: could be two days; say how the dates are written with --dates dmy or "
                "--dates mdy"
            ),
        )
    ]
    assert (
        rehearsed(content, dates=DateOrder.DMY).rows[0][1][0]["occurred_at"]
        == "2026-02-03T00:00:00+00:00"
    )
    assert (
        rehearsed(content + "bob@acme.example,3/22/2026\n").rows[0][1][0]["occurred_at"]
        == "2026-03-02T00:00:00+00:00"
    )


def test_the_same_act_on_another_day_is_another_event() -> None:
    days = [
        lines(f"email,Registration Time\nann@acme.example,2026-03-0{day}\n", act="webinar")[0]["id"]
        for day in (2, 3, 2)
    ]
    assert days[0] == days[2] != days[1]


def test_fill_empty_changes_nothing_that_is_known_already_and_keeps_what_happened_dated() -> None:
    reported_of, happened = lines(
        "email,country\nann@acme.example,DE\n", act="webinar", fill_empty=True
    )
    assert (reported_of["kind"], reported_of["occurred_at"], reported_of["profile"]) == (
        "profile",
        UNDATED_MS,
        {"country": "DE"},
    )
    assert (happened["kind"], happened["occurred_at"], "profile" in happened) == (
        "engagement",
        NOW,
        False,
    )


def test_update_only_marks_every_event_of_a_row() -> None:
    made = lines("email,Newsletter\nann@acme.example,yes\n", update_only=True)
    assert [(line["kind"], line["update_only"]) for line in made] == [
        ("profile", True),
        ("consent", True),
    ]
    assert "update_only" not in lines("email\nann@acme.example\n")[0]


# --- known exports

EXPORTS: dict[str, tuple[str, str, dict[str, str], dict[str, Any]]] = {
    "HubSpot": (
        "HubSpot contacts",
        (
            "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Lead Status,Marketing contact status,Company Name,Job Title,Country/Region,Number of Employees,Unsubscribed from all email\n"
            "151,Ann,Berg,ann@acme.example,+49 30 1234567,Rep Seven,Open,Marketing "
            "contact,Acme,CTO,Germany,1200,true\n"
        ),
        {
            "Record ID": "crm:hubspot",
            "Contact owner": "left out on purpose",
            "Unsubscribed from all email": "optout:marketing/email",
        },
        {"employees": "1200", "country": "DE", "title": "CTO"},
    ),
    "HubSpot, German": (
        "HubSpot contacts",
        (
            "Datensatz-ID,Vorname,Nachname,E-Mail,Telefonnummer,Zuständiger Mitarbeiter,Lifecycle-Phase,Unternehmensname,Position,Land/Region,Anzahl der Mitarbeiter\n"
            "151,Ann,Berg,ann@acme.example,030 1234567,Rep Sieben,Lead,Acme,CTO,Deutschland,1.200\n"
        ),
        {"Datensatz-ID": "crm:hubspot", "Zuständiger Mitarbeiter": "left out on purpose"},
        {"employees": "1200", "country": "DE", "title": "CTO"},
    ),
    "Salesforce, Data Loader": (
        "Salesforce leads or contacts",
        (
            '"ID","LASTNAME","FIRSTNAME","TITLE","COMPANY","COUNTRY","PHONE","EMAIL","LEADSOURCE","OWNERID","HASOPTEDOUTOFEMAIL","NUMBEROFEMPLOYEES"\n'
            '"00Q5g00000AbCdEEAV","Berg","Ann","CTO","[not '
            'provided]","Germany","0301234567","ann@acme.example","Web","0055g00000AbCdEAAV","false","250"\n'
        ),
        {
            "ID": "crm:salesforce",
            "OWNERID": "left out on purpose",
            "HASOPTEDOUTOFEMAIL": "optout:marketing/email",
        },
        {"employees": "250", "country": "DE", "title": "CTO"},
    ),
    "Salesforce, a report in German": (
        "Salesforce leads or contacts",
        "Lead-ID;Vorname;Nachname;Titel;Firma/Account;E-Mail;Lead-Inhaber;Leadstatus;Land;E-Mail-Opt-Out\n00Q5g00000AbCdE;Ann;Berg;CTO;Acme;ann@acme.example;Rep;Offen;Deutschland;0\n",
        {
            "Lead-ID": "crm:salesforce",
            "Lead-Inhaber": "left out on purpose",
            "E-Mail-Opt-Out": "optout:marketing/email",
        },
        {"country": "DE", "title": "CTO"},
    ),
    "Pipedrive": (
        "Pipedrive people",
        (
            "Person - ID,Person - Name,Person - Organization,Person - Email - Work,Person - Phone - "
            "Work,Person - Owner\n7,Ann Berg,Acme,ann@acme.example,+49301234567,Rep\n"
        ),
        {"Person - ID": "crm:pipedrive", "Person - Owner": "left out on purpose"},
        {},
    ),
    "Pipedrive, German": (
        "Pipedrive people",
        (
            "Person - ID;Person - Name;Person - Organisation;Person - E-Mail-Adresse - Arbeit;Person - "
            "Telefon - Arbeit;Person - Besitzer\n7;Ann Berg;Acme;ann@acme.example;+49301234567;Rep\n"
        ),
        {"Person - ID": "crm:pipedrive", "Person - Besitzer": "left out on purpose"},
        {},
    ),
    "LinkedIn connections": (
        "LinkedIn connections",
        (
            "First Name,Last Name,URL,Email Address,Company,Position,Connected "
            "On\nAnn,Berg,https://www.linkedin.com/in/ann,ann@acme.example,Acme,CTO,02 Mar 2026\n"
        ),
        {"URL": "left out on purpose", "Connected On": "left out on purpose"},
        {"title": "CTO"},
    ),
    "LinkedIn lead forms": (
        "LinkedIn lead gen forms",
        (
            "Submitted At,Form Name,Campaign Name,Account Name,First Name,Last Name,Email Address,Job Title,Company Name,Company Size,Country/Region\n"
            "2026-03-02 10:00:00,Demo,Spring,Us Ltd,Ann,Berg,ann@acme.example,CTO,Acme,51-200 "
            "employees,Germany\n"
        ),
        {
            "Account Name": "left out on purpose",
            "Company Name": "company",
            "Submitted At": "occurred_at",
        },
        {"employees": "51-200", "country": "DE", "title": "CTO"},
    ),
    "Mailchimp": (
        "Mailchimp audience",
        (
            "Email Address,First Name,Last "
            "Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,LEID,EUID,NOTES\nann@acme.example,Ann,Berg,2,2026-01-15 10:00:00,,2026-01-15 10:01:00,1,e1,\n"
        ),
        {"OPTIN_TIME": "consent_at:marketing/email", "MEMBER_RATING": "left out on purpose"},
        {},
    ),
    "Google contacts": (
        "Google contacts",
        (
            "First Name,Last Name,Organization Name,Organization Title,E-mail 1 - Label,E-mail 1 - "
            "Value,Phone 1 - Value,Address 1 - "
            "Country\nAnn,Berg,Acme,CTO,Work,ann@acme.example,+49301234567,Germany\n"
        ),
        {"E-mail 1 - Value": "email", "Organization Title": "title"},
        {"country": "DE", "title": "CTO"},
    ),
    "Outlook contacts, German": (
        "Outlook contacts",
        (
            "Anrede;Vorname;Nachname;Firma;Position;E-Mail-Adresse;E-Mail: Angezeigter Name;Telefon "
            "geschäftlich;Land/Region "
            "geschäftlich\nFrau;Ann;Berg;Acme;CTO;ann@acme.example;Ann;+49301234567;Deutschland\n"
        ),
        {
            "Anrede": "left out on purpose",
            "E-Mail-Adresse": "email",
            "Telefon geschäftlich": "phone",
        },
        {"country": "DE", "title": "CTO"},
    ),
    "Outlook contacts": (
        "Outlook contacts",
        (
            "Title,First Name,Last Name,Company,Job Title,E-mail Address,E-mail Display Name,Business "
            "Phone,Business "
            "Country/Region\nMs,Ann,Berg,Acme,CTO,ann@acme.example,Ann,+49301234567,Germany\n"
        ),
        {"Title": "left out on purpose", "Job Title": "title"},
        {"country": "DE", "title": "CTO"},
    ),
    "Facebook lead ads": (
        "Facebook lead ads",
        (
            "id\tcreated_time\tad_id\tad_name\tadset_id\tcampaign_id\tcampaign_name\tform_id\tform_name\tplatform\temail\tfull_name\tphone_number\tcompany_name\n"
            "l:123\t2026-03-02T10:00:00+01:00\tag:1\tA\tas:1\tc:1\tSpring\tf:1\tDemo\tfb\tann@acme.example\tAnn Berg\tp:+49301234567\tAcme\n"
        ),
        {"id": "id", "created_time": "occurred_at", "campaign_name": "campaign"},
        {},
    ),
    "Zoom": (
        "Zoom registration or attendee report",
        (
            "Attendee Report\nTopic,Webinar ID\nLeads,123\nAttended,User Name (Original Name),First Name,Last Name,Email,Registration Time,Approval Status,Join Time,Leave Time,Country/Region Name\n"
            'Yes,Ann,Ann,Berg,ann@acme.example,"Mar 2, 2026 10:00:00",approved,"Mar 3, 2026 '
            '10:00:00",,Germany\n'
        ),
        {"Attended": "attended", "Registration Time": "occurred_at"},
        {"country": "DE"},
    ),
    "Eventbrite": (
        "Eventbrite attendees",
        (
            "Order #,Order Date,First Name,Last Name,Email,Ticket Type,Attendee #,Attendee "
            "Status,Buyer Email,Job Title\n1,2026-03-02 "
            "10:00:00,Ann,Berg,ann@acme.example,Free,2,Checked In,boss@acme.example,CTO\n"
        ),
        {
            "Order #": "left out on purpose",
            "Buyer Email": "left out on purpose",
            "Attendee Status": "attended",
        },
        {"title": "CTO"},
    ),
    "Typeform": (
        "Typeform responses",
        (
            "#,First name,Email,How can we help?,Start Date (UTC),Submit Date (UTC),Network "
            "ID\nab12,Ann,ann@acme.example,Leads wait,2026-03-02 09:59:00,2026-03-02 10:00:00,n1\n"
        ),
        {"#": "id", "How can we help?": "stated_problem", "Network ID": "left out on purpose"},
        {},
    ),
    "Marketo": (
        "Marketo people",
        (
            "Id,First Name,Last Name,Email Address,Company Name,Job Title,Person "
            "Source,Unsubscribed\n1001,Ann,Berg,ann@acme.example,Acme,CTO,Web,0\n"
        ),
        {"Id": "crm:marketo", "Unsubscribed": "optout:marketing/email"},
        {"title": "CTO"},
    ),
    "Zoho": (
        "Zoho leads or contacts",
        (
            "Record Id,Lead Owner,Lead Owner Id,Company,First Name,Last Name,Title,Email,Email Opt "
            "Out,No. of "
            "Employees,Country\nzcrm_4876876000000123,Rep,zcrm_1,Acme,Ann,Berg,CTO,ann@acme.example,false,250,Germany\n"
        ),
        {"Record Id": "crm:zoho", "Lead Owner": "left out on purpose"},
        {"employees": "250", "country": "DE", "title": "CTO"},
    ),
    "Zoho, German": (
        "Zoho leads or contacts",
        "Datensatz-ID;Lead-Besitzer;Firma;Vorname;Nachname;Titel;E-Mail;Land\nzcrm_4876876000000123;Rep;Acme;Ann;Berg;CTO;ann@acme.example;Deutschland\n",
        {"Datensatz-ID": "crm:zoho", "Lead-Besitzer": "left out on purpose"},
        {"country": "DE", "title": "CTO"},
    ),
}


@pytest.mark.parametrize(("title", "content", "columns", "profile"), EXPORTS.values(), ids=EXPORTS)
def test_an_export_is_known_by_its_columns(
    title: str, content: str, columns: dict[str, str], profile: dict[str, str]
) -> None:
    found = rehearsed(content)
    assert f"known as an export: {title}" in found.remarks
    assert reported(found) == []
    assert {name: mapped(found)[name] for name in columns} == columns
    event = found.rows[0][1][0]
    assert "email: ann@acme.example" in event["identifiers"]
    assert (event["person"]["first_name"], event["person"].get("company")) != (
        None,
        "[not provided]",
    )
    assert {name: event.get("profile", {}).get(name) for name in profile} == profile


def test_every_field_of_the_table_of_headers_is_one_and_no_name_means_two() -> None:
    fields = {
        *general().values(),
        *(field for export in exports() for field in export.columns.values()),
    }
    assert {field for field in fields if not is_field(field)} == set()
    assert all(export.marks and all(export.marks) for export in exports())


def test_a_header_that_only_looks_like_an_export_is_none() -> None:
    assert recognised(["email", "first name", "country"]) is None
    assert header_key("Job\n Title ") == header_key("job-title") == header_key("JOB_TITLE")


def messy(export: str) -> tuple[str, int]:
    """Two thousand rows as people's exports are: how many of them nobody can understand."""
    _, content, _, _ = EXPORTS[export]
    header, first = (
        next(csv.reader([content.splitlines()[0]])),
        next(csv.reader([content.splitlines()[1]])),
    )
    place = {name.casefold(): number for number, name in enumerate(header)}
    email, phone = (
        place["email"],
        next(number for name, number in place.items() if name.startswith("phone")),
    )
    ident = place.get("record id", place.get("id", 0))
    draw = random.Random(7)
    out, lost = io.StringIO(), 0
    writer = csv.writer(out)
    writer.writerow(header)
    for number in range(2_000):
        row = [*first]
        row[email] = draw.choice(
            [
                f"p{number}@acme.example",
                f" P{number}@ACME.example ",
                f"P {number} <p{number}@acme.example>",
                "n/a",
                "",
                "nobody",
            ]
        )
        row[ident] = (
            draw.choice(["", "undefined", f"{number}.0", "1.5E+12"])
            if number % 3 == 0
            else salesforce_like(number)
            if export != "HubSpot"
            else str(number)
        )
        row[phone] = draw.choice(
            [
                "",
                "0",
                "+49 30 1234567",
                "491712345678.0",
                "4.9E+11",
                "n/a",
                "030/1234567",
                "'+49301234567",
            ]
        )
        row[-1] = draw.choice([row[-1], "", "N/A"])
        bad_id = number % 3 == 0
        lost += bad_id and "@" not in row[email]
        writer.writerow([cell + draw.choice(["", " ", "\n", "\xa0"]) for cell in row])
    return out.getvalue(), lost


def salesforce_like(number: int) -> str:
    return f"00Q5g0000{number:06d}"


@pytest.mark.parametrize("export", ["HubSpot", "Salesforce, Data Loader"])
def test_of_two_thousand_messy_rows_each_is_taken_or_reported_by_its_line(export: str) -> None:
    content, lost = messy(export)
    found = rehearsed(content)
    assert found.read == 2_000
    assert (
        len({trouble.number for trouble in found.troubles}) == lost == found.read - found.understood
    )
    assert lost > 100
    assert {trouble.problem.field for trouble in found.troubles} <= {
        "identifiers",
        "identifiers.email",
        "identifiers.crm",
    }


# --- the command


def run(*words: str, stdin: bytes | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words), input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BATON_GATEWAY_URL", raising=False)
    monkeypatch.setenv("BATON_HOME", str(tmp_path / "home"))


def test_a_dry_run_needs_no_system_and_shows_mapping_rows_and_what_is_not_understood() -> None:
    rows = "".join(f"p{number}@acme.example,DE\n" for number in range(30))
    code, out, _ = run(
        "-", "--dry-run", stdin=f"Email,Land,Owner,Secret\n{rows}nobody,DE\n".encode()
    )
    assert code == 1
    assert out.count("line ") == 11
    assert "line 32: not understood: identifiers.email: is not an e-mail address" in out
    assert (
        "31 rows: 30 understood as 30 events, 1 problems, 0 values noted; nothing was sent" in out
    )
    assert all(
        words in out
        for words in (
            "Land    country",
            "Owner   left out on purpose",
            "Secret  left out: not known",
        )
    )


@pytest.mark.parametrize(
    ("name", "understood", "lines_reported"), [("hubspot", 4, [6]), ("fair", 2, [7])]
)
def test_the_examples_show_what_is_taken_and_what_is_reported(
    name: str, understood: int, lines_reported: list[int]
) -> None:
    path = Path(__file__).resolve().parents[2] / "examples" / "lists" / f"{name}.csv"
    code, out, _ = run(
        str(path), "--dry-run", "--json", "--act", "webinar", "--zone", "Europe/Berlin"
    )
    assert (code, json.loads(out)["understood"]) == (1, understood)
    assert [row["line"] for row in json.loads(out)["errors"]] == lines_reported


def test_a_dry_run_as_json_has_every_row_that_is_not_understood() -> None:
    code, out, _ = run("-", "--dry-run", "--json", stdin=b"email\n" + b"x\n" * 60)
    assert (code, len(json.loads(out)["errors"]), json.loads(out)["understood"]) == (1, 60, 0)
    code, out, _ = run("-", "--dry-run", "--json", stdin=b"email\nann@acme.example\n")
    assert (code, json.loads(out)["mapping"]) == (0, [{"column": "email", "field": "email"}])


def test_a_mapping_is_saved_and_used_again(tmp_path: Path) -> None:
    saved = tmp_path / "fair.json"
    content = "Contact;Kundennr;Wann\nann@acme.example;17;3/2/2026\n".encode("cp1252")
    words = (
        "--map",
        "Contact=email",
        "--map",
        "Kundennr=customer_no",
        "--map",
        "Wann=occurred_at",
        "--dates",
        "mdy",
        "--zone",
        "Europe/Berlin",
    )
    _, first, _ = run(
        "-", "--dry-run", "--json", *words, "--save-mapping", str(saved), stdin=content
    )
    assert json.loads(saved.read_text())["columns"] == {
        "Contact": "email",
        "Kundennr": "customer_no",
        "Wann": "occurred_at",
    }
    code, again, _ = run("-", "--dry-run", "--json", "--mapping", str(saved), stdin=content)
    assert (code, json.loads(again)["rows"]) == (0, json.loads(first)["rows"])
    assert json.loads(again)["rows"][0]["events"][0]["occurred_at"] == "2026-03-01T23:00:00+00:00"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "must be an object"),
        ("{", "is not JSON"),
        ('{"columns": {"a": "no field!"}}', "is no field"),
        ('{"columns": {}, "more": 1}', "more"),
    ],
)
def test_a_mapping_that_is_none_is_refused_with_its_place(
    tmp_path: Path, content: str, words: str
) -> None:
    saved = tmp_path / "m.json"
    saved.write_text(content)
    code, _, err = run("-", "--dry-run", "--mapping", str(saved), stdin=b"a\n")
    assert code == 2
    assert words in " ".join(err.replace("│", " ").split())


def test_a_list_without_a_header_is_reported_without_repeating_it() -> None:
    with pytest.raises(MapWrong, match="no names of columns") as error:
        read("ann@acme.example,DE\nbob@acme.example,FR\n")
    assert "ann" not in str(error.value)


def test_a_mapping_for_other_columns_is_refused() -> None:
    with pytest.raises(MapWrong, match="the file has no column 'Contact'"):
        read(ROWS, "Contact=email")


def test_wrong_usage_is_reported() -> None:
    assert run("-", "--dry-run", "--jsonl", stdin=b"{}")[0] == 2
    assert run("-", "--dry-run", "--zone", "Mars/Base", stdin=ROWS.encode())[0] == 2
    assert run("-", "--dry-run", stdin=b"")[0] == 2


def test_a_charset_is_certain_only_by_its_mark_or_as_utf_8() -> None:
    assert charset_of(ROWS.encode()).certain
    assert charset_of(ROWS.encode("utf-16")).certain
    assert not charset_of(GERMAN.encode("cp1252")).certain
