"""The embedded broker as a part of a run: started again when it ends, as services are, without
holding up who looks after them.

A start takes seconds (the node's controller runs alone first, see ``embedded.py``), so it goes on
in a thread of its own. The broker comes back at the same address, since the services know no other.
"""

import contextlib
import threading
import time
from collections.abc import Callable

from baton.local.broker.embedded import EmbeddedBroker
from baton.local.up.child import Backoff

_JOIN_S = 0.2


class TendedBroker:
    """``make`` gives the broker for a port; 0: any free one, which it keeps from then on."""

    def __init__(
        self, make: Callable[[int], EmbeddedBroker], port: int, say: Callable[[str], None]
    ) -> None:
        self._make = make
        self._say = say
        self.broker = make(port)
        self.restarts = 0
        self._backoff = Backoff()
        self._started_at = 0.0
        self._due: float | None = None
        self._starting: threading.Thread | None = None

    def start(self) -> str:
        """Start it, wait until it answers and give its address; raises as
        :meth:`EmbeddedBroker.start` does."""
        address = self.broker.start()
        self._started_at = time.monotonic()
        self.broker = self._make(int(address.rpartition(":")[2]))
        return address

    def tend(self) -> bool:
        """Start it again when it has ended, after a wait. Gives whether it was started just now. To
        be called often."""
        now = time.monotonic()
        if self._starting is not None:
            if self._starting.is_alive():
                return False
            self._starting = None
            return True
        if self.broker.running is not None:
            self._due = None
        elif self._due is None:
            wait_s = self._backoff.wait_s(ran_s=now - self._started_at)
            self._due = now + wait_s
            self._say(
                f"the broker ended; starting it again in {wait_s:g} s; its log: {self.broker.log}"
            )
        elif now >= self._due:
            self._due, self._started_at = None, now
            self.restarts += 1
            self._starting = threading.Thread(target=self._start_again, name="broker", daemon=True)
            self._starting.start()
        return False

    def stop(self) -> None:
        """End it, also while it starts."""
        while self._starting is not None and self._starting.is_alive():
            self.broker.stop()
            self._starting.join(_JOIN_S)
        self.broker.stop()

    def _start_again(self) -> None:
        try:
            address = self.broker.start()
        except Exception as error:  # noqa: BLE001 - it is reported, and tried again after a longer wait
            with contextlib.suppress(Exception):
                self.broker.stop()
            self._say(f"the broker could not be started: {str(error).splitlines()[0]}")
        else:
            self._say(f"the broker answers again at {address}")
