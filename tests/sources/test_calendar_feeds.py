"""Calendars are fetched with TLS alone, in bounds, and their addresses are never repeated."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from baton.sources.calendar_feeds import FeedFailed, feed_client, fetch_feed

SECRET = "https://calendars.example/secret-of-ana"
FEED = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


async def fetched(answer: httpx.Response, place: str = SECRET) -> tuple[bytes | None, list[str]]:
    """What is fetched where ``place`` answers so, and every address that is asked."""
    asked: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return answer if len(asked) == 1 else httpx.Response(200, content=FEED)

    async with feed_client(httpx.MockTransport(answers)) as client:
        feed, _ = await fetch_feed(client, place, Path())
    return feed, asked


async def test_a_redirect_with_tls_is_followed_and_a_calendar_link_is_an_address_with_tls() -> None:
    moved = httpx.Response(301, headers={"Location": "https://other.example/x"})
    assert await fetched(moved) == (FEED, [SECRET, "https://other.example/x"])
    plain = httpx.Response(200, content=FEED)
    assert await fetched(plain, SECRET.replace("https", "webcal")) == (FEED, [SECRET])


WRONG = {
    "a redirect away from TLS": (
        httpx.Response(302, headers={"Location": "http://calendars.example/secret-of-ana"}),
        "redirects to an address without TLS",
    ),
    "gone": (httpx.Response(410), "answers 410"),
    "not changed, though nothing was known": (httpx.Response(304), "answers 304"),
    "too large": (httpx.Response(200, content=b"x" * 2_000_001), "has more than 2000000 bytes"),
}


@pytest.mark.parametrize(("answer", "reason"), WRONG.values(), ids=WRONG)
async def test_what_cannot_be_fetched_is_said_without_the_address(
    answer: httpx.Response, reason: str
) -> None:
    with pytest.raises(FeedFailed) as failed:
        await fetched(answer)
    assert str(failed.value) == reason


async def test_a_redirect_away_from_tls_is_not_even_asked() -> None:
    asked: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.scheme)
        return httpx.Response(302, headers={"Location": "http://calendars.example/secret-of-ana"})

    async with feed_client(httpx.MockTransport(answers)) as client:
        with pytest.raises(FeedFailed, match="without TLS"):
            await fetch_feed(client, SECRET, Path())
    assert asked == ["https"]


async def test_a_file_is_read_beside_the_book_and_one_that_is_not_there_is_said(
    tmp_path: Path,
) -> None:
    (tmp_path / "ana.ics").write_bytes(FEED)
    async with feed_client() as client:
        assert await fetch_feed(client, "ana.ics", tmp_path) == (FEED, "")
        with pytest.raises(FeedFailed, match=r"cannot be read: FileNotFoundError$"):
            await fetch_feed(client, "bob.ics", tmp_path)
        with pytest.raises(FeedFailed, match="cannot be read: FileNotFoundError"):
            await fetch_feed(client, "http://calendars.example/secret", tmp_path)
