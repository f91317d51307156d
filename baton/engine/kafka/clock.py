"""Time for idle tasks: when it is worth asking the broker for it, and what its answer is worth.

The worker's clock decides only *when to ask*. What a task then believes is the broker's append time of a tick, less a grace, once
it has processed everything that was in its inputs when the answer came. So a clock that jumps, a paused worker or an open
transaction can make a timer late, never early.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from baton.engine.kafka.cluster import Cluster

GRACE_MS = 1_000
"""Brokers' clocks may differ by so much."""


def wall_ms() -> int:
    """The worker's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """A task that has processed its inputs up to ``ends`` may move its time to ``to_ms``."""

    to_ms: int
    ends: Mapping[str, int]


class BrokerClock:
    """What the broker's clock is likely to show. Only a guess: nothing is ever decided by it but when to ask.

    It starts from the worker's clock and follows what the broker is seen to say, carried on by the monotonic clock: a worker's
    clock that jumps does not matter, and one that is wrong from the start only until ``calibrated``.
    """

    def __init__(self, wall: Callable[[], int] = wall_ms, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._at_ms, self._since = wall(), monotonic()
        self.calibrated = False

    def likely_ms(self) -> int:
        """The guess."""
        return self._at_ms + int((self._monotonic() - self._since) * 1000)

    def told(self, at_ms: int) -> None:
        """The broker has just said that it is ``at_ms``."""
        self._at_ms, self._since = at_ms, self._monotonic()
        self.calibrated = True

    def passed(self, at_ms: int) -> None:
        """A record of that time was seen, so it is later now."""
        if at_ms > self.likely_ms():
            self._at_ms, self._since = at_ms, self._monotonic()


async def ask(cluster: Cluster, clock: BrokerClock, reducer: str, inputs: tuple[str, ...], partition: int) -> Horizon:
    """Append a tick, take the broker's time of it, and only *then* list the ends of the inputs, open transactions included."""
    at_ms = await cluster.tick(reducer, partition)
    clock.told(at_ms)
    ends = await cluster.ends([(topic, partition) for topic in inputs])
    return Horizon(to_ms=at_ms - GRACE_MS, ends={topic: end for (topic, _), end in ends.items()})
