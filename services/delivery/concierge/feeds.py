"""Keeps the busy times fresh: asks every calendar of the book of people in turn, again and again.

A calendar is asked whether it has changed (``ETag``) and read in a process of its own. One that
fails, hangs or cannot be read costs its person their slots after an hour, and nobody else
anything. Addresses of calendars are secrets: they stand in no log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import httpx

from baton.sources.absences import MAX_FEED_BYTES
from services.delivery import metrics
from services.delivery.concierge.busy_cache import BusyCache
from services.delivery.concierge.slots import Busy

log = logging.getLogger(__name__)

EVERY_S: Final = 300.0
_ANSWER_S: Final = 20.0
_READING_S: Final = 30.0
_AT_ONCE: Final = 4
_DAY_MS: Final = 86_400_000


class FeedFailed(RuntimeError):
    """A calendar gave no busy times; the text says why, without its address."""


class FeedKeeper:
    """``places``: a file or an ``https:`` address by person; ``folder``: where files are relative
    to; ``zone_of``: where a person's days are meant; ``clock``: seconds since the epoch."""

    def __init__(
        self,
        places: Mapping[str, str],
        folder: Path,
        cache: BusyCache,
        *,
        days: int,
        zone_of: Callable[[str], str] = lambda person: "UTC",
        clock: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._transport = transport
        self._places, self._folder, self._cache = dict(places), folder, cache
        self._days, self._zone_of, self._clock = days, zone_of, clock
        self._tags: dict[str, str] = {}
        self._read_on: dict[str, int] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    @property
    def number(self) -> int:
        """How many calendars are asked."""
        return len(self._places)

    async def run(self, every_s: float = EVERY_S) -> None:
        """Until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(every_s)

    async def refresh(self) -> dict[str, str]:
        """Ask all calendars once; gives the reason by person for those that failed."""
        async with httpx.AsyncClient(
            timeout=_ANSWER_S,
            trust_env=False,
            event_hooks={"request": [_stay_encrypted]},
            transport=self._transport,
        ) as client:
            asked = [self._refresh_one(client, person) for person in self._places]
            found = await asyncio.gather(*asked)
        failed = dict(one for one in found if one is not None)
        metrics.CALENDARS_FAILING.set(len(failed))
        return failed

    async def _refresh_one(self, client: httpx.AsyncClient, person: str) -> tuple[str, str] | None:
        async with self._at_once:
            try:
                async with asyncio.timeout(_ANSWER_S + _READING_S):
                    await self._ask(client, person)
            except FeedFailed as error:
                reason = str(error)
            except TimeoutError:
                reason = "does not answer in time"
            else:
                return None
        log.warning("the calendar of %s %s", person, reason)
        return person, reason

    async def _ask(self, client: httpx.AsyncClient, person: str) -> None:
        now_ms = int(self._clock() * 1000)
        day = now_ms // _DAY_MS
        same_day = self._read_on.get(person) == day  # a day on, the horizon has moved
        place = self._places[person].replace("webcal://", "https://", 1)
        if place.startswith("https://"):
            known = self._tags.get(person, "") if same_day else ""
            feed, tag = await self._fetched(client, place, known)
        else:
            feed, tag = await asyncio.to_thread(_file, self._folder / place), ""
        if feed is None:
            self._cache.confirm(person, now_ms)
            return
        until_ms = now_ms + (self._days + 2) * _DAY_MS
        busy = await _read(feed, now_ms - _DAY_MS, until_ms, self._zone_of(person))
        self._cache.put(person, busy, now_ms)
        self._tags[person], self._read_on[person] = tag, day

    async def _fetched(
        self, client: httpx.AsyncClient, place: str, tag: str
    ) -> tuple[bytes | None, str]:
        """The feed, or None where it has not changed, and its tag."""
        headers = {"If-None-Match": tag} if tag else {}
        try:
            async with client.stream(
                "GET", place, headers=headers, follow_redirects=True
            ) as answer:
                if answer.status_code == 304 and tag:
                    return None, tag
                if answer.status_code != 200:
                    raise FeedFailed(f"answers {answer.status_code}")
                found = bytearray()
                async for part in answer.aiter_bytes():
                    found += part
                    if len(found) > MAX_FEED_BYTES:
                        raise FeedFailed(f"has more than {MAX_FEED_BYTES} bytes")
                return bytes(found), answer.headers.get("etag", "")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FeedFailed(f"cannot be read: {type(error).__name__}") from None


async def _stay_encrypted(request: httpx.Request) -> None:
    """A redirect away from TLS is not followed."""
    if request.url.scheme != "https":
        raise FeedFailed("redirects to an address without TLS")


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FEED_BYTES + 1)
    except OSError as error:
        raise FeedFailed(f"cannot be read: {type(error).__name__}") from None


async def _read(feed: bytes, from_ms: int, until_ms: int, zone: str) -> Busy:
    words = ("-m", "services.delivery.concierge.feed_reading", str(from_ms), str(until_ms), zone)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_READING_S):
            out, _ = await child.communicate(feed)
    except TimeoutError:
        raise FeedFailed(f"takes more than {_READING_S:.0f} s to read") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode == 1:
        raise FeedFailed(out.decode("utf-8", "replace")[:200])
    if child.returncode:
        raise FeedFailed("cannot be read")
    return [(int(start), int(stop)) for start, stop in json.loads(out)]
