"""What left the board by a command: a line for every export and copy, in the board's own folder.

The line is written before anything leaves, so that an interrupted export is in it too. It names the
account of the operating system, since a command has no other name for who gave it.
"""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

FILE: Final = "departures.jsonl"


def note_departure(folder: Path, kind: str, what: str, since_ms: int | None = None) -> None:
    """Append a line: ``kind`` is ``export`` or ``backup``, ``what`` a table or a file's name."""
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "by": _account(),
        "kind": kind,
        "what": what,
        **({} if since_ms is None else {"since_ms": since_ms}),
    }
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    opened = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(opened, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in many containers
        return f"uid {os.getuid()}"
