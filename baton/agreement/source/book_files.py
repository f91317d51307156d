"""From the files of books to books, or to what is wrong with their shape, line by line.

A file is CSV in UTF-8 with a line of headings. Cells are trimmed; an account is written in small
letters, and what a territory asks as profiles are (``UK`` is ``GB``). What the rows mean is checked
elsewhere (:mod:`baton.agreement.checks.books`).
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from baton.agreement.books import LONGEST_BYTES, Book, book_of
from baton.agreement.compiled.books import ACCOUNT, OWNER, PLAIN
from baton.agreement.model.books import BookModel
from baton.agreement.problems import Problem, did_you_mean
from baton.agreement.source.book_cells import as_in_profiles

MOST_ROWS: Final = 500_000
MOST_PROBLEMS: Final = 20
"""Of one book; more are counted."""
_OTHER_SEPARATORS: Final = ((";", "a semicolon"), ("\t", "a tab"))
"""As spreadsheets write where a comma is the decimal sign, or for "text"."""
_BREAKS: Final = ("\t", "\n", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBook:
    """What reading came to. ``lines``: the line of each row in the file."""

    name: str
    file: str
    book: Book | None
    lines: Sequence[int] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Reading:
    name: str
    file: str
    problems: list[Problem] = field(default_factory=list)
    more: int = 0

    def wrong(self, line: int, message: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(message=message, line=line, file=self.file))
        else:
            self.more += 1

    def read(self, book: Book | None = None, lines: Sequence[int] = ()) -> ReadBook:
        problems = list(self.problems)
        if self.more:
            words = f"and {self.more} more lines of this book are wrong"
            problems.append(Problem(message=words, file=self.file))
        sound = book if not problems else None
        return ReadBook(
            name=self.name, file=self.file, book=sound, lines=lines, problems=tuple(problems)
        )


def read_book(name: str, model: BookModel, content: bytes | str, fields: Sequence[str]) -> ReadBook:
    """The book ``name`` (accounts or territories) of a file's ``content``, or why there is none.
    ``fields``: the profile fields that a territory may ask."""
    reading = _Reading(name, model.file or name)
    if isinstance(content, str):
        reading.wrong(0, content)
        return reading.read()
    if len(content) > LONGEST_BYTES:
        reading.wrong(0, f"a book of more than {LONGEST_BYTES >> 20} MB is not taken")
        return reading.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        reading.wrong(0, f"the book of {name} cannot be read: is not UTF-8")
        return reading.read()
    return _rows(reading, model, text, fields)


def _rows(reading: _Reading, model: BookModel, text: str, fields: Sequence[str]) -> ReadBook:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    try:
        headings = [heading.strip() for heading in next(reader, [])]
        if other := _other_separator(headings):
            words = f"the separator is {other}; save the file with commas between the columns"
            reading.wrong(1, words)
            return reading.read()
        taken = _columns(reading, model.columns, headings, fields)
        if reading.problems:
            return reading.read()
        columns, places = tuple(taken), tuple(taken.values())
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(headings):
                words = f"has {len(cells)} cells, and the headings are {len(headings)}"
                reading.wrong(reader.line_num, words)
                continue
            rows.append(_row(reading, reader.line_num, columns, [cells[place] for place in places]))
            lines.append(reader.line_num)
            if len(rows) > MOST_ROWS:
                reading.wrong(reader.line_num, f"more than {MOST_ROWS:,} rows are no book")
                return reading.read()
    except csv.Error as error:
        reading.wrong(reader.line_num, f"is no CSV: {error}")
        return reading.read()
    if not rows:
        reading.wrong(0, "has no rows")
    return reading.read(book_of(columns, rows), lines)


def _other_separator(headings: Sequence[str]) -> str | None:
    """What stands between the columns in place of commas; None where it is commas."""
    if len(headings) != 1:
        return None
    return next((name for mark, name in _OTHER_SEPARATORS if mark in headings[0]), None)


def _row(
    reading: _Reading, line: int, columns: tuple[str, ...], cells: list[str]
) -> tuple[str, ...]:
    texts = [cell.strip() for cell in cells]
    whole = "".join(texts)
    if any(mark in whole for mark in _BREAKS):
        reading.wrong(line, "a cell has a line break or a tab in it")
    if columns[0] == ACCOUNT:
        texts[0] = texts[0].lower()
        return tuple(texts)
    for place, column in enumerate(columns):
        if column not in PLAIN and texts[place]:
            texts[place], fault = as_in_profiles(column, texts[place])
            if fault:
                reading.wrong(line, fault)
    return tuple(texts)


def _columns(
    reading: _Reading, declared: Mapping[str, str], headings: list[str], fields: Sequence[str]
) -> dict[str, int]:
    """Baton's columns, the key first, with their place in the file."""
    known = _known(reading.name, fields)
    taken: dict[str, int] = {}
    wanted = declared or {heading: heading for heading in headings}
    for column, heading in wanted.items():
        if column not in known:
            hint = did_you_mean(column, known)
            reading.wrong(1, f'a book of {reading.name} has no column "{column}"{hint}')
        elif headings.count(heading) != 1:
            times = "twice" if heading in headings else "not"
            hint = "" if heading in headings else did_you_mean(heading, headings)
            reading.wrong(1, f'"{heading}" is {times} among the headings{hint}')
        else:
            taken[column] = headings.index(heading)
    if not reading.problems:
        for words in _missing(reading.name, taken):
            reading.wrong(1, words)
    return dict(sorted(taken.items(), key=lambda found: (found[0] != ACCOUNT, found[0])))


def _known(name: str, fields: Sequence[str]) -> set[str]:
    if name == "accounts":
        return {ACCOUNT, OWNER, "sdr", "sales"}
    return {"name", "needs", "sdr", "sales", *fields}


def _missing(name: str, taken: Mapping[str, int]) -> Iterator[str]:
    if name == "accounts":
        if ACCOUNT not in taken:
            yield 'a book of accounts needs a column "account" (the domain)'
        if not taken.keys() & {OWNER, "sdr", "sales"}:
            yield 'a book of accounts says who has them: a column "owner", "sdr" or "sales"'
        return
    if not taken.keys() & {"sdr", "sales"}:
        yield 'a book of territories says where to: a column "sdr" or "sales"'
    if not taken.keys() - PLAIN:
        yield "a book of territories asks something: a column for a field of the profile"
