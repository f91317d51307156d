"""Segment's and RudderStack's own SDKs with their defaults, in a real Chromium and in Node, pointed
at a running gateway.

They come from npm, once for all runs of this user; where npm, Node or Chromium is missing, the
tests are skipped. Segment's settings, which its SDK fetches from Segment, are given on the page, as
somebody without an account there has to.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from baton.contracts.intake import Identifier, IntakeRecord
from tests.npm_packages import installed
from tests.services.ingest.gateway.running_gateway import WEB as KEY
from tests.services.ingest.gateway.running_gateway import Served, serving
from tests.services.ingest.gateway.test_in_a_browser import CHROMIUM, free_port, listening

HERE = Path(__file__).resolve().parent / "vendor_sdks"
DOCS = Path(__file__).resolve().parents[4] / "docs" / "sources" / "segment.md"
SNIPPETS = re.findall(r"```js\n(.+?)```", DOCS.read_text(), re.DOTALL)
LIBRARIES = {"segment": "analytics-next", "rudderstack": "analytics-js"}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="needs Chromium: apt-get install chromium, or set BATON_CHROMIUM"
)


@pytest.fixture(scope="module")
def sdks(download_cache: Path) -> Path:
    """The folder with the vendors' SDKs."""
    return installed(
        HERE / "package.json", download_cache / "vendor-sdks", "the vendors' SDKs are not tried"
    )


@contextlib.asynccontextmanager
async def site(
    sdks: Path, page: str, more: str = ""
) -> AsyncIterator[tuple[Page, Served, list[str]]]:
    """A page of another origin than the gateway, open in a browser; the gateway; and what its
    console says of errors."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    async with serving(cors_origins=origin) as served:
        text = _page(page, f"127.0.0.1:{served.port}", more)
        routes = [
            Route("/pricing", lambda _: HTMLResponse(text)),
            Route("/after", lambda _: HTMLResponse("<!doctype html><title>after</title>")),
            Route("/favicon.ico", lambda _: Response(status_code=204)),
            Mount("/modules", StaticFiles(directory=sdks / "node_modules")),
        ]
        async with listening(Starlette(routes=routes), port), async_playwright() as engine:
            browser = await engine.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            opened = await browser.new_page()
            errors: list[str] = []
            opened.on(
                "console", lambda line: errors.append(line.text) if line.type == "error" else None
            )
            opened.on("pageerror", lambda error: errors.append(str(error)))
            await opened.goto(f"{origin}/pricing?utm_campaign=spring&utm_source=news")
            await opened.wait_for_function("document.title == 'ready'", timeout=60_000)
            yield opened, served, errors
            await browser.close()


def _page(page: str, address: str, more: str) -> str:
    """A page with the snippet of the documentation, filled in as somebody would who has no TLS.
    ``more``: further options of the vendor's."""
    library = LIBRARIES[page.removesuffix(".html")]
    (snippet,) = (one for one in SNIPPETS if f"/{library}\n" in one)
    text = (HERE / page).read_text().replace("{snippet}", snippet)
    text = text.replace('/v1" }', f'/v1", protocol: "http", {more} }}')
    text = text.replace("getSourceConfig:", f"{more} getSourceConfig:")
    text = text.replace("https://<your address>", f"http://{address}")
    return text.replace("<your address>", address).replace("<key>", KEY)


