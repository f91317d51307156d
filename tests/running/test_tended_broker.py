"""The broker of a run is started again when it ends, at its address, and ends with the run even
while it starts."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from baton.local.up import tended_broker
from baton.local.up.tended_broker import TendedBroker


class Broker:
    """A stand-in for the embedded broker: what was asked of it, and whether it runs. ``blocked``: a
    start waits until it is ended."""

    def __init__(self, port: int, log: list[str]) -> None:
        self.port, self.said, self.log = port or 1234, log, Path("kafka.log")
        self.running: object | None = None
        self.fault: Exception | None = None
        self.blocked = False
        self._ended = threading.Event()

    def start(self) -> str:
        self.said.append(f"start {self.port}")
        if self.blocked:
            self._ended.wait(10)
            raise RuntimeError("ended while it started")
        if self.fault is not None:
            raise self.fault
        self.running = object()
        return f"127.0.0.1:{self.port}"

    def stop(self) -> bool:
        self.said.append("stop")
        self._ended.set()
        self.running = None
        return True


class Clock:
    """Seconds that pass when asked to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(tended_broker, "time", found)
    return found


def _started(clock: Clock) -> tuple[TendedBroker, Broker, list[str], list[str]]:
    done: list[str] = []
    said: list[str] = []
    made: list[Broker] = []

    def make(port: int) -> Broker:
        made.append(Broker(port, done))
        return made[-1]

    tended = TendedBroker(make, 0, said.append)  # type: ignore[arg-type]  # a stand-in
    tended.start()
    made[-1].running = object()
    return tended, made[-1], done, said


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_one_that_ended_is_started_again_after_a_wait_at_the_address_the_services_know(
    clock: Clock,
) -> None:
    tended, broker, done, said = _started(clock)
    assert not tended.tend()
    broker.running = None
    tended.tend()
    assert (done, tended.restarts) == (["start 1234"], 0)
    clock.now += 0.6
    tended.tend()
    _until(tended.tend)
    assert (done, tended.restarts) == (["start 1234", "start 1234"], 1)
    assert said == [
        "the broker ended; starting it again in 0.5 s; its log: kafka.log",
        "the broker answers again at 127.0.0.1:1234",
    ]


def test_one_that_cannot_be_started_is_tried_again_after_longer_and_longer_waits(
    clock: Clock,
) -> None:
    tended, broker, _, said = _started(clock)
    broker.running, broker.fault = None, RuntimeError("only 3 MB are free\nand more")
    for _ in range(3):
        tended.tend()
        clock.now += 31
        tended.tend()
        _until(tended.tend)
    assert tended.restarts == 3
    assert said == [
        "the broker ended; starting it again in 0.5 s; its log: kafka.log",
        "the broker could not be started: only 3 MB are free",
        "the broker ended; starting it again in 1 s; its log: kafka.log",
        "the broker could not be started: only 3 MB are free",
        "the broker ended; starting it again in 2 s; its log: kafka.log",
        "the broker could not be started: only 3 MB are free",
    ]


def test_a_run_that_ends_while_its_broker_starts_leaves_none_behind(clock: Clock) -> None:
    tended, broker, done, _ = _started(clock)
    broker.running, broker.blocked = None, True
    tended.tend()
    clock.now += 1
    tended.tend()
    tended.stop()
    assert broker.running is None
    assert done[-1] == "stop"
    assert [thread.name for thread in threading.enumerate() if thread.name == "broker"] == []
