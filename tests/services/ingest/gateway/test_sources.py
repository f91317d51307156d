"""What sources send in the field: browsers and their beacons and pixels, clocks that are wrong,
bodies with one bad character."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from baton.contracts.intake import IntakeRecord
from services.ingest.gateway.app import Gateway
from services.ingest.gateway.write_keys import key_ring
from services.ingest.settings import GatewaySettings
from tests.services.ingest.gateway.running_gateway import CRM, KEYS, WEB, Served

NOW = 1_772_445_600_000  # 2026-03-02T10:00:00Z
PAGE = "https://www.acme.example"


def client_of(served: Served, **more: Any) -> httpx.AsyncClient:
    own = GatewaySettings(**{"write_keys": KEYS, "cors_origins": PAGE, **more})
    app = Gateway(served.publish, key_ring(own), own, now_ms=lambda: NOW, seconds=lambda: 0.0).app()
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.fixture
def served() -> Served:
    return Served()


@pytest.fixture
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(served) as found:
        yield found


def identifiers(record: IntakeRecord) -> list[tuple[str, str]]:
    return [(identifier.scheme, identifier.value) for identifier in record.identifiers]


def person_call(number: int, **traits: Any) -> dict[str, Any]:
    own = {"email": f"p{number}@acme.example"}
    return {
        "type": "identify",
        "userId": f"u{number}",
        "messageId": f"m{number}",
        "traits": own | traits,
    }


# --- ids as numbers


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (b"4711", [("user", "4711")]),
        (b"4711.0", [("user", "4711")]),
        (b'"4711.0"', []),  # a text that a spreadsheet has rewritten is none
        (b"4711.5", [("user", "4711.5")]),
        (b"0", []),
        (b"0.0", []),
        (b"1e21", []),
        (b"true", []),
    ],
)
async def test_a_number_of_json_is_the_same_id_with_and_without_its_decimals(
    value: bytes, known: list[tuple[str, str]], client: httpx.AsyncClient, served: Served
) -> None:
    body = b'{"event":"x","messageId":"m","anonymousId":"v1","userId":%b}' % value
    answer = await client.post("/v1/track", content=body, auth=(WEB, ""))
    assert answer.is_success, answer.text
    (record,) = served.records
    assert identifiers(record) == [*known, ("anonymous", "v1")]


# --- one bad character costs one event

GOOD = [json.dumps(person_call(number, firstName="Ann")).encode() for number in (0, 2)]
SPOILT: dict[str, tuple[bytes, str, str]] = {
    "half a surrogate pair": (rb'"Bob \ud83d"', "traits.firstName", "malformed"),
    "the other half": (rb'"\ude00 Bob"', "traits.firstName", "malformed"),
    "a pair the wrong way round": (rb'"\ude00\ud83d"', "traits.firstName", "malformed"),
    "bytes that are not UTF-8": (b'"Bj\xf6rn"', "traits.firstName", "malformed"),
    "half a pair in UTF-8": (b'"\xed\xa0\xbd"', "traits.firstName", "malformed"),
    "a raw line break": (b'"Bob\nBy"', "traits.firstName", "malformed"),
    "a raw tab": (b'"Bob\tBy"', "traits.firstName", "malformed"),
    "a raw NUL": (b'"Bob\x00"', "traits.firstName", "malformed"),
    "NaN": (b"NaN", "traits.firstName", "malformed"),
    "minus infinity": (b"-Infinity", "traits.firstName", "malformed"),
    "half a pair in a list": (rb'["x", ["\ud83d"]]', "traits.firstName", "malformed"),
    "half a pair in a name": (rb'{"\ud83d": 1}', "traits.firstName", "malformed"),
    "a name twice": (b'{"a": 1, "a": 2}', "traits.firstName", "duplicate_key"),
}


@pytest.mark.parametrize(("value", "field", "code"), SPOILT.values(), ids=SPOILT)
async def test_one_bad_character_costs_its_event_and_not_the_batch(
    value: bytes, field: str, code: str, client: httpx.AsyncClient, served: Served
) -> None:
    bad = json.dumps(person_call(1, firstName="Bob")).encode().replace(b'"Bob"', value)
    for path, head, tail in (
        ("/v1/batch", b'{"batch":[', b"]}"),
        ("/v1/b", b'{"context":{},"batch":[', b"]}"),
    ):
        served.records.clear()
        body = head + b",".join([GOOD[0], bad, GOOD[1]]) + tail
        answer = await client.post(path, content=body, auth=(WEB, ""))
        assert answer.is_success, answer.text
        assert answer.json()["accepted"] == 2
        (rejected,) = answer.json()["rejected"]
        assert (rejected["index"], rejected["code"], rejected["field"]) == (1, code, field)
        assert [record.person.first_name for record in served.records if record.person] == [
            "Ann",
            "Ann",
        ]


@pytest.mark.parametrize(("value", "field", "code"), SPOILT.values(), ids=SPOILT)
async def test_the_same_alone_is_refused_by_its_field(
    value: bytes, field: str, code: str, client: httpx.AsyncClient, served: Served
) -> None:
    bad = json.dumps(person_call(1, firstName="Bob")).encode().replace(b'"Bob"', value)
    answer = await client.post("/v1/identify", content=bad, auth=(WEB, ""))
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert [row["field"] for row in answer.json()["errors"]] == [field]
    assert served.records == []


async def test_of_a_list_of_event_lines_too_only_the_bad_one_is_lost(
    client: httpx.AsyncClient, served: Served
) -> None:
    line = b'{"id":"%d","kind":"profile","occurred_at":1772445600000,"identifiers":{"user":"u"},"person":{"first_name":%b}}'
    body = (
        b"["
        + b",".join([line % (1, b'"Ann"'), line % (2, rb'"\ud83d"'), line % (3, b'"Cid"')])
        + b"]"
    )
    answer = await client.post(
        "/v1/events", content=body, headers={"content-type": "application/json"}, auth=(CRM, "")
    )
    assert (
        answer.status_code,
        answer.json()["accepted"],
        answer.json()["rejected"][0]["field"],
    ) == (202, 2, "person.first_name")
    assert len(served.records) == 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"batch":[' + GOOD[0] + b'],"batch":[' + GOOD[1] + b"]}",
        b'{"batch":[' + GOOD[0] + rb'],"x":"\ud83d"',
        b'{"batch":[' + GOOD[0] + b",\x00" + GOOD[1] + b"]}",
        b'{"batch":[' + GOOD[0] + b"," + rb'{"a":"\ud83d"}' + b"[]]}",
    ],
    ids=["two batches", "cut short", "a NUL between events", "a bracket too many"],
)
async def test_a_body_that_cannot_be_split_into_events_is_refused_whole(
    body: bytes, client: httpx.AsyncClient, served: Served
) -> None:
    answer = await client.post("/v1/batch", content=body, auth=(WEB, ""))
    assert answer.status_code == 400
    assert served.records == []


# --- NUL


async def test_a_nul_in_a_text_is_left_out_and_in_what_identifies_it_is_refused(
    client: httpx.AsyncClient, served: Served
) -> None:
    traits = {"firstName": "Ann\x00", "title": "C\x00TO", "company": {"name": "Ac\x00me"}}
    assert (
        await client.post("/v1/identify", json=person_call(4, **traits), auth=(WEB, ""))
    ).status_code == 202
    event = {
        "kind": "profile",
        "occurred_at": NOW,
        "identifiers": {"user": "u"},
        "person": {"last_name": "Be\x00rg"},
    }
    for content, kind in (
        (json.dumps([event]), "application/json"),
        (json.dumps(event), "application/x-ndjson"),
    ):
        answer = await client.post(
            "/v1/events", content=content, headers={"content-type": kind}, auth=(CRM, "")
        )
        assert answer.status_code == 202, answer.text
    people = [record.person for record in served.records if record.person]
    assert [(person.first_name, person.last_name, person.company) for person in people] == [
        ("Ann", None, "Acme")
    ] + [(None, "Berg", None)] * 2
    assert served.records[0].profile["title"] == "CTO"
    for wrong in (
        {"userId": "u\x00"},
        {"anonymousId": "a\x00"},
        {"traits": {"email": "a\x00@b.example"}},
        {"messageId": "m\x00"},
    ):
        answer = await client.post("/v1/identify", json=person_call(5) | wrong, auth=(WEB, ""))
        assert answer.status_code == 422, answer.text
    assert len(served.records) == 3


# --- the clock of the client


@pytest.mark.parametrize(
    ("call", "batch", "occurred"),
    [
        (
            {"timestamp": "2026-02-10T10:00:00.000Z", "sentAt": "2026-02-10T10:00:02.000Z"},
            {},
            NOW - 2_000,
        ),
        (
            {"timestamp": "2026-02-10T10:00:00.000Z"},
            {"sentAt": "2026-02-10T10:00:02.000Z"},
            NOW - 2_000,
        ),
        (
            {"originalTimestamp": "2026-02-10T10:00:00.000Z"},
            {"sentAt": "2026-02-10T10:00:02.000Z"},
            NOW - 2_000,
        ),
        (
            {"timestamp": "2027-01-01T00:00:00Z", "sentAt": "2027-01-01T01:00:00Z"},
            {},
            NOW - 3_600_000,
        ),
        (
            {"timestamp": "2020-01-01T00:00:00Z", "sentAt": "2026-03-02T09:59:59Z"},
            {},
            1_577_836_800_000,
        ),
        ({"timestamp": "2026-03-02T09:00:00Z"}, {}, NOW - 3_600_000),
        ({"timestamp": "2026-03-02T09:00:00Z"}, {"sentAt": 17}, NOW - 3_600_000),
    ],
    ids=[
        "slow",
        "slow, of a batch",
        "its other name",
        "fast",
        "history, sent by a right clock",
        "no word of sending",
        "nonsense",
    ],
)
async def test_the_moment_of_a_client_whose_clock_is_wrong_is_put_right_by_when_it_sent(
    call: dict[str, Any],
    batch: dict[str, Any],
    occurred: int,
    client: httpx.AsyncClient,
    served: Served,
) -> None:
    event = {
        "type": "track",
        "event": "Demo Request",
        "anonymousId": "a",
        "messageId": "s1",
        **call,
    }
    assert (
        await client.post("/v1/batch", json={"batch": [event], **batch}, auth=(WEB, ""))
    ).status_code == 202
    assert [record.occurred_at_ms for record in served.records] == [occurred]


# --- browsers

SHORT = {
    "t": ({"event": "Demo Request"}, "engagement"),
    "i": ({"traits": {"email": "ann@acme.example"}}, "profile"),
    "p": ({"name": "Pricing"}, "engagement"),
    "s": ({"name": "Home"}, "engagement"),
    "g": ({"groupId": "g1", "traits": {"name": "Acme"}}, "profile"),
    "a": ({"previousId": "b"}, "link"),
}


def as_browser(content: Any, *, origin: str = PAGE) -> dict[str, Any]:
    headers = {"content-type": "text/plain", "origin": origin, "user-agent": "Mozilla/5.0"}
    return {"content": json.dumps(content).encode(), "headers": headers}


@pytest.mark.parametrize(
    ("letter", "call", "kind"), [(letter, *short) for letter, short in SHORT.items()], ids=SHORT
)
async def test_a_browser_sends_to_short_addresses_as_text_with_the_key_in_the_body(
    letter: str, call: dict[str, Any], kind: str, client: httpx.AsyncClient, served: Served
) -> None:
    body = {
        "anonymousId": "a",
        "writeKey": WEB,
        "messageId": "ajs-1",
        "timestamp": "2026-03-02T09:59:00.000Z",
        **call,
    }
    answer = await client.post(
        f"/v1/{letter}", **as_browser(body | {"sentAt": "2026-03-02T09:59:59.000Z"})
    )
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert [(record.kind, record.source, record.occurred_at_ms) for record in served.records] == [
        (kind, "web", NOW - 60_000)
    ]


async def test_the_case_of_the_field_is_a_demo_request(
    client: httpx.AsyncClient, served: Served
) -> None:
    body = {
        "type": "track",
        "event": "Demo Request",
        "anonymousId": "a",
        "writeKey": WEB,
        "messageId": "ajs-1",
        "timestamp": "2026-03-02T09:59:00.000Z",
        "sentAt": "2026-03-02T09:59:01.000Z",
    }
    assert (await client.post("/v1/t", **as_browser(body))).status_code == 200
    (record,) = served.records
    assert record.engagement is not None
    assert (record.engagement.act, record.occurred_at_ms) == ("demo_request", NOW - 1_000)


async def test_beacons_and_batches_carry_their_key_in_the_query_or_in_the_body(
    client: httpx.AsyncClient, served: Served
) -> None:
    calls = [
        {"type": "page", "anonymousId": "a", "messageId": "1"},
        {"type": "track", "event": "x", "anonymousId": "a", "messageId": "2"},
    ]
    answers = [
        await client.post(f"/beacon/v1/batch?writeKey={WEB}", **as_browser({"batch": calls})),
        await client.post("/v1/b", **as_browser({"batch": calls, "writeKey": WEB})),
        await client.post(
            "/v1/batch", **as_browser({"batch": [call | {"writeKey": WEB} for call in calls]})
        ),
    ]
    assert [response.status_code for response in answers] == [200, 200, 202]
    assert len(served.records) == 6
    assert len({record.event_id for record in served.records}) == 2


@pytest.mark.parametrize("path", ["/pixel/v1/track", "/v1/pixel/track"])
async def test_a_pixel_carries_its_call_in_the_query_and_gets_an_image(
    path: str, client: httpx.AsyncClient, served: Served
) -> None:
    call = {"event": "Mail Opened", "anonymousId": "a", "messageId": "m1"}
    plain = call | {
        "writeKey": WEB,
        "properties.campaign": "spring",
        "context.page.path": "/mail",
        "timestamp": "2026-03-02T09:00:00Z",
    }
    nested = call | {
        "properties": {"campaign": "spring"},
        "context": {"page": {"path": "/mail"}},
        "timestamp": "2026-03-02T09:00:00Z",
    }
    data = base64.b64encode(json.dumps(nested | {"writeKey": WEB}).encode()).decode()
    for query in (
        plain,
        {"data": data},
        {"data": data.rstrip("=").replace("+", "-").replace("/", "_")},
    ):
        answer = await client.get(f"{path}?{urlencode(query)}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif"), (
            answer.text
        )
    assert len(served.records) == 3
    first = served.records[0]
    assert first.engagement is not None
    assert (first.engagement.act, first.engagement.campaign, first.engagement.properties) == (
        "mail_opened",
        "spring",
        {"path": "/mail"},
    )
    assert served.records == [first] * 3


@pytest.mark.parametrize(
    "query",
    [
        {"data": "%%%"},
        {"data": "bm8="},
        {"event": "x"},
        {"event": "x", "writeKey": "wrong-0123456789ab"},
    ],
)
async def test_a_pixel_that_says_nothing_right_is_refused(
    query: dict[str, str], client: httpx.AsyncClient, served: Served
) -> None:
    assert (await client.get(f"/pixel/v1/track?{urlencode(query)}")).status_code in (400, 401)
    assert served.records == []


async def test_metrics_of_a_client_are_answered_and_dropped(
    client: httpx.AsyncClient, served: Served
) -> None:
    answer = await client.post(
        "/v1/m",
        **as_browser(
            {"series": [{"type": "Counter", "metric": "analytics_js.invoke", "value": 1}]}
        ),
    )
    assert (answer.status_code, answer.json()["accepted"]) == (200, 0)
    assert served.records == []


@pytest.mark.parametrize(
    "shown", [{}, {"writeKey": "web-0123456789abcdeX"}, {"writeKey": 7}, {"writeKey": [WEB]}]
)
async def test_without_a_known_key_in_the_body_nothing_is_taken(
    shown: dict[str, Any], client: httpx.AsyncClient, served: Served
) -> None:
    answer = await client.post("/v1/t", **as_browser({"event": "x", "anonymousId": "a", **shown}))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert served.records == []


async def test_a_key_in_the_body_has_the_scopes_it_has(
    client: httpx.AsyncClient, served: Served
) -> None:
    """A known key in the header is not outdone by one in the body, and the body cannot say more
    than Segment's calls do."""
    body = {"event": "x", "anonymousId": "a", "writeKey": CRM, "messageId": "1"}
    assert (await client.post("/v1/t", json=body, auth=(WEB, ""))).status_code == 200
    assert [record.source for record in served.records] == ["web"]


