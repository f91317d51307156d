"""What an operator can see of a task, and when a worker is ready."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class TaskState(StrEnum):
    """Where a task is in its life."""

    INCOMPLETE = "incomplete"
    """Not started: the group assigns this process only some of the partition's inputs."""
    STARTING = "starting"
    """Fences former owners."""
    RESTORING = "restoring"
    """Reads its changelog and compares it with the committed offsets."""
    WAITING = "waiting"
    """Nothing was ever published on the reference topics."""
    RUNNING = "running"
    """Processes records."""
    LOST = "lost"
    """Was fenced, or does not know whether a batch was committed; starts again if the group still
    assigns it to this process."""
    STOPPED = "stopped"
    """Stopped by itself; an operator has to act."""


@dataclass(slots=True, kw_only=True)
class TaskStatus:
    """One task, for ``/tasks`` and ``baton task list``. It has no personal data.

    ``place`` is what ``baton task skip`` takes. ``stalled_s``: for how long records have waited
    without a committed batch; ``stalled``: that is longer than a session. ``on_disk``: its state is
    in ``BATON_STATE_DIR``.
    """

    reducer: str
    partition: int
    state: TaskState = TaskState.STARTING
    reason: str = ""
    place: str = ""
    batch: int = 0
    now_ms: int = 0
    lag: int = 0
    held: int = 0
    adopting: bool = False
    stalled_s: float = 0.0
    stalled: bool = False
    on_disk: bool = False

    def as_json(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def summary(self) -> str:
        """One line for ``/readyz``."""
        stalled = f", no batch for {self.stalled_s:.0f} s" if self.stalled else ""
        return f"{self.reducer}[{self.partition}] {self.state}{stalled}"


def all_ready(statuses: Iterable[TaskStatus]) -> bool:
    """Whether the tasks of one reducer in this process are fit for work.

    A task that stopped by itself does not make the others unready, but if all have stopped nothing
    of the reducer works here. A task that is incomplete, or waits for longer than a session, is not
    ready whatever its state says.
    """
    found = list(statuses)
    fit = all(
        status.state is TaskState.STOPPED
        or (status.state is TaskState.RUNNING and not status.stalled)
        for status in found
    )
    return fit and (not found or any(status.state is TaskState.RUNNING for status in found))
