"""Named moments in a task's life at which a test can end the process, or make something fail.

A host is given its :class:`Failpoints`; a worker in production has none armed, and a point then
costs one comparison. Nothing here reads the environment unless a test's worker asks for it.
"""

import os
import signal
from collections.abc import Callable, Mapping
from enum import StrEnum

VARIABLE = "BATON_FAILPOINT"


class Point(StrEnum):
    """The moments, in the order in which a task reaches them."""

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


class Failpoints:
    """The failpoints of one host: one hook, called at every point of all its tasks."""

    def __init__(self, hook: Hook | None = None) -> None:
        self._hook = hook

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Failpoints":
        """``BATON_FAILPOINT=<point>:<n>``: the process kills itself, as by ``kill -9``, when it
        reaches the point for the n-th time. Raises ValueError for a point that does not exist."""
        wanted = environment.get(VARIABLE)
        if not wanted:
            return cls()
        name, _, count = wanted.partition(":")
        return cls(_kill_at(Point(name), int(count or 1)))

    def arm(self, hook: Hook | None) -> None:
        """Call ``hook`` at every point; None disarms."""
        self._hook = hook

    def reached(self, point: Point, reducer: str, partition: int) -> None:
        """A task is at ``point``."""
        if self._hook is not None:
            self._hook(point, reducer, partition)


def _kill_at(wanted: Point, count: int) -> Hook:
    left = count

    def hook(point: Point, reducer: str, partition: int) -> None:
        nonlocal left
        if point is wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook
