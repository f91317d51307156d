"""Rows that stand whole in one cell: a list that was opened as one column and saved again.

A spreadsheet then puts every row, or every row that has quotation marks, into quotation marks and
doubles those inside. Such a row is read as it was before. It is reported where its columns are not
those of the header: its first cell alone would lose the rest in silence.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from baton.importing.csv_rows import NumberedRow
from baton.importing.sending import Trouble
from baton.intake.line_reading import Problem


def parted(cells: Sequence[str], delimiter: str) -> list[str] | None:
    """The cells of a row that stands whole in its first cell; None where it does not."""
    if not cells or any(cell.strip() for cell in cells[1:]) or delimiter not in cells[0]:
        return None
    try:
        rows = list(csv.reader(io.StringIO(cells[0], newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 and len(rows[0]) > 1 else None


def rows_parted(
    rows: Iterable[NumberedRow | Trouble], delimiter: str, columns: int, *, header_too: bool
) -> Iterator[NumberedRow | Trouble]:
    """The rows of a list with so many columns. ``header_too``: its header stood in one cell. Where
    it did not, only a row that has nothing behind its cell, not even empty ones, is one."""
    for row in rows:
        if isinstance(row, Trouble) or not (header_too or len(row[1]) == 1) or columns == 1:
            yield row
            continue
        line, cells = row
        found = parted(cells, delimiter)
        if found is None or all("@" in cell for cell in found):  # several addresses of one person
            yield row
        elif len(found) == columns:
            yield line, found
        else:
            reason = f"stands in one cell, which has {len(found)} columns, the header {columns}"
            yield Trouble(number=line, problem=Problem("", reason))
