"""How a run reports its progress: lines with the seconds since its begin, and the time of each
part."""

import time
from collections.abc import Callable

Say = Callable[[str], None]


class Progress:
    """``report_s``: how often it reports what has not changed."""

    def __init__(self, say: Say, *, report_s: float) -> None:
        self._say, self._report_s = say, report_s
        self._began = self._part_began = self._said = time.monotonic()
        self.seconds: dict[str, float] = {}

    def say(self, text: str) -> None:
        """A line."""
        self._say(f"{self.elapsed:6.0f} s  {text}")

    def report(self, text: str) -> None:
        """A line, unless one was reported just now."""
        now = time.monotonic()
        if now - self._said >= self._report_s:
            self._said = now
            self.say(text)

    def part(self, name: str) -> None:
        """A part of the run ends."""
        now = time.monotonic()
        self.seconds[name], self._part_began = now - self._part_began, now

    @property
    def elapsed(self) -> float:
        """Seconds since the begin."""
        return time.monotonic() - self._began
