"""A run goes on when its disk is full: what runs is left alone, what ended is tried again, and both
are said."""

import errno
import os
from pathlib import Path

import pytest

from baton.local.up import system as system_module
from baton.local.up.child import Child, Command
from baton.local.up.run_record import ProcessRecord
from baton.local.up.system import System
from baton.processes import own_mark
from baton.settings import Settings


class Clock:
    """Seconds that pass when asked to."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Service:
    """A stand-in for a child: whether it has ended, and whether the disk lets it start."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.disk_is_full = False
        self.starts = 0

    def start(self) -> ProcessRecord:
        if self.disk_is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.starts += 1
        self.code = None
        return ProcessRecord(name="one", mark=own_mark(), log="x.log")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(system_module, "time", found)
    return found


def test_a_service_that_cannot_be_started_for_want_of_room_is_tried_again(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, said = Service(), []  # type: ignore[var-annotated]
    monkeypatch.setattr(Child, "start", lambda _: service.start())
    monkeypatch.setattr(Child, "exit_code", lambda _: service.code)
    system = System(
        Settings(home=tmp_path, bootstrap="127.0.0.1:1"),
        prepare=lambda _: None,
        commands=lambda _: [Command(name="one", words=["x"])],
        say=said.append,
    )
    system.start()
    service.code, service.disk_is_full = 1, True
    for _ in range(3):
        system.tend()
        clock.now += 11
    assert service.starts == 1
    words = (
        f"one cannot be started: {tmp_path / 'logs' / 'one.log'}: No space left on device; trying "
        "again in 10 s"
    )
    assert said[-2:] == [words, words]
    service.disk_is_full = False
    system.tend()
    assert (service.starts, service.code) == (2, None)
