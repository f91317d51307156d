"""Builds the journal of a batch: the runs of records it processed, and whatever else the log does
not determine."""

from __future__ import annotations

from baton.engine.records import Did, JournalLine


class JournalBuilder:
    """Collects the lines of one batch; consecutive records of one topic make one line."""

    __slots__ = ("_lines", "_run")

    def __init__(self) -> None:
        self._lines: list[JournalLine | list[int | str]] = []
        self._run: list[int | str] | None = None

    def __len__(self) -> int:
        return len(self._lines)

    def add_record(self, topic: str, offset: int) -> None:
        """One record was processed."""
        run = self._run
        if run is not None and run[0] == topic:
            run[2] = offset
            run[3] += 1  # type: ignore[operator]
        else:
            self._run = [topic, offset, offset, 1]
            self._lines.append(self._run)

    def add(self, line: JournalLine) -> None:
        """Append any other line."""
        self._run = None
        self._lines.append(line)

    def lines(self) -> tuple[JournalLine, ...]:
        """All lines, in order."""
        return tuple(
            line
            if isinstance(line, JournalLine)
            else JournalLine(
                did=Did.TAKE,
                topic=str(line[0]),
                first=int(line[1]),
                last=int(line[2]),
                count=int(line[3]),
            )
            for line in self._lines
        )
