"""What can be seen of a task from outside."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class TaskState(StrEnum):
    """Where a task is in its life."""

    STARTING = "starting"
    """Fences former owners."""
    RESTORING = "restoring"
    """Reads its changelog and compares it with the committed offsets."""
    WAITING = "waiting"
    """Nothing was ever published on the reference topics."""
    RUNNING = "running"
    """Takes records."""
    LOST = "lost"
    """Was fenced or does not know what became of a batch; starts again if the group still gives it to this process."""
    STOPPED = "stopped"
    """Stopped by itself; somebody has to look."""


@dataclass(slots=True, kw_only=True)
class TaskStatus:
    """One task, for ``/tasks`` and ``baton task list``. ``place`` is what ``baton task skip`` takes; no personal data."""

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

    def as_json(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
