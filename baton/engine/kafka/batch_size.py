"""How many records a task takes into one batch: fewer after a batch that failed, more again after
full ones.

A batch that cost its worker the session, or did not finish within the transaction's time limit,
would fail again at the same size. It is halved until it fits; a task that is slow then goes on
slowly instead of not at all.
"""

from __future__ import annotations

LEAST = 100


class BatchSize:
    """``records``: how many records the next batch may take; between :data:`LEAST` and ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.records = most

    def failed(self, taken: int) -> None:
        """A batch with ``taken`` records came to nothing."""
        self.records = max(min(LEAST, self._most), min(self.records, taken) // 2)

    def committed(self, taken: int) -> None:
        """A batch with ``taken`` records was committed: a full one says that a larger one may
        fit."""
        if taken >= self.records:
            self.records = min(self._most, 2 * self.records)
