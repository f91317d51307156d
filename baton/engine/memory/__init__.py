"""The second host: reducers joined by a log in memory, under a virtual clock. For tests,
simulations and ``baton simulate``.

It keeps the engine's promises with the engine's own core; it has no brokers, clients or real time.
Everything in it is deterministic: the same calls give the same bytes.
"""

from baton.engine.memory.crashes import Aborted, Crash, Moment
from baton.engine.memory.host import MemoryHost
from baton.engine.memory.log import Fenced, MemoryLog, Stored
from baton.engine.memory.task import MemoryTask
from baton.engine.memory.virtual_time import Livelock, VirtualTime

__all__ = [
    "Aborted",
    "Crash",
    "Fenced",
    "Livelock",
    "MemoryHost",
    "MemoryLog",
    "MemoryTask",
    "Moment",
    "Stored",
    "VirtualTime",
]
