"""How much time a machine has given to a run: wall-clock seconds, each by the share that a process
gets while more of them want to compute than there are cores.

So a bound that is kept on a machine of one's own is kept on a crowded one. The load is the system's
mean over a minute, the run's own processes included; it says nothing about disks or brokers.
"""

import os
import time
from collections.abc import Callable


def _load() -> float:
    return os.getloadavg()[0]


class MachineTime:
    """Seconds since it was made; only as exact as it is asked often."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        load: Callable[[], float] = _load,
        cores: int | None = None,
    ) -> None:
        self._clock, self._load = clock, load
        self._cores = cores or os.cpu_count() or 1
        self._at, self._given_s = clock(), 0.0

    def __call__(self) -> float:
        now = self._clock()
        self._given_s += (now - self._at) * self._cores / max(self._cores, self._load())
        self._at = now
        return self._given_s
