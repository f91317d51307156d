"""Two exports of 2,000 rows as messy as people's are, made from a seed, with what must become of
each row.

The mess is that of spreadsheets and people: addresses in capitals or in angle brackets, two in one
cell, none; ids without their case, rewritten as numbers, missing; numbers with separators and
words, telephone numbers with a decimal, placeholders, line breaks and quotes in notes, blank rows,
rows with too many cells.
"""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass, field

from baton.intake.identifiers import salesforce_id

ROWS = 2_000
FIRST = ["Ann", "Björn", "Chloé", "Dörte", "Émile", "Fatma", "Gülşen", "Håkon", "Łukasz", "O'Neil"]
LAST = ["Berg", "von der Heide", "Müller-Lüdenscheidt", "Smith, Jr.", "Øst", "D'Angelo", "Ng"]
COUNTRIES = {
    "Germany": "DE",
    "Deutschland": "DE",
    "U.K.": "GB",
    "Österreich": "AT",
    "Holland": "NL",
    "United States": "US",
    "CH": "CH",
    "GER": "DE",
}
EMPLOYEES = {
    "250": "250",
    "1,200": "1200",
    "51-200": "51-200",
    "10.000": "10000",
    "500+": "500+",
    "1 500": "1500",
    "250.0": "250",
}
NOTHING = ["", "N/A", "-", "unknown", "#N/A", "null", "k.A."]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must become of a row: ``refused`` with a reason that has these words, or an address and
    an id with these values. ``line``: where the row begins in the file."""

    line: int
    refused: str = ""
    email: str | None = None
    crm: str | None = None
    country: str | None = None
    employees: str | None = None
    refusal: bool = False


@dataclass(slots=True)
class Export:
    """A file and what must become of its rows."""

    content: bytes = b""
    expected: list[Expected] = field(default_factory=list)


class _Writer:
    def __init__(self, delimiter: str) -> None:
        self.text = io.StringIO()
        self._csv = csv.writer(self.text, delimiter=delimiter, lineterminator="\r\n")
        self._lines = 0

    def row(self, cells: list[str]) -> int:
        """Write a row; gives the line on which it begins."""
        begins = self._lines + 1
        self._csv.writerow(cells)
        self._lines += 1 + sum(cell.count("\n") for cell in cells)
        return begins

    def raw(self, text: str) -> None:
        """Write a line as it is."""
        self.text.write(text + "\r\n")
        self._lines += 1


def _address(chance: random.Random, number: int) -> tuple[str, str | None]:
    """A cell, and the address that it says."""
    plain = f"person{number}@firm{number % 97}.example"
    writings = [
        (plain, plain),
        (plain.upper(), plain),
        (f"  {plain} ", plain),
        (f"Person {number} <{plain}>", plain),
        (f"mailto:{plain}", plain),
        (f"{plain}; second{number}@elsewhere.example", plain),
        (f"\u00a0{plain}\u00a0", plain),
        (f"{plain} (work)", plain),
        ("#REF!", None),
        ("noreply@firm.example", None),
        ("not an address", None),
        (chance.choice(NOTHING), None),
    ]
    return chance.choices(writings, [50, 8, 6, 5, 4, 4, 4, 2, 2, 3, 4, 8])[0]


def _phone(chance: random.Random) -> str:
    return chance.choice(["+49 30 1234567", "491712345678.0", "4.91712E+11", "'030/123456", ""])


def _note(chance: random.Random) -> str:
    return chance.choice(
        ["", "", "called twice", 'said "later"', "two\nlines", "a, b; c", "=1+1", "\t"]
    )


HUBSPOT_HEADER = [
    "Record ID",
    "First Name",
    "Last Name",
    "Email",
    "Phone Number",
    "Contact owner",
    "Company Name",
    "Job Title",
    "Country/Region",
    "Number of Employees",
    "Unsubscribed from all email",
    "Message",
]


def hubspot(seed: int) -> Export:
    """UTF-8 with a mark, commas, as HubSpot exports and somebody edited."""
    chance, export, writer = random.Random(seed), Export(), _Writer(",")
    writer.row(HUBSPOT_HEADER)
    for number in range(ROWS):
        if number % 211 == 0:
            writer.raw("," * (len(HUBSPOT_HEADER) - 1))
        cell, address = _address(chance, number)
        kind = chance.choices(["plain", "decimal", "none"], [80, 8, 12])[0]
        record_id = {"plain": str(1_000 + number), "decimal": f"{1_000 + number}.0", "none": ""}[
            kind
        ]
        country, size = chance.choice([*COUNTRIES, *NOTHING]), chance.choice([*EMPLOYEES, "viele"])
        words = ["true", "false", "", "TRUE", "1.0", "perhaps"]
        named = address is not None or kind == "plain"
        no = chance.choice(words if named else words[:-1])  # one reason a row
        cells = [
            record_id,
            chance.choice(FIRST),
            chance.choice(LAST),
            cell,
            _phone(chance),
            "Owner Person",
            f"Firm {number % 97}",
            chance.choice(["CTO", "Head of Ops", "", "n/a"]),
            country,
            size,
            no,
            _note(chance),
        ]
        too_long = number % 331 == 7
        begins = writer.row([*cells, "left over"] if too_long else cells)
        crm = f"hubspot:{1_000 + number}" if kind == "plain" else None
        if too_long:
            export.expected.append(Expected(line=begins, refused="columns"))
        elif address is None and crm is None:
            export.expected.append(Expected(line=begins, refused="identifiers"))
        elif no == "perhaps":
            export.expected.append(Expected(line=begins, refused="yes"))
        else:
            export.expected.append(
                Expected(
                    line=begins,
                    email=address,
                    crm=crm,
                    country=COUNTRIES.get(country),
                    employees=EMPLOYEES.get(size),
                    refusal=no in ("true", "TRUE", "1.0"),
                )
            )
    export.content = b"\xef\xbb\xbf" + writer.text.getvalue().encode()
    return export


SALESFORCE_HEADER = [
    "Lead-ID",
    "Vorname",
    "Nachname",
    "E-Mail",
    "Telefon",
    "Lead-Inhaber",
    "Firma/Account",
    "Position",
    "Land",
    "Anzahl der Mitarbeiter",
    "Abmeldung von E-Mails",
    "Beschreibung",
]
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def salesforce(seed: int) -> Export:
    """A German report, saved by Excel: semicolons, cp1252, ids that lost their case."""
    chance, export, writer = random.Random(seed), Export(), _Writer(";")
    writer.raw("sep=;")
    writer.row(SALESFORCE_HEADER)
    for number in range(ROWS):
        cell, address = _address(chance, number)
        body = "00Q5g00000" + "".join(chance.choices(_ALPHABET, k=5))
        whole = salesforce_id(body)
        kind = chance.choices(["15", "18", "lower", "broken", "none"], [30, 40, 10, 8, 12])[0]
        record_id = {
            "15": body,
            "18": whole,
            "lower": whole.lower(),
            "broken": body[:9],
            "none": "",
        }[kind]
        country = chance.choice([*COUNTRIES, *NOTHING])
        size = chance.choice([*EMPLOYEES, "viele"])
        no = chance.choice(["1", "0", "", "Ja", "Nein", "WAHR"])
        cells = [
            record_id,
            chance.choice([name for name in FIRST if name.isascii() or name[0] in "BDC"]),
            chance.choice(LAST),
            cell,
            _phone(chance),
            "Inhaber Person",
            f"Firma {number % 97}",
            chance.choice(["Geschäftsführer", "", "k.A."]),
            country,
            size,
            no,
            _note(chance),
        ]
        begins = writer.row(cells)
        crm = f"salesforce:{whole}" if kind in ("15", "18", "lower") else None
        if address is None and crm is None:
            export.expected.append(Expected(line=begins, refused="identifiers"))
        else:
            export.expected.append(
                Expected(
                    line=begins,
                    email=address,
                    crm=crm,
                    country=COUNTRIES.get(country),
                    employees=EMPLOYEES.get(size),
                    refusal=no in ("1", "Ja", "WAHR"),
                )
            )
    # What a report of Salesforce ends with.
    writer.raw("")
    for line in (
        "Alle Leads Europa",
        "Vertrauliche Informationen - Nicht weitergeben",
        "Gesamt 2000",
    ):
        begins = writer.row([line])
        export.expected.append(Expected(line=begins, refused="identifiers"))
    export.content = writer.text.getvalue().encode("cp1252")
    return export
