"""A request to a source's address is answered alike on the short way and on the application's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from baton.contracts.intake import IntakeRecord
from services.ingest.gateway.app import Gateway
from services.ingest.gateway.write_keys import key_ring
from services.ingest.settings import GatewaySettings
from tests.services.ingest.gateway.running_gateway import KEYS, WEB, Served

PAGE = "https://shop.example"
NOW = 1_772_445_600_000
LINE = {
    "id": "1",
    "kind": "engagement",
    "occurred_at": "2026-03-02T10:00:00Z",
    "identifiers": {"email": "ann@acme.example"},
    "engagement": {"act": "form"},
}
JSON = ("content-type", "application/json")
KEY = ("authorization", f"Bearer {WEB}")
EVENT = json.dumps(LINE).encode()
REQUESTS: dict[str, tuple[str, str, list[tuple[str, str]], bytes]] = {
    "an event": ("POST", "/v1/events", [JSON, KEY], EVENT),
    "several": ("POST", "/v1/events", [JSON, KEY], b"[" + EVENT + b"," + EVENT + b"]"),
    "a bad one among several": ("POST", "/v1/events", [JSON, KEY], b"[" + EVENT + b",{}]"),
    "no JSON": ("POST", "/v1/events", [JSON, KEY], b"{"),
    "nobody's key": ("POST", "/v1/events", [JSON, ("authorization", "Bearer no")], EVENT),
    "no key": ("POST", "/v1/events", [JSON], EVENT),
    "another type": ("POST", "/v1/events", [("content-type", "image/png"), KEY], EVENT),
    "an unknown coding": ("POST", "/v1/events", [JSON, KEY, ("content-encoding", "br")], EVENT),
    "too long": ("POST", "/v1/events", [JSON, KEY], b" " * 600_000),
    "headers that come twice": (
        "POST",
        "/v1/events",
        [JSON, KEY, ("ce-id", "a"), ("ce-id", "b")],
        json.dumps({name: value for name, value in LINE.items() if name != "id"}).encode(),
    ),
    "a key in the query": (
        "POST",
        f"/v1/track?writeKey={WEB}",
        [JSON],
        b'{"type":"track","userId":"u","event":"Read","messageId":"m"}',
    ),
    "a query that is not UTF-8": ("POST", "/v1/track?writeKey=%ff", [JSON], b"{}"),
    "another method": ("PUT", "/v1/events", [JSON, KEY], EVENT),
    "another address": ("POST", "/v1/event", [JSON, KEY], EVENT),
    "the description": ("GET", "/openapi.json", [], b""),
}


async def _answered(
    request: tuple[str, str, list[tuple[str, str]], bytes], more: Sequence[tuple[str, str]]
) -> tuple[int, dict[str, str], bytes, list[IntakeRecord]]:
    """Status, headers but those for pages, body, and what was published."""
    method, path, headers, body = request
    served = Served()
    settings: dict[str, Any] = {"write_keys": KEYS, "cors_origins": PAGE}
    own = GatewaySettings(**settings)
    app = Gateway(served.publish, key_ring(own), own, now_ms=lambda: NOW).app()
    transport: Any = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.request(method, path, headers=[*headers, *more], content=body)
    kept = {
        name: value
        for name, value in answer.headers.items()
        if not name.startswith("access-control-") and name != "vary"
    }
    return answer.status_code, kept, answer.content, served.records


@pytest.mark.parametrize("name", REQUESTS)
async def test_both_ways_give_the_same_answer_and_publish_the_same(name: str) -> None:
    short = await _answered(REQUESTS[name], ())
    long = await _answered(REQUESTS[name], [("origin", PAGE)])
    assert short == long


async def test_a_fault_of_ours_is_answered_and_goes_on_to_the_server() -> None:
    async def fail() -> None:
        raise RuntimeError("a fault")

    settings: dict[str, Any] = {"write_keys": KEYS}
    own = GatewaySettings(**settings)
    app = Gateway(Served(does=fail).publish, key_ring(own), own).app()
    for raises, outcome in ((False, 500), (True, RuntimeError)):
        transport: Any = httpx.ASGITransport(app, raise_app_exceptions=raises)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            try:
                found: Any = (
                    await client.post("/v1/events", headers=[JSON, KEY], content=EVENT)
                ).status_code
            except RuntimeError as error:
                found = type(error)
        assert found == outcome
