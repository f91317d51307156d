"""The CPU that an action takes, as a ratio to a yardstick measured in the same moment.

A hostile input must not be dear; how many seconds that is depends on the machine, on who else
works on it, and on how much this process has in memory (a full collection in the middle of an
action costs more, the more the tests before it left). So the cost is counted in passes of a bare
loop, with the collector held back, and the least of three tries counts: disturbances only add.
"""

import gc
import time
from collections.abc import Callable

TRIES = 3
STEPS_OF_A_PASS = 100_000


def cpu_passes(action: Callable[[], object]) -> float:
    """The CPU of ``action`` in passes of a loop of 100,000 steps (4 to 8 ms each)."""
    gc.collect()
    gc.disable()
    try:
        return min(_cpu_s(action) / _cpu_s(_one_pass) for _ in range(TRIES))
    finally:
        gc.enable()


def _one_pass() -> int:
    total = 0
    for number in range(STEPS_OF_A_PASS):
        total += number & 7
    return total


def _cpu_s(action: Callable[[], object]) -> float:
    began = time.thread_time()
    action()
    return time.thread_time() - began
