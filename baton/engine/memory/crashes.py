"""Where a task in memory can be made to fail, and how."""

from enum import StrEnum


class Moment(StrEnum):
    """Where a task can be made to crash, in the order in which it gets there."""

    RESTORING = "restoring"
    FETCHED = "fetched"
    SEALED = "sealed"
    COMMITTED = "committed"


class Crash(Exception):
    """Raised by a hook: the task loses its memory here."""


class Aborted(Exception):
    """Raised by a hook before the commit: the transaction fails, and the task tries the batch again
    from memory."""
