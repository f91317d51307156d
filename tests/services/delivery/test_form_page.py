"""The example page in a real Chromium: a buyer asks, reads a name, gets a link; and is thanked
whatever goes wrong."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from services.delivery.concierge.slots import slot_text
from tests.services.delivery.facts import routed
from tests.services.delivery.serving import served
from tests.services.delivery.test_concierge import KEY, Counter
from tests.services.delivery.test_concierge_slots import FIRST, SECOND, all_but, counter_with

CHROMIUM = os.environ.get("BATON_CHROMIUM") or shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM, reason="needs Chromium: apt-get install chromium, or set BATON_CHROMIUM"
    ),
]
EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "targets"


def fill_in(page_url: str, concierge: str) -> tuple[str, str | None]:
    """What the buyer reads, and where the link goes."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{page_url}/form.html?concierge={concierge}")
        page.fill("#email", "ann.berg@acme.example")
        page.fill("#first_name", "Ann")
        page.click("form button")
        status = page.locator("[role=status]")
        status.filter(has_text="call you").wait_for(timeout=60_000)
        link = page.locator("[role=status] a")
        found = status.inner_text(), link.get_attribute("href") if link.count() else None
        browser.close()
    return found


def choose_time(page_url: str, concierge: str) -> str:
    """What a buyer reads who takes the first time, and then another one."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{page_url}/form.html?concierge={concierge}")
        page.fill("#email", "ann.berg@acme.example")
        page.click("form button")
        status = page.locator("[role=status]")
        status.locator("button").first.click(timeout=60_000)
        status.filter(has_text="not at that time").wait_for(timeout=60_000)
        status.locator("button").first.click()
        status.filter(has_text="will call you on").wait_for(timeout=60_000)
        found = status.inner_text()
        browser.close()
    return found


async def test_a_buyer_chooses_among_times_and_then_among_those_of_whoever_has_them(
    tmp_path: Path,
) -> None:
    """The pool shows Ben's first time; Cleo has the buyer already and is not free then."""
    pages = Starlette(routes=[Mount("/", StaticFiles(directory=EXAMPLES))])
    async with served(pages) as page_url:
        counter = counter_with(
            tmp_path,
            {"sdr-ben": all_but(FIRST), "sdr-cleo": all_but(SECOND)},
            origins=[page_url],
        )
        counter.take(routed("lead-1", "sdr-cleo", pool="sdr", leg="sdr"))
        async with served(mounted(counter)) as concierge:
            text = await asyncio.to_thread(choose_time, page_url, concierge)
    assert text.startswith("Cleo (SDR) will call you on ")
    booked = [line for line in counter.inbox.lines if line["kind"] == "act"]
    assert {line["act"]["meeting_at"][:19] for line in booked} == {slot_text(SECOND)[:19]}


def mounted(counter: Counter) -> Starlette:
    """The counter's calls where the page looks for them."""
    return Starlette(
        routes=[
            Route(f"/v1/concierge{route.path}", route.endpoint, methods=list(route.methods))
            for route in counter.app.routes
            if isinstance(route, Route) and route.methods
        ]
    )


async def test_a_buyer_reads_a_name_and_can_choose_a_time(tmp_path: Path) -> None:
    people = ("ae-greta", "ae-hugo", "sdr-anna", "sdr-ben", "sdr-cleo")
    booking = {person: f"https://book.example/{person}" for person in people}
    pages = Starlette(routes=[Mount("/", StaticFiles(directory=EXAMPLES))])
    async with served(pages) as page_url:
        counter = Counter(tmp_path / "store", origins=[page_url], booking=booking)
        async with served(mounted(counter)) as concierge:
            text, link = await asyncio.to_thread(fill_in, page_url, concierge)
            nowhere, none = await asyncio.to_thread(fill_in, page_url, "http://127.0.0.1:1")
    assert text.endswith("will call you. Choose a time now")
    assert link is not None
    assert link.startswith("https://book.example/")
    assert len({line["id"] for line in counter.inbox.lines}) == 1
    assert (nowhere, none) == ("Thank you. We will call you.", None)
    assert KEY in (EXAMPLES / "form.html").read_text()
