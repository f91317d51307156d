"""A plain HTML form in a real Chromium: sent to the gateway without a script, and on to the page of
thanks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from baton.http import Listener, ListenerTerms, bind
from services.ingest.gateway.adapters.declared import declared_sources
from services.ingest.gateway.app import Gateway
from services.ingest.gateway.write_keys import key_ring
from services.ingest.settings import GatewaySettings
from tests.services.ingest.gateway.running_gateway import KEYS, Served

CHROMIUM = os.environ.get("BATON_CHROMIUM") or shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM, reason="needs Chromium: apt-get install chromium, or set BATON_CHROMIUM"
    ),
]
FORM = Path(__file__).resolve().parents[4] / "examples" / "sources" / "form.yaml"
DOCS = Path(__file__).resolve().parents[4] / "docs" / "sources" / "form.md"


def page_of(gateway: str) -> str:
    """A page with the form of the documentation."""
    form = DOCS.read_text().partition("```html\n")[2].partition("```")[0]
    form = form.replace("https://<your address>", gateway).replace("<key>", "site-key")
    assert form.startswith("<form")
    return f"<!doctype html><title>Contact</title>{form}"


@contextlib.asynccontextmanager
async def listening(app: Starlette, port: int) -> AsyncIterator[None]:
    bound = bind("127.0.0.1", port, names="the test's")
    up = asyncio.Event()
    server = Listener(app, bound, ListenerTerms(drain_s=0.5))
    running = asyncio.create_task(server.run_until_cancelled(up.set))
    try:
        await up.wait()
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        bound.close()


def free_port() -> int:
    with bind("127.0.0.1", 0, names="the test's") as probe:
        return int(probe.getsockname()[1])


async def test_a_form_without_a_script_becomes_an_event_and_its_sender_is_thanked(
    tmp_path: Path,
) -> None:
    gateway, site = free_port(), free_port()
    own = f"http://127.0.0.1:{site}"
    described = tmp_path / "form.yaml"
    described.write_text(
        FORM.read_text().replace("https://www.example.com/thanks", f"{own}/thanks")
    )
    served = Served()
    settings = GatewaySettings(write_keys=KEYS, cors_origins=own)
    sources = declared_sources(described, {"BATON_SECRET_CONTACT_FORM": "site-key"})
    pages = Starlette(
        routes=[
            Route(
                "/contact",
                lambda _: HTMLResponse(page_of(f"http://127.0.0.1:{gateway}")),
            ),
            Route("/thanks", lambda _: HTMLResponse("<!doctype html><h1>Thank you</h1>")),
        ]
    )
    taking = Gateway(served.publish, key_ring(settings), settings).app(sources)
    async with (
        listening(taking, gateway),
        listening(pages, site),
        async_playwright() as engine,
    ):
        browser = await engine.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        await page.goto(f"{own}/contact")
        await page.fill("[name=email]", "ann@acme.example")
        await page.fill("[name=first_name]", "Änn")
        await page.fill("[name=message]", "Half of our enquiries\nwait for days")
        await page.click("button")
        await page.wait_for_url(f"{own}/thanks")
        assert await page.inner_text("h1") == "Thank you"
        await browser.close()
    (record,) = served.records
    assert record.engagement is not None
    assert record.person is not None
    assert (record.source, record.engagement.act) == ("contact-form", "demo_request")
    assert (record.person.first_name, record.person.email) == ("Änn", "ann@acme.example")
    assert record.person.stated_problem == "Half of our enquiries\r\nwait for days"
