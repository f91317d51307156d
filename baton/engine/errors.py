"""Errors that stop a task. The texts name the thing, the place and the way out, and quote no
data."""

from __future__ import annotations

from traceback import extract_tb


class EngineError(Exception):
    """Stops a task until an operator acts."""


class UnusableRecord(ValueError):
    """A record that the engine refuses before any reducer sees it. The text is ours and quotes no
    data.

    ``code`` is a stable word, for the dead letter of an external record.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class ReducerFailed(EngineError):
    """An internal record could not be used, or a reducer raised: this task stops, the others go on.

    ``place`` says what was running, in the form that ``baton task skip`` takes:
    ``record:<topic>@<offset>``, ``wake:<key>@<due_ms>`` or ``adopt:<key>@<version>``. The text has
    the reason of an :class:`UnusableRecord`; of any other exception only its type and the line that
    raised it, since its message could quote data. ``cause`` is the exception itself.
    """

    def __init__(self, reducer: str, partition: int, place: str, cause: BaseException) -> None:
        if isinstance(cause, UnusableRecord):
            why, remedy = cause.reason, "find out who wrote it, then leave it out with"
        else:
            frames = extract_tb(cause.__traceback__)
            where = (
                f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}"
                if frames
                else ""
            )
            why, remedy = f"{type(cause).__name__}{where}", "correct the code, or leave it out with"
        super().__init__(
            f"{reducer}[{partition}] stopped at {place}: {why}; {remedy}: baton task skip "
            f"{reducer} {partition} '{place}'"
        )
        self.reducer = reducer
        self.partition = partition
        self.place = place
        self.cause = cause


class OutOfOrder(EngineError):
    """A host passed in a record that was processed before; processing it again would double its
    effects."""


class StateMismatch(EngineError):
    """The restored state and the committed offsets do not belong to the same batch."""


def record_place(topic: str, offset: int) -> str:
    """The place of a record."""
    return f"record:{topic}@{offset}"


def wake_place(key: str, due_ms: int) -> str:
    """The place of a timer."""
    return f"wake:{key}@{due_ms}"


def adopt_place(key: str, version: str) -> str:
    """The place of one key's adoption of an agreement."""
    return f"adopt:{key}@{version}"
