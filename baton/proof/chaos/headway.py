"""Whether a system that is left alone gets anywhere: what is still to be done must go down now and
then."""

import time
from collections.abc import Callable


class NotDrained(RuntimeError):
    """The system did not come to rest; the text says what was waited for."""


class Headway:
    """``saw(left)`` as often as is looked; raises :class:`NotDrained` where ``left`` was never
    below its least for ``patience_s`` by ``clock``."""

    def __init__(
        self, what: str, patience_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._what, self._patience_s, self._clock = what, patience_s, clock
        self._least: int | None = None
        self._since = clock()

    def saw(self, left: int | None) -> None:
        """``left``: how much is still to be done; None where nobody could say."""
        now = self._clock()
        if left is not None and (self._least is None or left < self._least):
            self._least, self._since = left, now
        elif now - self._since > self._patience_s:
            raise NotDrained(
                f"{self._what}: no headway in {self._patience_s:.0f} s, {self._least} left"
            )
