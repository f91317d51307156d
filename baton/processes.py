"""Processes that outlive the one that started them, distinguished from a later one with the same
pid, and ended for certain.

A pid alone says nothing after a crash: the number may belong to somebody else by now. A
:class:`Mark` is the pid with the process's start time. Nothing here ever signals a process whose
mark does not fit.
"""

import contextlib
import os
import signal
from dataclasses import dataclass

import psutil

# the system's idea of its boot time, from which start times are computed, is corrected now and then
_START_TOLERANCE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Which process is meant: its pid and when it was started (seconds since the epoch)."""

    pid: int
    started: float


def mark_of(pid: int) -> Mark:
    """The mark of a running process; raises ProcessLookupError where there is none."""
    try:
        return Mark(pid=pid, started=psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        raise ProcessLookupError(f"no process {pid}") from None


def own_mark() -> Mark:
    """The mark of this process."""
    return mark_of(os.getpid())


def find(mark: Mark) -> psutil.Process | None:
    """The process with this mark, if it still runs; one that ended and waits to be collected does
    not."""
    try:
        process = psutil.Process(mark.pid)
        if (
            process.status() == psutil.STATUS_ZOMBIE
            or abs(process.create_time() - mark.started) > _START_TOLERANCE_S
        ):
            return None
    except psutil.NoSuchProcess:
        return None
    return process


def is_running(mark: Mark) -> bool:
    """Whether the process with this mark still runs (a stopped one does)."""
    return find(mark) is not None


def send(mark: Mark, number: signal.Signals) -> bool:
    """Signal the process with this mark; False where it is gone."""
    process = find(mark)
    if process is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
        return True
    return False


def wait_gone(mark: Mark, timeout_s: float) -> bool:
    """Wait until the process has ended, and collect it if it is ours; False when it still runs at
    the end of the time."""
    try:
        process = psutil.Process(mark.pid)
        if abs(process.create_time() - mark.started) > _START_TOLERANCE_S:
            return True
        process.wait(timeout_s)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return not is_running(mark)
    return True


def end(mark: Mark, *, grace_s: float) -> bool:
    """End a process: asked first (SIGTERM, woken if it was stopped), killed after ``grace_s``. True
    if it ended by itself."""
    if not send(mark, signal.SIGTERM):
        wait_gone(mark, 0)
        return True
    send(mark, signal.SIGCONT)
    if wait_gone(mark, grace_s):
        return True
    send(mark, signal.SIGKILL)
    wait_gone(mark, grace_s)
    return False
