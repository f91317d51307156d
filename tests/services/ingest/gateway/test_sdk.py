"""Segment's own Python client, pointed at the gateway over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from segment.analytics.client import Client

from baton.contracts.intake import EventKind
from tests.services.ingest.gateway.running_gateway import WEB as KEY
from tests.services.ingest.gateway.running_gateway import Served, serving


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as found:
        yield found


@pytest.mark.parametrize("gzip", [False, True])
async def test_segments_client_delivers_every_call_once_and_without_an_error(
    served: Served, gzip: bool
) -> None:
    errors: list[object] = []

    def send() -> None:
        client = Client(
            KEY,
            host=served.url,
            gzip=gzip,
            on_error=lambda *error: errors.append(error),
            max_retries=0,
            upload_interval=0.05,
        )
        moment = datetime(2026, 3, 2, 10, tzinfo=UTC)
        client.identify("u1", {"email": "ann@acme.example", "firstName": "Ann"}, timestamp=moment)
        client.track(
            "u1",
            "Demo Requested",
            {"plan": "pro"},
            context={"campaign": {"name": "spring"}},
            timestamp=moment,
        )
        client.page("u1", "Docs", "Pricing", {"path": "/pricing"}, timestamp=moment)
        client.screen(user_id="u1", name="Home", timestamp=moment)
        client.group("u1", "g1", {"name": "Acme", "website": "acme.example"}, timestamp=moment)
        client.alias("n1", "u1", timestamp=moment)
        client.flush()
        client.join()

    await asyncio.to_thread(send)
    assert errors == []
    assert [
        (record.kind, record.engagement.act if record.engagement else None)
        for record in served.records
    ] == [
        (EventKind.PROFILE, None),
        (EventKind.ENGAGEMENT, "demo_requested"),
        (EventKind.ENGAGEMENT, "page_view"),
        (EventKind.ENGAGEMENT, "screen_view"),
        (EventKind.PROFILE, None),
        (EventKind.LINK, None),
    ]
    assert len({record.event_id for record in served.records}) == 6
    assert {record.occurred_at_ms for record in served.records} == {1_772_445_600_000}


async def test_a_wrong_key_is_an_error_that_the_client_does_not_repeat(served: Served) -> None:
    errors: list[Exception] = []

    def send() -> None:
        client = Client(
            KEY + "x",
            host=served.url,
            on_error=lambda error, _: errors.append(error),
            upload_interval=0.05,
        )
        client.track("u1", "x")
        client.flush()
        client.join()

    await asyncio.to_thread(send)
    assert [str(error) for error in errors] == [
        "[Segment] unauthorized: The write key is not known. (401)"
    ]
    assert served.records == []
