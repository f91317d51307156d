"""Runs a process that is one coroutine, until it is asked to stop: SIGTERM or SIGINT, as systemd,
Kubernetes and Ctrl-C ask.

The coroutine is cancelled then, finishes what it has begun, and the process ends with 0. What it
raises by itself ends the process. Workers of a service with reducers are run by Faust instead.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

import uvloop


def run_until_stopped(serving: Coroutine[Any, Any, None]) -> None:
    """Run it on a loop of its own until a signal to stop; raises what it raises before that."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_stopped(serving))


async def _until_stopped(serving: Coroutine[Any, Any, None]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running, stopping = asyncio.create_task(serving), asyncio.create_task(stop.wait())
    await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        stopping.cancel()
        running.result()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
