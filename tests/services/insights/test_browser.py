"""The pages in a real Chromium: no errors on the console, both themes, phone width, accessibility
by axe-core, one printed page, live news."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from baton.contracts.public_record import PublicRecord
from services.insights.board.access import new_link
from services.insights.board.pages import PAGES
from services.insights.projection.dialect import copy_of, reader
from services.insights.projection.projection_store import Place, Store
from tests.services.insights.boards import Board, board_with
from tests.services.insights.stores import ZONE

CHROMIUM = os.environ.get("BATON_CHROMIUM") or shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM, reason="needs Chromium: apt-get install chromium, or set BATON_CHROMIUM"
    ),
]

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
WCAG_VIOLATIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],  # what passed is not described, element by element
}


@dataclass(frozen=True, slots=True)
class Served:
    """A board that listens."""

    board: Board
    address: str
    store: Path

    def link(self, person: str | None) -> str:
        return f"{self.address}/enter?token={new_link(self.board.files.folder, person)}"


@pytest.fixture(scope="module")
def served(
    company: tuple[tuple[PublicRecord, ...], int],
    store_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    own = folder / "own.sqlite"
    copy_of(store_file, own)
    board = board_with(own, folder / "board", company[1])
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(board.app, lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Served(board, f"http://127.0.0.1:{bound.getsockname()[1]}", own)
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page of a browser that came in by a link, and what its console said."""

    page: Any
    said: list[str]


