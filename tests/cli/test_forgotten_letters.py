"""A dead letter of somebody who was erased is neither shown nor sent again; explain forgets the
name."""

import json

import pytest
from typer.testing import CliRunner

from baton.cli import source
from baton.cli.explain import _name_in
from baton.cluster.log import Record
from baton.contracts.intake import (
    AliasKind,
    IdentifierScheme,
    IdentityAlias,
    LeadPerson,
    Person,
)
from baton.intake.identifiers import canonical, identity_key
from baton.lead_story.forgotten_letters import forgotten
from baton.lead_story.reports import Erasure
from baton.settings import Settings
from baton.sources.dead_letter_replay import SOURCE_HEADER, Replay, Replayed

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
        (b"email=ann%40acme.example&name=x", NOON_MS - 1, True),  # a form
        (b"body=email%3Dann%2540acme.example", NOON_MS - 1, True),  # a form in a form
        (b'{"email": "\\u0061nn@acme.example"}', NOON_MS - 1, True),
        (b'{"note": "call\\nann@acme.example"}', NOON_MS - 1, True),
        (b"<email>ann&#64;acme.example</email>", NOON_MS - 1, True),
        (b"Write to ann@acme.example.", NOON_MS - 1, True),
        (b'{"email": "joann@acme.example"}', NOON_MS - 1, False),  # somebody else's
        (b'{"email": "ann@acme.example.org"}', NOON_MS - 1, False),
        (b"", NOON_MS - 1, False),
    ],
)
def test_a_letter_from_before_an_erasure_that_names_the_person_is_recognised(
    letter: bytes, at_ms: int, names: bool
) -> None:
    assert forgotten([ANN]).names([None, letter], at_ms) is names


def test_the_key_of_a_letter_names_people_too() -> None:
    assert forgotten([ANN]).names([b"ann@acme.example", b"{}"], NOON_MS - 1)


def _erased(scheme: IdentifierScheme, value: str, kind: AliasKind) -> tuple[int, IdentityAlias]:
    alias = IdentityAlias(
        identity=identity_key(canonical(scheme, value)),
        lead_id="lead",
        kind=kind,
        known=False,
        cause_id="e",
        from_identity="root",
        occurred_at_ms=NOON_MS,
    )
    return NOON_MS, alias


@pytest.mark.parametrize(
    ("letter", "at_ms", "names"),
    [
        (b'{"identifiers": {"crm": "hubspot:5566"}, "person": {}}', NOON_MS - 1, True),
        (b'{"identifiers": {"crm": ["hubspot:1", "hubspot:5566"]}}', NOON_MS - 1, True),
        (b"Ann.Private%40home.example, broken", NOON_MS - 1, True),
        (b'{"identifiers": {"crm": "hubspot:5566"}}', NOON_MS + 1, False),
        (b'{"identifiers": {"crm": "hubspot:7788"}}', NOON_MS - 1, False),  # was only asked
        (b'{"identifiers": {"crm": 5566, "shoe": "x"}}', NOON_MS - 1, False),
        (b'["identifiers"]', NOON_MS - 1, False),
    ],
)
def test_a_letter_is_recognised_by_what_belonged_to_the_person_though_the_erasure_did_not_name_it(
    letter: bytes, at_ms: int, names: bool
) -> None:
    aliases = [
        _erased(IdentifierScheme.CRM, "hubspot:5566", AliasKind.ERASED),
        _erased(IdentifierScheme.EMAIL, "ann.private@home.example", AliasKind.ERASE),
        _erased(IdentifierScheme.CRM, "hubspot:7788", AliasKind.LINK),
    ]
    assert forgotten([ANN], aliases).names([letter], at_ms) is names


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


def test_what_a_source_sent_of_somebody_who_was_erased_is_not_mapped_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def letter(address: str) -> Record:
        body = json.dumps({"fields": {"email": address}}).encode()
        header = (SOURCE_HEADER, b"contact-form")
        return Record("dlq.leads.inbox.v1", 0, 0, None, body, (header,), NOON_MS - 1)

    letters = [letter("ann@acme.example"), letter("ben@acme.example")]
    sent: list[bytes] = []
    monkeypatch.setattr(source, "cluster_settings", Settings)
    monkeypatch.setattr(source, "dead_letters", lambda *_: letters)
    monkeypatch.setattr(
        source,
        "forgotten_on",
        lambda _: lambda record: forgotten([ANN]).names([record.value], record.at_ms),
    )
    monkeypatch.setattr(source, "send_lines", lambda _, lines: sent.extend(lines))
    monkeypatch.setattr(Replay, "of", lambda _, body, __: [Replayed(line=body)])
    said = CliRunner().invoke(source.app, ["replay", "examples/sources/form.yaml"])
    assert (said.exit_code, sent) == (0, [letters[1].value]), said.output
    assert "left out: 1 dead letter of people who were erased since" in said.output
