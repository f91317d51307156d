"""The rows of a CSV file with the lines they begin in.

A row that cannot be read is reported. So is a quotation mark that closes late or never, with the
lines that it swallowed: none is lost in silence.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from baton.importing.sending import Trouble
from baton.intake.line_reading import Problem

MAX_CELL = 32_768
_MAX_LINES_A_ROW = 200
_LINE_END = re.compile(r"\r\n|\r|\n")

NumberedRow = tuple[int, list[str]]


class _Lines:
    """The lines of a text without NUL. ``ended``: the reader has asked for one after the last."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            yield line.replace("\x00", "")
        self.ended = True


def csv_rows(
    text: io.TextIOWrapper, delimiter: str, offset: int
) -> Iterator[NumberedRow | Trouble]:
    """The rows of ``text``, or what is wrong with one. ``offset``: the lines before it."""
    csv.field_size_limit(MAX_CELL)
    lines = _Lines(text)
    rows = csv.reader(lines, delimiter=delimiter)
    before = 0
    while True:
        begins = before + 1 + offset
        try:
            row = next(rows)
        except StopIteration:
            text.detach()  # whoever opened the file closes it
            return
        except csv.Error as error:
            before = rows.line_num
            reason = (
                f"is no row of CSV ({error}); is a quotation mark not closed? "
                f"{_lines_were(begins, before + offset)} not read"
            )
            yield Trouble(number=begins, problem=Problem("", reason))
            continue
        count, before = rows.line_num - before, rows.line_num
        if lines.ended:
            yield _never_closed(row, begins, before + offset)
        elif count > _MAX_LINES_A_ROW:
            reason = (
                f"has a quotation mark that closes {count} lines later; what lies between was not "
                "read as rows"
            )
            yield Trouble(number=begins, problem=Problem("", reason))
        elif any(cell.strip() for cell in row):
            yield begins, row


def _never_closed(row: Sequence[str], begins: int, last: int) -> Trouble:
    """Of a row that ended only because the file did, in its last cell."""
    opens = begins + sum(len(_LINE_END.findall(cell)) for cell in row[:-1])
    reason = (
        f"has a quotation mark that opens and never closes: {_lines_were(begins, last)} not read; "
        "close it, or write it twice where it belongs to the text of a quoted cell"
    )
    return Trouble(number=opens, problem=Problem("", reason))


def _lines_were(first: int, last: int) -> str:
    return f"lines {first} to {last} were" if last > first else f"line {first} was"