# Segment's alias takes the former id as it is when it is sent; an identify behind it changes that.
CALLS = """async () => {
  analytics.page("Docs", "Pricing");
  await analytics.alias("u1");
  analytics.identify("u1", {email: "ann@acme.example", firstName: "Änn"});
  analytics.track("Demo Requested", {plan: "pro"});
  analytics.group("g1", {name: "Acme", employees: 250});
}"""
IN_A_BROWSER = {
    "Segment": ("segment.html", ""),
    "Segment in batches": ("segment.html", 'deliveryStrategy: {strategy: "batching"}'),
    "RudderStack": ("rudderstack.html", ""),
    "RudderStack by beacon": ("rudderstack.html", "useBeacon: true,"),
}


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize(("page", "more"), IN_A_BROWSER.values(), ids=IN_A_BROWSER)
async def test_a_visitors_calls_arrive_once_even_those_made_as_the_page_is_left(
    page: str, more: str, sdks: Path
) -> None:
    async with site(sdks, page, more) as (opened, served, errors):
        await opened.evaluate(CALLS)
        await opened.evaluate("location.href = '/after'")
        await opened.wait_for_function("document.title == 'after'", timeout=60_000)
        await arrived(served, 5)
        assert errors == []
    of_kind = said(served.records)
    visitors = {
        identifier.value
        for record in served.records
        for identifier in record.identifiers
        if identifier.scheme == "anonymous"
    }
    (visitor,) = visitors
    alias = {(known.scheme, known.value) for known in of_kind["link"].identifiers}
    assert {("user", "u1"), ("anonymous", visitor)} <= alias
    view, demo = of_kind["page_view"], of_kind["demo_requested"]
    assert view.engagement is not None
    assert demo.engagement is not None
    assert (view.engagement.content_id, view.engagement.campaign) == ("/pricing", "spring")
    assert (demo.engagement.campaign, demo.engagement.properties["plan"]) == ("spring", "pro")
    _is_ann(of_kind)


BEACON = """(address) => navigator.sendBeacon(address, new Blob(
  [JSON.stringify({anonymousId: "a1", event: "Pricing Left"})], {type: "application/json"}
))"""


@pytest.mark.browser
@needs_chromium
async def test_a_beacon_of_json_that_a_page_sends_itself_arrives(sdks: Path) -> None:
    """The browser asks first whether it may, with credentials."""
    async with site(sdks, "segment.html") as (opened, served, errors):
        assert await opened.evaluate(BEACON, f"{served.url}/v1/track?writeKey={KEY}")
        await arrived(served, 1)
        assert errors == []
    (record,) = served.records
    assert record.engagement is not None
    assert record.engagement.act == "pricing_left"


@pytest.mark.parametrize("script", ["segment.mjs", "rudderstack.mjs"])
async def test_a_servers_calls_arrive_once(script: str, sdks: Path) -> None:
    shutil.copy(HERE / script, sdks / script)
    async with serving() as served:
        child = await asyncio.create_subprocess_exec(
            "node", str(sdks / script), KEY, served.url, stdout=PIPE, stderr=STDOUT
        )
        try:
            async with asyncio.timeout(120):
                out, _ = await child.communicate()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        assert (child.returncode, out) == (0, b"")
        await arrived(served, 5)
    of_kind = said(served.records)
    _is_ann(of_kind)
    alias = {(known.scheme, known.value) for known in of_kind["link"].identifiers}
    assert {("user", "u1"), ("user", "n1")} <= alias


async def arrived(served: Served, number: int) -> None:
    """Waits until so many are there, and a little for what comes twice."""
    async with asyncio.timeout(60):
        while len(served.records) < number:  # noqa: ASYNC110 - set by a server of its own
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    assert len(served.records) == number


def said(records: list[IntakeRecord]) -> dict[str, IntakeRecord]:
    """Each of the five calls, by its act or kind; a group by its own word."""
    found = {
        record.engagement.act
        if record.engagement
        else "group"
        if "group" in record.profile
        else str(record.kind): record
        for record in records
    }
    assert set(found) == {"page_view", "demo_requested", "profile", "group", "link"}
    return found


def _is_ann(of_kind: dict[str, IntakeRecord]) -> None:
    identified, group = of_kind["profile"], of_kind["group"]
    assert identified.person is not None
    assert group.person is not None
    assert (identified.person.email, identified.person.first_name) == ("ann@acme.example", "Änn")
    assert Identifier(scheme="user", value="u1") in identified.identifiers
    assert (group.person.company, group.profile["employees"]) == ("Acme", "250")
