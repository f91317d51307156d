"""News for open pages: one short message whenever the board has a new revision. Bounded, and
nothing is kept for slow readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

MOST_STREAMS: Final = 200
_LOOK_S: Final = 0.5
_HEARTBEAT_S: Final = 15.0
_RETRY_MS: Final = 5_000


class Live:
    """``revision`` is asked twice a second for all streams together; ``allowed`` at each
    heartbeat."""

    def __init__(self, revision: Callable[[], str]) -> None:
        self._revision = revision
        self._streams = 0
        self._seen = ""
        self._looked = 0.0

    @property
    def full(self) -> bool:
        """Whether no more streams are taken; the pages work without."""
        return self._streams >= MOST_STREAMS

    async def stream(self, allowed: Callable[[], bool]) -> AsyncIterator[str]:
        """Server-sent events until the reader leaves, or may not look any more."""
        self._streams += 1
        try:
            reported, silent_s = await self._look(), 0.0
            yield f"retry: {_RETRY_MS}\nid: {reported}\nevent: revision\ndata: {reported}\n\n"
            while True:
                await asyncio.sleep(_LOOK_S)
                silent_s += _LOOK_S
                found = await self._look()
                if found != reported:
                    reported, silent_s = found, 0.0
                    yield f"id: {reported}\nevent: revision\ndata: {reported}\n\n"
                elif silent_s >= _HEARTBEAT_S:
                    if not allowed():
                        return
                    silent_s = 0.0
                    yield "event: beat\ndata:\n\n"
        finally:
            self._streams -= 1

    async def _look(self) -> str:
        now = asyncio.get_running_loop().time()
        if now - self._looked >= _LOOK_S * 0.9:
            self._looked = now
            self._seen = await asyncio.to_thread(self._revision)
        return self._seen