def visit(chromium: Any, served: Served, *, person: str | None = None, **options: Any) -> Visit:
    context = chromium.new_context(**options)
    page, said = context.new_page(), []
    page.set_default_timeout(90_000)
    page.on(
        "console",
        lambda message: said.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(served.link(person))
    return Visit(page, said)


def busiest_lead(served: Served) -> str:
    found = reader(served.store).execute(
        "SELECT lead_id FROM lead l WHERE survivor IS NULL ORDER BY (SELECT count(*) FROM act "
        "WHERE lead_id = l.lead_id) DESC LIMIT 1"
    )
    return str(found.fetchall()[0][0])


def addresses(served: Served) -> list[str]:
    paths = [
        page.path if "from" not in page.filters else f"{page.path}?from=2026-06-01"
        for page in PAGES
    ]
    (account,) = (
        reader(served.store)
        .execute("SELECT account_id FROM account ORDER BY engaged_people DESC, account_id LIMIT 1")
        .fetchall()[0]
    )
    return [*paths, f"/leads/{busiest_lead(served)}", f"/accounts/{account}"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_loads_without_a_word_on_the_console_and_fits(
    chromium: Any, served: Served, scheme: str, viewport: Any
) -> None:
    seen = visit(chromium, served, person="ae-greta", color_scheme=scheme, viewport=viewport)
    for path in addresses(served):
        answer = seen.page.goto(served.address + path)
        assert answer.status == 200, path
        assert seen.page.locator("h1").count() == 1, path
        wider = seen.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{path} is {wider} px wider than the window"
    assert seen.said == []
    seen.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_of_wcag_22_aa_on_any_page(
    chromium: Any, served: Served, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    seen = visit(chromium, served, person="mgr-ines", color_scheme=scheme, viewport=DESKTOP)
    found = []
    for path in addresses(served):
        seen.page.goto(served.address + path)
        results = Axe().run(seen.page, options=WCAG_VIOLATIONS)
        found += [
            f"{path}: {response['id']}: {response['nodes'][0]['html'][:160]}: "
            f"{response['nodes'][0].get('failureSummary', '')[:200]}"
            for response in results.response["violations"]
        ]
    assert found == []
    seen.page.context.close()


def test_axe_finds_a_planted_violation(chromium: Any, served: Served) -> None:
    from axe_playwright_python.sync_playwright import Axe

    seen = visit(chromium, served, viewport=DESKTOP)
    seen.page.evaluate(
        "document.querySelector('#main').insertAdjacentHTML('beforeend', '<img "
        'src="/static/icon.svg">\')'
    )
    results = Axe().run(seen.page, options=WCAG_VIOLATIONS)
    assert "image-alt" in {response["id"] for response in results.response["violations"]}
    seen.page.context.close()


def test_an_inline_script_does_not_run(chromium: Any, served: Served) -> None:
    seen = visit(chromium, served, viewport=DESKTOP)
    seen.page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.planted = 1'; "
        "document.body.append(s); }"
    )
    assert seen.page.evaluate("window.planted") is None
    assert any("Content Security Policy" in message for message in seen.said)
    seen.page.context.close()


def test_monday_is_one_printed_page(chromium: Any, served: Served, tmp_path: Path) -> None:
    seen = visit(chromium, served, viewport=DESKTOP)
    seen.page.goto(f"{served.address}/monday")
    printed = seen.page.pdf(path=str(tmp_path / "monday.pdf"), prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == 1
    seen.page.context.close()


def test_without_scripts_every_page_is_whole_and_filters_work(
    chromium: Any, served: Served
) -> None:
    seen = visit(chromium, served, viewport=DESKTOP, java_script_enabled=False)
    seen.page.goto(f"{served.address}/sla?from=2026-06-01")
    seen.page.select_option("select[name=pool]", "dach-sales")
    seen.page.click("form.filters button")
    assert "pool=dach-sales" in seen.page.url
    assert seen.page.locator("table").count() >= 2
    seen.page.context.close()


def test_the_keyboard_reaches_the_page_and_sees_where_it_is(chromium: Any, served: Served) -> None:
    seen = visit(chromium, served, viewport=DESKTOP)
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.className") == "skip"
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.id") == "main"
    seen.page.keyboard.press("Tab")
    outline = seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    seen.page.context.close()


def test_news_come_to_an_open_page_by_themselves(
    chromium: Any, served: Served, company: tuple[tuple[PublicRecord, ...], int]
) -> None:
    seen = visit(chromium, served, viewport=DESKTOP)
    seen.page.goto(f"{served.address}/data")
    before = (
        reader(served.store)
        .execute("SELECT value FROM meta WHERE name = 'revision'")
        .fetchall()[0][0]
    )
    assert f"Revision {before}" in seen.page.inner_text("#main")
    seen.page.locator("html[data-live]").wait_for()
    writing = Store(served.store, "baton", ZONE)
    writing.begin([Place(topic="leads.acts.v1", partition=0, next_offset=0)])
    writing.apply([], {})
    writing.close()
    seen.page.locator("#main", has_text=f"Revision {int(before) + 1}").wait_for()
    assert "Updated" in seen.page.inner_text("#live")
    assert seen.said == []
    seen.page.context.close()


_IS_LIVE_AGAIN = """() => {
    dispatchEvent(new Event("online"));
    const root = document.documentElement.dataset;
    return "live" in root && !("lost" in root);
}"""


@pytest.mark.parametrize("answer", [502, 503])
def test_a_page_comes_back_to_the_news_after_an_answer_that_is_no_stream(
    chromium: Any, served: Served, answer: int
) -> None:
    seen = visit(chromium, served, viewport=DESKTOP)
    seen.page.route(
        "**/live",
        lambda route: route.fulfill(status=answer, content_type="text/html", body="<p>Bad gateway"),
    )
    seen.page.goto(f"{served.address}/data")
    seen.page.locator("html[data-lost]").wait_for()
    seen.page.locator("#live", has_text="Updated").wait_for()
    seen.page.unroute("**/live")
    for _ in range(450):
        if seen.page.evaluate(_IS_LIVE_AGAIN):
            break
        seen.page.wait_for_timeout(200)
    else:
        pytest.fail("not live again after a minute and a half")
    seen.page.context.close()


def test_a_page_whose_session_has_ended_says_so_and_asks_no_more(
    chromium: Any, served: Served
) -> None:
    seen = visit(chromium, served, viewport=DESKTOP)
    seen.page.goto(f"{served.address}/data")
    seen.page.locator("html[data-live]").wait_for()
    seen.page.context.clear_cookies()
    seen.page.route("**/live", lambda route: route.fulfill(status=403, body="no"))
    seen.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    seen.page.locator("#live", has_text="not signed in any more").wait_for()
    seen.page.context.close()


def test_an_act_is_sent_from_the_page_and_the_page_says_that_it_waits(
    chromium: Any, served: Served
) -> None:
    lead, holder = (
        reader(served.store)
        .execute(
            "SELECT lead_id, holder FROM lead WHERE holder_kind = 'person' AND handoff_id IS NOT "
            "NULL LIMIT 1"
        )
        .fetchall()[0]
    )
    seen = visit(chromium, served, person=holder, viewport=PHONE)
    seen.page.goto(f"{served.address}/leads/{lead}")
    seen.page.select_option("select[name=outcome]", "reached")
    seen.page.click("button[value=call]")
    seen.page.wait_for_url("**sent=*")
    assert "Waiting for what becomes of it" in seen.page.inner_text("[role=status]")
    assert served.board.kept.lines[-1]["act"]["by"] == holder
    assert seen.said == []
    seen.page.context.close()
