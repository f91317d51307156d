"""The time of the script: it goes on with the real one, and stands still while the system is asked
to catch up."""

import threading
import time


class ScriptClock:
    """Starts at 0 with :meth:`start`. Threads may use it side by side."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._passed_s = 0.0
        self._since: float | None = None

    def start(self) -> None:
        """Go on."""
        with self._lock:
            if self._since is None:
                self._since = time.monotonic()

    def hold(self) -> None:
        """Stand still."""
        with self._lock:
            self._passed_s, self._since = self._passed(), None

    @property
    def held(self) -> bool:
        """Whether it stands still."""
        return self._since is None

    @property
    def now_ms(self) -> int:
        """Script time."""
        with self._lock:
            return int(self._passed() * 1000)

    def _passed(self) -> float:
        return self._passed_s + (0.0 if self._since is None else time.monotonic() - self._since)
