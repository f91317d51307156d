"""Where delivery keeps its file, and that one process of a kind works on it."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from baton.settings import Settings
from services.delivery.settings import DeliverySettings


class AlreadyRunning(RuntimeError):
    """Another process of this kind works in this directory."""


def folder_of(settings: Settings, own: DeliverySettings) -> Path:
    """The directory of a namespace's delivery."""
    return own.folder or settings.home / "delivery" / settings.namespace


def only_one(folder: Path, name: str = "lock") -> IO[str]:
    """Two senders from one outbox would send everything twice, and two concierges count callers
    apart. ``name``: of the lock's file, one for each kind of process."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (folder / name).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise AlreadyRunning(
            f"another process works in {folder} ({name}); stop it, or set BATON_DELIVERY_FOLDER to "
            "a directory of this one"
        ) from None
    return lock
