"""The shipped sources at the running application: each vendor's requests as it signs them, and
forged, old, early and re-written ones; handshakes, replies, dead letters, bombs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from baton.contracts.intake import EventKind
from baton.sources.source_model import SourceModel, secrets_of
from baton.sources.source_reading import read_sources, source_files
from services.ingest.gateway.adapters.declared import declared_sources
from services.ingest.gateway.adapters.registry import ADAPTERS
from services.ingest.gateway.app import Gateway
from services.ingest.gateway.source_dead_letters import DeadLetter
from services.ingest.gateway.write_keys import key_ring
from services.ingest.settings import GatewaySettings
from tests.services.ingest.gateway.running_gateway import KEYS, Served

SOURCES = Path(__file__).resolve().parents[4] / "examples" / "sources"
NOW = 1_772_445_600_000  # 2026-03-02T10:00:00Z
SECRET = "a-secret-of-the-tests"
URL = "https://leads.example.com"


@cache
def shipped() -> dict[str, SourceModel]:
    """Every source among the examples."""
    return {
        name: source
        for file in source_files(SOURCES)
        for name, source in read_sources(file).sources.items()
    }


@dataclass
class Vendors(Served):
    """The gateway with all shipped sources, and what it keeps as dead letters."""

    letters: list[DeadLetter] = field(default_factory=list)

    async def keep(self, letters: Sequence[DeadLetter]) -> None:
        """As the brokers would."""
        self.letters += letters


@pytest.fixture
def served() -> Vendors:
    return Vendors()


@pytest.fixture
async def client(served: Vendors) -> AsyncIterator[httpx.AsyncClient]:
    secrets = {name: SECRET for model in shipped().values() for name in secrets_of(model)}
    own = GatewaySettings(write_keys=KEYS)
    gateway = Gateway(served.publish, key_ring(own), own, keep=served.keep, now_ms=lambda: NOW)
    app = gateway.app((*ADAPTERS, *declared_sources(SOURCES, secrets)))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as found:
        yield found


def signed(message: bytes, algorithm: str = "sha256", secret: str = SECRET) -> str:
    return hmac.digest(secret.encode(), message, algorithm).hex()


def hubspot3(body: bytes, secret: str = SECRET, at_ms: int = NOW) -> dict[str, str]:
    message = f"POST{URL}/hooks/hubspot".encode() + body + str(at_ms).encode()
    digest = base64.b64encode(hmac.digest(secret.encode(), message, "sha256")).decode()
    return {"X-HubSpot-Signature-v3": digest, "X-HubSpot-Request-Timestamp": str(at_ms)}


def hubspot2(body: bytes, secret: str = SECRET, at_ms: int = NOW) -> dict[str, str]:
    del at_ms
    message = f"{secret}POST{URL}/hooks/hubspot".encode() + body
    digest = hashlib.sha256(message).hexdigest()
    return {"X-HubSpot-Signature": digest, "X-HubSpot-Signature-Version": "v2"}


def hubspot1(body: bytes, secret: str = SECRET, at_ms: int = NOW) -> dict[str, str]:
    del at_ms
    digest = hashlib.sha256(secret.encode() + body).hexdigest()
    return {"X-HubSpot-Signature": digest, "X-HubSpot-Signature-Version": "v1"}


def calendly(body: bytes, secret: str = SECRET, at_ms: int = NOW) -> dict[str, str]:
    moment = str(at_ms // 1000)
    digest = signed(moment.encode() + b"." + body, secret=secret)
    return {"Calendly-Webhook-Signature": f"t={moment},v1={digest}"}


def plain(header: str, prefix: str = "", over: bytes = b"") -> Callable[..., dict[str, str]]:
    def sign(body: bytes, secret: str = SECRET, at_ms: int = NOW) -> dict[str, str]:
        del at_ms
        return {header: prefix + signed(over + body, secret=secret)}

    return sign


def typeform(body: bytes, secret: str = SECRET, at_ms: int = NOW) -> dict[str, str]:
    del at_ms
    digest = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    return {"Typeform-Signature": f"sha256={digest}"}


SIGNERS: dict[str, tuple[str, Callable[..., dict[str, str]]]] = {
    "hubspot v3": ("hubspot", hubspot3),
    "hubspot v2": ("hubspot", hubspot2),
    "hubspot v1": ("hubspot", hubspot1),
    "calendly": ("calendly", calendly),
    "typeform": ("typeform", typeform),
    "cal.com": ("cal", plain("X-Cal-Signature-256")),
    "facebook": ("facebook", plain("X-Hub-Signature-256", "sha256=")),
    "linkedin": ("linkedin", plain("X-LI-Signature", over=b"hmacsha256=")),
    "linkedin, the word in the header": ("linkedin", plain("X-LI-Signature", "hmacsha256=")),
    "linkedin, no word": ("linkedin", plain("X-LI-Signature")),
}
WITH_MOMENT = ("hubspot v3", "calendly")


def first_example(name: str) -> bytes:
    return json.dumps(shipped()[name].examples[0].body).encode()


@pytest.mark.parametrize(("name", "sign"), SIGNERS.values(), ids=SIGNERS)
async def test_what_the_vendor_has_signed_is_taken_and_nothing_else(
    name: str, sign: Callable[..., dict[str, str]], client: httpx.AsyncClient, served: Vendors
) -> None:
    path, body = f"/hooks/{name}", first_example(name)
    taken = await client.post(path, content=body, headers=sign(body))
    assert taken.status_code == 200, taken.text
    assert len(served.records) == taken.json()["accepted"] >= 1
    assert served.letters == []
    rewritten = json.dumps(json.loads(body), separators=(",", ":")).encode()
    answers = [
        await client.post(path, content=body),
        await client.post(path, content=body, headers=sign(body, secret="another")),
        await client.post(path, content=rewritten, headers=sign(body)),
        await client.post(path, content=body + b" ", headers=sign(body)),
    ]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert all(SECRET not in answer.text for answer in answers)
    assert len(served.records) == taken.json()["accepted"]


@pytest.mark.parametrize("kind", WITH_MOMENT)
@pytest.mark.parametrize(
    ("at_ms", "status"),
    [(NOW - 299_000, 200), (NOW - 301_000, 401), (NOW + 4_000, 200), (NOW + 60_000, 401)],
    ids=["old but good", "too old", "a clock four seconds ahead", "from the future"],
)
async def test_a_signed_moment_bounds_how_long_a_request_is_good(
    kind: str, at_ms: int, status: int, client: httpx.AsyncClient
) -> None:
    name, sign = SIGNERS[kind]
    body = first_example(name)
    answer = await client.post(f"/hooks/{name}", content=body, headers=sign(body, at_ms=at_ms))
    assert answer.status_code == status


async def test_an_old_signature_of_hubspots_is_not_good_under_the_name_of_another_version(
    client: httpx.AsyncClient,
) -> None:
    body = first_example("hubspot")
    mixed = {**hubspot1(body), "X-HubSpot-Signature-Version": "v2"}
    assert (await client.post("/hooks/hubspot", content=body, headers=mixed)).status_code == 401


TOKENS = [
    ("salesforce-changes", {"headers": {"authorization": f"Bearer {SECRET}"}}),
    ("marketo", {"headers": {"x-baton-token": SECRET}}),
    ("snowplow", {"headers": {"authorization": f"Bearer {SECRET}"}}),
    ("posthog", {"headers": {"authorization": f"Bearer {SECRET}"}}),
    ("pipedrive", {"auth": ("pipedrive", SECRET)}),
]


@pytest.mark.parametrize(("name", "shown"), TOKENS, ids=[row[0] for row in TOKENS])
async def test_a_vendor_with_a_token_is_taken_with_it_alone(
    name: str, shown: dict[str, Any], client: httpx.AsyncClient, served: Vendors
) -> None:
    path, body = f"/hooks/{name}", first_example(name)
    assert (await client.post(path, content=body, **shown)).status_code == 200
    count = len(served.records)
    assert count >= 1
    without = await client.post(path, content=body)
    wrong = await client.post(path, content=body, headers={"authorization": "Bearer guess"})
    assert [without.status_code, wrong.status_code, len(served.records)] == [401, 401, count]


async def test_the_template_of_the_page_about_marketo_is_taken_as_marketo_fills_it_in(
    client: httpx.AsyncClient, served: Vendors
) -> None:
    page = (SOURCES.parents[1] / "docs" / "sources" / "marketo.md").read_text()
    template = page.partition("```json\n")[2].partition("```")[0]
    values = {
        "lead.Id": "4711",
        "lead.Email Address": "ann@acme.example",
        "lead.First Name": 'Ann "Änn"',
        "company.Num Employees": "250",
        "my.act": "webinar",
        "system.dateTime": "2026-03-02 10:00:00",
    }

    def filled(token: re.Match[str]) -> str:
        return json.dumps(values.get(token[1], ""))  # "token encoding JSON"

    body = re.sub(r"\{\{(.+?)\}\}", filled, template)
    answer = await client.post("/hooks/marketo", content=body, headers={"X-Baton-Token": SECRET})
    assert (answer.status_code, served.letters) == (200, [])
    (record,) = served.records
    assert record.engagement is not None
    assert record.person is not None
    assert (record.engagement.act, record.occurred_at_ms) == ("webinar", NOW)
    assert (record.person.first_name, record.profile["employees"]) == ('Ann "Änn"', "250")
    assert "title" not in record.profile


async def test_aircalls_token_stands_in_the_body(
    client: httpx.AsyncClient, served: Vendors
) -> None:
    body = shipped()["aircall"].examples[0].body
    wrong = await client.post("/hooks/aircall", json=body)
    right = await client.post("/hooks/aircall", json={**body, "token": SECRET})
    assert [wrong.status_code, right.status_code] == [401, 200]
    (record,) = served.records
    assert record.act is not None
    assert (record.act.kind, record.act.by, record.act.outcome) == ("call", "sdr-lena", "connected")


async def test_salesforce_gets_the_ack_it_waits_for(
    client: httpx.AsyncClient, served: Vendors
) -> None:
    body = shipped()["salesforce"].examples[0].body.encode()
    answer = await client.post("/hooks/salesforce", params={"token": SECRET}, content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert "<Ack>true</Ack>" in answer.text
    assert [
        [(identifier.scheme, identifier.value) for identifier in record.identifiers]
        for record in served.records
    ] == [
        [("crm", "salesforce:00Q5g00000AbCdEEAV"), ("email", "ann@acme.example")],
        [("crm", "salesforce:00Q5g00000AbCdFEAV"), ("email", "bob@acme.example")],
    ]
    guess = await client.post("/hooks/salesforce", params={"token": "guess"}, content=body)
    assert guess.status_code == 401


ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><Envelope>'
    b"<Body>&b;</Body></Envelope>"
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><Envelope>&a;</Envelope>'
BOMBS = {
    "entities in entities": (ENTITIES, "malformed"),
    "an entity of a file": (OUTSIDE, "malformed"),
    "elements within elements": (b"<a>" * 60_000, "too_nested"),
    "more elements than any message has": (
        b"<a>" + b"<b/>" * 60_000 + b"</a>",
        "too_nested",
    ),
    "half a message": (b"<Envelope><Body>", "malformed"),
    "no XML": (b'{"a": 1}', "malformed"),
}


@pytest.mark.parametrize(("body", "code"), BOMBS.values(), ids=BOMBS)
async def test_a_body_that_is_no_message_is_kept_whole_with_the_reason_and_acknowledged(
    body: bytes, code: str, client: httpx.AsyncClient, served: Vendors
) -> None:
    answer = await client.post("/hooks/salesforce", params={"token": SECRET}, content=body)
    assert "<Ack>true</Ack>" in answer.text
    (letter,) = served.letters
    assert (letter.source, letter.code, letter.value) == ("salesforce", code, body)
    assert served.records == []


async def test_one_bad_record_is_kept_with_its_place_and_the_others_are_taken(
    client: httpx.AsyncClient, served: Vendors
) -> None:
    records = [
        {"eventId": 1, "objectId": 1, "subscriptionType": "contact.creation", "occurredAt": NOW},
        {"eventId": 2, "subscriptionType": "contact.creation", "occurredAt": NOW},
        {"eventId": 3, "objectId": 3, "subscriptionType": "contact.creation", "occurredAt": "?"},
    ]
    whole = [{"portalId": 7, "subscriptionId": 9, **record} for record in records]
    body = json.dumps(whole).encode()
    answer = await client.post("/hooks/hubspot", content=body, headers=hubspot3(body))
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert [json.loads(letter.value) for letter in served.letters] == whole[1:]
    first, second = served.letters
    assert (first.code, first.path) == ("invalid", "/hooks/hubspot")
    assert "record 1: id: cannot be computed" in first.reason
    assert "record 2: occurred_at: " in second.reason
    headers = dict(first.headers())
    assert headers["__dlq.errors.code"] == b"invalid"
    assert headers["baton_source"] == b"hubspot"


async def test_a_body_of_nothing_but_bad_records_is_a_success_to_the_vendor_and_kept(
    client: httpx.AsyncClient, served: Vendors
) -> None:
    for body in (b'[{"subscriptionType": "contact.creation"}]', b"[{", b"7"):
        answer = await client.post("/hooks/hubspot", content=body, headers=hubspot1(body))
        assert answer.status_code == 200, answer.text
    assert [letter.code for letter in served.letters] == ["invalid", "malformed", "wrong_type"]
    assert served.letters[1].value == b"[{"


async def test_facebook_makes_sure_of_the_address_with_the_agreed_token(
    client: httpx.AsyncClient,
) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": SECRET}
    right = await client.get("/hooks/facebook", params=asked)
    wrong = await client.get("/hooks/facebook", params={**asked, "hub.verify_token": "x"})
    assert (right.status_code, right.text) == (200, "1158201444")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "challenge")


async def test_linkedins_challenge_is_answered_signed(client: httpx.AsyncClient) -> None:
    code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    answer = await client.get("/hooks/linkedin", params={"challengeCode": code})
    assert answer.json() == {"challengeCode": code, "challengeResponse": signed(code.encode())}
    assert (await client.get("/hooks/hubspot")).status_code == 405


@pytest.mark.parametrize("prefix", ["", "hmacsha256="])
async def test_a_challenge_signs_nothing_that_could_be_a_notification(
    prefix: str, client: httpx.AsyncClient, served: Vendors
) -> None:
    """LinkedIn's challenge and its notifications are signed with one secret: whoever may ask for
    the signature of a text of their own could forge a lead."""
    body = first_example("linkedin")
    asked = {"challengeCode": prefix + body.decode()}
    answer = await client.get("/hooks/linkedin", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (403, "challenge")
    assert signed(prefix.encode() + body) not in answer.text


async def test_a_plain_form_is_taken_and_its_sender_goes_on_to_the_page_of_thanks(
    client: httpx.AsyncClient, served: Vendors
) -> None:
    fields = {"email": "ann@acme.example", "first_name": "Änn", "act": "Demo request"}
    site = {"site": SECRET}
    first = await client.post("/hooks/contact-form", params=site, data=fields)
    double = await client.post("/hooks/contact-form", params=site, data=fields)
    machine = await client.post(
        "/hooks/contact-form", params=site, data={**fields, "website_url": "http://x.example"}
    )
    for answer in (first, double, machine):
        assert answer.status_code == 303
        assert answer.headers["location"] == "https://www.example.com/thanks"
    assert len({record.event_id for record in served.records}) == 1
    assert len(served.records) == 2
    record = served.records[0]
    assert record.person is not None
    assert (record.person.first_name, record.occurred_at_ms) == ("Änn", NOW)
    stranger = await client.post("/hooks/contact-form", params={"site": "x"}, data=fields)
    page = await client.post(
        "/hooks/contact-form", params=site, data=fields, headers={"origin": "https://evil.example"}
    )
    assert [stranger.status_code, page.status_code] == [401, 403]


async def test_a_form_with_a_file_is_taken_without_it(
    client: httpx.AsyncClient, served: Vendors
) -> None:
    answer = await client.post(
        "/hooks/contact-form",
        params={"site": SECRET},
        data={"email": "ann@acme.example", "first_name": "Änn"},
        files={"attachment": ("cv.pdf", b"%PDF-1.7 \x00\xff", "application/pdf")},
    )
    assert answer.status_code == 303
    (record,) = served.records
    assert record.person is not None
    assert (record.person.email, record.person.first_name) == ("ann@acme.example", "Änn")
    broken = {"content-type": "multipart/form-data; boundary=x"}
    body = b"--y\r\nno form at all"
    await client.post("/hooks/contact-form", params={"site": SECRET}, content=body, headers=broken)
    assert [(letter.code, letter.value) for letter in served.letters] == [("malformed", body)]


async def test_too_many_fields_are_no_form(client: httpx.AsyncClient, served: Vendors) -> None:
    body = "&".join(f"f{number}=x" for number in range(600)).encode()
    await client.post("/hooks/contact-form", params={"site": SECRET}, content=body)
    assert [letter.code for letter in served.letters] == ["malformed"]


async def test_a_merge_in_the_crm_joins_and_a_deletion_for_privacy_forgets(
    client: httpx.AsyncClient, served: Vendors
) -> None:
    for example in shipped()["hubspot"].examples:
        body = json.dumps(example.body).encode()
        await client.post("/hooks/hubspot", content=body, headers=hubspot2(body))
    kinds = [record.kind for record in served.records]
    assert kinds.count(EventKind.ERASURE.value) == 1
    commands = [record.command for record in served.records if record.command]
    assert [(command.kind, command.by) for command in commands] == [
        ("merge", "hubspot"),
        ("pass_on", "sdr-lena"),
        ("claim", "sdr-lena"),
        ("claim", "ae-hugo"),
    ]


def test_hubspots_own_helper_signs_as_the_tests_do() -> None:
    module = pytest.importorskip("hubspot.utils.signature", reason="HubSpot's client library")
    body = first_example("hubspot")
    for version, ours in (("v1", hubspot1), ("v2", hubspot2), ("v3", hubspot3)):
        theirs = module.Signature.get_signature(
            SECRET, body.decode(), version, f"{URL}/hooks/hubspot", "POST", str(NOW)
        )
        assert theirs in ours(body).values()


async def test_the_cloudevents_library_sends_structured_binary_and_batches(
    client: httpx.AsyncClient, served: Vendors
) -> None:
    http = pytest.importorskip("cloudevents.v1.http", reason="the CloudEvents library")
    attributes = {
        "id": "ce-1",
        "source": "shop",
        "type": "example.signup",
        "time": "2026-03-02T10:00:00Z",
    }
    line = {
        "kind": "engagement",
        "identifiers": {"email": "ann@acme.example"},
        "engagement": {"act": "signup"},
    }
    conversion = pytest.importorskip("cloudevents.v1.conversion")
    event = http.CloudEvent(attributes, line)
    for headers, body in (conversion.to_structured(event), conversion.to_binary(event)):
        shown = {**headers, "authorization": "Bearer web-0123456789abcdef"}
        shown.setdefault("content-type", "application/json")
        answer = await client.post("/v1/events", content=body, headers=shown)
        assert answer.status_code == 202, answer.text
    batch = json.dumps([json.loads(conversion.to_structured(event)[1])] * 2)
    shown = {
        "content-type": "application/cloudevents-batch+json",
        "authorization": "Bearer web-0123456789abcdef",
    }
    assert (await client.post("/v1/events", content=batch, headers=shown)).status_code == 202
    assert len(served.records) == 4
    assert len({record.event_id for record in served.records}) == 1
