"""Take the pictures of the board that README and docs show, from the demonstration's year.

    python tools/pictures.py docs/pictures

Needs Chromium (apt-get install chromium, or BATON_CHROMIUM). The year ends at a fixed moment, so
the same code takes the same pictures.
"""

import argparse
import contextlib
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from baton.local.demo.past import simulate_past
from baton.local.up.preparing import example_agreement
from services.insights.board.access import Access, new_link
from services.insights.board.publishing import KafkaPublisher
from services.insights.board.site import Parts, Site
from services.insights.packs.pack_store import PackFiles
from services.insights.packs.weekly import frozen
from services.insights.projection.board_stores import BoardFiles
from services.insights.projection.dialect import reader
from services.insights.projection.projector import ProjectorState, Standing
from services.insights.seeding import seed
from services.insights.settings import BoardSettings

UNTIL_MS = int(datetime(2026, 11, 30, 8, 40, tzinfo=UTC).timestamp() * 1000)
LEADS = 260
SIZE = {"width": 1280, "height": 800}
_PERSON = "mgr-ines"
_BUSIEST = """SELECT l.lead_id FROM lead l WHERE l.holder_kind = 'person' AND l.survivor IS NULL
    AND l.last_act_ms > ? ORDER BY
    (SELECT count(*) FROM amendment a WHERE a.lead_id = l.lead_id) DESC,
    (SELECT count(*) FROM fact f WHERE f.lead_id = l.lead_id) DESC, l.lead_id LIMIT 1"""


def main() -> int:
    """Write the pictures into a folder; with ``--all``, every page, light, dark and narrow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="every page, to look at")
    parser.add_argument("--leads", type=int, default=LEADS)
    arguments = parser.parse_args()
    chromium = os.environ.get("BATON_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("needs Chromium: apt-get install chromium, or BATON_CHROMIUM", file=sys.stderr)
        return 1
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, served(Path(home), arguments.leads) as board:
        _shoot(chromium, board, arguments.folder, every=arguments.all)
    return 0


class Board:
    """A board that listens; ``lead``: the busiest one."""

    def __init__(self, files: BoardFiles, address: str) -> None:
        self.files, self.address = files, address
        place = files.current()
        assert place is not None
        self.lead = reader(place).execute(_BUSIEST, (UNTIL_MS - 3 * 86_400_000,)).fetchall()[0][0]

    def link(self) -> str:
        """A link that opens it as the manager."""
        return f"{self.address}/enter?token={new_link(self.files.folder, _PERSON)}"


@contextlib.contextmanager
def served(home: Path, leads: int) -> Iterator[Board]:
    """The board of the demonstration's year, on the loopback."""
    agreement = example_agreement().with_name("demo.yaml").read_text()
    past = simulate_past(agreement, until_ms=UNTIL_MS, leads=leads, seed=1)
    files = BoardFiles(home)
    seed(files, "baton", past.history, past.noted, until_ms=UNTIL_MS)
    place = files.current()
    assert place is not None
    frozen(place, PackFiles(home), UNTIL_MS)
    own = BoardSettings()
    standing = Standing(state=ProjectorState.LIVE, asked_ms=UNTIL_MS)
    parts = Parts(
        settings=own,
        files=files,
        access=Access(own, home),
        publisher=KafkaPublisher({}, "baton"),
        standing=lambda: standing,
        now_ms=lambda: UNTIL_MS,
    )
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Site(parts).app(), lifespan="off", log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Board(files, f"http://127.0.0.1:{bound.getsockname()[1]}")
    server.should_exit = True
    thread.join(10)


def _shoot(chromium: str, board: Board, folder: Path, *, every: bool) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(viewport=SIZE).new_page()
        page.goto(board.link())
        paths = {"now": "/", "monday": "/monday", "lead": f"/leads/{board.lead}"}
        for name, path in paths.items():
            page.goto(board.address + path)
            page.screenshot(path=folder / f"{name}.png")
        if every:
            _every(browser, board, folder, paths)
        browser.close()


def _every(browser: Any, board: Board, folder: Path, paths: dict[str, str]) -> None:
    from services.insights.board.pages import PAGES

    shown = paths | {page.path.strip("/") or "now": page.path for page in PAGES}
    shown["pack"] = "/packs/2026-W48"
    kinds = {"light": {"viewport": SIZE}, "dark": {"viewport": SIZE, "color_scheme": "dark"}}
    kinds["phone"] = {"viewport": {"width": 360, "height": 740}}
    for kind, options in kinds.items():
        page = browser.new_context(**options).new_page()
        page.goto(board.link())
        for name, path in shown.items():
            page.goto(board.address + path)
            page.screenshot(path=folder / f"{kind}-{name}.png", full_page=True)


if __name__ == "__main__":
    sys.exit(main())
