"""Long work is never silent: a moving line on a terminal, elsewhere a line on standard error
every two seconds.

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


class Patience:
    """Says what is being done when nothing else has been said for ``silent_s``, then every
    ``again_s``."""

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
        self._due = time.monotonic() + silent_s
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
            if self._status is None and time.monotonic() >= self._due:
                self._console.print(self._doing, highlight=False, markup=False, soft_wrap=True)
                self._due = time.monotonic() + self._again_s

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
