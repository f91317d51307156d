"""Long work in short turns: a body of thousands of events must not hold the event loop, which the worker's reducers run on too.

What a large body unpacks to takes many times its bytes, so of large bodies one is worked on at a time; small ones go in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator
from typing import TypeVar

from baton.intake.lines import MAX_EVENT_BYTES

T = TypeVar("T")

EVENTS_A_TURN = 25
"""How many events are worked on, at most, before everything else on the loop has its turn."""
_TURN_S = 0.002  # events that take long make a turn of fewer


class Turns:
    """Works on bodies of ``MAX_EVENT_BYTES`` and less as they come, on larger ones one after the other."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._large = asyncio.Lock()

    async def taken(self, work: Generator[None, None, T], body_bytes: int) -> T:
        """What ``work`` returns; it yields after each event. Raises what it raises."""
        async with self._large if body_bytes > MAX_EVENT_BYTES else contextlib.nullcontext():
            while True:
                ends = self._seconds() + _TURN_S
                try:
                    for _ in range(EVENTS_A_TURN):
                        next(work)
                        if self._seconds() >= ends:
                            break
                except StopIteration as done:
                    result: T = done.value
                    return result
                await asyncio.sleep(0)
