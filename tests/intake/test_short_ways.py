"""The short ways through the reading of a line come to the same as the long ones."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from baton.contracts.intake import Act, Command, Consent, Engagement, IdentifierScheme, Person
from baton.intake.act_parts import ActPart, CommandPart
from baton.intake.fields import property_fields
from baton.intake.identifiers import email
from baton.intake.keyed_records import to_intake
from baton.intake.line_parts import ConsentPart, EngagementPart, PersonPart
from baton.intake.line_reading import LineRefused, read_line

NOW = 1_772_445_600_000


def by_the_library(text: str) -> str | None:
    """What an address was before plain ones were known by their form."""
    try:
        checked = validate_email(
            text.strip(), check_deliverability=False, globally_deliverable=False
        )
    except (EmailNotValidError, ValueError):
        return None
    address = checked.normalized.lower()
    return (
        None
        if "." not in checked.domain or len(address) > 254 or len(checked.local_part) > 64
        else address
    )


def ours(text: str) -> str | None:
    """What it is now."""
    try:
        return email.__wrapped__(text)
    except ValueError:
        return None


_PARTS = st.sampled_from(
    [
        *"abzAZ09.-_+@ é",
        "..",
        "--",
        ".-",
        "-.",
        "xn--",
        "ab--",
        "@",
        ".com",
        ".co.uk",
        ".example",
        ".c1",
        ".1",
        "K",
        "İ",
        "ß",
        "\n",
        "<",
        ">",
        '"',
        "'",
        "/",
        "=",
        "x" * 63,
        "x" * 64,
        "y" * 65,
        "b." * 100,
        *("." + name for name in SPECIAL_USE_DOMAIN_NAMES),
    ]
)


@settings(max_examples=1_500, deadline=None)
@given(
    st.lists(_PARTS, min_size=1, max_size=8).map("".join), st.lists(_PARTS, max_size=8).map("".join)
)
@example("a" * 64, "b" * 63 + ".com")
@example("a" * 65, "b.com")
@example("a", "b" * 64 + ".com")
@example("a", ".".join(["b" * 49] * 5) + ".ab")
@example("a", ".".join(["b" * 49] * 5) + ".abc")
@example("a", "ab--c.com")
@example("a", "xn--mnchen-3ya.example")
@example("a", "1.2.3.4")
@example("a", "b.LOCAL")
@example("Ann.Berg+x", "Acme.EXAMPLE ")
def test_an_address_is_what_the_library_says_it_is(local: str, domain: str) -> None:
    for text in (f"{local}@{domain}", local + domain):
        assert ours(text) == by_the_library(text)


TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        "",
        "u1",
        "x" * 320,
        "x" * 321,
        "ann@acme.example",
        "hubspot:7",
        "salesforce:00Q5g00000AbCdE",
        "0" * 32,
        "a\x00b",
        "é",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(list(IdentifierScheme)), TEXTS)
def test_one_text_is_the_same_as_a_list_of_one(scheme: IdentifierScheme, text: str) -> None:
    def become(given: Any) -> Any:
        line = {
            "id": "1",
            "kind": "erasure",
            "occurred_at": NOW,
            "identifiers": {scheme.value: given},
        }
        try:
            return to_intake(read_line(line))
        except LineRefused as refused:
            # A text that is too long or too short is named with its place, where it has one.
            return {
                (problem.field.removesuffix(".0"), problem.reason) for problem in refused.problems
            }

    assert become(text) == become([text])


@pytest.mark.parametrize(
    ("part", "record"),
    [
        (EngagementPart, Engagement),
        (ConsentPart, Consent),
        (ActPart, Act),
        (CommandPart, Command),
        (PersonPart, Person),
    ],
)
def test_a_part_of_a_line_has_the_fields_of_its_record(part: type[BaseModel], record: type) -> None:
    assert is_dataclass(record)
    assert list(part.model_fields) == [field.name for field in fields(record)]


def test_a_line_that_leaves_its_lists_out_shares_none_with_another() -> None:
    line = {
        "id": "1",
        "kind": "engagement",
        "occurred_at": NOW,
        "identifiers": {"user": "u"},
        "engagement": {"act": "x"},
    }
    one, two = read_line(line), read_line(line)
    assert one.engagement is not None
    assert two.engagement is not None
    assert one.engagement.topics == [] == two.engagement.topics
    assert one.profile == {} == two.profile
    assert one.engagement.topics is not two.engagement.topics
    assert one.engagement.properties is not two.engagement.properties
    assert one.profile is not two.profile


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb", ["\ud800"], ["a", "\udfff"]], ids=ascii)
def test_half_a_surrogate_pair_is_no_text_also_for_a_caller_who_has_no_json(value: Any) -> None:
    with pytest.raises(ValueError, match="control characters"):
        property_fields({"p": value})
    line = {"id": "1", "kind": "erasure", "occurred_at": NOW, "identifiers": {"user": value}}
    with pytest.raises(LineRefused):
        read_line(line)