# --- alias


async def test_an_alias_of_two_user_ids_links_them_as_users_and_as_the_visitor_it_may_have_been(
    client: httpx.AsyncClient, served: Served
) -> None:
    for call in (
        {"userId": "u-new", "previousId": "u-old"},
        {"userId": "u-new", "previousId": "ann@acme.example"},
    ):
        assert (await client.post("/v1/alias", json=call, auth=(WEB, ""))).status_code == 202
    assert [identifiers(record) for record in served.records] == [
        [("user", "u-new"), ("user", "u-old"), ("anonymous", "u-old")],
        [("email", "ann@acme.example"), ("user", "u-new")],
    ]


# --- web pages that must not


async def test_a_page_of_another_origin_may_not_send_whatever_key_it_shows(
    client: httpx.AsyncClient, served: Served
) -> None:
    body = {"event": "x", "anonymousId": "a", "writeKey": WEB}
    answers = [
        await client.post("/v1/t", **as_browser(body, origin="https://evil.example")),
        await client.post("/v1/t", **as_browser(body, origin="null")),
        await client.get(
            f"/pixel/v1/track?writeKey={WEB}&event=x&anonymousId=a",
            headers={"origin": "https://evil.example"},
        ),
        await client.post(
            "/v1/track", json=body, auth=(WEB, ""), headers={"origin": "https://evil.example"}
        ),
    ]
    assert [(response.status_code, response.json()["code"]) for response in answers] == [
        (403, "origin")
    ] * 4
    assert served.records == []


