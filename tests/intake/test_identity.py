"""An identity is one, or it is none: placeholders, ids that spreadsheets rewrote, hosts that many
companies share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baton.contracts.identity import IDENTIFIER_KINDS, SCHEME_PREFIXES, IdentifierScheme
from baton.contracts.intake import IntakeRecord
from baton.intake import placeholders
from baton.intake.identifiers import CANONICAL, company_domain
from baton.intake.keyed_records import to_intake
from baton.intake.line_identifiers import Identifiers
from baton.intake.line_reading import LineRefused, read_line
from baton.intake.placeholders import is_no_id, is_placeholder
from baton.settings import Settings

NOW = 1_772_445_600_000
CASES = Path(__file__).resolve().parents[1] / "cases" / "field"


def record(**more: Any) -> IntakeRecord:
    line = {
        "id": "1",
        "kind": "profile",
        "occurred_at": NOW,
        "identifiers": {"email": "ann@acme.example"},
    }
    return to_intake(read_line(line | more))


def of_case(name: str) -> list[IntakeRecord]:
    lines = (CASES / name).read_text().splitlines()
    return [to_intake(read_line(json.loads(line))) for line in lines if line]


NO_IDS = [
    "undefined",
    "Undefined",
    "null",
    "NULL",
    "None",
    "none",
    "NaN",
    "nan",
    "nil",
    "0",
    "0000",
    "-1",
    "true",
    "false",
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-0000-0000-000000000000}",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "0x0",
    "[object Object]",
    "[object Undefined]",
    "anonymous",
    "Anonymous",
    "guest",
    "test",
    "N/A",
    "n/a",
    "#N/A",
    "#REF!",
    "-",
    "--",
    "...",
    '""',
    '"null"',
    "(null)",
    "<null>",
    "{{contact.id}}",
    "{{ user.id }}",
    "${userId}",
    "%USER_ID%",
    "%%EMAIL%%",
    "*|UNIQID|*",
    "<%= id %>",
    "[user id]",
    "<id>",
    "distinct_id",
    "not_authenticated",
    "1.23457E+11",
    "4,91712E+11",
    "1e+21",
    "1.5e21",
    "4711.0",
    "4711.",
    "4711,00",
    "-4711.0",
    "000000000000000AAA",
]
# A hexadecimal id is no number, a client id of Google Analytics has a point, and Mr Testa is no
# test.
IDS = [
    "1",
    "7",
    "42",
    "u1",
    "0047583311587e590003",
    "12E12",
    "5e3",
    "1234567890.1700000000",
    "4711.5",
    "2.0.1",
    "testa",
    "nullarbor",
    "00Q5g00000AbCdEEAV",
    "550e8400-e29b-41d4-a716-446655440000",
    "ann",
    "guest-7",
    "100",
    "10",
    "x[1]",
    "О’Коннор",
    "李",
]


def test_every_kind_of_identifier_has_a_row_one_form_and_a_field_of_the_line() -> None:
    kinds = list(IDENTIFIER_KINDS)
    assert sorted(kinds) == sorted(IdentifierScheme)
    assert set(kinds) == set(CANONICAL)
    assert kinds == list(Identifiers.model_fields)


def test_the_order_of_the_kinds_is_their_strength() -> None:
    assert list(IDENTIFIER_KINDS) == ["lead", "crm", "email", "user", "anonymous"]
    assert set(IDENTIFIER_KINDS) - SCHEME_PREFIXES == {"lead"}


@pytest.mark.parametrize("text", NO_IDS)
def test_a_placeholder_is_no_identity(text: str) -> None:
    assert is_no_id(text)
    assert (
        record(identifiers={"user": text, "email": "ann@acme.example"}).identifiers
        == record().identifiers
    )


@pytest.mark.parametrize("text", IDS)
def test_an_id_that_only_looks_odd_is_one(text: str) -> None:
    assert not is_no_id(text)


@pytest.mark.parametrize(
    ("address", "nobody"),
    [
        ("noreply@acme.example", True),
        ("No-Reply+x@acme.example", True),
        ("undefined@acme.example", True),
        ("noemail@acme.example", True),
        ("test@test.com", True),
        ("none@none.com", True),
        ("a@a.com", True),
        ("asdf@asdf.com", True),
        ("test@acme.example", False),
        ("info@acme.example", False),
        ("null.k@acme.example", False),
        ("ann@test.com", False),
    ],
)
def test_an_address_of_nobody_is_no_identity(address: str, nobody: bool) -> None:
    assert is_placeholder("email", address.lower()) is nobody


def test_a_stranger_with_the_user_id_undefined_is_not_ann() -> None:
    ann, stranger = of_case("user-id-undefined/events.jsonl")
    assert {identifier.value for identifier in ann.identifiers} == {"ann@acme.example", "a-1"}
    assert {identifier.value for identifier in stranger.identifiers} == {"b-2"}
    assert (ann.unread, stranger.unread) == (("identifiers.user",), ("identifiers.user",))


def test_an_event_that_names_only_a_placeholder_is_refused_and_says_why() -> None:
    with pytest.raises(LineRefused, match="identifiers: name nobody: a placeholder"):
        record(
            identifiers={"user": "undefined", "crm": ["hubspot:0", "salesforce:000000000000000"]}
        )


def test_a_link_with_a_placeholder_links_nobody() -> None:
    with pytest.raises(LineRefused, match="identifiers: needs two or more for kind link"):
        record(kind="link", identifiers={"user": "null", "anonymous": "n1"})


def test_a_placeholder_of_the_person_is_neither_identity_nor_address() -> None:
    found = record(
        identifiers={"user": "u1"}, person={"email": "noreply@acme.example", "first_name": "Ann"}
    )
    assert [identifier.value for identifier in found.identifiers] == ["u1"]
    assert (found.person and found.person.email, found.unread) == (None, ("person.email",))


@pytest.fixture
def own_words(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(
        placeholders,
        "load_settings",
        lambda: Settings(placeholders="House Account, kiosk@acme.example,shop.example"),
    )
    placeholders._own_words.cache_clear()
    placeholders.is_placeholder.cache_clear()
    yield
    placeholders._own_words.cache_clear()
    placeholders.is_placeholder.cache_clear()


@pytest.mark.usefixtures("own_words")
def test_operators_add_words_addresses_and_mail_domains_of_their_own() -> None:
    given = {
        "user": "house account",
        "email": ["kiosk@acme.example", "till4@shop.example", "ann@acme.example"],
    }
    assert [identifier.value for identifier in record(identifiers=given).identifiers] == [
        "ann@acme.example"
    ]


# --- companies

NO_COMPANY = [
    "linkedin.com",
    "https://www.linkedin.com/in/ann",
    "https://de.linkedin.com/company/acme",
    "facebook.com/acme",
    "https://x.com/acme",
    "https://medium.com/@ann",
    "https://sites.google.com/view/acme",
    "xing.com",
    "https://linktr.ee/acme",
    "youtube.com/@acme",
    "https://ann.myshopify.com",
    "myshopify.com",
    "acme.github.io",
    "acme.web.app",
    "acme.netlify.app",
    "acme.wordpress.com",
    "acme.wixsite.com",
    "acme.onmicrosoft.com",
    "ann@acme.onmicrosoft.com",
    "acme.sharepoint.com",
    "acme.zendesk.com",
    "ann@privaterelay.appleid.com",
    "1+ann@users.noreply.github.com",
    "ann@mozmail.com",
    "abc@guest.booking.com",
    "abc@marketplace.amazon.de",
    "gmail.com",
    "yahoo.co.uk",
]


@pytest.mark.parametrize("text", NO_COMPANY)
def test_a_host_that_many_share_is_no_company(text: str) -> None:
    assert company_domain(text) is None


@pytest.mark.parametrize(
    ("text", "company"),
    [
        ("ann@linkedin.com", "linkedin.com"),  # works there
        ("https://acme.uk.com/about", "acme.uk.com"),  # a registry's, not a host's
        ("www.acme.de.com", "acme.de.com"),
        ("https://user:pw@acme.com/x", "acme.com"),
        ("https://acme.com/mail@x", "acme.com"),
        ("ACME.co.uk", "acme.co.uk"),
    ],
)
def test_a_company_is_still_one(text: str, company: str) -> None:
    assert company_domain(text) == company


def test_three_people_with_pages_on_one_network_have_their_own_companies_and_the_page_is_said() -> (
    None
):
    found = of_case("one-account-for-many/linkedin.jsonl")
    assert [record.profile["domain"] for record in found] == [
        "ann.example",
        "bob.example",
        "cid.example",
    ]
    assert {record.derived for record in found} == {("domain", "email_kind")}
    assert {record.unread for record in found} == {("profile.website",)}


def test_shops_on_one_host_are_no_account() -> None:
    assert [
        record.profile.get("domain") for record in of_case("one-account-for-many/shops.jsonl")
    ] == [None] * 3


def test_what_a_source_says_is_distinguished_from_what_intake_concludes() -> None:
    said, concluded = of_case("account-reported-by-crm-lost/events.jsonl")
    assert (said.profile["domain"], said.derived) == ("harborlight.example", ("email_kind",))
    assert (concluded.profile["domain"], concluded.derived) == (
        "hl-group.example",
        ("domain", "email_kind"),
    )
