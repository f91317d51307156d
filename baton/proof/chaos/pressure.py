"""Looks at the lag while the load runs: holds the script while the system is asked to catch up, and
says now and then how things stand."""

import threading
import time
from collections.abc import Callable

from confluent_kafka import KafkaException

from baton.proof.chaos.script_clock import ScriptClock

_LOOK_S = 3.0
HIGH, LOW = 40_000, 20_000
"""Lag in offsets, over all groups, at which the script is held, and at which it goes on."""


class Pressure:
    """``lag`` may raise KafkaException: while nobody answers, nothing changes. ``say`` receives the
    lag every ``report_s``."""

    def __init__(
        self,
        clock: ScriptClock,
        lag: Callable[[], int],
        say: Callable[[int | None], None],
        *,
        report_s: float,
        look_s: float = _LOOK_S,
    ) -> None:
        self._clock, self._lag, self._say, self._report_s, self._look_s = (
            clock,
            lag,
            say,
            report_s,
            look_s,
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.behind: int | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more, and let the script go on."""
        self._ended.set()
        self._thread.join()
        self._clock.start()

    def _watch(self) -> None:
        said = time.monotonic()
        while not self._ended.wait(self._look_s):
            self.look()
            if time.monotonic() - said >= self._report_s:
                said = time.monotonic()
                self._say(self.behind)

    def look(self) -> None:
        """Once."""
        try:
            self.behind = self._lag()
        except KafkaException:
            self.behind = None
            return
        if self.behind > HIGH:
            self._clock.hold()
        elif self.behind < LOW:
            self._clock.start()
