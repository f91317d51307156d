"""Does to workers and brokers what the plan says."""

import asyncio
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import KafkaException

from baton.agreement.publish import NotPublished, publish_agreement
from baton.proof.chaos.brokers import Brokers, CannotBe
from baton.proof.chaos.crew import Crew
from baton.proof.chaos.pace import Pace
from baton.proof.chaos.plan import Blow, Fault
from baton.settings import Settings

_STORM_GAP_S = 0.7
_AGREE_TRIES, _AGREE_GAP_S = 10, 3.0


class Striker:
    """``agreement``: the YAML that is published once more, changed. What takes long goes on aside
    until :meth:`join`."""

    def __init__(
        self, crew: Crew, brokers: Brokers, settings: Settings, *, agreement: Path, pace: Pace
    ) -> None:
        self._crew, self._brokers, self._settings, self._agreement, self._pace = (
            crew,
            brokers,
            settings,
            agreement,
            pace,
        )
        self._failed: list[Exception] = []
        self._broker_lock = threading.Lock()
        self._aside_threads: list[threading.Thread] = []
        self.done: Counter[str] = Counter()
        self.not_done: list[str] = []
        self.skipped: list[str] = []

    def strike(self, blow: Blow) -> None:
        """Do one thing."""
        crew, brokers, pace = self._crew, self._brokers, self._pace
        self.done[blow.fault] += 1
        match blow.fault:
            case Fault.KILL:
                crew.signal(crew.one(blow.target), signal.SIGKILL)
            case Fault.PAUSE:
                self._aside(lambda: self._pause(crew.one(blow.target)))
            case Fault.ROLL:
                self._aside(lambda: self._roll(blow.target))
            case Fault.STORM:
                self._aside(lambda: self._storm(blow.target))
            case Fault.BROKER_KILL:
                self._aside(lambda: self._to_broker(lambda: brokers.kill(blow.target)))
            case Fault.BROKER_FREEZE:
                self._aside(
                    lambda: self._to_broker(lambda: brokers.freeze(blow.target, pace.freeze_s))
                )
            case Fault.PARTITION:
                self._aside(lambda: self._to_broker(lambda: self._part(blow)))
            case Fault.AGREEMENT:
                self._aside(self._agree)
            case Fault.UPGRADE:
                self._aside(self._upgrade)
            case Fault.BACKUP:
                self.join()
                crew.rest()
                brokers.restore()
                crew.resume()

    def join(self) -> None:
        """Wait for what goes on aside. Raises what went wrong there."""
        for thread in self._aside_threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _aside(self, work: Callable[[], object]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - join() raises it
                self._failed.append(error)

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        self._aside_threads.append(thread)

    def _to_broker(self, work: Callable[[], object]) -> None:
        """One broker at a time: with three, two are enough, and one is not."""
        with self._broker_lock:
            work()

    def _part(self, blow: Blow) -> None:
        try:
            self._brokers.part(blow.target, self._pace.part_s)
        except CannotBe as error:
            self.done[blow.fault] -= 1
            self.skipped.append(f"{blow.fault}: {error}")

    def _upgrade(self) -> None:
        for name in self._crew.names:
            self._crew.upgrade(name)
            time.sleep(self._pace.session_s)

    def _agree(self) -> None:
        """Writing nothing twice, it can be tried again where the broker is down just then."""
        text = self._agreement.read_text().replace("form: {points: 12,", "form: {points: 13,")
        for _ in range(_AGREE_TRIES):
            try:
                asyncio.run(publish_agreement(self._settings, text, file="changed.yaml"))
                return
            except (NotPublished, KafkaException):
                time.sleep(_AGREE_GAP_S)
        self.not_done.append(f"{Fault.AGREEMENT}: it could not be, {_AGREE_TRIES} times")

    def _pause(self, name: tuple[str, int]) -> None:
        self._crew.signal(name, signal.SIGSTOP)
        time.sleep(self._pace.pause_s)
        self._crew.signal(name, signal.SIGCONT)

    def _roll(self, target: int) -> None:
        for name in self._crew.of_service(target):
            self._crew.signal(name, signal.SIGTERM)
            time.sleep(self._pace.session_s / 2)

    def _storm(self, target: int) -> None:
        for turn in range(self._pace.storm_turns):
            for name in self._crew.of_service(target):
                self._crew.signal(name, signal.SIGTERM if turn % 2 else signal.SIGKILL)
                time.sleep(_STORM_GAP_S)
