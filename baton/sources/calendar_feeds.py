"""Fetches the calendars that the book of people names: a file, or an ``https:`` address.

An address is as good as a key, so it is never sent without TLS, not even where the calendar's
server redirects there, and no text of an error repeats it. Proxies and passwords of the environment
are not used. A feed is bounded in size, an answer in time. It does not read what it fetched.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import httpx

from baton.sources.calendar_feed import MAX_FEED_BYTES

ANSWER_S: Final = 20.0
_TLS: Final = "https://"


class FeedFailed(RuntimeError):
    """A calendar cannot be fetched; the text says why, without its address."""


def feed_client(
    transport: httpx.AsyncBaseTransport | None = None, *, answer_s: float = ANSWER_S
) -> httpx.AsyncClient:
    """A client that sends nothing without TLS."""
    return httpx.AsyncClient(
        timeout=answer_s,
        trust_env=False,
        follow_redirects=True,
        event_hooks={"request": [_stay_encrypted]},
        transport=transport,
    )


async def fetch_feed(
    client: httpx.AsyncClient, place: str, folder: Path, *, known_tag: str = ""
) -> tuple[bytes | None, str]:
    """The feed and its tag (``ETag``), which is empty where it has none. None in place of the feed:
    it is as it was under ``known_tag``. ``folder``: where files are relative to. Raises
    :class:`FeedFailed`."""
    address = place.replace("webcal://", _TLS, 1)
    if not address.startswith(_TLS):
        return await asyncio.to_thread(_file, folder / place), ""
    headers = {"If-None-Match": known_tag} if known_tag else {}
    try:
        async with client.stream("GET", address, headers=headers) as answer:
            if answer.status_code == 304 and known_tag:
                return None, known_tag
            if answer.status_code != 200:
                raise FeedFailed(f"answers {answer.status_code}")
            return await _bounded(answer), answer.headers.get("etag", "")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unreadable(error) from None


async def _bounded(answer: httpx.Response) -> bytes:
    found = bytearray()
    async for part in answer.aiter_bytes():
        found += part
        if len(found) > MAX_FEED_BYTES:
            raise FeedFailed(f"has more than {MAX_FEED_BYTES} bytes")
    return bytes(found)


async def _stay_encrypted(request: httpx.Request) -> None:
    if request.url.scheme != "https":
        raise FeedFailed("redirects to an address without TLS")


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FEED_BYTES + 1)
    except OSError as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> FeedFailed:
    return FeedFailed(f"cannot be read: {type(error).__name__}")
