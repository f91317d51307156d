"""Named moments in a task's life at which a test can end the process, or make something fail.

Nothing is armed unless a test does it, or ``BATON_FAILPOINT=<point>:<n>`` is set: then the process kills itself, as by
``kill -9``, when it comes to that point for the n-th time. Unarmed, a point costs one comparison.
"""

import os
import signal
from collections.abc import Callable
from enum import StrEnum

VARIABLE = "BATON_FAILPOINT"


class Point(StrEnum):
    """The moments, in the order in which a task comes to them."""

    FENCED = "fenced"
    RESTORING = "restoring"
    RESTORED = "restored"
    CHECKED = "checked"
    FETCHING = "fetching"
    FETCHED = "fetched"
    TAKING = "taking"
    SEALED = "sealed"
    PRODUCING = "producing"
    PRODUCED = "produced"
    OFFSETS = "offsets"
    COMMITTING = "committing"
    COMMITTED = "committed"
    FOLDED = "folded"


Hook = Callable[[Point, str, int], None]
_hook: Hook | None = None


def reached(point: Point, reducer: str, partition: int) -> None:
    """A task is at ``point``."""
    if _hook is not None:
        _hook(point, reducer, partition)


def arm(hook: Hook | None) -> None:
    """Call ``hook`` at every point; None disarms. For tests."""
    global _hook
    _hook = hook


def arm_from_environment() -> None:
    """Arm what ``BATON_FAILPOINT`` says; raises ValueError for a point that does not exist."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    name, _, count = wanted.partition(":")
    arm(_kill_at(Point(name), int(count or 1)))


def _kill_at(wanted: Point, count: int) -> Hook:
    left = count

    def hook(point: Point, reducer: str, partition: int) -> None:
        nonlocal left
        if point is wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook
