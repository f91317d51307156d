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

from baton.sources.calendar_feeds import ANSWER_S, FeedFailed, feed_client, fetch_feed
from services.delivery import metrics
from services.delivery.concierge.busy_cache import BusyCache
from services.delivery.concierge.slots import Busy

log = logging.getLogger(__name__)

EVERY_S: Final = 300.0
_READING_S: Final = 30.0
_AT_ONCE: Final = 4
_DAY_MS: Final = 86_400_000


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
        async with feed_client(self._transport, answer_s=ANSWER_S) as client:
            asked = [self._refresh_one(client, person) for person in self._places]
            found = await asyncio.gather(*asked)
        failed = dict(one for one in found if one is not None)
        metrics.CALENDARS_FAILING.set(len(failed))
        return failed

    async def _refresh_one(self, client: httpx.AsyncClient, person: str) -> tuple[str, str] | None:
        async with self._at_once:
            try:
                async with asyncio.timeout(ANSWER_S + _READING_S):
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
        known = self._tags.get(person, "") if same_day else ""
        place = self._places[person]
        feed, tag = await fetch_feed(client, place, self._folder, known_tag=known)
        if feed is None:
            self._cache.confirm(person, now_ms)
            return
        until_ms = now_ms + (self._days + 2) * _DAY_MS
        busy = await _read(feed, now_ms - _DAY_MS, until_ms, self._zone_of(person))
        self._cache.put(person, busy, now_ms)
        self._tags[person], self._read_on[person] = tag, day


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
