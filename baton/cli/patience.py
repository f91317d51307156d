"""Long work is never silent: a moving line on a terminal, elsewhere a line on standard error after
two seconds, then after four, eight ... up to a minute, so that a log of a long run stays short.

For commands whose own output may be long in coming. Standard output is never touched, so what reads
it sees nothing of this.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

_SILENT_S = 2.0
_AGAIN_S = 2.0
_LONGEST_S = 60.0


class Patience:
    """Says what is being done when nothing else has been said for ``silent_s``, then after
    ``again_s``, and twice as long after each further line. A line that would be the same again says
    how long it has been going on."""

    def __init__(
        self,
        console: Console,
        doing: str,
        status: Status | None,
        *,
        silent_s: float,
        again_s: float,
    ) -> None:
        self._console, self._status = console, status
        self._doing = doing
        self._silent_s, self._again_s = silent_s, again_s
        self._began = time.monotonic()
        self._due = self._began + silent_s
        self._shown = ""
        self._ended = threading.Event()

    def said(self) -> None:
        """Something was printed: the wait for the next line begins anew."""
        self._due = time.monotonic() + self._silent_s

    def doing(self, what: str) -> None:
        """What goes on from now on; it is said when nothing else is."""
        self._doing = what
        if self._status is not None:
            self._status.update(what)

    def hide(self) -> None:
        """No moving line any more: the output itself moves."""
        if self._status is not None:
            self._status.stop()

    def watch(self) -> None:
        """Say what is being done where nothing else was said; until :meth:`end`."""
        while not self._ended.wait(min(0.2, self._silent_s / 2)):
            now = time.monotonic()
            if self._status is None and now >= self._due:
                again = f" ({now - self._began:.0f} s)" if self._doing == self._shown else ""
                line, self._shown = f"{self._doing}{again}", self._doing
                self._console.print(line, highlight=False, markup=False, soft_wrap=True)
                self._due = now + self._again_s
                self._again_s = min(2 * self._again_s, max(_LONGEST_S, self._again_s))

    def end(self) -> None:
        """Say nothing more."""
        self._ended.set()


@contextmanager
def patience(
    console: Console, doing: str, *, silent_s: float = _SILENT_S, again_s: float = _AGAIN_S
) -> Iterator[Patience]:
    """While inside, ``console`` (of standard error) says that ``doing`` goes on."""
    status = console.status(doing) if console.is_terminal else None
    found = Patience(console, doing, status, silent_s=silent_s, again_s=again_s)
    thread = threading.Thread(target=found.watch, name="patience", daemon=True)
    thread.start()
    if status is not None:
        status.start()
    try:
        yield found
    finally:
        found.end()
        thread.join()
        found.hide()
