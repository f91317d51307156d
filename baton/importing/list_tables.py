"""A list as a table: its header, wherever it stands, and its rows with the lines they begin in. CSV
in any dialect, or XLSX.

What is found out about the file (encoding, delimiter, line of the header) is kept to be said. One
damaged row costs that row; memory is bounded by the sample and the longest row, whatever the file's
length.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

import clevercsv

from baton.importing.charsets import charset_of
from baton.importing.csv_rows import MAX_CELL, NumberedRow, csv_rows
from baton.importing.rows_in_one_cell import parted, rows_parted
from baton.importing.sending import Trouble
from baton.importing.workbooks import MAGIC, MAX_BYTES, WorkbookWrong, sheet_rows

MAX_PREAMBLE = 40
_SAMPLE_BYTES = 262_144
_DIALECT_CHARACTERS = 16_384
_DELIMITERS = [",", ";", "\t", "|"]
_PEEKED_ROWS = 200


class FileWrong(ValueError):
    """A file that is no list; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTerms:
    """What the user says of the file; None is found out."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


@dataclass(slots=True, kw_only=True)
class Table:
    """``header`` and ``rows`` (or what is wrong with one). ``remarks`` say what was found out;
    ``peeked`` are the first rows."""

    header: list[str]
    rows: Iterator[NumberedRow | Trouble]
    remarks: list[str] = field(default_factory=list)
    peeked: list[NumberedRow] = field(default_factory=list)


def read_table(
    content: BinaryIO, terms: FileTerms, is_header: Callable[[Sequence[str]], bool]
) -> Table:
    """The table in ``content``. ``is_header``: whether a row has names of columns that are known;
    the first such row is the header, else the first row that has more than one cell. Raises
    :class:`FileWrong`."""
    sample = _sample(content)
    if not sample.strip(b"\x00\r\n\t ;,"):
        raise FileWrong("the file is empty")
    remarks: list[str] = []
    if sample.startswith(MAGIC):
        delimiter, rows = None, _workbook_rows(content, sample, terms, remarks)
    else:
        _refuse_foreign(sample)
        delimiter, rows = _text_rows(content, sample, terms, remarks)
    return _with_header(rows, delimiter, is_header, remarks)


def _sample(content: BinaryIO) -> bytes:
    found = bytearray()
    while len(found) < _SAMPLE_BYTES and (more := content.read(_SAMPLE_BYTES - len(found))):
        found += more
    return bytes(found)


def _workbook_rows(
    content: BinaryIO, sample: bytes, terms: FileTerms, remarks: list[str]
) -> Iterator[NumberedRow | Trouble]:
    whole = io.BytesIO(sample + content.read(MAX_BYTES + 1 - len(sample)))
    try:
        return iter(sheet_rows(whole, terms.sheet, remarks))
    except WorkbookWrong as error:
        raise FileWrong(str(error)) from None


def _refuse_foreign(sample: bytes) -> None:
    head = sample[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if sample.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileWrong("the file is an old Excel workbook (.xls); save it as .xlsx or CSV")
    if head.startswith((b"<html", b"<!doctype html", b"<table", b"<?xml")):
        raise FileWrong(
            "the file is HTML or XML, as some exports named .xls are; open it and save it as .xlsx "
            "or CSV"
        )
    if head.startswith((b"%pdf", b"\x1f\x8b", b"pk")):
        raise FileWrong("the file is no list of text; unpack it, or save it as .xlsx or CSV")


# --- CSV


class _Replayed(io.RawIOBase):
    """The sample, then the rest of the file."""

    def __init__(self, sample: bytes, rest: BinaryIO) -> None:
        self._sample = memoryview(sample)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._sample:
            count = min(len(buffer), len(self._sample))
            buffer[:count] = self._sample[:count]
            self._sample = self._sample[count:]
            return count
        more = self._rest.read(len(buffer))
        buffer[: len(more)] = more
        return len(more)


def _text_rows(
    content: BinaryIO, sample: bytes, terms: FileTerms, remarks: list[str]
) -> tuple[str, Iterator[NumberedRow | Trouble]]:
    """The delimiter, and the rows."""
    encoding = terms.encoding or _found_encoding(sample, remarks)
    try:
        text = io.TextIOWrapper(
            io.BufferedReader(_Replayed(sample, content)),
            encoding,
            errors="surrogateescape",
            newline="",
        )
        head = sample.decode(encoding, "replace")
    except (LookupError, UnicodeError):
        raise FileWrong(
            f"the encoding {encoding!r} is not known, or the file is not written in it; try "
            "another with --encoding"
        ) from None
    said, offset = _said_delimiter(head), 0
    if said:
        text.readline(MAX_CELL)
        offset = 1
    delimiter = terms.delimiter or said or _found_delimiter(head)
    if len(delimiter) != 1:
        raise FileWrong("the delimiter must be one character")
    return delimiter, csv_rows(text, delimiter, offset)


def _found_encoding(sample: bytes, remarks: list[str]) -> str:
    found = charset_of(sample)
    if not found.certain:
        remarks.append(
            f"not UTF-8: read as {found.name}; if letters come out wrong, give another --encoding"
        )
    return found.name


def _said_delimiter(head: str) -> str | None:
    """Excel's own first line: ``sep=;``."""
    first = head.lstrip("\ufeff").split("\n", 1)[0].strip("\r").strip('"')
    return first[4] if len(first) == 5 and first.lower().startswith("sep=") else None


