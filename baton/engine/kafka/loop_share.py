"""Sharing the event loop: one task computes at a time, and never for longer than a slice.

Heartbeats of all consumer groups, fetches and commits run on the same loop as the reducers. One
heartbeat needs several rounds of the loop (send, receive, wake up). If in every round each of a
dozen tasks computes for as long as it likes, a round takes seconds under CPU pressure, and the
session ends although the worker is alive. Here the tasks of a process take turns: in each round of
the loop at most one of them computes, for at most :data:`SLICE_S` and the one record that exceeds
it. So a round is about one slice long, however many tasks and records there are.

It promises nothing about a single step that takes long by itself: reducers are bounded by design.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from types import TracebackType

SLICE_S = 0.02


class LoopShare:
    """One per process (host). ``async with share:`` around what computes; inside, ``await
    share.rest()`` often.

    The turns are first come, first served. Nothing but :meth:`rest` may be awaited inside.
    """

    def __init__(self, slice_s: float = SLICE_S, clock: Callable[[], float] = monotonic) -> None:
        self._slice_s, self._clock = slice_s, clock
        self._turn = asyncio.Lock()
        self._until = 0.0

    async def __aenter__(self) -> LoopShare:
        await self._turn.acquire()
        self._until = self._clock() + self._slice_s
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._turn.release()

    @property
    def over(self) -> bool:
        """Whether the slice is used up."""
        return self._clock() >= self._until

    async def rest(self) -> None:
        """If the slice is used up, let the loop run and the other tasks have their turn."""
        if self.over:
            self._pass_on()
            await self._acquire_again()
            self._until = self._clock() + self._slice_s

    def _pass_on(self) -> None:
        """Give the turn away in the next round of the loop: a task that asks for it in this round
        must not have it."""
        asyncio.get_running_loop().call_soon(self._turn.release)

    async def _acquire_again(self) -> None:
        """Acquire the turn even if this task is being cancelled, since leaving the block gives it
        away."""
        cancelled: asyncio.CancelledError | None = None
        while True:
            try:
                await self._turn.acquire()
                break
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
