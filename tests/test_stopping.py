"""A process that is one coroutine, and how it ends."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from baton.stopping import run_until_stopped

PROGRAM = """
import asyncio
from baton.stopping import run_until_stopped

async def serve():
    print("serving", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0.01)
        print("drained", flush=True)

run_until_stopped(serve())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_lets_it_finish_and_ends_it_with_0(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "serving\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("drained\n", "", 0)


def test_what_it_raises_by_itself_ends_the_process() -> None:
    async def serve() -> None:
        raise OSError("the port is taken")

    with pytest.raises(OSError, match="the port is taken"):
        run_until_stopped(serve())


def test_what_fails_while_it_drains_does_not_hide_that_it_was_stopped() -> None:
    async def serve() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            failed.set()
            raise OSError("the broker is gone")

    failed = asyncio.Event()
    run_until_stopped(serve())
    assert failed.is_set()
