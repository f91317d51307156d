"""Live news are bounded, end with the session, and the pages carry no inline script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from baton.contracts.public_record import PublicRecord
from services.insights.board import live
from services.insights.board.live import MOST_STREAMS, Live
from services.insights.board.rendering import environment
from tests.services.insights.boards import board_with

Company = tuple[tuple[PublicRecord, ...], int]


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_LOOK_S", 0.01)
    monkeypatch.setattr(live, "_HEARTBEAT_S", 0.03)


async def test_a_revision_is_said_once_and_a_silent_stream_beats() -> None:
    found = iter(["7", "7", "8", "8", "8", "8", "8", "8", "8"])
    stream = Live(lambda: next(found, "8")).stream(lambda: True)
    said = [await anext(stream) for _ in range(3)]
    await stream.aclose()  # type: ignore[attr-defined]
    assert said[0].startswith("retry: 5000\nid: 7\nevent: revision\n")
    assert said[1] == "id: 8\nevent: revision\ndata: 8\n\n"
    assert said[2] == "event: beat\ndata:\n\n"


async def test_a_stream_ends_when_its_viewer_may_not_look_any_more() -> None:
    allowed = [True, False]
    said = [stream async for stream in Live(lambda: "7").stream(lambda: allowed.pop(0))]
    assert [stream[:6] for stream in said] == ["retry:", "event:"]


async def test_so_many_streams_are_taken_and_one_that_ends_makes_room() -> None:
    board = Live(lambda: "7")
    streams = [board.stream(lambda: True) for _ in range(MOST_STREAMS)]
    for stream in streams:
        await anext(stream)
    assert board.full
    await streams[0].aclose()  # type: ignore[attr-defined]
    assert not board.full
    for stream in streams[1:]:
        await stream.aclose()  # type: ignore[attr-defined]


def test_who_has_not_entered_gets_no_news_and_a_full_board_says_so(
    store_file: Path, company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = board_with(store_file, tmp_path / "board", company[1])
    visitor = board.visitor()
    monkeypatch.setattr(Live, "full", True)
    assert visitor.get("/live").status_code == 503
    visitor.cookies.clear()
    assert visitor.get("/live").status_code == 403


def test_the_policy_lets_no_inline_script_run_and_no_template_has_one(
    store_file: Path, company: Company, tmp_path: Path
) -> None:
    answer = board_with(store_file, tmp_path / "board", company[1]).visitor().get("/")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy
    folder = Path(environment().loader.searchpath[0])  # type: ignore[union-attr]
    for path in folder.glob("*.html"):
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+\s*=|javascript:|\sstyle=", text), (
            path.name
        )
