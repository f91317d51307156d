"""The event line: what it takes, what it refuses and in which words, and what becomes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from baton.contracts.codec import codec_for
from baton.contracts.intake import (
    Act,
    Command,
    CommandKind,
    Consent,
    Engagement,
    EventKind,
    Identifier,
    IdentifierScheme,
    IntakeRecord,
    Person,
)
from baton.contracts.schemas import schema_root
from baton.derived_ids import derived_id
from baton.engine.reducer import Event
from baton.intake.countries import country_code
from baton.intake.identifiers import canonical, company_domain, email, identity_key, salesforce_id
from baton.intake.keyed_records import content_id, event_id_of, key_of, to_intake
from baton.intake.line_reading import LineRefused, read_line
from baton.intake.phones import phone
from baton.intake.schema import FILE, written
from services.ingest.admit.reducer import Admit
from tests.cpu_cost import cpu_passes

NOW = 1_772_445_600_000
EXAMPLES = [
    line for line in (schema_root() / "examples" / "events.jsonl").read_text().splitlines() if line
]
SCHEMA = json.loads((schema_root() / FILE).read_text())


def line(**more: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "kind": "engagement",
        "occurred_at": "2026-03-02T10:00:00Z",
        "identifiers": {"email": "ann@acme.example"},
        "engagement": {"act": "form"},
    } | more


def of_kind(kind: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in line(kind=kind, **more).items() if name != "engagement"}


def admit(
    value: bytes, headers: Mapping[str, bytes] | None = None, received: int = NOW
) -> IntakeRecord | tuple[str, str]:
    event = Event(
        topic="leads.inbox.v1",
        partition=0,
        offset=0,
        key="",
        value=value,
        id="x",
        at_ms=received,
        received_at_ms=received,
        headers=tuple((headers or {}).items()),
    )
    step = Admit().step(None, event, now=received, reference=None)  # type: ignore[type-var, arg-type]
    if step.rejected is not None:
        assert step.facts == ()
        return step.rejected.code, step.rejected.reason
    (fact,) = step.facts
    assert (fact.topic, fact.key) == ("intake.keyed.v1", key_of(fact.value))
    assert codec_for(IntakeRecord).decode(codec_for(IntakeRecord).encode(fact.value)) == fact.value
    return fact.value  # type: ignore[no-any-return]


# --- what becomes of a line

BASE = IntakeRecord(
    event_id=event_id_of("inbox", "1"),
    source="inbox",
    kind="engagement",
    occurred_at_ms=NOW,
    identifiers=(Identifier(scheme="email", value="ann@acme.example"),),
    profile={"domain": "acme.example", "email_kind": "company"},
    derived=("domain", "email_kind"),
    person=Person(email="ann@acme.example"),
)
BARE = replace(BASE, profile={}, derived=(), person=None)

KINDS: dict[str, tuple[dict[str, Any], IntakeRecord]] = {
    "an engagement": (
        line(
            engagement={
                "act": "webinar",
                "content_id": "w7",
                "topics": ["a", "b"],
                "automatic": True,
                "link_group": "m1",
                "properties": {
                    "a": 1,
                    "b": 2.5,
                    "c": True,
                    "d": None,
                    "e": " x  y ",
                    "f": ["p", "q"],
                },
            }
        ),
        replace(
            BASE,
            engagement=Engagement(
                act="webinar",
                content_id="w7",
                topics=("a", "b"),
                automatic=True,
                link_group="m1",
                properties={"a": "1", "b": "2.5", "c": "true", "e": "x y", "f": "p;q"},
            ),
        ),
    ),
    "a profile": (
        of_kind(
            "profile",
            profile={
                "country": "Germany",
                "employees": 250.0,
                "website": "https://www.acme.example/x",
                "languages": ["de", "en"],
            },
            person={"phone": "030 1234567", "email": "Ann@ACME.example", "note": " a\x00b "},
            identifiers={"user": "u1"},
        ),
        replace(
            BASE,
            kind="profile",
            identifiers=(
                Identifier(scheme="email", value="ann@acme.example"),
                Identifier(scheme="user", value="u1"),
            ),
            person=Person(email="ann@acme.example", phone="+49301234567", note="ab"),
            derived=("email_kind",),
            profile={
                "country": "DE",
                "employees": "250",
                "languages": "de;en",
                "domain": "acme.example",
                "email_kind": "company",
            },
        ),
    ),
    "a profile with a private address": (
        of_kind("profile", identifiers={"email": "ann@gmail.com"}),
        replace(
            BASE,
            kind="profile",
            identifiers=(Identifier(scheme="email", value="ann@gmail.com"),),
            person=Person(email="ann@gmail.com"),
            profile={"email_kind": "free"},
            derived=("email_kind",),
        ),
    ),
    "a consent": (
        of_kind("consent", consent={"purpose": "marketing", "granted": False}),
        replace(
            BASE, kind="consent", consent=Consent(purpose="marketing", channel="any", granted=False)
        ),
    ),
    "a link": (
        of_kind("link", identifiers={"anonymous": ["n2", "n1", "n2"], "user": "u"}),
        replace(
            BARE,
            kind="link",
            identifiers=(
                Identifier(scheme="user", value="u"),
                Identifier(scheme="anonymous", value="n1"),
                Identifier(scheme="anonymous", value="n2"),
            ),
        ),
    ),
    "a retraction": (
        of_kind("retraction", retracts="w-1"),
        replace(BARE, kind="retraction", retracts=event_id_of("inbox", "w-1")),
    ),
    "a retraction of another source's event": (
        of_kind("retraction", retracts="w-1", retracts_source="mailer"),
        replace(BARE, kind="retraction", retracts=event_id_of("mailer", "w-1")),
    ),
    "an erasure": (of_kind("erasure"), replace(BARE, kind="erasure")),
    "an act": (
        of_kind(
            "act",
            act={
                "kind": "opportunity",
                "by": "ben",
                "amount_minor": 12_000,
                "currency": "EUR",
                "expected_close": "2026-12-31",
            },
            identifiers={"crm": "salesforce:00Q5g00000AbCdE"},
        ),
        replace(
            BARE,
            kind="act",
            identifiers=(Identifier(scheme="crm", value="salesforce:00Q5g00000AbCdEEAV"),),
            act=Act(
                kind="opportunity",
                by="ben",
                amount_minor=12_000,
                currency="EUR",
                expected_close="2026-12-31",
            ),
        ),
    ),
    "a command": (
        of_kind(
            "command",
            command={"kind": "assign", "by": "mia", "to_pool": "emea_sdr"},
            identifiers={"lead": "0" * 32},
        ),
        replace(
            BARE,
            kind="command",
            identifiers=(Identifier(scheme="lead", value="0" * 32),),
            command=Command(kind=CommandKind.ASSIGN.value, by="mia", to_pool="emea_sdr"),
        ),
    ),
}


@pytest.mark.parametrize(("content", "expected"), KINDS.values(), ids=KINDS)
def test_a_line_of_each_kind_becomes_a_record_and_matches_the_published_schema(
    content: dict[str, Any], expected: IntakeRecord
) -> None:
    assert admit(json.dumps(content).encode()) == expected
    assert list(Draft202012Validator(SCHEMA).iter_errors(content)) == []


def test_a_line_says_when_it_occurred_and_the_future_is_clamped_and_said_so() -> None:
    moments = [
        "2026-03-02T10:00:00Z",
        "2026-03-02T11:00:00+01:00",
        NOW,
        "2026-03-02T10:00:00.000Z",
        "2026-03-02T10:00:00.001Z",
    ]
    found = [admit(json.dumps(line(occurred_at=moment)).encode()) for moment in moments]
    assert [
        (record.occurred_at_ms, record.clamped)
        for record in found
        if isinstance(record, IntakeRecord)
    ] == [
        *[(NOW, False)] * 4,
        (NOW, True),
    ]
    assert to_intake(read_line(line(occurred_at=NOW + 1))).occurred_at_ms == NOW + 1


def test_a_line_without_an_id_is_the_same_event_as_another_with_the_same_content_in_any_order() -> (
    None
):
    one = {name: value for name, value in line(arrived_at=NOW).items() if name != "id"}
    two = dict(reversed(one.items())) | {"source": "x", "arrived_at": NOW + 5}
    other = one | {"engagement": {"act": "form2"}}
    assert content_id(read_line(one)) == content_id(read_line(two)) != content_id(read_line(other))


def test_the_order_of_identifiers_does_not_matter() -> None:
    both = [
        line(identifiers={"email": addresses})
        for addresses in (["b@x.example", "a@x.example"], ["a@x.example", "b@x.example"])
    ]
    assert to_intake(read_line(both[0])) == to_intake(read_line(both[1]))


# --- what is refused

WRONG: dict[str, tuple[bytes | dict[str, Any], str, str]] = {
    "nothing": (b"", "empty", "has no value; an event is a JSON object"),
    "no JSON": (b"{]", "malformed", "is not JSON in UTF-8 (at line 1 column 2)"),
    "half of it": (b'{"id":"1"', "malformed", "is not JSON in UTF-8 (at line 1 column 9)"),
    "not UTF-8": (b'{"id":"\xff"}', "malformed", "is not JSON in UTF-8 (at line 1 column 8)"),
    "two values": (b"{}{}", "malformed", "is not JSON in UTF-8 (at line 1 column 3)"),
    "a list": (b"[]", "wrong_type", "must be a JSON object"),
    "NaN": (b'{"occurred_at":NaN}', "malformed", "is not JSON in UTF-8 (at line 1 column 16)"),
    "a number of thousands of digits": (
        b'{"occurred_at":' + b"9" * 9_000 + b"}",
        "malformed",
        "is not JSON in UTF-8",
    ),
    "a number beyond all": (
        b'{"kind":"erasure","occurred_at":1e999}',
        "invalid",
        "occurred_at: must be a date and time of ISO 8601",
    ),
    "nested deep": (
        b"[" * 9_000 + b"]" * 9_000,
        "too_nested",
        "has more than 128 objects and lists",
    ),
    "nested a bit": (b"[" * 120 + b"]" * 120, "wrong_type", "must be a JSON object"),
    "too long": (b" " * 32_769, "too_long", "has 32769 bytes, the limit is 32768"),
    "Avro of an unknown schema": (
        b"\x00\x00\x00\xff\xff\x02ab",
        "unknown_schema",
        "is framed with schema id 65535",
    ),
    "Avro of one of ours": (
        b"\x00\x00\x00\x00\x01\x02ab",
        "wrong_schema",
        "is framed as IntakeRecord",
    ),
    "a zero byte": (b"\x00", "malformed", "begins with a zero byte"),
    "no kind": ({"occurred_at": NOW, "identifiers": {"user": "u"}}, "invalid", "kind: is missing"),
    "no identifier": (
        line(identifiers={}),
        "invalid",
        "identifiers: needs 1 to 16 of: lead, crm, email, user, anonymous",
    ),
    "identifiers of null": (
        line(identifiers={"email": None}),
        "invalid",
        "identifiers: needs 1 to 16 of",
    ),
    "a list of identifiers": (line(identifiers=["x"]), "invalid", "identifiers: must be an object"),
    "too many of a kind": (
        line(identifiers={"user": list("123456789")}),
        "invalid",
        "identifiers.user: must have at most 8 items",
    ),
    "a wrong address": (
        line(identifiers={"email": "ann at acme"}),
        "invalid",
        "identifiers.email: is not an e-mail address",
    ),
    "a CRM id without its system": (
        line(identifiers={"crm": "4711"}),
        "invalid",
        "identifiers.crm: needs the system before the id",
    ),
    "a wrong Salesforce id": (
        line(identifiers={"crm": "salesforce:47"}),
        "invalid",
        "identifiers.crm: is not a Salesforce id",
    ),
    "a wrong lead id": (
        line(identifiers={"lead": "4711"}),
        "invalid",
        "identifiers.lead: is not a lead id",
    ),
    "a control character in an id": (
        line(identifiers={"user": "a\x00b"}),
        "invalid",
        "identifiers.user: must not have control",
    ),
    "a number for an id": (
        line(identifiers={"user": 7}),
        "invalid",
        "identifiers.user: must be one text or a list of texts",
    ),
    "an unknown identifier": (
        line(identifiers={"fax": "1"}),
        "invalid",
        "identifiers.fax: is not a field of an event",
    ),
    "an unknown field that is an address": (
        line() | {"ann@acme.example": 1},
        "invalid",
        "(unnamed): is not a field of an event",
    ),
    "no moment": (
        of_kind("erasure") | {"occurred_at": None},
        "invalid",
        "occurred_at: must be a date and time of ISO 8601",
    ),
    "a day": (
        line(occurred_at="2026-03-02"),
        "invalid",
        "occurred_at: must be a date and time of ISO 8601",
    ),
    "no such day": (
        line(occurred_at="2026-02-31T10:00:00Z"),
        "invalid",
        "occurred_at: is not a date and time",
    ),
    "no time zone": (
        line(occurred_at="2026-03-02T10:00:00"),
        "invalid",
        "occurred_at: needs a time zone",
    ),
    "seconds": (
        line(occurred_at=1_772_445_600),
        "invalid",
        "occurred_at: must lie between 1990 and 2100",
    ),
    "true for a moment": (
        line(occurred_at=True),
        "invalid",
        "occurred_at: must be a date and time of ISO 8601",
    ),
    "an act that is no word": (
        line(engagement={"act": "Demo Request"}),
        "invalid",
        "engagement.act: must be up to 64 lower-case letters",
    ),
    "too many topics": (
        line(engagement={"act": "x", "topics": ["t"] * 17}),
        "invalid",
        "engagement.topics: must have at most 16 items",
    ),
    "an address for a title": (
        line(engagement={"act": "x", "content_title": "for ann@acme.example"}),
        "invalid",
        "engagement.content_title: must not hold an e-mail address",
    ),
    "too many properties": (
        line(engagement={"act": "x", "properties": {f"p{n}": n for n in range(33)}}),
        "invalid",
        "engagement.properties: must have at most 32 fields",
    ),
    "a property that is an object": (
        line(engagement={"act": "x", "properties": {"p": {}}}),
        "invalid",
        'engagement.properties: "p" must be text',
    ),
    "a list in a list": (line(profile={"p": [["x"]]}), "invalid", 'profile: "p" must be a text'),
    "a phone in the profile": (
        line(profile={"p": "+49 30 1234567"}),
        "invalid",
        'profile: "p" looks like personal data',
    ),
    "a name in the profile": (
        line(profile={"last_name": "Berg"}),
        "invalid",
        'profile: has "last_name", which is personal data',
    ),
    "a strange name in the profile": (
        line(profile={"ann@acme.example": "x"}),
        "invalid",
        "profile: has a field whose name is not",
    ),
    "a part of another kind": (
        line(consent={"purpose": "x", "granted": True}),
        "invalid",
        "consent: does not belong to kind engagement",
    ),
    "no part": (of_kind("act"), "invalid", "act: is needed by kind act"),
    "a person to erase": (
        of_kind("erasure", person={"note": "x"}),
        "invalid",
        "person: does not belong to kind erasure",
    ),
    "a link of one": (of_kind("link"), "invalid", "identifiers: needs two or more for kind link"),
    "no such act": (
        of_kind("act", act={"kind": "sold", "by": "x"}),
        "invalid",
        "act.kind: must be one of: accepted, rejected",
    ),
    "nobody's act": (of_kind("act", act={"kind": "won"}), "invalid", "act.by: is missing"),
    "no such day to close": (
        of_kind("act", act={"kind": "won", "by": "x", "expected_close": "2026-02-30"}),
        "invalid",
        "act.expected_close: must be a day, as 2026-12-31",
    ),
    "yes for true": (line(backfill="yes"), "invalid", "backfill: must be true or false"),
    "a source with an address": (
        line(source="mailto:ann@acme.example"),
        "invalid",
        "source: must be letters, digits and the signs of a URL",
    ),
}


@pytest.mark.parametrize(("content", "code", "reason"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_rejected_with_its_field_and_without_its_value(
    content: bytes | dict[str, Any], code: str, reason: str
) -> None:
    found = admit(content if isinstance(content, bytes) else json.dumps(content).encode())
    assert isinstance(found, tuple)
    assert (found[0], found[1][: len(reason)]) == (code, reason)
    assert "ann@" not in found[1]
    assert "Berg" not in found[1]


def test_every_problem_of_a_line_is_named_at_once() -> None:
    found = admit(
        json.dumps({"kind": "x", "occurred_at": 1, "identifiers": {"email": "x"}, "y": 1}).encode()
    )
    assert [part.partition(":")[0] for part in found[1].split("; ")] == [
        "kind",
        "occurred_at",
        "identifiers.email",
        "y",
    ]  # type: ignore[index]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)
FIELD = st.sampled_from(
    "id source kind occurred_at identifiers engagement profile person consent act retracts specversion data email user act by note".split()  # noqa: SIM905
)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200)
    | st.dictionaries(
        FIELD, JSON | st.sampled_from([*EventKind, NOW, {"user": "u"}, {"act": "x"}]), max_size=9
    ).map(lambda change: json.dumps(line() | change).encode()),
    st.dictionaries(
        st.sampled_from(["ce_id", "ce_source", "ce_time", "x"]), st.binary(max_size=20)
    ),
)
def test_whatever_bytes_come_admit_takes_or_rejects_them_and_never_raises(
    value: bytes, headers: dict[str, bytes]
) -> None:
    admit(value, headers)


@pytest.mark.parametrize(
    "value",
    [
        b'{"x":"' + b'\\"[' * 8_000 + b'"}',
        b'{"identifiers":{"email":"' + b"a." * 15_000 + b'@x.example"}}',
        json.dumps(line(profile={f"p{n}": "x" * 190 for n in range(64)})).encode(),
        b'{"kind":"' + b"9" * 32_000 + b'"}',
        json.dumps(line(identifiers={"email": "@" * 300})).encode(),
    ],
)
def test_hostile_bytes_are_cheap(value: bytes) -> None:
    assert cpu_passes(lambda: [admit(value) for _ in range(10)]) < 200


# --- CloudEvents


def test_a_cloud_event_fills_what_the_line_leaves_out_structured_or_binary() -> None:
    bare = {name: value for name, value in line().items() if name not in ("id", "occurred_at")}
    expected = replace(
        BASE, event_id=event_id_of("/shop", "e1"), source="/shop", engagement=Engagement(act="form")
    )
    event = {
        "specversion": "1.0",
        "type": "t",
        "id": "e1",
        "source": "/shop",
        "time": "2026-03-02T10:00:00Z",
        "data": bare,
        "subject": "s",
    }
    headers = {
        "ce_id": b"e1",
        "ce_source": b"/shop",
        "ce_time": b"2026-03-02T10:00:00Z",
        "ce_specversion": b"1.0",
        "ce_x": b"\xff",
    }
    assert admit(json.dumps(event).encode()) == expected
    assert admit(json.dumps(bare).encode(), headers) == expected


def test_what_the_line_says_itself_holds() -> None:
    found = admit(
        json.dumps(line(source="web")).encode(), {"ce_id": b"other", "ce_source": b"other"}
    )
    assert isinstance(found, IntakeRecord)
    assert (found.event_id, found.source) == (event_id_of("web", "1"), "web")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"specversion": "0.3", "id": "1", "source": "x", "data": {}}, "wrong_version"),
        ({"specversion": "1.0", "id": "1", "source": "x", "data": "text"}, "invalid"),
        ({"specversion": "1.0", "source": "x", "data": line()}, "invalid"),
        ({"specversion": "1.0", "id": 1, "source": "x", "data": line()}, "invalid"),
    ],
)
def test_a_wrong_cloud_event_is_rejected(event: dict[str, Any], code: str) -> None:
    assert admit(json.dumps(event).encode())[0] == code  # type: ignore[index]


def test_a_header_that_is_no_text_is_rejected_and_a_long_one_left_alone() -> None:
    assert admit(json.dumps(line()).encode(), {"ce_id": b"\xff"}) == (
        "malformed",
        "ce_id: is not UTF-8",
    )
    assert isinstance(admit(json.dumps(line()).encode(), {"ce_source": b"x" * 5_000}), IntakeRecord)


# --- identifiers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Ann.Berg+x@Acme.EXAMPLE ", "ann.berg+x@acme.example"),
        ("ann@xn--mnchen-3ya.example", "ann@münchen.example"),
        ("ann@münchen.example", "ann@münchen.example"),
        ("ann@acme", None),
        ("ann@localhost", None),
        ("ann@@acme.example", None),
        ("ann@[127.0.0.1]", None),
        ("a" * 65 + "@acme.example", None),
    ],
)
def test_an_address_has_one_form(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="is not an e-mail address"):
            email(text)
    else:
        assert email(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://www.Acme.co.uk/about?x", "acme.co.uk"),
        ("mail.acme.example", "acme.example"),
        ("ann@mail.acme.com", "acme.com"),
        ("acme.com:443", "acme.com"),
        ("acme.com.", "acme.com"),
        ("bücher.de", "bücher.de"),
        ("acme.unlisted", "acme.unlisted"),
        ("gmail.com", None),
        ("ann@gmx.at", None),
        ("yahoo.co.uk", None),
        ("co.uk", None),
        ("127.0.0.1", None),
        ("localhost", None),
        ("not a domain", None),
        ("", None),
    ],
)
def test_an_account_is_the_registered_domain_and_free_mail_is_none(
    text: str, expected: str | None
) -> None:
    assert company_domain(text) == expected


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("+49 (0)30 1234567", None, "+49301234567"),
        ("030 1234567", "DE", "+49301234567"),
        ("030 1234567", None, "030 1234567"),
        ("ask for Ann", "DE", "ask for Ann"),
        ("+1 202-555-0143 ext. 7", None, "+1 202-555-0143 ext. 7"),
    ],
)
def test_a_phone_number_is_put_in_order_or_left_as_it_is(
    text: str, country: str | None, expected: str
) -> None:
    assert phone(text, country) == expected


@settings(max_examples=200)
@given(st.text("ABCXYZabcxyz019", min_size=15, max_size=15))
def test_a_salesforce_id_survives_the_loss_of_its_case(text: str) -> None:
    whole = salesforce_id(text)
    assert whole[:15] == text
    assert {salesforce_id(spelling) for spelling in (whole, whole.upper(), whole.lower())} == {
        whole
    }


def test_salesforces_own_example_of_an_id() -> None:
    assert salesforce_id("001A0000006Vm9u") == "001A0000006Vm9uIAC"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Germany", "DE"),
        ("deu", "DE"),
        ("NO", "NO"),
        ("uk", "GB"),
        ("United Kingdom", "GB"),
        ("Atlantis", None),
    ],
)
def test_a_country_has_its_code(text: str, code: str | None) -> None:
    assert country_code(text) == code


def test_the_key_of_an_identity_is_the_digest_of_its_one_form() -> None:
    assert identity_key(canonical(IdentifierScheme.EMAIL, " ANN@acme.example")) == derived_id(
        "identity", "email", "ann@acme.example"
    )


# --- what is published


def test_the_schema_file_is_what_the_models_say() -> None:
    assert (schema_root() / FILE).read_text() == written(), (
        "python -m baton.intake.schema > schemas/event-line.schema.json"
    )


def test_the_examples_cover_every_kind_are_taken_and_match_the_schema() -> None:
    lines = [json.loads(example) for example in EXAMPLES]
    Draft202012Validator.check_schema(SCHEMA)
    assert [list(Draft202012Validator(SCHEMA).iter_errors(line)) for line in lines] == [
        [] for _ in lines
    ]
    taken = [admit(example.encode(), received=4_000_000_000_000) for example in EXAMPLES]
    assert {record.kind for record in taken if isinstance(record, IntakeRecord)} == set(EventKind)
    assert len({record.event_id for record in taken if isinstance(record, IntakeRecord)}) == len(
        EXAMPLES
    )


@pytest.mark.parametrize(
    "name",
    [
        "an unknown field that is an address",
        "no part",
        "no such act",
        "a part of another kind",
        "no kind",
    ],
)
def test_the_schema_refuses_what_is_refused(name: str) -> None:
    assert list(Draft202012Validator(SCHEMA).iter_errors(WRONG[name][0])) != []


@pytest.mark.parametrize(
    ("field", "given", "words"),
    [
        ("act", {"by": "a@b"}, "an id of the agreement's people: up to 64 letters"),
        ("act", {"handoff_id": "2026-12-31"}, "32 hexadecimal digits in lower case"),
        ("act", {"currency": "euro"}, "three capital letters, such as EUR"),
        ("act", {"reason": "No budget"}, "lower-case letters, digits and underscores"),
        ("act", {"actor": "boss"}, "system, marketing, sdr, sales or manager"),
        ("source", "my shop", "the signs of a URL, without blanks, such as webshop"),
    ],
)
def test_a_text_of_another_form_is_refused_with_the_form_that_it_should_have(
    field: str, given: Any, words: str
) -> None:
    act = {"kind": "accepted", "by": "ben"}
    changed = {"act": act | given} if field == "act" else {"act": act, field: given}
    with pytest.raises(LineRefused) as error:
        read_line(of_kind("act", **changed))
    (problem,) = error.value.problems
    assert problem.reason.startswith("must be ")
    assert words in problem.reason


def test_a_refusal_lists_a_bounded_number_of_problems() -> None:
    with pytest.raises(LineRefused) as error:
        read_line({f"field{number}": 1 for number in range(1_000)})
    assert len(error.value.problems) == 20


def test_the_documents_examples_are_taken() -> None:
    text = (Path(__file__).parents[2] / "docs" / "SENDING.md").read_text()
    blocks = [block.partition("```")[0] for block in text.split("```json\n")[1:]]
    # An object ends where the next one begins: at the start of a line.
    examples = [example for block in blocks for example in re.split(r"\n(?=\{)", block.strip())]
    assert [isinstance(admit(example.encode()), IntakeRecord) for example in examples] == [
        True
    ] * len(examples)
    assert len(examples) >= 4
    assert all(f"| `{kind}` |" in text for kind in EventKind)
