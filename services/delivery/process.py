"""Delivery as a process of its own: ``baton worker delivery``. One for each namespace: it is the
only writer of its file.

It reads, sends and listens. It is ready when it listens. It ends with 0 when it is asked to stop
(SIGTERM, SIGINT): the open transaction is finished, what is in flight is sent again by the next
run.
"""

from __future__ import annotations

import fcntl
import logging
from pathlib import Path
from typing import IO

from baton.cluster.process_metrics import report_build
from baton.settings import Settings
from baton.stopping import run_until_stopped
from services.delivery.files import folder_of
from services.delivery.serving import serve
from services.delivery.settings import DeliverySettings
from services.delivery.targets.reading import read_secrets, read_targets

_TALKATIVE = ("httpx", "httpcore", "slack_sdk", "hpack")
"""Clients that log addresses they call: an address of a query has what is asked for in it."""


class AlreadyRunning(RuntimeError):
    """Another process delivers from this directory."""


def run(settings: Settings) -> None:
    """Run until it is asked to stop; raises what it cannot start without."""
    own = DeliverySettings()
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    report_build("delivery")
    targets = read_targets(own.targets)
    secrets = read_secrets(targets)
    folder = folder_of(settings, own)
    with only_one(folder):
        run_until_stopped(serve(settings, own, targets, secrets, folder))


def only_one(folder: Path) -> IO[str]:
    """Two senders from one outbox would send everything twice."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise AlreadyRunning(
            f"another process delivers from {folder}; stop it, or set BATON_DELIVERY_FOLDER to a "
            "directory of this one"
        ) from None
    return lock
