"""The gateway: who may send, what is taken, what is answered; an answer of success means that the
brokers have it."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import sha256
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.contracts.intake import Engagement, Identifier, IntakeRecord, Person
from baton.intake.keyed_records import event_id_of
from services.ingest.gateway.adapters.registry import ADAPTERS
from services.ingest.gateway.adapters.segment_fields import snake
from services.ingest.gateway.app import Gateway, NotPublished
from services.ingest.gateway.request_body import MAX_BODY_BYTES
from services.ingest.gateway.write_keys import KeysRefused, key_ring, presented_key
from services.ingest.settings import GatewaySettings

NOW = 1_772_445_600_000
WEB, CRM, DESK = "web-0123456789abcdef", "crm-0123456789abcdef", "desk-0123456789abcde"
KEYS = (
    f"web:engagement:{WEB}, crm:engagement+acts:sha256:{sha256(CRM.encode()).hexdigest()}, "
    f"desk:engagement+acts+commands:{DESK}"
)


class Brokers:
    """Takes records as the brokers would; ``does`` says how."""

    def __init__(self) -> None:
        self.records: list[IntakeRecord] = []
        self.traces: list[str | None] = []
        self.does: Callable[[], Any] | None = None

    async def __call__(self, records: Sequence[IntakeRecord], traceparent: str | None) -> None:
        if self.does is not None:
            await self.does()
        self.records += records
        self.traces.append(traceparent)


@pytest.fixture
def brokers() -> Brokers:
    return Brokers()


@pytest.fixture
def clock() -> dict[str, float]:
    return {"s": 0.0}


def _client(
    brokers: Brokers, clock: dict[str, float] | None = None, **more: Any
) -> httpx.AsyncClient:
    own = GatewaySettings(**{"write_keys": KEYS, **more})
    seconds = (lambda: clock["s"]) if clock is not None else (lambda: 0.0)
    app = Gateway(brokers, key_ring(own), own, now_ms=lambda: NOW, seconds=seconds).app()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", auth=(WEB, ""))


@pytest.fixture
async def client(brokers: Brokers) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(brokers) as found:
        yield found


def line(**more: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "kind": "engagement",
        "occurred_at": "2026-03-02T10:00:00Z",
        "identifiers": {"email": "ann@acme.example"},
        "engagement": {"act": "form"},
    } | more


ACT = {"kind": "act", "act": {"kind": "call", "by": "ben"}, "engagement": None}
COMMAND = {"kind": "command", "command": {"kind": "claim", "by": "ben"}, "engagement": None}
ERASURE = {"kind": "erasure", "engagement": None}
RETRACTION = {"kind": "retraction", "retracts": "7", "engagement": None}
TRACK = {
    "type": "track",
    "userId": "u1",
    "event": "Demo Requested",
    "messageId": "m1",
    "timestamp": "2026-03-02T09:00:00Z",
}


# --- Segment's calls


def record(kind: str, identifiers: list[tuple[str, str]], **more: Any) -> IntakeRecord:
    reported = {
        "event_id": event_id_of("web", "m1"),
        "source": "web",
        "occurred_at_ms": NOW - 3_600_000,
    }
    return IntakeRecord(
        **{
            **reported,
            "kind": kind,
            "identifiers": tuple(Identifier(scheme=s, value=v) for s, v in identifiers),
            **more,
        }
    )


CALLS: dict[str, tuple[dict[str, Any], IntakeRecord]] = {
    "identify": (
        {
            "userId": "u1",
            "anonymousId": "n1",
            "traits": {
                "email": "Ann@Mail.Acme.example",
                "firstName": "Ann",
                "phone": "+49 30 1234567",
                "title": "CTO",
                "company": {"name": "Acme", "industry": "steel", "employee_count": 250},
                "address": {"country": "Germany", "state": "Bavaria", "street": "1 Main St"},
                "secret": "left alone",
                "profile": {"revenueMeur": 40, "first_name": "not here"},
            },
        },
        record(
            "profile",
            [("email", "ann@mail.acme.example"), ("user", "u1"), ("anonymous", "n1")],
            person=Person(
                email="ann@mail.acme.example",
                first_name="Ann",
                phone="+49301234567",
                company="Acme",
            ),
            profile={
                "title": "CTO",
                "industry": "steel",
                "employees": "250",
                "revenue_meur": "40",
                "country": "DE",
                "region": "Bavaria",
                "domain": "acme.example",
                "email_kind": "company",
                "subdivision": "DE-BY",
            },
            derived=("domain", "email_kind", "subdivision"),
        ),
    ),
    "track": (
        {
            "userId": 7,
            "event": "Whitepaper downloaded",
            "properties": {
                "title": "Leads, kept",
                "topics": ["Lead Routing", 3],
                "plan": "pro",
                "secret": "x",
                "email_id": "mail-9",
            },
            "context": {
                "campaign": {"name": "spring", "source": "google", "medium": "cpc"},
                "page": {
                    "path": "/paper",
                    "referrer": "https://www.google.com/search?q=ann@acme.example",
                },
                "ip": "10.0.0.1",
                "traits": {"email": "ann@gmail.com"},
            },
        },
        record(
            "engagement",
            [("email", "ann@gmail.com"), ("user", "7")],
            person=Person(email="ann@gmail.com"),
            profile={"email_kind": "free"},
            derived=("email_kind",),
            engagement=Engagement(
                act="whitepaper_downloaded",
                content_title="Leads, kept",
                topics=("lead_routing",),
                campaign="spring",
                link_group="mail-9",
                properties={
                    "plan": "pro",
                    "utm_source": "google",
                    "utm_medium": "cpc",
                    "path": "/paper",
                    "referrer": "www.google.com",
                },
            ),
        ),
    ),
    "page": (
        {
            "anonymousId": "n1",
            "name": "Pricing",
            "properties": {"url": "https://x.example/pricing?mail=ann@acme.example#top"},
        },
        record(
            "engagement",
            [("anonymous", "n1")],
            engagement=Engagement(
                act="page_view",
                content_id="/pricing",
                content_title="Pricing",
                properties={"path": "/pricing"},
            ),
        ),
    ),
    "screen": (
        {"anonymousId": "n1", "name": "Home"},
        record(
            "engagement",
            [("anonymous", "n1")],
            engagement=Engagement(act="screen_view", content_title="Home"),
        ),
    ),
    "group": (
        {
            "userId": "u1",
            "groupId": "g1",
            "traits": {"name": "Acme", "website": "https://www.acme.example/", "employees": 20},
        },
        record(
            "profile",
            [("user", "u1")],
            person=Person(company="Acme"),
            profile={"employees": "20", "group": "g1", "domain": "acme.example"},
        ),
    ),
    "alias": (
        {"userId": "u1", "previousId": "n1"},
        record("link", [("user", "n1"), ("user", "u1"), ("anonymous", "n1")]),
    ),
}


@pytest.mark.parametrize(("call", "expected"), CALLS.values(), ids=CALLS)
async def test_a_call_of_segments_becomes_a_record(
    call: dict[str, Any],
    expected: IntakeRecord,
    client: httpx.AsyncClient,
    brokers: Brokers,
    request: pytest.FixtureRequest,
) -> None:
    kind = request.node.callspec.id
    sent = call | {"messageId": "m1", "timestamp": "2026-03-02T09:00:00Z"}
    answer = await client.post(f"/v1/{kind}", json=sent)
    assert (answer.status_code, answer.json()) == (
        202,
        {"success": True, "accepted": 1, "events": [expected.event_id]},
    )
    batch = await client.post(
        "/v1/batch", json={"batch": [sent | {"type": kind}], "sentAt": "2026-03-02T10:00:00Z"}
    )
    assert batch.status_code == 202
    assert brokers.records == [expected, expected]


@pytest.mark.parametrize(
    ("times", "occurred"),
    [
        (
            {"timestamp": "2026-03-02T09:00:00Z", "originalTimestamp": "2026-01-01T00:00:00Z"},
            NOW - 3_600_000,
        ),
        (
            {"originalTimestamp": "2026-03-02T08:00:00Z", "sentAt": "2026-03-02T08:00:05Z"},
            NOW - 5_000,
        ),
        (
            {"timestamp": "2026-02-10T10:00:00.000Z", "sentAt": "2026-02-10T10:00:02.000Z"},
            NOW - 2_000,
        ),
        ({"timestamp": "2026-03-09T10:00:00Z", "sentAt": "2026-03-09T11:00:00Z"}, NOW - 3_600_000),
        ({"timestamp": "2026-03-02T09:00:00Z", "sentAt": "2026-03-02T09:59:58Z"}, NOW - 3_600_000),
        ({"timestamp": "2026-03-02T09:00:00Z", "sentAt": "just now"}, NOW - 3_600_000),
        ({"originalTimestamp": "2026-03-02T09:30:00+01:00"}, NOW - 5_400_000),
        ({}, NOW),
    ],
)
async def test_the_moment_is_the_timestamp_or_the_clients_put_right(
    times: dict[str, str], occurred: int, client: httpx.AsyncClient, brokers: Brokers
) -> None:
    await client.post("/v1/track", json={"userId": "u", "event": "x", "messageId": "m", **times})
    assert [record.occurred_at_ms for record in brokers.records] == [occurred]


async def test_an_address_as_user_id_is_the_address_and_an_at_sign_alone_is_not(
    client: httpx.AsyncClient, brokers: Brokers
) -> None:
    for user in ("Ann@Acme.example", "@ann"):
        await client.post("/v1/track", json={"userId": user, "event": "x", "messageId": user})
    assert [
        [(identifier.scheme, identifier.value) for identifier in record.identifiers]
        for record in brokers.records
    ] == [
        [("email", "ann@acme.example")],
        [("user", "@ann")],
    ]


async def test_a_call_without_an_id_is_the_same_event_if_it_says_the_same_at_the_same_moment(
    client: httpx.AsyncClient, brokers: Brokers
) -> None:
    call = {"userId": "u", "event": "x", "timestamp": "2026-03-02T09:00:00Z"}
    for body in (call, call | {"sentAt": "2026-03-02T10:00:00Z"}, call | {"event": "y"}):
        await client.post("/v1/track", json=body)
    first, second, third = (record.event_id for record in brokers.records)
    assert first == second != third


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Demo Requested", "demo_requested"),
        ("demoRequested", "demo_requested"),
        ("demo-requested!", "demo_requested"),
        ("Öffnung é", "offnung_e"),
        ("1st Visit", "1st_visit"),
        ("日本", ""),
    ],
)
def test_an_event_name_becomes_a_word_of_the_taxonomy(name: str, word: str) -> None:
    assert snake(name) == word


# --- event lines


async def test_event_lines_come_as_an_object_a_list_lines_or_cloud_events(
    client: httpx.AsyncClient, brokers: Brokers
) -> None:
    one = {name: value for name, value in line().items() if name != "id"}
    event = {
        "specversion": "1.0",
        "type": "x",
        "id": "1",
        "source": "web",
        "time": "2026-03-02T10:00:00Z",
        "data": one,
    }
    ndjson = "\n".join(json.dumps(line()) for _ in range(2)) + "\n\n"
    answers = [
        await client.post("/v1/events", json=line()),
        await client.post("/v1/events", json=[line()]),
        await client.post(
            "/v1/events", content=ndjson, headers={"content-type": "application/x-ndjson"}
        ),
        await client.post(
            "/v1/events", json=event, headers={"content-type": "application/cloudevents+json"}
        ),
        await client.post(
            "/v1/events",
            json=[event],
            headers={"content-type": "application/cloudevents-batch+json"},
        ),
        await client.post(
            "/v1/events",
            json=one,
            headers={"ce-id": "1", "ce-source": "web", "ce-specversion": "1.0", "ce-type": "x"},
        ),
    ]
    assert [response.status_code for response in answers] == [202] * 6
    assert {record.event_id for record in brokers.records} == {event_id_of("web", "1")}
    assert len(brokers.records) == 7


async def test_the_trace_of_a_request_goes_on_with_its_events_and_nonsense_does_not(
    client: httpx.AsyncClient, brokers: Brokers
) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for header in (trace, "x" * 500):
        await client.post("/v1/events", json=line(), headers={"traceparent": header})
    assert brokers.traces == [trace, None]


async def test_of_a_batch_the_good_events_are_taken_and_the_bad_ones_listed_by_index(
    client: httpx.AsyncClient, brokers: Brokers
) -> None:
    batch = [
        line(),
        {"kind": "engagement"},
        line(**ACT),
        "x",
        line(id="2"),
        line(person={"note": "x" * 33_000}),
    ]
    answer = await client.post("/v1/events", json=batch)
    assert answer.status_code == 202
    reported = answer.json()
    assert (reported["accepted"], reported["rejected_count"]) == (2, 4)
    assert {(row["index"], row["field"], row["code"]) for row in reported["rejected"]} == {
        (1, "occurred_at", "invalid"),
        (1, "identifiers", "invalid"),
        (2, "kind", "out_of_scope"),
        (3, "", "wrong_type"),
        (5, "", "too_long"),
    }
    assert [record.event_id for record in brokers.records] == reported["events"]


async def test_a_line_that_is_no_json_costs_only_itself(client: httpx.AsyncClient) -> None:
    lines = b"\n".join(
        [
            json.dumps(line()).encode(),
            b'{"kind":',
            b"\xff\xfe",
            b"[" * 1000,
            json.dumps(line(id="2")).encode(),
        ]
    )
    answer = await client.post(
        "/v1/events", content=lines, headers={"content-type": "application/x-ndjson"}
    )
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    assert [(row["index"], row["code"]) for row in answer.json()["rejected"]] == [
        (1, "malformed"),
        (2, "malformed"),
        (3, "too_nested"),
    ]


# --- what bad input gets

HUGE = b'"' + b"x" * (MAX_BODY_BYTES + 1) + b'"'
BAD: dict[str, tuple[str, Any, int, str, str | None]] = {
    "no JSON": ("/v1/track", b"{", 400, "malformed", None),
    "not UTF-8": ("/v1/track", b'{"userId":"\xff"}', 400, "malformed", None),
    "a lone surrogate": ("/v1/track", b'{"userId":"\\ud800"}', 400, "malformed", None),
    "NaN": ("/v1/track", b'{"userId":NaN}', 400, "malformed", None),
    "too deep": ("/v1/batch", b"[" * 5_000 + b"]" * 5_000, 400, "malformed", None),
    "too many lists": (
        "/v1/batch",
        b'{"batch":[' + b"[]," * 120_000 + b"[]]}",
        400,
        "too_nested",
        None,
    ),
    "a list for a call": ("/v1/track", b"[]", 400, "wrong_type", None),
    "too long": ("/v1/track", HUGE, 413, "too_long", None),
    "too many events": ("/v1/batch", {"batch": [1] * 2_501}, 413, "too_many", None),
    "too long an event": ("/v1/events", line(id="x" * 300), 422, "invalid", "id"),
    "no batch": ("/v1/batch", {"events": []}, 422, "invalid", "batch"),
    "an empty batch": ("/v1/batch", {"batch": []}, 422, "nothing_taken", None),
    "nobody": ("/v1/track", {"event": "x"}, 422, "invalid", "userId"),
    "no event name": ("/v1/track", {"userId": "u"}, 422, "invalid", "event"),
    "a wrong address": (
        "/v1/identify",
        {"userId": "u", "traits": {"email": "ann@"}},
        422,
        "invalid",
        "traits.email",
    ),
    "a wrong moment": ("/v1/track", TRACK | {"timestamp": "soon"}, 422, "invalid", "timestamp"),
    "a moment without a zone": (
        "/v1/track",
        TRACK | {"timestamp": "2026-03-02T10:00:00"},
        422,
        "invalid",
        "timestamp",
    ),
    "too long a user id": ("/v1/track", TRACK | {"userId": "u" * 257}, 422, "invalid", "userId"),
    "a control character": ("/v1/track", TRACK | {"userId": "u\x00u"}, 422, "invalid", "userId"),
    "an unknown field": ("/v1/events", line(extra=1), 422, "invalid", "extra"),
    "a wrong type": ("/v1/events", line(backfill="yes"), 422, "invalid", "backfill"),
    "an unknown kind": ("/v1/events", line(kind="sale"), 422, "invalid", "kind"),
    "a date far off": (
        "/v1/events",
        line(occurred_at="2260-01-01T00:00:00Z"),
        422,
        "invalid",
        "occurred_at",
    ),
    "an address in the profile": (
        "/v1/events",
        line(profile={"x": "ann@acme.example"}),
        422,
        "invalid",
        "profile",
    ),
    "a name in the profile": (
        "/v1/events",
        line(profile={"first_name": "Ann"}),
        422,
        "invalid",
        "profile",
    ),
    "a wrong version": (
        "/v1/events",
        {"specversion": "0.3", "data": {}},
        422,
        "wrong_version",
        "specversion",
    ),
    "a cloud event without data": (
        "/v1/events",
        {"specversion": "1.0", "id": "1", "source": "x"},
        422,
        "invalid",
        "data",
    ),
    "no such address": ("/v1/nothing", {}, 404, "not_found", None),
}


@pytest.mark.parametrize(("path", "body", "status", "code", "field"), BAD.values(), ids=BAD)
async def test_bad_input_gets_a_problem_document_that_names_the_field_and_repeats_nothing(
    path: str,
    body: Any,
    status: int,
    code: str,
    field: str | None,
    client: httpx.AsyncClient,
    brokers: Brokers,
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await client.post(path, content=content, headers={"content-type": "application/json"})
    reported = answer.json()
    assert (answer.status_code, reported["status"], reported["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert field is None or [row["field"] for row in reported["errors"]] == [field]
    assert "ann@" not in answer.text
    assert brokers.records == []


async def test_another_method_and_another_type_are_refused_as_problems_too(
    client: httpx.AsyncClient,
) -> None:
    answers = [
        await client.get("/v1/track"),
        await client.post(
            "/v1/events",
            content=b"a=b",
            headers={"content-type": "application/x-www-form-urlencoded"},
        ),
        await client.post("/v1/track", content=b"x", headers={"content-encoding": "zstd"}),
    ]
    assert [(response.status_code, response.json()["code"]) for response in answers] == [
        (405, "method"),
        (415, "content_type"),
        (415, "encoding"),
    ]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw"])
async def test_packed_bodies_are_unpacked(
    coding: str, client: httpx.AsyncClient, brokers: Brokers
) -> None:
    raw = zlib.compressobj(wbits=-15)
    body = json.dumps(TRACK).encode()
    packed = {
        "gzip": gzip.compress(body),
        "deflate": zlib.compress(body),
        "raw": raw.compress(body) + raw.flush(),
    }[coding]
    headers = {
        "content-encoding": coding.replace("raw", "deflate"),
        "content-type": "application/json",
    }
    assert (await client.post("/v1/track", content=packed, headers=headers)).status_code == 202
    assert len(brokers.records) == 1


@pytest.mark.parametrize("cut", [slice(0, 20), slice(10, None)])
async def test_a_body_that_is_not_packed_as_it_says_is_refused(
    cut: slice, client: httpx.AsyncClient
) -> None:
    answer = await client.post(
        "/v1/track",
        content=gzip.compress(json.dumps(TRACK).encode())[cut],
        headers={"content-encoding": "gzip"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def _bomb(coding: str) -> bytes:
    packer = zlib.compressobj(9, wbits=31 if coding == "gzip" else 15)
    packed = b"".join(packer.compress(b"[" * 1_000_000) for _ in range(300))
    return packed + packer.flush()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_bomb_is_refused_in_bounded_memory(coding: str, client: httpx.AsyncClient) -> None:
    bomb = _bomb(coding)
    tracemalloc.start()
    try:
        answer = await client.post("/v1/track", content=bomb, headers={"content-encoding": coding})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (answer.status_code, answer.json()["code"]) == (413, "too_long")
    assert peak < 6 * MAX_BODY_BYTES


async def test_an_endless_body_is_cut_off_while_it_streams(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 65_536
            yield b" " * 65_536

    answer = await client.post("/v1/track", content=endless())
    assert answer.status_code == 413
    assert sent < MAX_BODY_BYTES + 3 * 65_536


async def test_a_body_that_never_ends_coming_is_given_up(brokers: Brokers) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with _client(brokers, body_timeout_ms=100) as client:
        answer = await client.post("/v1/track", content=stuck())
    assert (answer.status_code, answer.json()["code"]) == (408, "slow_body")


JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "type",
        "userId",
        "anonymousId",
        "event",
        "traits",
        "properties",
        "context",
        "timestamp",
        "messageId",
        "groupId",
        "previousId",
        "kind",
        "identifiers",
        "engagement",
        "occurred_at",
        "person",
        "profile",
        "email",
        "company",
        "address",
        "page",
        "campaign",
        "batch",
        "specversion",
        "data",
        "id",
        "source",
        "name",
        "topics",
        "sentAt",
        "originalTimestamp",
        "act",
    ]
)
SHAPED = st.dictionaries(
    FIELDS,
    JSONS
    | st.dictionaries(FIELDS, JSONS, max_size=4)
    | st.sampled_from(["track", "u1", "ann@acme.example", NOW]),
    max_size=8,
)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["identify", "track", "page", "screen", "group", "alias", "batch", "events"]),
    SHAPED,
)
async def test_whatever_json_comes_the_answer_is_a_success_or_names_what_is_wrong(
    path: str, body: dict[str, Any]
) -> None:
    brokers = Brokers()
    async with _client(brokers) as client:
        for content in (body, {"batch": [body]} if path == "batch" else [body]):
            answer = await client.post(f"/v1/{path}", json=content)
            assert answer.status_code in (202, 400, 403, 413, 422), answer.text
            assert (answer.status_code == 202) == (answer.json().get("success") is True)


# --- who may send


@pytest.mark.parametrize(
    ("key", "kind", "status"),
    [
        (WEB, {}, 202),
        (WEB, ACT, 403),
        (WEB, COMMAND, 403),
        (WEB, ERASURE, 403),
        (WEB, RETRACTION, 403),
        (CRM, {}, 202),
        (CRM, ACT, 202),
        (CRM, RETRACTION, 202),
        (CRM, COMMAND, 403),
        (CRM, ERASURE, 403),
        (DESK, COMMAND, 202),
        (DESK, ERASURE, 202),
        (WEB + "x", {}, 401),
        ("", {}, 401),
    ],
)
async def test_a_key_may_send_what_its_scopes_say(
    key: str, kind: dict[str, Any], status: int, client: httpx.AsyncClient, brokers: Brokers
) -> None:
    answer = await client.post("/v1/events", json=line(**kind), auth=(key, ""))
    assert answer.status_code == status
    assert len(brokers.records) == (status == 202)
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_the_name_of_the_key_is_the_source_of_its_events(
    client: httpx.AsyncClient, brokers: Brokers
) -> None:
    await client.post("/v1/events", json=line(), auth=(CRM, ""))
    await client.post(
        "/v1/events", json=line(source="webinar"), headers={"authorization": f"Bearer {CRM}"}
    )
    assert [record.source for record in brokers.records] == ["crm", "webinar"]


async def test_without_keys_nothing_is_taken_and_insecure_takes_all(brokers: Brokers) -> None:
    async with _client(brokers, write_keys=None) as client:
        assert (await client.post("/v1/track", json=TRACK)).status_code == 401
    async with _client(brokers, write_keys=None, insecure=True) as client:
        assert (await client.post("/v1/events", json=line(**COMMAND), auth=None)).status_code == 202
    assert len(brokers.records) == 1


@pytest.mark.parametrize(
    ("host", "fine"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("gw.example", False),
    ],
)
def test_insecure_is_for_the_loopback_only(host: str, fine: bool) -> None:
    if fine:
        assert GatewaySettings(insecure=True, gateway_host=host).insecure
    else:
        with pytest.raises(ValueError, match="BATON_WRITE_KEYS"):
            GatewaySettings(insecure=True, gateway_host=host)


@pytest.mark.parametrize(
    "keys",
    [
        "web",
        "web:engagement",
        "web:all:0123456789abcdef",
        "web:engagement:short",
        "a:acts:0123456789abcdef,a:acts:0123456789abcdeg",
    ],
)
def test_keys_that_are_set_wrongly_are_refused_without_repeating_them(keys: str) -> None:
    with pytest.raises(KeysRefused) as error:
        key_ring(GatewaySettings(write_keys=keys))
    assert "0123456789abcde" not in str(error.value)


def test_keys_come_from_a_file_too(tmp_path: Any) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# website\nweb:engagement:{WEB}\n\n")
    assert key_ring(GatewaySettings(write_keys_file=path)).holder(WEB) is not None
    with pytest.raises(KeysRefused):
        key_ring(GatewaySettings(write_keys_file=tmp_path / "none"))


@pytest.mark.parametrize(
    ("header", "key"),
    [(None, None), ("Basic !!", None), ("Basic dTpw", "u"), ("bearer x", "x"), ("Digest x", None)],
)
def test_the_key_is_the_user_of_basic_or_a_bearer_token(
    header: str | None, key: str | None
) -> None:
    assert presented_key(header) == key


# --- how much is taken


async def test_a_key_that_sends_too_much_learns_when_to_come_again(
    brokers: Brokers, clock: dict[str, float]
) -> None:
    async with _client(brokers, clock, rate_events=100, rate_burst=2_500) as client:
        batch = {"batch": [TRACK | {"messageId": str(number)} for number in range(2_000)]}
        answers = [await client.post("/v1/batch", json=batch) for _ in range(2)]
        other = await client.post("/v1/batch", json=batch, auth=(CRM, ""))
        clock["s"] += 15
        answers.append(await client.post("/v1/batch", json=batch))
    assert [response.status_code for response in answers] == [202, 429, 202]
    assert (answers[1].headers["retry-after"], answers[1].json()["code"]) == ("15", "rate_limited")
    assert other.status_code == 202
    assert len(brokers.records) == 6_000


async def test_brokers_that_do_not_acknowledge_in_time_mean_503_and_the_place_stays_taken_until_they_do(
    brokers: Brokers,
) -> None:
    answered = asyncio.Event()
    brokers.does = answered.wait
    async with _client(brokers, ack_timeout_ms=100, max_in_flight=1) as client:
        late = await client.post("/v1/track", json=TRACK)
        full = await client.post("/v1/track", json=TRACK)
        answered.set()
        brokers.does = None
        for _ in range(10):
            await asyncio.sleep(0)
        fine = await client.post("/v1/track", json=TRACK)
    assert [
        (response.status_code, response.json().get("code")) for response in (late, full, fine)
    ] == [
        (503, "not_acknowledged"),
        (503, "busy"),
        (202, None),
    ]
    assert {record.headers["retry-after"] for record in (late, full)} == {"1", "2"}


async def test_brokers_that_refuse_mean_503_and_nothing_is_said_to_be_taken(
    brokers: Brokers,
) -> None:
    async def refuse() -> None:
        raise NotPublished("NotEnoughReplicasError")

    brokers.does = refuse
    async with _client(brokers, max_in_flight=1) as client:
        answers = [await client.post("/v1/track", json=TRACK) for _ in range(3)]
    assert [response.status_code for response in answers] == [503] * 3
    assert "retry-after" in answers[0].headers


async def test_a_refused_request_gives_its_place_back(brokers: Brokers) -> None:
    async with _client(brokers, max_in_flight=1) as client:
        answers = [await client.post("/v1/track", content=b"{") for _ in range(3)]
    assert [response.status_code for response in answers] == [400] * 3


async def test_success_is_said_only_after_the_brokers_have_acknowledged(brokers: Brokers) -> None:
    acknowledged = asyncio.Event()
    brokers.does = acknowledged.wait
    async with _client(brokers) as client:
        waiting = asyncio.create_task(client.post("/v1/track", json=TRACK))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not waiting.done()
        acknowledged.set()
        assert (await waiting).status_code == 202


# --- clients


@pytest.mark.parametrize(
    ("agent", "status"),
    [
        ("analytics-python/2.2.3", 200),
        ("analytics-php/3.5.0", 200),
        ("Analytics.NET/3.8.0", 200),
        ("RudderStack Java SDK", 200),
        ("curl/8", 202),
        ("", 202),
    ],
)
async def test_segments_own_clients_get_the_200_that_some_of_them_insist_on(
    agent: str, status: int, client: httpx.AsyncClient
) -> None:
    answer = await client.post("/v1/track", json=TRACK, headers={"user-agent": agent})
    assert (answer.status_code, answer.json()["success"]) == (status, True)
    assert (
        await client.post("/v1/events", json=line(), headers={"user-agent": agent})
    ).status_code == 202


async def test_the_description_names_every_address_and_resolves(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json", auth=None)).json()
    assert {*(f"/v1/{call}" for call in CALLS), "/v1/batch", "/v1/events"} <= document[
        "paths"
    ].keys()
    assert set(document["paths"]) == {
        endpoint.path for adapter in ADAPTERS for endpoint in adapter.endpoints
    }
    text = json.dumps(document)
    for part in set(text.split('"#/components/schemas/')[1:]):
        assert part.partition('"')[0] in document["components"]["schemas"]


async def test_pages_of_named_origins_may_send_from_a_browser_and_others_not(
    brokers: Brokers,
) -> None:
    async with _client(brokers, cors_origins="https://www.acme.example") as client:
        asked = {
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization",
        }
        answers = [
            await client.options("/v1/track", headers={"origin": origin, **asked})
            for origin in ("https://www.acme.example", "https://evil.example")
        ]
    assert [response.status_code for response in answers] == [200, 400]


async def test_a_script_of_a_page_may_read_when_to_come_again(brokers: Brokers) -> None:
    """The vendors' SDKs wait as long as ``Retry-After`` says, if the browser shows it to them."""
    page = "https://www.acme.example"
    batch = {"batch": [TRACK | {"messageId": str(number)} for number in range(2_000)]}
    async with _client(brokers, cors_origins=page, rate_events=100, rate_burst=2_500) as client:
        answers = [
            await client.post("/v1/batch", json=batch, headers={"origin": page}) for _ in range(2)
        ]
    assert [answer.status_code for answer in answers] == [202, 429]
    assert answers[-1].headers["retry-after"]
    assert answers[-1].headers["access-control-expose-headers"] == "Retry-After"


@pytest.mark.parametrize("kind", [{}, [], 7, None, True], ids=repr)
async def test_a_call_whose_type_is_no_word_is_listed_and_the_rest_is_taken(
    client: httpx.AsyncClient, kind: Any
) -> None:
    answer = await client.post("/v1/batch", json={"batch": [TRACK | {"type": kind}, TRACK]})
    assert answer.status_code in (200, 202)
    (rejected,) = answer.json()["rejected"]
    assert rejected["index"] == 0
    assert "type" in str(rejected)
