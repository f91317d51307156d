"""Files of a run on one machine: for their owner alone, and logs that do not grow without end.

A log is rotated by renaming it, so no line is lost: a worker opens the path again when it has moved
(``BATON_LOG_FILE``), and the supervisor its own. What the interpreter of a worker itself writes at
a crash goes on into the file that was renamed.
"""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

PRIVATE_UMASK = 0o077
"""For processes whose files nobody else is to read."""

_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
_LOG_BYTES = 10 << 20
_LOGS_KEPT = 3


def private_folder(folder: Path) -> Path:
    """The folder, made where it is missing, open to its owner alone. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(_FOLDER_MODE)
    return folder


def open_log(log: Path) -> BinaryIO:
    """A log to go on with, open to its owner alone; its folder is made. Raises OSError."""
    private_folder(log.parent)
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _FILE_MODE), "ab")


def rotate(log: Path, *, limit_bytes: int = _LOG_BYTES) -> bool:
    """Rename a log that has reached its limit to ``NAME.1``, older ones to ``.2`` and ``.3``. Gives
    whether it did."""
    try:
        if log.stat().st_size < limit_bytes:
            return False
    except FileNotFoundError:
        return False
    for number in range(_LOGS_KEPT, 1, -1):
        former = _numbered(log, number - 1)
        if former.exists():
            former.replace(_numbered(log, number))
    log.replace(_numbered(log, 1))
    return True


class OwnLog:
    """The log to which this process itself writes by its standard output and error: kept to its
    limit as those of others are. Where they do not go there (a terminal, another's file, a pipe)
    nothing is done."""

    def __init__(self, log: Path, streams: tuple[int, ...] = (1, 2)) -> None:
        self._log = log
        self._streams = tuple(stream for stream in streams if _is_of(stream, log))

    def keep(self, *, limit_bytes: int = _LOG_BYTES) -> None:
        """Rotate it where it has reached its limit, and go on in a new file; also where somebody
        else has renamed or removed it. Raises OSError."""
        if not self._streams:
            return
        rotate(self._log, limit_bytes=limit_bytes)
        moved = [stream for stream in self._streams if not _is_of(stream, self._log)]
        if moved:
            with open_log(self._log) as out:
                for stream in moved:
                    os.dup2(out.fileno(), stream)


def _is_of(stream: int, log: Path) -> bool:
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(stream), log.stat())
    return False


def last_lines(log: Path, count: int) -> list[str]:
    """The end of a log, over a rotation."""
    lines: list[str] = []
    for path in (log, _numbered(log, 1)):
        if len(lines) < count:
            lines = [*_lines_of(path), *lines]
    return lines[-count:]


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []
