"""The board as a process of its own: ``baton worker insights``. One for each namespace: it is the
only writer of its file.

It projects and serves. It is ready when it listens: while it is built, or when it has stopped, its
pages say so. It ends with 0 when it was asked to stop (SIGTERM, SIGINT): the open transaction is
finished, no new connections are taken.
"""

from __future__ import annotations

import asyncio
import signal

import uvloop

from baton.settings import Settings
from services.insights.board.serving import serve


def run(settings: Settings) -> None:
    """Run until asked to stop; raises what it cannot start without."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_stopped(settings))


async def _until_stopped(settings: Settings) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running, stopping = asyncio.create_task(serve(settings)), asyncio.create_task(stop.wait())
    await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        stopping.cancel()
        running.result()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
