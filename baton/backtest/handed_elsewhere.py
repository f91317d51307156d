"""Whom another tool gave leads to, from a CSV file: ``lead`` (an id) or ``email``, ``to`` (a person
or a pool of the agreement), and ``at`` (ISO) where it is known. Addresses stay in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from baton.backtest.shadow_decisions import Handed


class AssignmentsUnreadable(ValueError):
    """A file of assignments is none; the text names the line and what is wanted."""


def read_handed(path: Path, lead_of: Callable[[str], str | None]) -> tuple[list[Handed], int]:
    """The assignments of ``path``, and how many were of nobody that is known. ``lead_of``: the lead
    with this address."""
    found, strangers = [], 0
    with io.StringIO(_text(path), newline="") as file:
        head = file.readline()
        file.seek(0)
        rows = csv.DictReader(file, delimiter=max(",;\t", key=head.count))
        rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
        names = set(rows.fieldnames)
        if "to" not in names or not names & {"lead", "email"}:
            raise AssignmentsUnreadable(
                f"{path}:1: needs the columns to, and lead or email; there are "
                f"{', '.join(sorted(names)) or 'none'}"
            )
        for row in rows:
            line = rows.line_num
            lead_id = (row.get("lead") or "").strip()
            email = (row.get("email") or "").strip().lower()
            known = lead_id or lead_of(email)
            to = (row.get("to") or "").strip()
            if not to:
                raise AssignmentsUnreadable(f"{path}:{line}: to is empty: whom did the lead go to?")
            if not known:
                strangers += 1
                continue
            found.append(Handed(lead_id=known, to=to, at_ms=_moment(row.get("at"), path, line)))
    return found, strangers


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise AssignmentsUnreadable(
            f"{path}:1: is not UTF-8: save it as CSV in UTF-8 (a spreadsheet offers that)"
        ) from None


def _moment(text: str | None, path: Path, line: int) -> int | None:
    if not text or not text.strip():
        return None
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise AssignmentsUnreadable(
            f"{path}:{line}: at is no ISO time; write 2026-11-30T09:00Z"
        ) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