def _found_delimiter(head: str) -> str:
    lines = head[:_DIALECT_CHARACTERS].replace("\x00", "").splitlines(keepends=True)
    whole = lines[:-1] if len(lines) > 1 and len(head) > _DIALECT_CHARACTERS else lines
    found = clevercsv.Detector().detect("".join(whole), delimiters=_DELIMITERS)
    if found is not None and found.delimiter in _DELIMITERS:
        return str(found.delimiter)
    first = next((line for line in whole if line.strip()), "")
    return max(_DELIMITERS, key=first.count)


# --- the header


@dataclass(frozen=True, slots=True)
class _Header:
    """``place`` among the rows that were read. ``delimiter``: what stands between the columns of a
    row in one cell; None where such rows are not looked for."""

    place: int
    line: int
    cells: list[str]
    delimiter: str | None
    in_one_cell: bool = False


def _with_header(
    rows: Iterator[NumberedRow | Trouble],
    delimiter: str | None,
    is_header: Callable[[Sequence[str]], bool],
    remarks: list[str],
) -> Table:
    before: list[NumberedRow | Trouble] = []
    fallback: _Header | None = None
    for row in rows:
        before.append(row)
        if isinstance(row, Trouble):
            continue
        place, (line, cells) = len(before) - 1, row
        if is_header(cells):
            return _table(before, _Header(place, line, cells, delimiter), rows, remarks)
        for mark in _DELIMITERS:
            if (found := parted(cells, mark)) is not None and is_header(found):
                return _table(before, _Header(place, line, found, mark, True), rows, remarks)
        if fallback is None and sum(bool(cell.strip()) for cell in cells) > 1:
            fallback = _Header(place, line, cells, delimiter)
        if len(before) >= MAX_PREAMBLE:
            break
    return _table(before, fallback or _first_row(before, delimiter), rows, remarks)


def _first_row(before: Sequence[NumberedRow | Trouble], delimiter: str | None) -> _Header:
    for place, row in enumerate(before):
        if not isinstance(row, Trouble):
            return _Header(place, *row, delimiter)
    broken = next((row for row in before if isinstance(row, Trouble)), None)
    why = f": line {broken.number} {broken.problem.reason}" if broken else ""
    raise FileWrong(f"the file has no header line{why}")


def _table(
    before: list[NumberedRow | Trouble],
    found: _Header,
    rest: Iterator[NumberedRow | Trouble],
    remarks: list[str],
) -> Table:
    if found.place:
        remarks.append(f"the header is line {found.line}; what stands before it is no row")
    if found.in_one_cell:
        remarks.append("the rows stand in one cell, as a list saved from one column: read as rows")
    rows: Iterator[NumberedRow | Trouble] = _chained(before[found.place + 1 :], rest)
    if found.delimiter is not None:
        rows = rows_parted(rows, found.delimiter, len(found.cells), header_too=found.in_one_cell)
    held = list(islice(rows, _PEEKED_ROWS))
    return Table(
        header=[" ".join(cell.split()) for cell in found.cells],
        rows=_chained(held, rows),
        remarks=remarks,
        peeked=[row for row in held if not isinstance(row, Trouble)],
    )


def _chained(
    held: list[NumberedRow | Trouble], rest: Iterator[NumberedRow | Trouble]
) -> Iterator[NumberedRow | Trouble]:
    yield from held
    yield from rest
