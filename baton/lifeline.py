"""Ends a process when the one that looks after it is gone, however that went: nothing else learns
of a kill -9.

The supervisor holds the other end of this process's standard input and never writes to it. When it
dies the system closes that end, which reads as the end of the input here.
"""

import os
import signal
import threading

VARIABLE = "BATON_LIFELINE"
"""Set by the supervisor; without it standard input is nobody's lifeline."""


def end_with_supervisor() -> None:
    """From now on end this process as SIGTERM does when its supervisor dies. Nothing if it has
    none."""
    if os.environ.get(VARIABLE):
        threading.Thread(target=_wait_for_end, name="lifeline", daemon=True).start()


def _wait_for_end() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