BY_A_PAGE: dict[str, tuple[dict[str, str], int, str]] = {
    "a form's text": ({"content-type": "text/plain"}, 415, "content_type"),
    "a form": ({"content-type": "application/x-www-form-urlencoded"}, 415, "content_type"),
    "a form with files": ({"content-type": "multipart/form-data; boundary=x"}, 415, "content_type"),
    "no type": ({}, 415, "content_type"),
    "a page elsewhere": (
        {"content-type": "application/json", "origin": "https://evil.example"},
        403,
        "origin",
    ),
    "a sandboxed page": ({"content-type": "application/json", "origin": "null"}, 403, "origin"),
    "a name pointed at this machine": (
        {"content-type": "application/json", "host": "evil.example:8080"},
        403,
        "host",
    ),
    "a name that begins well": (
        {"content-type": "application/json", "host": "127.0.0.1.evil.example"},
        403,
        "host",
    ),
    "no name": ({"content-type": "application/json", "host": ""}, 403, "host"),
}


@pytest.mark.parametrize(("headers", "status", "code"), BY_A_PAGE.values(), ids=BY_A_PAGE)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/t", "/v1/events", "/beacon/v1/batch"])
async def test_without_keys_a_web_page_cannot_make_a_browser_send(
    path: str, headers: dict[str, str], status: int, code: str, served: Served
) -> None:
    body = json.dumps(
        {
            "event": "x",
            "anonymousId": "a",
            "batch": [{"type": "track", "event": "x", "anonymousId": "a"}],
        }
    ).encode()
    if path == "/v1/events":
        body = json.dumps(
            {"kind": "erasure", "occurred_at": NOW, "identifiers": {"user": "u"}}
        ).encode()
    async with client_of(served, write_keys=None, insecure=True, cors_origins="") as client:
        answer = await client.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert served.records == []
        for host in ("127.0.0.1:8080", "localhost", "[::1]:8080"):
            fine = await client.post(
                path, content=body, headers={"content-type": "application/json", "host": host}
            )
            assert fine.is_success, fine.text


async def test_without_keys_a_pixel_changes_nothing(served: Served) -> None:
    async with client_of(served, write_keys=None, insecure=True, cors_origins="") as client:
        answer = await client.get("/pixel/v1/track?event=x&anonymousId=a")
    assert (answer.status_code, served.records) == (415, [])


async def test_a_key_that_is_shown_where_none_is_needed_is_looked_at_all_the_same(
    served: Served,
) -> None:
    async with client_of(served, insecure=True, cors_origins=PAGE) as client:
        body = {"event": "x", "anonymousId": "a", "writeKey": WEB}
        assert (await client.post("/v1/t", **as_browser(body))).status_code == 200
        assert (
            await client.post("/v1/t", **as_browser(body | {"writeKey": "another-0123456789"}))
        ).status_code == 415
    assert [record.source for record in served.records] == ["web"]


def test_without_keys_not_every_page_may_be_let_in() -> None:
    with pytest.raises(ValueError, match="BATON_CORS_ORIGINS"):
        GatewaySettings(insecure=True, cors_origins="*")
