"""When requests hand their records to the producer: the first after a pause at once, those that
come within the pause together at its end.

A request to the brokers costs the gateway, the broker and the readers of the topic about as much
with ten records in it as with one. Whoever comes alone does not wait.
"""

from __future__ import annotations

import asyncio


class PublishingPause:
    """A pause of ``pause_s`` between two rounds of records."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._next_at = 0.0
        self._round: asyncio.Event | None = None

    async def passed(self) -> None:
        """Return when records may go: all that wait for a round go in the same one."""
        loop = asyncio.get_running_loop()
        if self._round is None:
            now = loop.time()
            if now >= self._next_at:
                self._next_at = now + self._pause_s
                return
            self._round = asyncio.Event()
            loop.call_at(self._next_at, self._begin_round)
        await self._round.wait()

    def _begin_round(self) -> None:
        waiting, self._round = self._round, None
        self._next_at = asyncio.get_running_loop().time() + self._pause_s
        if waiting is not None:
            waiting.set()
