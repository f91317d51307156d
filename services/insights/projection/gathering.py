"""How many records are put into one transaction: few while the board keeps up, so that it is fresh;
many while it is behind, or while writing takes long, so that it is cheap.

What an event causes lies on several topics within a few tenths of a second; a lead's rows are made
anew once a transaction, and a page of the store is written once a transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from baton.cluster.public_log import Partition
from baton.contracts.public_record import PublicRecord

GATHER_S: Final = 0.5
"""With what the brokers gather (:mod:`services.insights.projection.kafka`) and the transaction
itself a lone record shows within a second."""
_LONGEST_S: Final = 2.0
_REST: Final = 4
"""Gathering takes so many times as long as the last transaction took, within these bounds: writing
takes a fifth of the time at most, unless even the longest gathering cannot do that."""
_AT_ONCE: Final = 2_000
_MOST: Final = 8_000
_BUSY: Final = 100
"""Records within ``GATHER_S``: where fewer come, none is kept waiting."""


class Source(Protocol):
    """Where the records come from: :class:`~services.insights.projection.kafka.BoardLog`."""

    @property
    def caught_up(self) -> bool: ...

    def take(
        self, at_most: int, wait_s: float
    ) -> tuple[list[PublicRecord], dict[Partition, int]]: ...


class Gathering:
    """Takes what one transaction is to have. ``ended``: gather no longer."""

    def __init__(
        self,
        source: Source,
        ended: Callable[[], bool],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._ended, self._now_s = source, ended, now_s
        self._wrote_s = 0.0

    def wrote(self, seconds: float) -> None:
        """How long the last transaction took."""
        self._wrote_s = seconds

    def take(self) -> tuple[list[PublicRecord], dict[Partition, int]]:
        """The next records, in the order of their append times, and where to read on."""
        until_s = self._now_s() + min(_LONGEST_S, _REST * self._wrote_s)
        batch, following = self._source.take(_AT_ONCE, GATHER_S)
        last = len(batch)
        while self._goes_on(last, until_s) and len(batch) < _MOST and not self._ended():
            more, further = self._source.take(_AT_ONCE, GATHER_S)
            batch += more
            following |= further
            last = len(more)
        batch.sort(key=lambda record: record.at_ms)
        return batch, following

    def _goes_on(self, last: int, until_s: float) -> bool:
        if last == _AT_ONCE:
            return True  # the log has more than was asked for
        return self._source.caught_up and last >= _BUSY and self._now_s() < until_s
