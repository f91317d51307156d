"""Processes and their marks: ended for certain, and never a stranger with the same pid."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from baton.processes import Mark, end, is_running, mark_of, own_mark, send, wait_gone

DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); "
    "time.sleep(60)"
)
PLAIN = "import time; print(flush=True); time.sleep(60)"
BRIEF = "print(flush=True)"


@pytest.fixture
def start() -> Iterator[object]:
    """Starts a Python program and waits until it speaks; whatever is left is killed."""
    children: list[subprocess.Popen[bytes]] = []

    def run(program: str) -> Mark:
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        children.append(child)
        mark = mark_of(child.pid)
        assert child.stdout is not None
        child.stdout.readline()
        return mark

    yield run
    for child in children:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


@pytest.mark.parametrize(
    ("program", "by_itself"), [(PLAIN, True), (DEAF, False)], ids=["listens", "deaf"]
)
def test_a_process_is_asked_to_end_and_killed_if_it_does_not(
    start, program: str, by_itself: bool
) -> None:
    mark = start(program)
    assert is_running(mark)
    assert end(mark, grace_s=5.0 if by_itself else 0.2) is by_itself
    assert not is_running(mark)


def test_a_stopped_process_is_woken_to_end_by_itself(start) -> None:
    mark = start(PLAIN)
    send(mark, signal.SIGSTOP)
    assert end(mark, grace_s=5.0)
    assert not is_running(mark)


def test_ending_it_again_does_no_harm(start) -> None:
    mark = start(BRIEF)
    assert wait_gone(mark, 5.0)
    assert end(mark, grace_s=1.0)
    assert end(mark, grace_s=1.0)


def test_a_process_that_ended_but_was_not_collected_does_not_run(start) -> None:
    mark = start(BRIEF)
    child = psutil.Process(mark.pid)
    while child.status() != psutil.STATUS_ZOMBIE:
        pass
    assert not is_running(mark)


def test_a_stranger_with_the_same_pid_is_neither_found_nor_signalled(start) -> None:
    mark = start(PLAIN)
    stranger = replace(mark, started=mark.started - 60)
    assert not is_running(stranger)
    assert not send(stranger, signal.SIGKILL)
    assert end(stranger, grace_s=1.0)
    assert wait_gone(stranger, 1.0)
    assert is_running(mark)


def test_a_pid_that_nobody_has_is_said_so() -> None:
    with pytest.raises(ProcessLookupError):
        mark_of(2**22 + 1)


def test_this_process_runs() -> None:
    assert is_running(own_mark())
