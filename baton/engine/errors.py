"""What can stop a task. The texts name the thing, the place and the way out, and repeat nothing of the data."""

from __future__ import annotations

from traceback import extract_tb


class EngineError(Exception):
    """Something that ends a task until somebody looks at it."""


class ReducerFailed(EngineError):
    """A record of our own could not be read, or a reducer raised: our bug, and this task stops.

    ``place`` says what was running, in the form ``baton task skip`` takes: ``record:<topic>@<offset>``,
    ``wake:<key>@<due_ms>`` or ``adopt:<key>@<version>``. The text has the type of the exception and the line that raised it,
    not its message, which could quote the data; ``cause`` is the exception itself.
    """

    def __init__(self, reducer: str, partition: int, place: str, cause: BaseException) -> None:
        frames = extract_tb(cause.__traceback__)
        where = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
        super().__init__(
            f"{reducer}[{partition}] stopped at {place}: {type(cause).__name__}{where}; "
            f"correct the code, or leave it out with: baton task skip {reducer} {partition} '{place}'"
        )
        self.reducer = reducer
        self.partition = partition
        self.place = place
        self.cause = cause


class OutOfOrder(EngineError):
    """A host handed over a record that was processed before: doing it again would double its consequences."""


class StateMismatch(EngineError):
    """The restored state and the committed offsets are not of the same batch."""


def record_place(topic: str, offset: int) -> str:
    """The place of a record."""
    return f"record:{topic}@{offset}"


def wake_place(key: str, due_ms: int) -> str:
    """The place of a timer."""
    return f"wake:{key}@{due_ms}"


def adopt_place(key: str, version: str) -> str:
    """The place of one key's adoption of an agreement."""
    return f"adopt:{key}@{version}"
