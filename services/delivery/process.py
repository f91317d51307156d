"""Delivery as a process of its own: ``baton worker delivery``. One for each namespace: it is the
only writer of its file.

It reads, sends and listens. It is ready when it listens. It ends with 0 when it is asked to stop
(SIGTERM, SIGINT): the open transaction is finished, what is in flight is sent again by the next
run.
"""

from __future__ import annotations

import logging

from baton.cluster.process_metrics import report_build
from baton.settings import Settings
from baton.stopping import run_until_stopped
from services.delivery.outbox_file import folder_of, only_one
from services.delivery.serving import serve
from services.delivery.settings import DeliverySettings
from services.delivery.targets.target_reading import read_secrets, read_targets

_TALKATIVE = ("httpx", "httpcore", "slack_sdk", "hpack")
"""Clients that log addresses they call: an address of a query has what is asked for in it."""


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
