"""The rows of an XLSX workbook as texts, at bounded cost: a sheet's cells as a person sees them,
whole numbers without a ``.0``."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

MAGIC = b"PK\x03\x04"
MAX_BYTES = 64_000_000
MAX_UNPACKED_BYTES = 512_000_000
MAX_COLUMNS = 500
MAX_CELL = 32_768


class WorkbookWrong(ValueError):
    """A workbook that cannot be read; the text says why and what to do."""


def sheet_rows(
    content: io.BytesIO, sheet: str | None, remarks: list[str]
) -> Iterator[tuple[int, list[str]]]:
    """Numbered rows of a sheet (its name; else the first one that is visible). Raises
    :class:`WorkbookWrong`."""
    import openpyxl  # slow to import, and few lists are workbooks

    _check_size(content)
    try:
        book = openpyxl.load_workbook(content, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever its parsers do
        raise WorkbookWrong(
            f"the workbook cannot be read ({type(error).__name__}); save it as CSV"
        ) from None
    names = [worksheet.title for worksheet in book.worksheets if worksheet.sheet_state == "visible"]
    chosen = sheet or (names[0] if names else "")
    if chosen not in book.sheetnames:
        raise WorkbookWrong(
            f"the workbook has no sheet {chosen!r}; it has {', '.join(book.sheetnames)}"
        )
    if len(names) > 1 and sheet is None:
        remarks.append(f"read the sheet {chosen!r} of {len(names)}; choose another with --sheet")
    return _rows(book[chosen])


def _check_size(content: io.BytesIO) -> None:
    if content.getbuffer().nbytes > MAX_BYTES:
        raise WorkbookWrong(f"the workbook has more than {MAX_BYTES} bytes; save it as CSV")
    try:
        with zipfile.ZipFile(content) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            names = archive.namelist()
    except zipfile.BadZipFile:
        raise WorkbookWrong("the workbook is damaged; save it anew, or as CSV") from None
    if "[Content_Types].xml" not in names:
        raise WorkbookWrong("the file is packed (zip) and no workbook; unpack it first")
    if unpacked > MAX_UNPACKED_BYTES:
        raise WorkbookWrong(
            f"the workbook has more than {MAX_UNPACKED_BYTES} bytes unpacked; save it as CSV"
        )


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    # Sheets say how large they are, and some say a million columns.
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), start=1):
        cells = [text_of(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def text_of(value: Any) -> str:
    """A cell's value as text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)[:MAX_CELL]
