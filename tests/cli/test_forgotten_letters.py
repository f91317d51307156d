"""A dead letter of somebody who was erased is neither shown nor sent again; explain forgets the
name."""

import pytest

from baton.cli.explain import _name_in
from baton.contracts.intake import LeadPerson, Person
from baton.lead_story.forgotten_letters import forgotten
from baton.lead_story.reports import Erasure

NOON_MS = 1_772_449_200_000
ANN = Erasure(
    event_id="e",
    lead_id=None,
    source="crm",
    at_ms=NOON_MS,
    identifiers={
        "email": ("ann@acme.example",),
        "phone": ("+4930123456",),
        "crm": ("hubspot:4711",),
    },
)


@pytest.mark.parametrize(
    ("letter", "at_ms", "names"),
    [
        (b'{"email": "Ann@ACME.example"}', NOON_MS - 1, True),
        (b'{"email": "ann@acme.example"}', NOON_MS, True),
        (b'{"email": "ann@acme.example"}', NOON_MS + 1, False),  # came after she was forgotten
        (b'{"phone": "+49 (30) 12-34-56"}', NOON_MS - 1, True),
        (b'{"email": "ben@acme.example"}', NOON_MS - 1, False),
        (b'{"id": 4711}', NOON_MS - 1, False),  # too short to differ from any number
        (b"\xff ann@acme.example", NOON_MS - 1, True),
        (b"", NOON_MS - 1, False),
    ],
)
def test_a_letter_from_before_an_erasure_that_names_the_person_is_recognised(
    letter: bytes, at_ms: int, names: bool
) -> None:
    assert forgotten([ANN]).names([None, letter], at_ms) is names


def test_the_key_of_a_letter_names_people_too() -> None:
    assert forgotten([ANN]).names([b"ann@acme.example", b"{}"], NOON_MS - 1)


def test_an_erasure_whose_identifiers_are_no_longer_kept_recognises_nothing() -> None:
    gone = Erasure(event_id="e", lead_id="lead", source="crm", at_ms=NOON_MS, identifiers=None)
    assert not forgotten([gone]).names([b"ann@acme.example"], NOON_MS - 1)


def _person(name: str, **more: object) -> LeadPerson:
    return LeadPerson(
        lead_id="lead",
        event_id="e",
        occurred_at_ms=NOON_MS,
        person=Person(first_name=name or None),
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("persons", "name"),
    [
        ([_person("Ann")], "Ann"),
        ([_person("Ann"), _person("", erased=True)], None),
        ([_person("Ann"), _person("", erased=True), _person("Anna")], "Anna"),
        ([_person("Ann"), _person("", erased=True, survivor="other")], "Ann"),
        ([_person("Ann"), _person("")], "Ann"),
    ],
)
def test_explain_names_nobody_who_was_erased(persons: list[LeadPerson], name: str | None) -> None:
    assert _name_in(persons) == name
