"""Folders of replays on this machine: facts of leads lie in them, so none outlives its use.

A round has a folder of its own for as long as its process lives. One that was killed cannot clear
up: the next start does it, and sees by a lock that the process is gone. A backtest's folder waits a
day to be gone on with.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from baton.backtest.backtest_run import KEEPS_MS

_MARK: Final = "running"
_DOOR: Final = "door"


@contextmanager
def folder_of_own(home: Path) -> Iterator[Path]:
    """A new folder under ``home`` while this process lives; those of dead ones are cleared."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / _DOOR).open("w") as door:
        flock(door, LOCK_EX)  # nobody takes a folder that has just been made for a dead one
        _clear_dead(home)
        own = Path(mkdtemp(dir=home))
        mark = (own / _MARK).open("w")
        flock(mark, LOCK_EX)
    try:
        yield own / "facts"
    finally:
        shutil.rmtree(own, ignore_errors=True)
        mark.close()


def _clear_dead(home: Path) -> None:
    for folder in home.iterdir():
        if folder.is_dir() and not _lives(folder / _MARK):
            shutil.rmtree(folder, ignore_errors=True)


def _lives(mark: Path) -> bool:
    try:
        with mark.open() as held:
            flock(held, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False


def clear_given_up(home: Path) -> None:
    """Remove what interrupted backtests left and nobody went on with for a day."""
    if not home.is_dir():
        return
    for folder in home.iterdir():
        with suppress(FileNotFoundError):  # another start clears too
            if folder.stat().st_mtime * 1000 < time.time() * 1000 - KEEPS_MS:
                shutil.rmtree(folder, ignore_errors=True)
