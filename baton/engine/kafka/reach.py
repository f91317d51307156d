"""Whether any broker answers this process, asked again and again, as a metric: for the alert about
brokers out of reach.

The tasks find out by themselves and wait; nothing here decides anything.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from baton.engine.metrics import OUT_OF_REACH

_EVERY_S = 5.0
_ANSWER_S = 10.0


class BrokerReach:
    """``ask`` raises where no broker answers. ``clock``: seconds that only grow."""

    def __init__(
        self, ask: Callable[[], Awaitable[object]], clock: Callable[[], float] = monotonic
    ) -> None:
        self._ask, self._clock = ask, clock
        self._answered_at = clock()
        OUT_OF_REACH.set_function(lambda: self.silent_s)
        self._missed = False

    @property
    def silent_s(self) -> float:
        """For how long no broker has answered; 0 while they do."""
        return self._clock() - self._answered_at if self._missed else 0.0

    async def watch(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> None:
        """Ask once."""
        try:
            await asyncio.wait_for(self._ask(), _ANSWER_S)
        except Exception:  # noqa: BLE001 - whatever the client says of it, nobody answered
            self._missed = True
        else:
            self._answered_at, self._missed = self._clock(), False
