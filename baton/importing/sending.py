"""Sending event lines as an outside system would, over HTTP or to the inbox topic, and an honest
count of what became of them.

A line counts as accepted when the brokers have acknowledged it. What is refused is reported by
line and field, without values, and the rest goes on. Sending the same again is safe: the same event
is the same event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol, TextIO

from pydantic_core import to_json

from baton.intake.keyed_records import to_intake
from baton.intake.line_reading import LineRefused, Problem, read_line
from baton.intake.lines import MAX_EVENT_BYTES

MAX_LISTED = 1_000
UNREAD = "has no certain reading and was left out"
_BATCH_LINES, _BATCH_BYTES = 500, 400_000
_CHUNK_BYTES = 65_536


class SendingStopped(RuntimeError):
    """Nothing more can be sent; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """An event line and the line of the file it is from."""

    number: int
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is wrong with a line of the file."""

    number: int
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Trouble):
    """What of a line was left out; the rest of it is taken."""


@dataclass(slots=True)
class Tally:
    """What became of the lines. ``ledger`` gets the id of each acknowledged event, one a line, as
    it is acknowledged."""

    ledger: TextIO | None = None
    on_trouble: Callable[[Trouble], None] = lambda _: None
    on_note: Callable[[Trouble], None] = lambda _: None
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    reported: int = 0
    noted: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[Trouble] = field(default_factory=list)

    @property
    def unacknowledged(self) -> int:
        """Lines that were sent, perhaps, but of which nobody said that they have arrived."""
        return self.read - self.accepted - self.rejected

    def acknowledge(self, event_ids: Sequence[str]) -> None:
        self.accepted += len(event_ids)
        if self.ledger is not None:
            self.ledger.writelines(f"{event_id}\n" for event_id in event_ids)
            self.ledger.flush()

    def reject(self, number: int, problems: Iterable[Problem]) -> None:
        self.rejected += 1
        for problem in problems:
            trouble = Trouble(number=number, problem=problem)
            self.on_trouble(trouble)
            self.reported += 1
            if len(self.troubles) < MAX_LISTED:
                self.troubles.append(trouble)

    def note(self, trouble: Trouble) -> None:
        """Something of a line that is taken was left out."""
        self.noted += 1
        self.on_note(trouble)
        if len(self.notes) < MAX_LISTED:
            self.notes.append(trouble)

    def document(self) -> dict[str, Any]:
        """The summary for scripts."""
        return {
            "read": self.read,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "unacknowledged": self.unacknowledged,
            "errors": [
                {
                    "line": problem_of_line.number,
                    "field": problem_of_line.problem.field,
                    "reason": problem_of_line.problem.reason,
                }
                for problem_of_line in self.troubles
            ],
        }


class Sender(Protocol):
    """One way in. ``send`` returns when what it was given is acknowledged or refused, or keeps it
    for ``finish``."""

    def send(self, lines: Sequence[Numbered], tally: Tally) -> None: ...
    def finish(self, tally: Tally) -> None: ...


def send_all(lines: Iterable[Numbered | Trouble], sender: Sender, tally: Tally) -> None:
    """Check and send everything, in batches; raises :class:`SendingStopped`, with the tally as it
    is."""
    batch: list[Numbered] = []
    size = 0
    for line in lines:
        if isinstance(line, Note):
            tally.note(line)
            continue
        tally.read += 1
        if isinstance(line, Trouble):
            tally.reject(line.number, [line.problem])
            continue
        try:
            taken = read_line(line.raw)
        except LineRefused as refused:
            tally.reject(line.number, refused.problems)
            continue
        for path in to_intake(taken).unread:
            tally.note(Note(number=line.number, problem=Problem(path, UNREAD)))
        if batch and (len(batch) >= _BATCH_LINES or size + len(line.raw) > _BATCH_BYTES):
            sender.send(batch, tally)
            batch, size = [], 0
        batch.append(line)
        size += len(line.raw) + 1
    if batch:
        sender.send(batch, tally)
    sender.finish(tally)


def lines_of(file: BinaryIO) -> Iterator[Numbered | Trouble]:
    """Event lines of a JSON-lines file, blank ones left out; one that is too long is never held
    whole."""
    number = 0
    while raw := file.readline(MAX_EVENT_BYTES + 2):
        number += 1
        if len(raw) > MAX_EVENT_BYTES and not raw.endswith(b"\n"):
            while (more := file.readline(_CHUNK_BYTES)) and not more.endswith(b"\n"):
                pass
            yield Trouble(
                number=number, problem=Problem("", f"has more than {MAX_EVENT_BYTES} bytes")
            )
        elif raw.strip():
            yield Numbered(number=number, raw=raw)


def numbered(number: int, line: dict[str, Any]) -> Numbered:
    """A line made here."""
    return Numbered(number=number, raw=to_json(line))
