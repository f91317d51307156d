"""Lets processes that nobody waits for take the processor after those that answer people.

Two numbers, because one alone is without effect on most machines: where Linux groups processes by
session (``sched_autogroup_enabled``, on unless somebody turned it off), the nice value counts
between processes of one session only, and every process of a run has a session of its own. Its
group's own nice value is what counts then.
"""

import contextlib
import os
import time
from pathlib import Path

_PROC = Path("/proc")
_TRIES, _WAIT_S = 20, 0.11
"""The kernel takes such a change from somebody without privileges ten times a second at most."""


def lower_priority(pid: int, nice: int, proc: Path = _PROC) -> None:
    """Of a process that was just started and has no threads yet: new ones inherit it. Where the
    system does not allow it the priority stays as it is; nothing depends on it but who waits."""
    if not nice:
        return
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, nice)
    group = proc / str(pid) / "autogroup"
    for _ in range(_TRIES):
        try:
            group.write_text(str(nice))
        except BlockingIOError:
            time.sleep(_WAIT_S)
        except OSError:
            return
        else:
            return
