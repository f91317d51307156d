"""Time for idle tasks: when to ask the broker for it, and what its answer allows.

The worker's clock decides only *when to ask*. The task then uses the broker's append time of a
tick, less a grace period, once it has processed everything that was in its inputs when the answer
came. So a clock that jumps, a paused worker or an open transaction can make a timer late, never
early.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from baton.engine.kafka.cluster import Cluster

GRACE_MS = 1_000
"""By how much the clocks of two brokers may differ."""


def wall_ms() -> int:
    """The worker's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """A task that has processed its inputs up to ``ends`` may move its time to ``to_ms``."""

    to_ms: int
    ends: Mapping[str, int]


class BrokerClock:
    """An estimate of the broker's clock. It decides nothing except when to ask.

    It starts from the worker's clock and follows the times that brokers give, continued by the
    monotonic clock: a worker's clock that jumps does not matter, and one that is wrong from the
    start matters only until ``calibrated``.
    """

    def __init__(
        self, wall: Callable[[], int] = wall_ms, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._at_ms, self._since = wall(), monotonic()
        self.calibrated = False

    def likely_ms(self) -> int:
        """The estimate."""
        return self._at_ms + int((self._monotonic() - self._since) * 1000)

    def observed(self, at_ms: int) -> None:
        """The broker has just given its time as ``at_ms``."""
        self._at_ms, self._since = at_ms, self._monotonic()
        self.calibrated = True

    def at_least(self, at_ms: int) -> None:
        """A record of that time was seen, so it is that late or later."""
        if at_ms > self.likely_ms():
            self._at_ms, self._since = at_ms, self._monotonic()


async def ask(
    cluster: Cluster, clock: BrokerClock, reducer: str, inputs: tuple[str, ...], partition: int
) -> Horizon:
    """Append a tick, take the broker's time of it, and only *then* list the ends of the inputs,
    open transactions included."""
    at_ms = await cluster.tick(reducer, partition)
    clock.observed(at_ms)
    ends = await cluster.ends([(topic, partition) for topic in inputs])
    return Horizon(to_ms=at_ms - GRACE_MS, ends={topic: end for (topic, _), end in ends.items()})
