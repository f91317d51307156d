"""Writing the journal of a batch: the runs of records it took, and whatever else the log does not determine."""

from __future__ import annotations

from baton.engine.records import Did, JournalLine


class Notes:
    """Collects the lines of one batch; records of one topic that follow each other make one line."""

    __slots__ = ("_lines", "_run")

    def __init__(self) -> None:
        self._lines: list[JournalLine | list[int | str]] = []
        self._run: list[int | str] | None = None

    def __len__(self) -> int:
        return len(self._lines)

    def took(self, topic: str, offset: int) -> None:
        """One record was taken."""
        run = self._run
        if run is not None and run[0] == topic:
            run[2] = offset
            run[3] += 1  # type: ignore[operator]
        else:
            self._run = [topic, offset, offset, 1]
            self._lines.append(self._run)

    def add(self, line: JournalLine) -> None:
        """Anything else."""
        self._run = None
        self._lines.append(line)

    def lines(self) -> tuple[JournalLine, ...]:
        """All of it, in order."""
        return tuple(
            each
            if isinstance(each, JournalLine)
            else JournalLine(did=Did.TAKE, topic=str(each[0]), first=int(each[1]), last=int(each[2]), count=int(each[3]))
            for each in self._lines
        )
