"""What a profile and a person say, written in one way; what has no certain reading is unknown, and
said so."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pycountry
import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from baton.agreement.wall_time import day_in
from baton.contracts.intake import IntakeRecord
from baton.intake.countries import (
    FORMER_SUBDIVISIONS,
    SUBDIVISION_NAMES,
    country_code,
    subdivision_code,
)
from baton.intake.keyed_records import to_intake
from baton.intake.line_reading import read_line
from baton.intake.phones import is_international_number, phone
from baton.intake.profile_values import amount_of, count_of
from baton.number_text import number_in, written
from services.ingest.gateway.adapters.segment import call_in
from services.ingest.gateway.json_body import read_body_object
from services.ingest.gateway.parsing import take
from services.ingest.gateway.write_keys import Scope, WriteKey

NOW = 1_772_445_600_000
CASES = Path(__file__).resolve().parents[1] / "cases" / "field"


def record(**more: Any) -> IntakeRecord:
    line = {"id": "1", "kind": "profile", "occurred_at": NOW, "identifiers": {"user": "u1"}}
    return to_intake(read_line(line | more))


def of_case(name: str) -> list[IntakeRecord]:
    lines = (CASES / name / "events.jsonl").read_text().splitlines()
    return [to_intake(read_line(json.loads(line))) for line in lines if line]


# --- numbers


@pytest.mark.parametrize(
    ("text", "number", "of_things"),
    [
        ("250", "250", "250"),
        ("1.200", None, "1200"),
        ("1,200", None, "1200"),
        ("1.200.000", "1200000", "1200000"),
        ("1,200,000", "1200000", "1200000"),
        ("12,34,567", "1234567", "1234567"),
        ("1 200", "1200", "1200"),
        ("1\u202f200", "1200", "1200"),
        ("1'200", "1200", "1200"),
        ("1.200,50", "1200.5", None),
        ("1,200.50", "1200.5", None),
        ("1.5", "1.5", None),
        ("1,5", "1.5", None),
        ("0.125", "0.125", None),
        ("250.0", "250", "250"),
        ("12.3456", "12.3456", None),
        ("1e5", None, None),
        ("1.20.300", None, None),
        ("1,200,50", None, None),
        ("٣", None, None),
        ("", None, None),
        ("9" * 65, None, None),
    ],
)
def test_a_number_is_read_where_there_is_one_reading(
    text: str, number: str | None, of_things: str | None
) -> None:
    assert number_in(text) == (None if number is None else Decimal(number))
    assert number_in(text, whole=True) == (None if of_things is None else Decimal(of_things))


@given(st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=5))
def test_a_number_that_was_written_is_read_as_it_was(number: Decimal) -> None:
    assert number_in(written(number)) == number


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (1200, "1200"),
        (250.0, "250"),
        (1.2, None),
        ("1.200", "1200"),
        ("51-200", "51-200"),
        ("51 – 200", "51-200"),
        ("1,001-5,000", "1001-5000"),
        ("1.001 bis 5.000", "1001-5000"),
        ("10,001+ employees", "10001+"),
        ("51-200 Mitarbeiter", "51-200"),
        ("D: 51-200", "51-200"),
        ("250+", "250+"),
        ("250 or more", "250+"),
        ("ab 250", "250+"),
        (">250", "251+"),
        ("über 250", "251+"),
        (">= 250", "250+"),
        ("<50", "0-49"),
        ("unter 50", "0-49"),
        ("up to 50", "0-50"),
        ("10-Jan", None),
        ("Nov-50", None),
        ("2026-01-10", None),
        ("200-51", None),
        ("many", None),
        ("-5", None),
        ("ca. 250", None),
        ("1e3", None),
    ],
)
def test_a_count_is_a_number_or_a_range_or_unknown_and_said(text: Any, count: str | None) -> None:
    found = record(profile={"employees": text})
    assert found.profile.get("employees") == count
    assert found.unread == (() if count else ("profile.employees",))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("€ 2.5M", "2500000"),
        ("2,5 Mio. €", "2500000"),
        ("1.200.000 EUR", "1200000"),
        ("500k", "500000"),
        ("$1bn", "1000000000"),
        ("1,5 Mrd.", "1500000000"),
        ("1.200", None),
        ("10-50M", None),
        ("1M-5M", "1000000-5000000"),
        ("> 5M", "5000000+"),
        ("120", "120"),
        ("lots", None),
    ],
)
def test_an_amount_is_read_with_its_scale_and_never_guessed(text: str, amount: str | None) -> None:
    assert amount_of(text) == amount


def test_a_fraction_of_json_does_not_become_thousands_on_its_way() -> None:
    assert record(profile={"ratio": 1.234}).profile == {"ratio": "1.2340"}


def test_twelve_hundred_in_european_writing_are_not_one() -> None:
    (found,) = of_case("thousands-in-european-writing")
    assert found.profile["employees"] == "1200"


def test_a_range_that_is_reported_again_is_the_same() -> None:
    for text in ("51-200", "250+", "0-49"):
        assert count_of(text) == text


# --- what says nothing


@pytest.mark.parametrize(
    "text",
    [
        "N/A",
        "n/a",
        "-",
        "--",
        "—",
        "?",
        "unknown",
        "Unbekannt",
        "[not provided]",
        "(not set)",
        "#N/A",
        "#REF!",
        "tbd",
        "k. A.",
        "keine Angabe",
        "undefined",
        "null",
        "None",
        "nan",
        "- Select -",
        "…",
        " ",
    ],
)
def test_a_word_for_nothing_says_nothing(text: str) -> None:
    found = record(profile={"country": text, "industry": text}, person={"company": "Acme"})
    assert (found.profile, found.unread) == ({}, ())


def test_a_word_for_nothing_does_not_overwrite_what_is_known() -> None:
    known, nothing, _ = of_case("n-a-over-a-country")
    assert (known.profile["country"], known.profile["industry"]) == ("DE", "logistics")
    assert not {"country", "industry"} & set(nothing.profile)


@pytest.mark.parametrize("text", ["http://", "https://www.", "www.", "HTTP://"])
def test_a_website_that_nobody_has_typed_says_nothing(text: str) -> None:
    found = record(profile={"website": text})
    assert (found.profile, found.unread) == ({}, ())


def test_a_field_of_ones_own_may_be_none_and_namibia_is_a_country() -> None:
    found = record(profile={"current_tool": "none", "country": "NA", "industry": "NA"})
    assert found.profile == {"current_tool": "none", "country": "NA"}


@pytest.mark.parametrize(
    ("reported", "kept"),
    [
        ("Null", "Null"),
        ("null", None),
        ("Na", "Na"),
        ("[not provided]", None),
        (".", None),
        ("", None),
        ("Ann\x00", "Ann"),
        ("Ann\r\nMaria", "Ann Maria"),
        ("\x00", None),
        ("李", "李"),
    ],
)
def test_a_name_is_a_name_whatever_it_sounds_like_and_nul_is_left_out(
    reported: str, kept: str | None
) -> None:
    found = record(person={"last_name": reported, "first_name": "Ann"})
    assert found.person is not None
    assert (found.person.first_name, found.person.last_name) == ("Ann", kept)


def test_a_nul_in_a_call_of_a_web_sdk_is_left_out() -> None:
    body = (CASES / "nul-in-a-name" / "body.json").read_bytes()
    key = WriteKey(name="web", scopes=frozenset(Scope))
    (found,) = take(call_in(read_body_object(body), "identify", NOW), key).records
    assert found.person is not None
    assert (found.person.first_name, found.person.email) == ("Ann", "p4@acme.example")


def test_a_control_character_costs_no_event() -> None:
    engagement = {"act": "form", "content_title": "A\x00 paper\x0b", "properties": {"p": "x\x00y"}}
    found = record(
        kind="engagement", engagement=engagement, profile={"role": "C\x00TO", "industry": "a\x1bb"}
    )
    assert found.engagement is not None
    assert (found.engagement.content_title, dict(found.engagement.properties)) == (
        "A paper",
        {"p": "xy"},
    )
    assert found.profile == {"role": "CTO", "industry": "a b"}


# --- countries


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Deutschland", "DE"),
        ("U.K.", "GB"),
        ("UK", "GB"),
        ("Turkey", "TR"),
        ("Türkei", "TR"),
        ("Türkiye", "TR"),
        ("Russia", "RU"),
        ("Holland", "NL"),
        ("The Netherlands", "NL"),
        ("UAE", "AE"),
        ("U.A.E.", "AE"),
        ("U.S.A.", "US"),
        ("United States of America", "US"),
        ("EE. UU.", "US"),
        ("Estados Unidos", "US"),
        ("Россия", "RU"),
        ("日本", "JP"),
        ("South Korea", "KR"),
        ("Korea, Republic of", "KR"),
        ("Czech Republic", "CZ"),
        ("Czechia", "CZ"),
        ("Oesterreich", "AT"),
        ("ÖSTERREICH", "AT"),
        ("Côte d’Ivoire", "CI"),
        ("Ivory Coast", "CI"),
        ("Großbritannien", "GB"),
        ("England", "GB"),
        ("Suisse", "CH"),
        ("Brasil", "BR"),
        ("Iran", "IR"),
        ("Vietnam", "VN"),
        ("Macedonia", "MK"),
        ("Kosovo", "XK"),
        ("Georgia", "GE"),
        ("Germany (DE)", "DE"),
        ("CH - Schweiz", "CH"),
        ("DE-BY", "DE"),
        ("NA", "NA"),
        ("deu", "DE"),
        ("NO", "NO"),
        ("  Hong  Kong ", "HK"),
        ("Bosnia & Herzegovina", "BA"),
        ("TÜRKİYE", "TR"),
        ("Congo (DRC)", "CD"),
        ("Korea (South)", "KR"),
        ("Korea, South", "KR"),
        ("Ireland, Republic of", "IE"),
        ("Russian Fed.", "RU"),
        ("Czech Rep.", "CZ"),
        ("P.R. China", "CN"),
        ("Schweiz/Suisse", "CH"),
        ("Germany / Deutschland", "DE"),
        ("Great Britain (UK)", "GB"),
        ("UK - England", "GB"),
        ("St. Lucia", "LC"),
        ("Germany/France", None),
        ("Germany, France", None),
        ("DE, FR", None),
        ("Republic of China", "TW"),
        ("EL", "GR"),
        ("XK", "XK"),
        ("FR-U", "FR"),
        ("Congo (Germany)", None),
        ("Kongo", None),
        ("DE (France)", None),
        ("Atlantis", None),
        ("Europe", None),
        ("", None),
        ("x" * 300, None),
    ],
)
def test_a_country_has_its_code_by_its_everyday_name(text: str, code: str | None) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize(
    "language", ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr", "ru", "ja"]
)
def test_every_country_is_known_by_its_name_in_the_large_languages(language: str) -> None:
    names = Locale(language).territories
    wrong = {
        country.alpha_2: names[country.alpha_2]
        for country in pycountry.countries
        if country_code(names[country.alpha_2]) not in (country.alpha_2, None)
    }
    unknown = [
        country.alpha_2
        for country in pycountry.countries
        if country_code(names[country.alpha_2]) is None
    ]
    assert wrong == {}
    assert set(unknown) <= {"CG", "CD", "PS", "NE", "NG", "DM", "DO", "GN", "GQ", "SD", "SS"}


def test_the_country_of_an_event_is_its_code() -> None:
    (found,) = of_case("country-by-its-everyday-name")
    assert found.profile["country"] == "DE"


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("Bavaria", "DE", "DE-BY"),
        ("Bayern", "DE", "DE-BY"),
        ("Freistaat Bayern", "DE", "DE-BY"),
        ("BY", "DE", "DE-BY"),
        ("de-by", "DE", "DE-BY"),
        ("NRW", "DE", "DE-NW"),
        ("Thueringen", "DE", "DE-TH"),
        ("California", "US", "US-CA"),
        ("ca", "US", "US-CA"),
        ("Zürich", "CH", "CH-ZH"),
        ("Quebec", "CA", "CA-QC"),
        ("Wien", "AT", "AT-9"),
        ("Co. Cork", "IE", "IE-CO"),
        ("Lombardia", "IT", "IT-25"),
        ("Surrey", "GB", "GB-SRY"),
        ("MX-DIF", "MX", "MX-CMX"),
        ("CDMX", "MX", "MX-CMX"),
        ("Distrito Federal", "MX", "MX-CMX"),
        ("FR-U", "FR", "FR-PAC"),
        ("PACA", "FR", "FR-PAC"),
        ("CZ-JM", "CZ", "CZ-64"),
        ("PL-MZ", "PL", "PL-14"),
        ("Jeonbuk", "KR", "KR-45"),
        ("전북특별자치도", "KR", "KR-45"),
        ("Bavaria", "US", None),
        ("EMEA", "DE", None),
        ("", "DE", None),
    ],
)
def test_a_subdivision_has_its_code_by_its_usual_name(
    text: str, country: str, code: str | None
) -> None:
    assert subdivision_code(text, country) == code


def test_every_usual_name_of_a_subdivision_means_one_that_exists() -> None:
    listed = [
        f"{country}-{code}"
        for country, names in SUBDIVISION_NAMES.items()
        for code in names.values()
    ]
    assert [code for code in listed if pycountry.subdivisions.get(code=code) is None] == []


def test_every_former_code_of_a_subdivision_leads_to_one_that_exists_and_hides_none() -> None:
    former = {
        f"{country}-{code}": f"{country}-{now}"
        for country, codes in FORMER_SUBDIVISIONS.items()
        for code, now in codes.items()
    }
    current = {subdivision.code for subdivision in pycountry.subdivisions}
    assert set(former.values()) <= current
    assert former.keys() & current == set()


def test_a_region_keeps_its_name_and_gets_its_code_beside_it() -> None:
    found = record(profile={"country": "Germany", "region": "Bavaria", "postal": "D-80331"})
    assert found.profile == {
        "country": "DE",
        "region": "Bavaria",
        "postal": "80331",
        "subdivision": "DE-BY",
    }
    assert found.derived == ("subdivision",)


# --- days


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2026-12-30T23:00:00.000Z", "Europe/Berlin", date(2026, 12, 31)),
        ("2026-12-30T23:00Z", "Europe/London", date(2026, 12, 30)),
        ("2026-12-31T00:00:00+01:00", "Europe/Berlin", date(2026, 12, 31)),
        ("2026-12-31T03:00:00Z", "America/New_York", date(2026, 12, 30)),
        ("2026-12-31", "America/New_York", date(2026, 12, 31)),
        ("2026-12-31T23:30:00", "Europe/Berlin", date(2026, 12, 31)),
        ("2026-12-31 something", "Europe/Berlin", date(2026, 12, 31)),
        ("soon", "Europe/Berlin", None),
        ("", "Europe/Berlin", None),
        ("0001-01-01T00:00:00+14:00", "America/New_York", date(1, 1, 1)),
    ],
)
def test_the_day_of_a_moment_is_the_day_it_is_where_the_agreement_is(
    text: str, zone: str, day: date | None
) -> None:
    assert day_in(text, ZoneInfo(zone)) == day


def test_a_moment_reaches_the_agreement_whole() -> None:
    (found,) = of_case("day-of-a-moment")
    assert day_in(found.profile["contract_end"], ZoneInfo("Europe/Berlin")) == date(2026, 12, 31)


# --- telephone numbers


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("491712345678.0", "DE", "+491712345678"),
        ("491712345678", "DE", "+491712345678"),
        ("1712345678", "DE", "+491712345678"),
        ("+491712345678.0", None, "+491712345678"),
        ("4.91712E+11", "DE", None),
        ("4,91712E+11", "DE", None),
        ("p:+491712345678", None, "+491712345678"),
        ("'+491712345678", None, "+491712345678"),
        ("=+491712345678", None, "+491712345678"),
        ("tel:+49-30-1234567", None, "+49301234567"),
        ("0049 30 1234567", None, "+49301234567"),
        ("030 1234567; 0171 2345678", "DE", "+49301234567"),
        ("0171/2345678", "DE", "+491712345678"),
        ("0000000000", "DE", None),
        ("1234567890", "US", None),
        ("12025550143", "US", "+12025550143"),
        ("774768867", "FR", "+33774768867"),
        ("3911234567", "IT", "+393911234567"),
        ("47161746", "NO", "+4747161746"),
        ("358500000", "FI", "+358500000"),
        ("15167706076", "US", "+15167706076"),
        ("021912345678x", None, "021912345678x"),
        ("9" * 60, "US", None),
    ],
)
def test_a_number_that_a_spreadsheet_made_is_read_or_left_or_none(
    text: str, country: str | None, number: str | None
) -> None:
    assert phone(text, country) == number


def test_a_number_that_is_none_is_said_and_costs_nothing_else() -> None:
    found = record(person={"phone": "4.91712E+11", "first_name": "Ann"})
    assert found.person is not None
    assert (found.person.phone, found.person.first_name, found.unread) == (
        None,
        "Ann",
        ("person.phone",),
    )


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("+49 30 1234567", True),
        ("0049301234567", True),
        ("0012345678", False),
        ("0012345678905", False),
        ("4006381333931", False),
    ],
)
def test_a_customer_number_and_an_article_number_are_no_telephone_number(
    text: str, is_one: bool
) -> None:
    assert is_international_number(text) is is_one


@pytest.mark.parametrize("text", ["0012345678", "0012345678905", "4006381333931", "0000123456"])
def test_a_customer_number_or_ean_does_not_cost_the_event(text: str) -> None:
    assert record(profile={"customer_no": text}).profile == {"customer_no": text}
