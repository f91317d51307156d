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
from typing import BinaryIO

import clevercsv

from baton.importing.charsets import charset_of
from baton.importing.csv_rows import MAX_CELL, NumberedRow, csv_rows
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
    header_line: int
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
        rows = _workbook_rows(content, sample, terms, remarks)
    else:
        _refuse_foreign(sample)
        rows = _text_rows(content, sample, terms, remarks)
    return _with_header(rows, is_header, remarks)


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
) -> Iterator[NumberedRow | Trouble]:
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
    return csv_rows(text, delimiter, offset)


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


def _with_header(
    rows: Iterator[NumberedRow | Trouble],
    is_header: Callable[[Sequence[str]], bool],
    remarks: list[str],
) -> Table:
    before: list[NumberedRow | Trouble] = []
    fallback: int | None = None
    for row in rows:
        before.append(row)
        if isinstance(row, Trouble):
            continue
        if is_header(row[1]):
            return _table(before, len(before) - 1, rows, remarks)
        if fallback is None and sum(bool(cell.strip()) for cell in row[1]) > 1:
            fallback = len(before) - 1
        if len(before) >= MAX_PREAMBLE:
            break
    first = next((place for place, row in enumerate(before) if not isinstance(row, Trouble)), None)
    place = fallback if fallback is not None else first
    if place is None:
        broken = next((row for row in before if isinstance(row, Trouble)), None)
        why = f": line {broken.number} {broken.problem.reason}" if broken else ""
        raise FileWrong(f"the file has no header line{why}")
    return _table(before, place, rows, remarks)


def _table(
    before: list[NumberedRow | Trouble],
    place: int,
    rest: Iterator[NumberedRow | Trouble],
    remarks: list[str],
) -> Table:
    header_row = before[place]
    assert not isinstance(header_row, Trouble)
    line, cells = header_row
    if place:
        remarks.append(f"the header is line {line}; what stands before it is no row")
    header = [" ".join(cell.split()) for cell in cells]
    held = [*before[place + 1 :]]
    for row in rest:
        held.append(row)
        if len(held) >= _PEEKED_ROWS:
            break
    peeked = [row for row in held if not isinstance(row, Trouble)]
    return Table(
        header=header, header_line=line, rows=_chained(held, rest), remarks=remarks, peeked=peeked
    )


def _chained(
    held: list[NumberedRow | Trouble], rest: Iterator[NumberedRow | Trouble]
) -> Iterator[NumberedRow | Trouble]:
    yield from held
    yield from rest
