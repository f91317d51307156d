"""The board as a process of its own: ``baton worker insights``. One for each namespace: it is the
only writer of its file.

It projects and serves. It is ready when it listens: while it is built, or when it has stopped, its
pages say so. It ends with 0 when it was asked to stop (SIGTERM, SIGINT): the open transaction is
finished, no new connections are taken.
"""

from __future__ import annotations

from baton.cluster.process_metrics import report_build
from baton.settings import Settings
from baton.stopping import run_until_stopped
from services.insights.board.board_server import serve


def run(settings: Settings) -> None:
    """Run until asked to stop; raises what it cannot start without."""
    report_build("insights")
    run_until_stopped(serve(settings))
